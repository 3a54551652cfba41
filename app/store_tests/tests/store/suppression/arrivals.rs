//! Which held line a line of a file or a request is, and what a decision about it covers.

use super::{ONE, anonymise_leavers, anonymised, counts, held, import, keys_of, try_import, users_of};
use crate::support::{execute, for_each_database};
use crate::transfer::file;
use db::entity::users;
use db::pagination::Paging;
use policy::import::LineOutcome;
use policy::import_options::{ImportMode, ImportOptions};
use policy::import_profile::{FileKind, built_in};
use policy::suppression::{HeldDecision, HeldSource, KeyKind};
use policy::user_form::UserForm;
use policy::{HeldLineId, ImportId};
use records::user;
use safeguards::suppression::KeyValues;
use safeguards::suppression::arrival::{Arrival, LineFate, SeenLine};
use safeguards::suppression::check::Checker;
use safeguards::suppression::held_line::{self, Chosen};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use trail::{Actor, Store};
use transfer::{ImportOrder, Imported, TransferError, Watch};

async fn decide(store: &Store, lines: &[i64], decision: HeldDecision) {
    let lines = Chosen::Lines(lines.iter().copied().map(HeldLineId).collect());
    held_line::decide(store, Actor::COMMAND_LINE, &lines, decision).await.unwrap();
}

async fn last_names(store: &Store) -> Vec<String> {
    let present = users::Entity::find().filter(users::Column::AnonymisedOn.is_null());
    let present = present.order_by_asc(users::Column::Number).all(&store.db).await.unwrap();
    present.into_iter().filter_map(|user| user.last_name).collect()
}

/// Imports the valid lines of FOLIO's users.
async fn import_folio(store: &Store, content: &str) -> Imported {
    let (file, watch) = (file(content), Watch::default());
    let profile = built_in("folio", FileKind::Users).unwrap();
    let options = ImportOptions { mode: ImportMode::ValidLinesOnly, ..profile.default_options() };
    let order = ImportOrder { options, ..ImportOrder::on_command_line(file.path(), profile, &watch) };
    transfer::import(store, Actor::COMMAND_LINE, &order).await.unwrap()
}

/// An answer of an API can have all users on one line.
#[tokio::test]
async fn the_users_of_one_line_have_results_of_their_own() {
    let user = |id: &str, name: &str| format!(r#"{{"id":"{id}","personal":{{"lastName":"{name}"}}}}"#);
    for_each_database(async |store| {
        anonymised(&store).await;
        let content = format!(
            r#"{{"users":[{},{},{},{},{}]}}"#,
            user("new-1", "Alder"),
            user("e1", "Ng"),
            user("new-2", "Birch"),
            r#"{"id":"no-name"}"#,
            r#"{"id":"no-name-2"}"#
        );
        for created in [2, 0] {
            let Imported { summary, report, .. } = import_folio(&store, &content).await;
            assert_eq!(
                (summary.lines, summary.created, summary.unchanged, summary.suppressed, summary.rejected),
                (5, created, 2 - created, 1, 2)
            );
            let left_out: Vec<_> = report
                .iter()
                .filter(|line| [LineOutcome::Held, LineOutcome::Rejected].contains(&line.outcome))
                .map(|line| (line.line, line.outcome))
                .collect();
            let (held, rejected) = (LineOutcome::Held, LineOutcome::Rejected);
            assert_eq!(left_out, [(2, held), (4, rejected), (5, rejected)]);
        }
        assert_eq!(last_names(&store).await, ["Alder", "Birch"]);
        assert_eq!(held(&store).await.len(), 1);
        decide(&store, &[held(&store).await[0].id], HeldDecision::NewMembership).await;
        assert_eq!(import_folio(&store, &content).await.summary.created, 1);
        assert_eq!(last_names(&store).await, ["Alder", "Birch", "Ng"]);
    })
    .await;
}

/// The UserID of an anonymised user belongs to another person. Staff entered this user without an external identifier.
async fn with_another_ng(store: &Store) {
    anonymised(store).await;
    let form = UserForm {
        user_id: "ng".to_owned(),
        last_name: "Nguyen".to_owned(),
        suppressed: "different_person".to_owned(),
        ..UserForm::default()
    };
    user::save(store, Actor::COMMAND_LINE, &form).await.unwrap();
}

#[tokio::test]
async fn the_line_of_an_anonymised_user_changes_no_user_with_the_same_user_id() {
    for_each_database(async |store| {
        with_another_ng(&store).await;
        for _ in 0..2 {
            assert_eq!(counts(&import(&store, ONE).await), [0, 0, 0, 1, 0, 0]);
            assert_eq!(last_names(&store).await, ["Nguyen"]);
        }
        assert_eq!(held(&store).await[0].kind, KeyKind::ExternalId);
        let line = held(&store).await[0].id;
        decide(&store, &[line], HeldDecision::Ignore).await;
        assert_eq!(counts(&import(&store, ONE).await), [0, 0, 0, 0, 1, 0]);

        // The same person returns, but the UserID is taken.
        decide(&store, &[line], HeldDecision::NewMembership).await;
        let refused = try_import(&store, ONE).await;
        assert!(matches!(&refused, Err(TransferError::File(one)) if one.total == 1), "{refused:?}");
        assert_eq!(last_names(&store).await, ["Nguyen"]);

        // The person with the UserID now has the identifier.
        decide(&store, &[line], HeldDecision::DifferentPerson).await;
        assert_eq!(counts(&import(&store, ONE).await), [0, 1, 0, 0, 0, 0]);
        assert_eq!(last_names(&store).await, ["Ng"]);
        assert_eq!(counts(&import(&store, ONE).await), [0, 0, 1, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_new_identifier_of_a_known_user_is_not_held() {
    for_each_database(async |store| {
        with_another_ng(&store).await;
        let content = "external_id,user_id,last_name\nE2,ng,Nguyen\n";
        assert_eq!(counts(&import(&store, content).await), [0, 1, 0, 0, 0, 0]);
        assert!(held(&store).await.is_empty());
    })
    .await;
}

/// People of one household share an e-mail address.
#[tokio::test]
async fn a_decision_about_one_person_is_none_about_another_with_the_same_key() {
    for_each_database(async |store| {
        let content = "user_id,email,last_name,leaving_on\na,home@example.org,Alder,2018-01-02\n\
                       b,home@example.org,Birch,2018-01-02\n";
        assert_eq!(import(&store, content).await.created, 2);
        anonymise_leavers(&store).await;
        execute(&store, "DELETE FROM suppressed_keys WHERE kind <> 'email'").await;
        assert_eq!(keys_of(&store).await, 1);
        for times in 1..=2 {
            assert_eq!(counts(&import(&store, content).await), [0, 0, 0, 2, 0, 0]);
            let seen: Vec<_> = held(&store).await.iter().map(|line| (line.line, line.times_seen)).collect();
            assert_eq!(seen, [(2, times), (3, times)]);
        }
        let lines: Vec<i64> = held(&store).await.iter().map(|line| line.id).collect();
        decide(&store, &lines[..1], HeldDecision::Ignore).await;
        for _ in 0..2 {
            assert_eq!(counts(&import(&store, content).await), [0, 0, 0, 1, 1, 0], "the decision stays");
        }
        decide(&store, &lines[1..], HeldDecision::NewMembership).await;
        assert_eq!(counts(&import(&store, content).await), [1, 0, 0, 0, 1, 0]);
        assert_eq!(last_names(&store).await, ["Birch"]);
    })
    .await;
}

/// The order of the lines does not give one person the decision about another.
#[tokio::test]
async fn a_new_line_before_a_decided_one_does_not_use_its_decision() {
    for_each_database(async |store| {
        let header = "user_id,email,last_name,leaving_on\n";
        let known = "a,home@example.org,Alder,2018-01-02\n";
        assert_eq!(import(&store, &format!("{header}{known}")).await.created, 1);
        anonymise_leavers(&store).await;
        execute(&store, "DELETE FROM suppressed_keys WHERE kind <> 'email'").await;
        assert_eq!(counts(&import(&store, &format!("{header}{known}")).await), [0, 0, 0, 1, 0, 0]);
        decide(&store, &[held(&store).await[0].id], HeldDecision::NewMembership).await;
        let new = "b,home@example.org,Birch,\n";
        assert_eq!(
            counts(&import(&store, &format!("{header}{new}")).await),
            [0, 0, 0, 1, 0, 0],
            "another person"
        );
        assert!(last_names(&store).await.is_empty());
        let both = import(&store, &format!("{header}c,home@example.org,Cedar,\n{new}{known}")).await;
        assert_eq!(counts(&both), [0, 0, 0, 3, 0, 0], "the decision was about a line that has changed");
        assert_eq!(held(&store).await.len(), 3);
    })
    .await;
}

/// Imports the valid lines of a file of users.
async fn import_valid(store: &Store, content: &str) -> transfer::ImportSummary {
    let (file, watch) = (file(content), Watch::default());
    let profile = built_in("lethe", FileKind::Users).unwrap();
    let options = ImportOptions { mode: ImportMode::ValidLinesOnly, ..profile.default_options() };
    let order = ImportOrder { options, ..ImportOrder::on_command_line(file.path(), profile, &watch) };
    transfer::import(store, Actor::COMMAND_LINE, &order).await.unwrap().summary
}

#[tokio::test]
async fn a_decision_is_used_only_by_a_line_that_is_written() {
    for_each_database(async |store| {
        with_another_ng(&store).await;
        import(&store, ONE).await;
        decide(&store, &[held(&store).await[0].id], HeldDecision::NewMembership).await;
        for _ in 0..2 {
            let summary = import_valid(&store, ONE).await;
            assert_eq!(
                (summary.rejected, summary.suppressed, summary.changed),
                (1, 0, 0),
                "the UserID is taken"
            );
            assert_eq!(held(&store).await[0].decision, Some(HeldDecision::NewMembership));
        }
        execute(&store, "UPDATE users SET user_id = NULL, user_id_key = NULL WHERE last_name = 'Nguyen'")
            .await;
        assert_eq!(counts(&import_valid(&store, ONE).await), [1, 0, 0, 0, 0, 0]);
        assert!(held(&store).await.is_empty());
    })
    .await;
}

/// A line that waits for the key of another user can be held after all.
#[tokio::test]
async fn a_held_line_gives_no_key_away() {
    for_each_database(async |store| {
        anonymised(&store).await;
        execute(
            &store,
            "INSERT INTO users (uuid, last_name, user_id, user_id_key, barcode, barcode_key) VALUES \
             ('u', 'U', 'u', 'u', 'B7', 'b7'), ('v', 'V', 'v', 'v', 'B8', 'b8')",
        )
        .await;
        for (second, changed) in [(",v,B9,V", 1), (",v,B7,V", 0)] {
            let content = format!("external_id,user_id,barcode,last_name\nE1,u,B8,Ng\n{second}\n");
            let summary = import_valid(&store, &content).await;
            assert_eq!(
                (summary.suppressed + summary.rejected, summary.changed),
                (2 - changed, changed),
                "{second}"
            );
            let keys = users::Entity::find().filter(users::Column::UserId.eq("u")).one(&store.db).await;
            let user = keys.unwrap().unwrap();
            assert_eq!((user.last_name.as_deref(), user.barcode_key.as_deref()), (Some("U"), Some("b7")));
        }
    })
    .await;
}

/// A library can get the same person from a file and from an identity system.
#[tokio::test]
async fn each_source_has_held_lines_of_its_own_and_always_ignore_covers_both() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let see = async |source: HeldSource, content: &str| {
            let tx = store.begin().await.unwrap();
            let checker = Checker::open(&tx, &store).await.unwrap();
            let keys = [KeyValues { external_id: Some("E1"), ..KeyValues::default() }];
            let found = checker.check(&tx, &keys).await.unwrap();
            let line = SeenLine::new(&checker, &found[0], 7, content).unwrap();
            let fates =
                Arrival::new(source, None).record_lines(&tx, &store, &[line.clone(), line]).await.unwrap();
            store.commit(tx).await.unwrap();
            assert_eq!(fates[0], fates[1], "an equal line");
            fates[0]
        };
        for _ in 0..2 {
            assert_eq!(see(HeldSource::Users, "a line").await, LineFate::Held);
            assert_eq!(see(HeldSource::Scim, "a request").await, LineFate::Held);
        }
        let lines: Vec<i64> = held(&store).await.iter().map(|line| line.id).collect();
        assert_eq!(lines.len(), 2);
        decide(&store, &lines[..1], HeldDecision::Ignore).await;
        for _ in 0..2 {
            assert_eq!(see(HeldSource::Scim, "a request").await, LineFate::Held);
            assert_eq!(see(HeldSource::Users, "a line").await, LineFate::Ignored);
        }
        decide(&store, &lines[1..], HeldDecision::AlwaysIgnore).await;
        assert_eq!(see(HeldSource::Users, "a changed line").await, LineFate::Ignored);
        assert_eq!(see(HeldSource::Scim, "a changed request").await, LineFate::Ignored);
        assert_eq!(held(&store).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_held_line_names_the_import_that_delivered_it() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let imports = async || {
            let rows = db::entity::imports::Entity::find().order_by_desc(db::entity::imports::Column::Id);
            rows.one(&store.db).await.unwrap().map(|row| row.id)
        };
        for _ in 0..2 {
            import(&store, ONE).await;
            assert_eq!(held(&store).await[0].import_id, imports().await);
        }
        let paging = Paging::default();
        let shown = held_line::list(&store, Actor::COMMAND_LINE, held_line::Show::All, &paging);
        assert_eq!(shown.await.unwrap().rows[0].import, imports().await.map(ImportId));
    })
    .await;
}

/// A run can anonymise the first user of an installation while a long import is under way.
#[tokio::test]
async fn an_empty_list_is_read_again() {
    for_each_database(async |store| {
        let tx = store.begin().await.unwrap();
        let checker = Checker::open(&tx, &store).await.unwrap();
        tx.rollback().await.unwrap();
        anonymised(&store).await;
        let tx = store.begin().await.unwrap();
        let keys = [KeyValues { external_id: Some("E1"), ..KeyValues::default() }];
        assert!(checker.check(&tx, &keys).await.unwrap()[0].held_by.is_some());
        tx.rollback().await.unwrap();
        assert_eq!(users_of(&store).await, 1);
    })
    .await;
}
