//! The suppression list: anonymised users do not return through a file or a form.

mod arrivals;
mod decisions;
mod key;
mod no_value;

use crate::anonymising::run_all;
use crate::restore::for_each_library;
use crate::support::{
    add_task, clock, day, execute, five_days, for_each_database, import_loans, import_users,
};
use crate::transfer::file;
use db::entity::{audit_events, held_lines, loans, suppressed_keys, tasks, users};
use db::{Clock, Settings};
use policy::suppression::KeyKind;
use policy::user_form::UserForm;
use policy::{Policy, RunState, Scope, TaskId};
use records::user;
use safeguards::protection;
use safeguards::suppression::check::Checker;
use safeguards::suppression::{KeyValues, list};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use task_centre::{replay, run};
use trail::{Actor, Store};
use transfer::{ImportSummary, TransferError};

pub async fn import(store: &Store, content: &str) -> ImportSummary {
    try_import(store, content).await.unwrap()
}

pub async fn try_import(store: &Store, content: &str) -> Result<ImportSummary, TransferError> {
    import_users(store, Actor::COMMAND_LINE, file(content).path(), false).await
}

/// Returns created, changed, unchanged, held, ignored and noted.
pub fn counts(summary: &ImportSummary) -> [u64; 6] {
    let ImportSummary {
        created, changed, unchanged, suppressed, suppressed_ignored, suppressed_noted, ..
    } = summary;
    [*created, *changed, *unchanged, *suppressed, *suppressed_ignored, *suppressed_noted]
}

/// Returns the same library on another day, as seen by another process.
pub fn on(store: &Store, date: &str) -> Store {
    store.as_another_process(Clock::fixed(clock().zone(), day(date)))
}

/// Returns the one task, which selects every user who has left.
pub async fn task(store: &Store) -> TaskId {
    match tasks::Entity::find().one(&store.db).await.unwrap() {
        Some(task) => TaskId(task.id),
        None => add_task(store, &Policy { scope: Scope::All, ..five_days() }).await,
    }
}

/// Anonymises every user who has left.
pub async fn anonymise_leavers(store: &Store) {
    let task = task(store).await;
    assert_eq!(run_all(store, task).await.1, RunState::Succeeded);
}

pub async fn users_of(store: &Store) -> u64 {
    users::Entity::find().count(&store.db).await.unwrap()
}

pub async fn keys_of(store: &Store) -> u64 {
    suppressed_keys::Entity::find().count(&store.db).await.unwrap()
}

pub async fn held(store: &Store) -> Vec<held_lines::Model> {
    held_lines::Entity::find().order_by_asc(held_lines::Column::Id).all(&store.db).await.unwrap()
}

pub async fn last_detail(store: &Store, action: &str) -> String {
    let events = audit_events::Entity::find().filter(audit_events::Column::Action.eq(action));
    let last = events.order_by_desc(audit_events::Column::Id).one(&store.db).await.unwrap();
    last.unwrap_or_else(|| panic!("no event {action}")).detail
}

/// A file with one user, who has left.
pub const ONE: &str = "external_id,user_id,barcode,email,last_name,leaving_on\n\
                       E1,ng,B1,ng@example.org,Ng,2018-01-02\n";

/// Imports and anonymises the user of [`ONE`].
pub async fn anonymised(store: &Store) {
    assert_eq!(import(store, ONE).await.created, 1);
    anonymise_leavers(store).await;
    assert_eq!(keys_of(store).await, 4);
}

#[tokio::test]
async fn a_hundred_anonymised_users_stay_away_on_three_nights() {
    for_each_database(async |store| {
        let mut people = "external_id,user_id,barcode,email,last_name,leaving_on\n".to_owned();
        let mut borrowed = "external_id,item_barcode,title,branch,issued_on,due_on,returned_on\n".to_owned();
        for number in 0..100 {
            writeln!(people, "E{number},u{number},B{number},u{number}@example.org,Name{number},2018-01-02")
                .unwrap();
            let returned = number % 20 + 10;
            writeln!(borrowed, "E{number},I{number},Title,main,2017-05-01,2017-06-01,2017-05-{returned}")
                .unwrap();
        }
        people.push_str("E900,u900,B900,stays@example.org,Stays,\n");
        borrowed.push_str("E900,I900,Title,main,2017-05-01,2017-06-01,2017-05-20\n");
        assert_eq!(import(&store, &people).await.created, 101);
        let loans_of = async |store: &Store| {
            import_loans(store, Actor::COMMAND_LINE, file(&borrowed).path(), false).await.unwrap()
        };
        assert_eq!(loans_of(&store).await.created, 101);
        anonymise_leavers(&store).await;
        assert_eq!(keys_of(&store).await, 400);
        let before = loans::Entity::find().order_by_asc(loans::Column::Id).all(&store.db).await.unwrap();

        for (night, date) in (1..).zip(["2018-01-22", "2018-01-23", "2018-01-24"]) {
            let store = on(&store, date);
            let summary = import(&store, &people).await;
            assert_eq!(counts(&summary), [0, 0, 1, 100, 0, 0], "{date}");
            assert_eq!(users_of(&store).await, 101);
            let lines = held(&store).await;
            assert_eq!(lines.len(), 100, "each line is held once");
            for line in lines {
                assert_eq!((line.kind, line.times_seen), (KeyKind::ExternalId, night));
                assert_eq!((line.first_seen_on, line.last_seen_on), (day("2018-01-22"), day(date)));
            }
            let summary = loans_of(&store).await;
            assert_eq!((summary.created, summary.skipped, summary.unchanged), (0, 100, 1), "{date}");
        }
        let after = loans::Entity::find().order_by_asc(loans::Column::Id).all(&store.db).await.unwrap();
        assert_eq!(after, before, "no loan has another borrower");
        assert_eq!(last_detail(&store, "imported").await, "loans,created=0,changed=0");
    })
    .await;
}

#[tokio::test]
async fn a_weak_key_holds_only_without_an_external_identifier() {
    for_each_database(async |store| {
        anonymised(&store).await;
        for (weak, line) in [
            ("user_id", "E2,NG,,,Other"),
            ("barcode", "E3,,b1,,Other"),
            ("email", "E4,,,Ng@Example.org,Other"),
        ] {
            let content = format!("external_id,user_id,barcode,email,last_name\n{line}\n");
            assert_eq!(counts(&import(&store, &content).await), [1, 0, 0, 0, 0, 1], "{weak}: another person");
        }
        let without_weak_keys = "UPDATE users SET user_id = NULL, user_id_key = NULL, barcode = NULL, \
                                 barcode_key = NULL, email = NULL";
        execute(&store, without_weak_keys).await;
        for (weak, line) in
            [("user_id", "NG,,,Other"), ("barcode", ",b1,,Other"), ("email", "x,,ng@example.ORG,Other")]
        {
            let content = format!("user_id,barcode,email,last_name\n{line}\n");
            assert_eq!(counts(&import(&store, &content).await), [0, 0, 0, 1, 0, 0], "{weak} alone");
        }
        let kinds: Vec<KeyKind> = held(&store).await.into_iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [KeyKind::UserId, KeyKind::Barcode, KeyKind::Email]);
    })
    .await;
}

/// A normal update is never held, even if an anonymised user had one of the keys.
#[tokio::test]
async fn lines_of_existing_users_are_never_held() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let form = UserForm {
            external_id: "E1".to_owned(),
            last_name: "New".to_owned(),
            suppressed: "new_membership".to_owned(),
            ..UserForm::default()
        };
        user::save(&store, Actor::COMMAND_LINE, &form).await.unwrap();
        assert_eq!(counts(&import(&store, ONE).await), [0, 1, 0, 0, 0, 0]);
        assert_eq!(counts(&import(&store, ONE).await), [0, 0, 1, 0, 0, 0]);
        assert!(held(&store).await.is_empty());
    })
    .await;
}

/// The keys of a line can become free by an earlier line of the same file.
#[tokio::test]
async fn a_key_that_an_earlier_line_frees_is_checked() {
    for_each_database(async |store| {
        anonymised(&store).await;
        execute(
            &store,
            "INSERT INTO users (uuid, last_name, external_id, external_id_key, user_id, user_id_key) VALUES \
             ('x', 'X', 'E7', 'e7', 'ng', 'ng')",
        )
        .await;
        let content = "external_id,user_id,last_name\nE7,x7,X\n,ng,Back\n";
        assert_eq!(counts(&import(&store, content).await), [0, 1, 0, 1, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn an_anonymised_guarantor_does_not_reject_the_file() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let content = "external_id,last_name,guarantor_user_id\nE5,Child,ng\n";
        let summary = import(&store, content).await;
        assert_eq!((summary.created, summary.suppressed_guarantors), (1, 1));
        let refused = try_import(&store, "external_id,last_name,guarantor_user_id\nE6,Child,unknown\n").await;
        assert!(matches!(refused, Err(TransferError::File(_))), "an unknown guarantor is a problem");
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_counts_and_records_nothing() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let summary = import_users(&store, Actor::COMMAND_LINE, file(ONE).path(), true).await.unwrap();
        assert_eq!(counts(&summary), [0, 0, 0, 1, 0, 0]);
        assert!(held(&store).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn every_way_of_anonymising_adds_the_keys() {
    for_each_database(async |store| {
        let content = "external_id,user_id,barcode,email,last_name,leaving_on,fictitious\n\
                       E1,bulk,B1,bulk@example.org,Bulk,2018-01-02,\n\
                       E2,single,B2,single@example.org,Single,,\n\
                       E3,shelf,B3,,Shelf,2018-01-02,yes\n\
                       E4,,,,Bare,2018-01-02,\n";
        assert_eq!(import(&store, content).await.created, 4);
        anonymise_leavers(&store).await;
        assert_eq!(
            keys_of(&store).await,
            5,
            "four keys of one user, one of the other, none of a fictitious user"
        );
        let single = users::Entity::find().filter(users::Column::UserId.eq("single")).one(&store.db).await;
        let number = policy::UserNumber(single.unwrap().unwrap().number);
        run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
        assert_eq!(keys_of(&store).await, 9);
        let summary = import(&store, content).await;
        assert_eq!(counts(&summary), [0, 0, 1, 3, 0, 0]);
    })
    .await;
}

/// Expired keys are deleted with the held lines about them. A shorter time in the configuration applies at once.
#[tokio::test]
async fn keys_leave_the_list_after_their_months() {
    for_each_database(async |store| {
        anonymised(&store).await;
        import(&store, ONE).await;
        let rows = suppressed_keys::Entity::find().all(&store.db).await.unwrap();
        let dates: BTreeSet<_> = rows.iter().map(|row| (row.added_on, row.expires_on)).collect();
        assert_eq!(dates, [(day("2018-01-01"), day("2020-01-01"))].into(), "whole months only");
        assert_eq!(list::purge(&on(&store, "2019-12-31")).await.unwrap(), 0);
        assert_eq!(held(&store).await.len(), 1);

        let mut settings = (*store.settings).clone();
        settings.suppression_months = 3;
        let short = store.with_settings(settings);
        assert_eq!(list::purge(&on(&short, "2018-03-31")).await.unwrap(), 0);
        assert_eq!(list::purge(&on(&short, "2018-04-01")).await.unwrap(), 4);
        assert!(held(&store).await.is_empty(), "a held line about no key is pointless");
        assert_eq!(import(&store, ONE).await.created, 1, "the key is free again");

        anonymise_leavers(&store).await;
        assert_eq!(list::purge(&on(&store, "2020-01-01")).await.unwrap(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_shorter_time_takes_effect_later_and_a_longer_one_at_once() {
    for_each_database(async |store| {
        let with = |months| Settings { suppression_months: months, ..(*store.settings).clone() };
        let in_force =
            async |months| protection::strictest(&store.db, with(months)).await.unwrap().suppression_months;
        protection::remember(&store, &with(24)).await.unwrap();
        protection::remember(&store, &with(6)).await.unwrap();
        assert_eq!(in_force(6).await, 24);
        assert_eq!(last_detail(&store, "protection_weakened").await, "suppression_months,from=24,to=6");
        protection::remember(&store, &with(36)).await.unwrap();
        assert_eq!(in_force(36).await, 36);
    })
    .await;
}

/// A key that belonged to two anonymised users stays for the longer time.
#[tokio::test]
async fn a_key_is_listed_once_with_its_latest_expiry() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let later = on(&store, "2018-03-10");
        let form = UserForm {
            barcode: "B1".to_owned(),
            last_name: "Second".to_owned(),
            suppressed: "different_person".to_owned(),
            ..UserForm::default()
        };
        let number = user::save(&later, Actor::COMMAND_LINE, &form).await.unwrap();
        run::anonymise_one(&later, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
        assert_eq!(keys_of(&store).await, 4);
        let longest = suppressed_keys::Entity::find()
            .filter(suppressed_keys::Column::ExpiresOn.eq(day("2020-03-01")))
            .all(&store.db)
            .await
            .unwrap();
        assert_eq!(longest.iter().map(|row| row.kind).collect::<Vec<_>>(), [KeyKind::Barcode]);
    })
    .await;
}

#[tokio::test]
async fn a_listed_key_is_recognised_in_its_normal_form() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let tx = store.begin().await.unwrap();
        let none = KeyValues::default();
        for (values, listed) in [
            (KeyValues { external_id: Some("e1"), ..none }, Some(KeyKind::ExternalId)),
            (KeyValues { user_id: Some(" NG "), ..none }, Some(KeyKind::UserId)),
            (KeyValues { barcode: Some("ng"), ..none }, None),
            (KeyValues { email: Some("NG@example.org"), ..none }, Some(KeyKind::Email)),
        ] {
            let found = Checker::open(&tx, &store).await.unwrap().check(&tx, &[values]).await.unwrap();
            assert_eq!(found[0].kinds.first().copied(), listed, "{values:?}");
        }
        tx.rollback().await.unwrap();
    })
    .await;
}

/// After a restore, the replay of the ledger adds the keys that the restored database does not have.
#[tokio::test]
async fn a_replay_adds_the_keys_again() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        assert_eq!(import(&store, ONE).await.created, 1);
        let backup = library.backup(store).await;
        let store = library.open().await;
        anonymise_leavers(&store).await;
        let keys = ids(&store).await;
        assert_eq!(keys.len(), 4);
        store.db.clone().close().await.unwrap();

        let store = library.restore(backup).await;
        assert!(ids(&store).await.is_empty());
        replay::replay(&store, |_| ()).await.unwrap().unwrap();
        assert_eq!(ids(&store).await, keys);
        assert_eq!(counts(&import(&store, ONE).await), [0, 0, 0, 1, 0, 0]);
    })
    .await;
}

async fn ids(store: &Store) -> BTreeSet<i64> {
    let rows = suppressed_keys::Entity::find().all(&store.db).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}
