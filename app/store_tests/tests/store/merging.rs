//! Merging two records of one person: what belongs to one moves to the other, and the statistics stay.

mod faults;
mod keys;
mod statistics;

use crate::anonymising::run_all;
use crate::support::{add, add_task, day, dump, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::users;
use policy::personal_data::{LinkMerge, USER_LINKS};
use policy::{Conditions, Days, Policy, RunId, RunState, Scope, UserNumber};
use sea_orm::{ConnectionTrait, EntityTrait, Set, Statement};
use task_centre::run::merge::{self, Pair};
use task_centre::run::{self, SingleOrder};
use trail::{Actor, Store};

pub const CLI: Actor = Actor::COMMAND_LINE;

pub async fn user(store: &Store, number: i64) -> users::Model {
    users::Entity::find_by_id(number).one(&store.db).await.unwrap().unwrap()
}

pub async fn count(store: &Store, sql: &str) -> i64 {
    let statement = Statement::from_string(store.db.get_database_backend(), sql.to_owned());
    store.db.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

pub fn pair(staying: i64, losing: i64) -> Pair {
    Pair { staying: UserNumber(staying), losing: UserNumber(losing) }
}

pub async fn merge_into(store: &Store, staying: i64, losing: i64) -> Result<RunId, RecordsError> {
    let typed = losing.to_string();
    let order = SingleOrder { typed: &typed, reason: "error", ..SingleOrder::default() };
    let merged = merge::merge(store, CLI, pair(staying, losing), &order).await;
    run::background_scans().await;
    merged
}

/// Adds rows of every table that moves to a user.
async fn rows_of_every_kind(store: &Store, number: i64) {
    for sql in [
        format!(
            "INSERT INTO loans (user_number, branch, category, department, issued_on, due_on, note) VALUES ({number}, 'main', 'student', 'law', '2017-05-01', '2017-06-01', 'call back')"
        ),
        format!(
            "INSERT INTO requests (user_number, branch, category, placed_on, status) VALUES ({number}, 'main', 'student', '2017-05-01', 'open')"
        ),
        format!(
            "INSERT INTO charges (user_number, kind, cents, charged_on) VALUES ({number}, 'fine', 250, '2017-05-01')"
        ),
        format!(
            "INSERT INTO messages (user_number, kind, channel, sent_at, body) VALUES ({number}, 'overdue', 'email', '2017-05-01T12:00:00+00:00', 'Please return')"
        ),
        format!(
            "INSERT INTO legal_holds (user_number, reason, placed_on, review_on, released_on) VALUES ({number}, 'dispute', '2017-01-01', '2017-02-01', '2017-02-01')"
        ),
        format!(
            "INSERT INTO access_requests (user_number, state, received_on, due_on) VALUES ({number}, 'open', '2018-01-02', '2018-02-02')"
        ),
        format!(
            "INSERT INTO catalogue_records (title, created_by, created_on, changed_by) VALUES ('Dune', {number}, '2017-01-01', {number})"
        ),
        format!(
            "INSERT INTO key_periods (user_number, kind, key_form, owned_until) VALUES ({number}, 'barcode', 'old-card', '2017-01-01')"
        ),
        format!("INSERT INTO user_sources (user_number, task_id) VALUES ({number}, 1), ({number}, 2)"),
        format!("UPDATE users SET guarantor_number = {number} WHERE last_name = 'Child'"),
    ] {
        execute(store, &sql).await;
    }
}

#[tokio::test]
async fn every_row_that_the_register_names_moves_and_the_duplicate_is_anonymised() {
    for_each_database(async |store| {
        let staying = add(&store, leaver("Ng")).await.number;
        let active = users::ActiveModel { last_activity_on: Set(Some(day("2018-01-10"))), ..leaver("Ngo") };
        let losing = add(&store, active).await.number;
        let child = add(&store, leaver("Child")).await;
        for _ in 0..2 {
            execute(&store, "UPDATE tasks SET single_default = FALSE").await;
            add_task(&store, &five_days()).await;
        }
        rows_of_every_kind(&store, losing).await;
        execute(&store, &format!("INSERT INTO user_sources (user_number, task_id) VALUES ({staying}, 2)")).await;
        let plan = merge::plan_merge(&store, pair(staying, losing)).await.unwrap();
        assert_eq!(plan.why_not, None);
        let planned: Vec<(&str, i64)> = plan.moves.iter().map(|moved| (moved.label, moved.rows)).collect();
        assert!(planned.contains(&("Loans", 1)) && planned.contains(&("Catalogue records", 2)), "{planned:?}");

        let run = merge_into(&store, staying, losing).await.unwrap();
        for link in USER_LINKS.iter().filter(|link| link.merge != LinkMerge::Stays) {
            let of = |number: i64| format!("SELECT COUNT(*) AS n FROM {} WHERE {} = {number}", link.table, link.column);
            assert_eq!(count(&store, &of(losing)).await, 0, "{}.{}", link.table, link.column);
            assert!(count(&store, &of(staying)).await > 0, "{}.{} has no row in this test", link.table, link.column);
        }
        let (stays, gone) = (user(&store, staying).await, user(&store, losing).await);
        assert_eq!(stays.last_name.as_deref(), Some("Ng"));
        assert_eq!(stays.last_activity_on, Some(day("2018-01-10")), "the later activity of both");
        assert!(gone.anonymised_on.is_some() && gone.last_name.is_none());
        let version = user(&store, child.number).await.version;
        assert_eq!(version, child.version + 1, "an open form of the child does not restore the old guarantor");
        let loan = "SELECT COUNT(*) AS n FROM loans WHERE category = 'student' AND department = 'law' AND note = 'call back'";
        assert_eq!(count(&store, loan).await, 1, "a loan keeps category, department and note");
        let audit = dump(&store).await;
        assert!(audit.contains(&format!("|users_merged|user|{staying}|")), "{audit}");
        assert!(audit.contains(&format!("rules=1,reason=error,merged_into={staying}|")), "{audit}");
        let read = run::read(&store, run).await.unwrap();
        assert_eq!(read.state, RunState::Succeeded);
        assert_eq!(read.grounds.unwrap().merged_into, Some(UserNumber(staying)));
        let certificate = erasure::certificate::read(&store, run).await.unwrap().certificate;
        assert_eq!(certificate.merged_into, Some(UserNumber(staying)));
        assert_eq!(erasure::certificate::verify_run(&store, run).await.unwrap().doubts, []);
        assert!(trail::audit::verify(&store, CLI).await.unwrap().is_whole());
        let change = "SELECT COUNT(*) AS n FROM manual_changes WHERE kind = 'anonymised'";
        assert_eq!(count(&store, change).await, 1, "it counts towards the safety limits");
    })
    .await;
}

#[tokio::test]
async fn a_merge_that_is_not_allowed_changes_nothing() {
    for_each_database(async |store| {
        for name in ["Ng", "Ngo"] {
            add(&store, leaver(name)).await;
        }
        let without_task = merge_into(&store, 1, 2).await;
        assert!(matches!(without_task, Err(RecordsError::Refused(why)) if why.contains("Create a task")));
        add_task(&store, &five_days()).await;
        for (setup, undo, reason) in [
            (
                "INSERT INTO legal_holds (id, user_number, reason, placed_on, review_on) VALUES (9, 1, 'dispute', '2018-01-01', '2018-02-01')",
                "DELETE FROM legal_holds",
                "User 1 is under legal hold",
            ),
            (
                "INSERT INTO legal_holds (id, user_number, reason, placed_on, review_on) VALUES (9, 2, 'dispute', '2018-01-01', '2018-02-01')",
                "DELETE FROM legal_holds",
                "User 2 is under legal hold",
            ),
            (
                "INSERT INTO user_roles (user_number, role, granted_on) VALUES (1, 'librarian', '2018-01-01')",
                "DELETE FROM user_roles",
                "User 1 has a role",
            ),
            (
                "INSERT INTO user_roles (user_number, role, granted_on) VALUES (2, 'librarian', '2018-01-01')",
                "DELETE FROM user_roles",
                "User 2 has a role",
            ),
            ("UPDATE users SET fictitious = TRUE WHERE number = 2", "UPDATE users SET fictitious = FALSE", "User 2 is fictitious"),
            ("UPDATE users SET guarantor_number = 2 WHERE number = 1", "UPDATE users SET guarantor_number = NULL", "User 2 is a guarantor for user 1"),
        ] {
            execute(&store, setup).await;
            let before = dump(&store).await;
            let plan = merge::plan_merge(&store, pair(1, 2)).await.unwrap();
            assert!(plan.why_not.is_some_and(|why| why.contains(reason)), "{reason}");
            let refused = merge_into(&store, 1, 2).await;
            assert!(matches!(&refused, Err(RecordsError::Refused(why)) if why.contains(reason)), "{refused:?}");
            assert_eq!(dump(&store).await, before, "{reason}");
            execute(&store, undo).await;
        }
        let before = dump(&store).await;
        let order = SingleOrder { typed: "1", reason: "error", ..SingleOrder::default() };
        let wrong = merge::merge(&store, CLI, pair(1, 2), &order).await;
        assert!(matches!(wrong, Err(RecordsError::Invalid(errors)) if errors.message("confirm").is_some()));
        let same = merge::merge(&store, CLI, pair(1, 1), &order).await;
        assert!(matches!(same, Err(RecordsError::Invalid(_))));
        let actor = Actor::signed_in(UserNumber(1), policy::Roles::default(), db::Clock::system_now());
        let order = SingleOrder { typed: "2", ..order };
        let forbidden = merge::merge(&store, actor, pair(1, 2), &order).await;
        assert!(matches!(forbidden, Err(RecordsError::Forbidden(_))));
        assert_eq!(dump(&store).await.lines().filter(|line| !line.starts_with("audit_")).count(),
            before.lines().filter(|line| !line.starts_with("audit_")).count());
        merge_into(&store, 1, 2).await.unwrap();
        let again = merge_into(&store, 1, 2).await;
        assert!(matches!(&again, Err(RecordsError::Refused(why)) if why.contains("has been anonymised")));
    })
    .await;
}

#[tokio::test]
async fn a_merged_record_is_not_anonymised_twice_by_a_run() {
    for_each_database(async |store| {
        for name in ["Ng", "Ngo"] {
            add(&store, leaver(name)).await;
        }
        let task = add_task(&store, &five_days()).await;
        merge_into(&store, 1, 2).await.unwrap();
        let (id, state) = run_all(&store, task).await;
        assert_eq!((state, run::read(&store, id).await.unwrap().done), (RunState::Succeeded, 1));
    })
    .await;
}

#[tokio::test]
async fn the_case_reference_names_neither_record_and_no_former_key() {
    for_each_database(async |store| {
        let staying = add(&store, users::ActiveModel { barcode: Set(Some("CARD4711".into())), ..leaver("Ng") }).await;
        let losing = add(&store, leaver("Ngo")).await;
        add_task(&store, &five_days()).await;
        let former = format!(
            "INSERT INTO key_periods (user_number, kind, key_form, owned_until) VALUES ({}, 'barcode', 'old-card-9', '2017-01-01')",
            losing.number
        );
        execute(&store, &former).await;
        let typed = losing.number.to_string();
        for case_reference in ["2026-card4711", "OLD-CARD-9"] {
            let order = SingleOrder { typed: &typed, reason: "error", case_reference, shown: None };
            let rejected = merge::merge(&store, CLI, pair(staying.number, losing.number), &order).await;
            let Err(RecordsError::Invalid(errors)) = rejected else { panic!("{case_reference}: {rejected:?}") };
            assert!(errors.message("case_reference").is_some(), "{case_reference}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_record_is_not_inactive_because_of_the_old_activity_of_its_duplicate() {
    for_each_database(async |store| {
        let new = users::ActiveModel {
            created_on: Set(Some(day("2018-01-20"))),
            last_activity_on: Set(None),
            ..leaver("Ng")
        };
        let staying = add(&store, new).await.number;
        let old = users::ActiveModel { last_activity_on: Set(Some(day("2012-01-10"))), ..leaver("Ngo") };
        let losing = add(&store, old).await.number;
        let inactive = Policy {
            scope: Scope::All,
            conditions: Conditions { activity: Days::new(365), ..Conditions::default() },
            ..Policy::default()
        };
        let task = add_task(&store, &inactive).await;
        merge_into(&store, staying, losing).await.unwrap();
        let preview = run::preview(&store, CLI, task).await.unwrap();
        assert_eq!(run::read(&store, preview).await.unwrap().previewed, 0);
    })
    .await;
}
