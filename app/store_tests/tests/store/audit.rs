//! The audit: all writers extend one chain, and every change to it is detected.

mod role;
pub mod tampering;

use crate::anonymising::run_all;
use crate::support::{TODAY, add, add_task, day, execute, five_days, for_each_database, leaver};
use db::entity::{audit_events, audit_head};
use db::pagination::Paging;
use db::{Clock, RecordsError, Settings};
use operations::OpenOptions;
use operations::key_replacement::replace;
use policy::{Action, Role, Roles, RunState, UserNumber};
use records::user;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseBackend, EntityTrait, QueryOrder, Set};
use std::collections::BTreeSet;
use trail::audit::{AuditFinding, AuditForm, Verification, csv, list, refused, verify};
use trail::key::KeyUse;
use trail::{Actor, Store};

/// Returns a signed-in member of staff.
fn staff(number: i64) -> Actor {
    let roles = Roles::from_iter([Role::Librarian, Role::SystemsLibrarian, Role::Administrator]);
    Actor::signed_in(UserNumber(number), roles, Clock::system_now())
}

async fn verdict(store: &Store) -> Verification {
    verify(store, Actor::COMMAND_LINE).await.unwrap()
}

async fn found(store: &Store) -> Vec<AuditFinding> {
    verdict(store).await.findings
}

async fn events(store: &Store) -> Vec<audit_events::Model> {
    audit_events::Entity::find().order_by_asc(audit_events::Column::Sequence).all(&store.db).await.unwrap()
}

async fn mark(store: &Store, number: i64, on: bool) -> Result<(), RecordsError> {
    let (actor, number) = (staff(1), UserNumber(number));
    if on {
        user::mark_for_deletion(store, actor, number).await.map(|_| ())
    } else {
        user::unmark(store, actor, number).await.map(|_| ())
    }
}

/// Writes about twenty events of different kinds: marks by staff and a run.
async fn twenty_events(store: &Store) {
    for n in 1..=10 {
        add(store, leaver(&format!("N{n}"))).await;
    }
    for number in 1..=4 {
        mark(store, number, false).await.unwrap();
        mark(store, number, true).await.unwrap();
    }
    // They were marked today and left long ago.
    let task = add_task(store, &five_days()).await;
    assert_eq!(run_all(store, task).await.1, RunState::Succeeded);
    refused(store, staff(1), Action::Administer).await.unwrap();
}

#[tokio::test]
async fn every_event_has_a_position_and_the_chain_verifies() {
    for_each_database(async |store| {
        assert!(verdict(&store).await.is_whole(), "an empty chain");
        twenty_events(&store).await;
        let events = events(&store).await;
        let places: Vec<i64> = events.iter().map(|event| event.sequence.unwrap()).collect();
        let count = i64::try_from(events.len()).unwrap();
        assert_eq!(places, (1..=count).collect::<Vec<_>>());
        let codes: BTreeSet<&str> = events.iter().map(|event| event.mac.as_deref().unwrap()).collect();
        assert_eq!(codes.len(), events.len());
        assert!(codes.iter().all(|code| code.len() == 64));
        assert!(events.len() >= 20, "{} events", events.len());
        let verdict = verdict(&store).await;
        assert!(verdict.is_whole(), "{verdict:?}");
        assert_eq!((verdict.events, verdict.last), (count, count));
        // The audit refers to staff by number only.
        let anonymised = "UPDATE users SET first_name = NULL, last_name = NULL, user_id = NULL, \
                       replacement = 'Anonymised user 7F3KQ2', anonymised_on = '2018-01-21' WHERE number = 1";
        execute(&store, anonymised).await;
        assert!(self::verdict(&store).await.is_whole());
    })
    .await;
}

#[tokio::test]
async fn events_from_before_the_chain_are_chained_first() {
    for_each_database(async |store| {
        twenty_events(&store).await;
        let count = i64::try_from(events(&store).await.len()).unwrap();
        // The state right after the migration that adds the chain.
        tampering::without_guards(&store).await;
        execute(&store, "UPDATE audit_events SET sequence = NULL, mac = NULL").await;
        execute(&store, "DELETE FROM audit_head").await;
        let url = tampering::url_of(&store).await;
        let store =
            operations::open_store(&url, store.clock, Settings::clone(&store.settings)).await.unwrap();
        let verdict = verdict(&store).await;
        assert!(verdict.is_whole(), "{verdict:?}");
        assert_eq!(verdict.last, count);
        mark(&store, 5, false).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn the_database_rejects_changes_of_chained_events() {
    for_each_database(async |store| {
        twenty_events(&store).await;
        let mut refused = vec![
            "DELETE FROM audit_events".to_owned(),
            "DELETE FROM audit_events WHERE sequence = 3".to_owned(),
            "DELETE FROM audit_head".to_owned(),
            "UPDATE audit_head SET sequence = 3".to_owned(),
            "UPDATE audit_head SET mac = 'x'".to_owned(),
            "INSERT INTO audit_head (id, sequence, mac) VALUES (2, 1, 'x')".to_owned(),
        ];
        for half in ["99, NULL", "NULL, 'x'"] {
            refused.push(format!(
                "INSERT INTO audit_events (at, channel, action, subject_kind, detail, sequence, mac) \
                 VALUES ('2018-01-21 12:00:00+00:00', 'web', 'exported', 'library', '', {half})"
            ));
        }
        for (column, value) in tampering::COLUMNS {
            refused.push(format!("UPDATE audit_events SET {column} = {value} WHERE sequence = 3"));
        }
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
            refused.push("TRUNCATE audit_events".to_owned());
        } else {
            refused.push(
                "INSERT OR REPLACE INTO audit_events (id, at, channel, action, subject_kind, detail) \
                 SELECT id, at, channel, 'exported', subject_kind, detail FROM audit_events WHERE sequence = 3"
                    .to_owned(),
            );
        }
        let before = events(&store).await;
        for sql in refused {
            let error = store.db.execute_unprepared(&sql).await;
            assert!(error.is_err_and(|error| error.to_string().contains("only ever added to")), "{sql}");
        }
        assert_eq!(events(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn concurrent_writers_make_one_chain_without_gaps() {
    for_each_database(async |store| {
        for n in 1..=20 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let writers = (1..=20).map(|number| {
            let store = store.as_another_process(store.clock);
            tokio::spawn(async move {
                for on in [false, true, false] {
                    mark(&store, number, on).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let verdict = verdict(&store).await;
        assert!(verdict.is_whole(), "{verdict:?}");
        assert_eq!((verdict.events, verdict.last), (60, 60));
    })
    .await;
}

#[tokio::test]
async fn a_rollback_leaves_no_gap() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        mark(&store, 1, false).await.unwrap();
        crate::faults::refuse(&store, "UPDATE", "audit_head", "NEW.sequence = 2").await;
        assert_eq!(mark(&store, 1, true).await.unwrap_err().code(), "database");
        assert_eq!(events(&store).await.len(), 1);
        crate::faults::repair(&store, "audit_head").await;
        mark(&store, 1, true).await.unwrap();
        assert_eq!(verdict(&store).await.last, 2);
        assert!(verdict(&store).await.is_whole());
    })
    .await;
}

#[tokio::test]
async fn a_change_is_rejected_if_its_event_cannot_be_chained() {
    for_each_database(async |store| {
        let person = add(&store, leaver("Ng")).await;
        let without_key = store.as_another_process(store.clock);
        let key = std::fs::read(&store.settings.key).unwrap();
        std::fs::write(&store.settings.key, "no key").unwrap();
        assert_eq!(mark(&without_key, person.number, false).await.unwrap_err().code(), "not_ready");
        std::fs::write(&store.settings.key, key).unwrap();

        tampering::without_guards(&store).await;
        execute(&store, "DELETE FROM audit_head").await;
        assert_eq!(mark(&store, person.number, false).await.unwrap_err().code(), "audit");
        assert!(events(&store).await.is_empty());
        let user = db::entity::users::Entity::find_by_id(1).one(&store.db).await.unwrap().unwrap();
        assert_eq!(user, person);
    })
    .await;
}

#[tokio::test]
async fn a_forged_event_is_never_chained() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        mark(&store, 1, false).await.unwrap();
        let forged = audit_events::ActiveModel {
            at: Set(store.clock.now()),
            channel: Set("web".to_owned()),
            action: Set("exported".to_owned()),
            subject_kind: Set("library".to_owned()),
            detail: Set(String::new()),
            ..Default::default()
        };
        let forged = forged.insert(&store.db).await.unwrap();
        mark(&store, 1, true).await.unwrap();
        assert_eq!(found(&store).await, [AuditFinding::Inserted { id: forged.id }]);
    })
    .await;
}

#[tokio::test]
async fn with_another_key_every_event_counts_as_changed() {
    for_each_database(async |store| {
        twenty_events(&store).await;
        let folder = tempfile::tempdir().unwrap();
        let old_key = folder.path().join("old.key");
        std::fs::copy(&store.settings.key, &old_key).unwrap();
        let url = tampering::url_of(&store).await;
        let before = i64::try_from(events(&store).await.len()).unwrap();
        let settings = Settings::clone(&store.settings);
        replace(&url, store.clock, settings.clone(), Actor::COMMAND_LINE, "REPLACE").await.unwrap();
        let rotated = operations::open_store(&url, store.clock, settings.clone()).await.unwrap();
        let changed: Vec<AuditFinding> =
            (1..=before).map(|sequence| AuditFinding::Changed { sequence }).collect();
        assert_eq!(found(&rotated).await, changed, "events written with the new key verify");

        // The old key verifies only the events that it wrote, and can't be used for anything else.
        let settings = Settings { key: old_key, ..settings };
        let refused = operations::open_store(&url, store.clock, settings.clone()).await.unwrap_err();
        assert_eq!(refused.code(), "not_ready", "{refused}");
        let opening = OpenOptions { key: KeyUse::Replaced, ..OpenOptions::default() };
        let old = operations::open_store_with(&url, store.clock, settings, opening).await.unwrap();
        assert_eq!(found(&old).await, [AuditFinding::Changed { sequence: before + 1 }]);
    })
    .await;
}

#[tokio::test]
async fn the_end_is_anchored_daily_and_changed_anchors_are_detected() {
    for_each_database(async |store| {
        twenty_events(&store).await;
        let path = store.settings.anchor.clone();
        let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
        trail::audit::anchor_daily(&store).await.unwrap();
        trail::audit::anchor_daily(&store).await.unwrap();
        assert_eq!(lines(), 1);
        assert!(verdict(&store).await.is_whole());
        assert_eq!(lines(), 1, "the same end is written once a day");
        let tomorrow = store.as_another_process(Clock::fixed(store.clock.zone(), day("2018-01-22")));
        trail::audit::anchor_daily(&tomorrow).await.unwrap();
        assert_eq!(lines(), 2);
        let last = trail::audit::last_anchor(&store).await.unwrap().unwrap();
        assert_eq!((last.date, last.sequence), (day("2018-01-22"), verdict(&store).await.last));

        let text = std::fs::read_to_string(&path).unwrap();
        for (forged, date) in [
            (text.replace(&last.mac, &last.mac.replace('a', "b")), Some(day("2018-01-21"))),
            (text.replace("2018-01-22", "2018-01-23"), Some(day("2018-01-23"))),
            (format!("{text}{{\"date\""), None),
        ] {
            std::fs::write(&path, &forged).unwrap();
            let found = found(&store).await;
            assert!(found.contains(&AuditFinding::AnchorDiffers { date }), "{forged}: {found:?}");
        }
        std::fs::write(&path, text.trim_end()).unwrap();
        refused(&store, staff(2), Action::Administer).await.unwrap();
        assert!(verdict(&tomorrow).await.is_whole());
        assert_eq!(lines(), 3, "a truncated line does not damage the next one");
        assert!(verdict(&tomorrow).await.is_whole());
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_listed_by_page_and_filter() {
    for_each_database(async |store| {
        twenty_events(&store).await;
        let read = async |form: AuditForm, paging: Paging| {
            list(&store, staff(1), &form.validate().unwrap(), &paging).await.unwrap()
        };
        let all = read(AuditForm::default(), Paging::default()).await.rows;
        assert_eq!(all.len(), events(&store).await.len());
        assert!(all.is_sorted_by_key(|row| std::cmp::Reverse(row.id)));
        let mut paged = Vec::new();
        let mut paging = Paging { rows: Some(7), ..Paging::default() };
        loop {
            let page = read(AuditForm::default(), paging.clone()).await;
            paged.extend(page.rows);
            paging.after = page.next;
            if paging.after.is_none() {
                break;
            }
        }
        assert_eq!(paged, all);

        let some = |text: &str| text.to_owned();
        let count = async |form: AuditForm| read(form, Paging::default()).await.rows.len();
        let form = AuditForm::default;
        assert_eq!(count(AuditForm { action: some("user_anonymised"), ..form() }).await, 10);
        assert_eq!(count(AuditForm { action: some("user_marked"), ..form() }).await, 4);
        assert_eq!(count(AuditForm { staff: some("1"), ..form() }).await, 9);
        assert_eq!(count(AuditForm { staff: some("2"), ..form() }).await, 0);
        assert_eq!(count(AuditForm { kind: some("user"), id: some("3"), ..form() }).await, 3);
        assert_eq!(count(AuditForm { run: some("2"), ..form() }).await, 12);
        assert_eq!(count(AuditForm { from: some(TODAY), to: some(TODAY), ..form() }).await, all.len());
        assert_eq!(count(AuditForm { to: some("2018-01-20"), ..form() }).await, 0);
        assert_eq!(count(AuditForm { from: some("2018-01-22"), ..form() }).await, 0);

        let refusal = &all[0];
        assert_eq!((refusal.action.as_str(), refusal.detail.as_str()), ("refused", "administer"));
        // An event shows the member of staff under the current name.
        assert_eq!((refusal.staff, refusal.name.is_some()), (Some(UserNumber(1)), true));
        let file = csv(&store, staff(1), &AuditForm::default().validate().unwrap()).await.unwrap();
        assert_eq!(file.lines().count(), 1 + all.len() + 1, "the export itself is an event");
        assert!(!file.contains("First") && !file.contains("Anonymised user"), "the file contains no name");
    })
    .await;
}

#[tokio::test]
async fn verifying_needs_the_permission_to_see_the_audit() {
    for_each_database(async |store| {
        let error = verify(&store, Actor::without_session()).await.unwrap_err();
        assert!(matches!(error, RecordsError::Forbidden(Action::SeeAudit)));
        let head = audit_head::Entity::find().one(&store.db).await.unwrap().unwrap();
        assert_eq!((head.sequence, head.mac.as_str()), (0, ""));
    })
    .await;
}
