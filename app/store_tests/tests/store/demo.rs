//! The demo library: what it contains, and that it is reproducible.

use crate::support::{add, clock, dump, execute, for_each_database, leaver};
use db::entity::{photos, tasks, users};
use db::{RecordsError, Settings};
use demo::{self, DemoSummary};
use policy::{Blocker, Reason, Role, TaskId, TaskType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set, Statement,
};
use task_centre::run;
use trail::{Actor, Store};

const USERS: u32 = 300;

async fn fill(store: &Store, seed: u64) -> DemoSummary {
    demo::fill(store, Actor::COMMAND_LINE, USERS, seed).await.unwrap()
}

async fn count(store: &Store, what: &str) -> i64 {
    let db = &store.db;
    let statement =
        Statement::from_string(db.get_database_backend(), format!("SELECT COUNT(*) AS n FROM {what}"));
    db.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// Cases that must occur, as the text after `FROM`. Today is 21 January 2018.
const OCCURS: &[&str] = &[
    "users WHERE fictitious AND last_name = 'Lost items'",
    "users WHERE fictitious AND last_name = 'Display shelf'",
    "users WHERE fictitious AND last_name = 'Department of Law'",
    "loans l JOIN users u ON u.number = l.user_number WHERE u.fictitious AND l.returned_on IS NULL",
    // Five days before today is 16 January.
    "users WHERE leaving_on = '2018-01-17' AND marked_on IS NULL",
    "users WHERE leaving_on = '2018-01-16' AND marked_on IS NULL",
    "users WHERE leaving_on = '2018-01-15' AND marked_on IS NULL",
    "users WHERE leaving_on = '2018-01-16' AND marked_on = '2018-01-16'",
    "users WHERE leaving_on = '2018-01-15' AND marked_on = '2018-01-15'",
    "users WHERE leaving_on = '2017-12-23'",
    "users WHERE leaving_on = '2017-12-22'",
    "users WHERE leaving_on = '2017-12-21'",
    "users WHERE leaving_on = '2017-01-22'",
    "users WHERE leaving_on = '2017-01-21'",
    "users WHERE leaving_on = '2017-01-20'",
    "users WHERE leaving_on > '2018-01-21'",
    "users WHERE leaving_on IS NULL AND NOT fictitious",
    "users WHERE marked_on IS NOT NULL AND leaving_on IS NULL",
    "users WHERE created_on IS NULL",
    "users WHERE last_activity_on IS NULL AND created_on IS NOT NULL AND NOT fictitious",
    "users WHERE first_name LIKE '%''%' OR last_name LIKE '%''%'",
    "users WHERE last_name LIKE '%-%'",
    "users WHERE last_name >= 'Α' AND last_name < 'Ѐ'",
    "users WHERE last_name >= 'А' AND last_name < '԰'",
    "users WHERE last_name >= 'ء' AND last_name < '܀'",
    "users WHERE last_name IN ('王', '李', '张', '欧阳', '陈', '刘')",
    "users WHERE first_name IN ('さくら', 'ゆき') OR last_name = '山田'",
    "users WHERE last_name IN ('Nguyễn', 'Trần', 'Phạm', 'Đặng')",
    "users a JOIN users b ON a.first_name = b.first_name AND a.last_name = b.last_name AND a.number < b.number",
    "users WHERE country = 'Germany'",
    "users WHERE country = 'United Kingdom'",
    "users WHERE country = 'Japan' OR country = 'France'",
    "users WHERE street IS NULL AND NOT fictitious",
    "users WHERE email IS NULL AND NOT fictitious",
    "users WHERE notes IS NOT NULL AND NOT fictitious",
    "users WHERE guarantor_number IS NOT NULL AND category = 'child'",
    "users WHERE language = 'el'",
    "users WHERE anonymised_on IS NOT NULL AND replacement IS NOT NULL",
    "photos",
    "custom_values WHERE field_key = 'locker'",
    "custom_values WHERE field_key = 'programme'",
    "custom_values WHERE field_key = 'emergency_contact'",
    "loans WHERE returned_on IS NULL AND due_on >= '2018-01-21'",
    "loans WHERE returned_on IS NULL AND due_on < '2018-01-21'",
    "loans WHERE note IS NOT NULL",
    "loans WHERE return_note IS NOT NULL",
    "loans WHERE issued_on < '2015-01-21'",
    "loans l JOIN users u ON u.number = l.user_number WHERE l.category <> u.category",
    "loans l JOIN users u ON u.number = l.user_number WHERE l.department <> u.department",
    "renewals WHERE note IS NOT NULL",
    "requests WHERE status = 'open' AND closed_on IS NULL",
    "requests WHERE status = 'fulfilled' AND closed_on IS NOT NULL",
    "requests WHERE status = 'cancelled' AND cancel_reason IS NOT NULL",
    "requests WHERE note IS NOT NULL",
    "charges WHERE cents > 0 AND settled_on IS NULL",
    "charges WHERE cents > 0 AND settled_on IS NOT NULL",
    "charges WHERE cents < 0 AND settled_on IS NULL",
    "charges WHERE note IS NOT NULL",
    "messages WHERE channel = 'email'",
    "messages m JOIN users u ON u.number = m.user_number WHERE m.channel = 'letter' \
     AND m.body LIKE '%' || u.last_name || '%' AND m.body LIKE '%' || u.street || '%'",
    "messages WHERE channel = 'text'",
    "catalogue_records WHERE created_by IS NOT NULL AND changed_by IS NOT NULL",
    "catalogue_records c JOIN users u ON u.number = c.created_by WHERE u.leaving_on < '2018-01-01' \
     AND NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = u.number)",
    "user_roles r JOIN users u ON u.number = r.user_number WHERE u.leaving_on < '2018-01-01'",
    "legal_holds WHERE released_on IS NULL",
    "legal_holds WHERE released_on IS NOT NULL",
    "tasks WHERE description = 'Leavers, monthly' AND single_default",
    "tasks WHERE description = 'Marked for deletion' AND NOT single_default",
    "tasks WHERE task_type = 'import_users' AND active AND NOT single_default AND next_due_at IS NULL",
    "runs WHERE kind = 'single'",
    "terms WHERE kind = 'branch'",
    "audit_events WHERE action = 'imported' AND channel = 'command_line'",
];

/// Cases that must not occur.
const NEVER: &[&str] = &[
    "users WHERE last_activity_on > '2018-01-21'",
    "users WHERE created_on > '2018-01-21' OR marked_on > '2018-01-21'",
    "users WHERE email NOT LIKE '%@example.org' AND email NOT LIKE '%@example.com'",
    "loans WHERE returned_on < issued_on OR returned_on > '2018-01-21' OR issued_on > '2018-01-21'",
    "loans l JOIN users u ON u.number = l.user_number WHERE u.last_activity_on < l.issued_on \
     AND u.anonymised_on IS NULL",
    "loans a JOIN loans b ON a.item_id = b.item_id AND a.id < b.id \
     WHERE a.returned_on IS NULL AND b.returned_on IS NULL",
    "requests WHERE (status = 'open') <> (closed_on IS NULL)",
    "users u WHERE u.anonymised_on IS NOT NULL \
     AND EXISTS (SELECT 1 FROM user_words w WHERE w.user_number = u.number)",
];

#[tokio::test]
async fn the_import_task_has_a_file_that_previews_sensibly() {
    for_each_database(async |store| {
        fill(&store, 1).await;
        let task = tasks::Entity::find()
            .filter(tasks::Column::TaskType.eq(TaskType::ImportUsers))
            .one(&store.db)
            .await
            .unwrap()
            .unwrap();
        let preview = run::preview(&store, Actor::COMMAND_LINE, TaskId(task.id)).await.unwrap();
        let preview = run::read(&store, preview).await.unwrap();
        let counts = preview.imports[0].counts.clone().unwrap();
        assert_eq!((counts.created, counts.changed, counts.unchanged), (3, 5, 15), "{counts:?}");
        assert_eq!((counts.lines, counts.rejected, preview.safety_limit), (23, 0, None), "{counts:?}");
    })
    .await;
}

#[tokio::test]
async fn everything_occurs_on_both_databases() {
    for_each_database(async |store| {
        let summary = fill(&store, 1).await;
        for what in OCCURS {
            assert!(count(&store, what).await > 0, "no rows in {what}");
        }
        for what in NEVER {
            assert_eq!(count(&store, what).await, 0, "{what}");
        }
        for role in Role::ALL {
            assert!(
                count(&store, &format!("user_roles WHERE role = '{}'", role.code())).await > 0,
                "{role:?}"
            );
        }
        let counted = async |table: &str| count(&store, table).await.unsigned_abs();
        let written = DemoSummary {
            seed: 1,
            users: counted("users").await,
            staff: counted("users WHERE number IN (SELECT user_number FROM user_roles)").await,
            fictitious: counted("users WHERE fictitious").await,
            anonymised: counted("users WHERE anonymised_on IS NOT NULL").await,
            catalogue_records: counted("catalogue_records").await,
            items: counted("items").await,
            loans: counted("loans").await,
            requests: counted("requests").await,
            charges: counted("charges").await,
            messages: counted("messages").await,
            tasks: counted("tasks").await,
        };
        assert_eq!(summary, written);
        assert_eq!(summary.users, u64::from(USERS));
        assert!((5..=11).contains(&(summary.loans / summary.users)), "{summary:?}");
        assert!((1..=5).contains(&(summary.messages / summary.users)), "{summary:?}");
        let imported = count(&store, "users WHERE imported").await;
        assert!((200..=240).contains(&imported), "{imported}");
    })
    .await;
}

#[tokio::test]
async fn the_tasks_cover_all_kinds_of_users() {
    for_each_database(async |store| {
        fill(&store, 1).await;
        let mut reasons = std::collections::BTreeSet::new();
        for task in tasks::Entity::find().all(&store.db).await.unwrap() {
            let id = run::preview(&store, Actor::COMMAND_LINE, policy::TaskId(task.id)).await.unwrap();
            let preview = run::read(&store, id).await.unwrap();
            assert!(preview.previewed > 0, "{}", task.description);
            reasons.extend(preview.verdicts.iter().map(|(reason, _)| *reason));
        }
        let wanted = [
            Reason::Eligible,
            Reason::Staff,
            Reason::Fictitious,
            Reason::OutsideScope,
            Reason::AlreadyAnonymised,
            Reason::NoLeavingDate,
            Reason::NotMarked,
            Reason::Waiting,
            Reason::from(Blocker::OpenLoan),
            Reason::from(Blocker::UnsettledCharge),
        ];
        for reason in wanted {
            assert!(reasons.contains(&reason), "{reason:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn later_users_get_later_numbers() {
    for_each_database(async |store| {
        fill(&store, 1).await;
        assert_eq!(add(&store, leaver("Ng")).await.number, i64::from(USERS) + 1);
    })
    .await;
}

/// Returns a dump without values that depend on real randomness or the real time.
async fn comparable(store: &Store) -> (Vec<photos::Model>, Vec<String>) {
    // The bytes of pictures aren't text.
    let photos =
        photos::Entity::find().order_by_asc(photos::Column::UserNumber).all(&store.db).await.unwrap();
    execute(store, "DELETE FROM photos").await;
    let mut lines: Vec<String> = dump(store)
        .await
        .lines()
        .filter(|line| {
            ![
                "seaql_migrations|",
                "certificates|",
                "superseded_certificates|",
                "ledger_mark|",
                "audit_head|",
                "credentials|",
                "manual_changes|",
                "installation_keys|",
                "suppressed_keys|",
                "suppression_list_keys|",
                "protections|",
            ]
            .iter()
            .any(|table| line.starts_with(table))
        })
        // Each library has its own key for the codes of its events.
        .map(|line| match line.rsplit_once('|') {
            Some((event, _)) if line.starts_with("audit_events|") => event,
            _ => line,
        })
        .map(|line| match line.split_once(policy::replacement::PREFIX) {
            Some((before, after)) => format!("{before}{}", &after[policy::replacement::LENGTH..]),
            None => line.to_owned(),
        })
        .collect();
    lines.sort();
    (photos, lines)
}

#[tokio::test]
async fn the_same_seed_generates_the_same_library() {
    let folder = tempfile::tempdir().unwrap();
    let mut dumps = Vec::new();
    for (name, seed) in [("a", 7), ("b", 7), ("c", 8)] {
        let url = format!("sqlite://{}/{name}.db?mode=rwc", folder.path().display());
        let settings = Settings::in_folder(&folder.path().join(name));
        let store = operations::open_store(&url, clock(), settings).await.unwrap();
        fill(&store, seed).await;
        run::background_scans().await;
        dumps.push(comparable(&store).await);
    }
    assert!(dumps[0] == dumps[1], "the same seed makes a different library");
    assert!(dumps[0] != dumps[2], "another seed makes the same library");
}

#[tokio::test]
async fn a_database_that_is_not_empty_is_rejected() {
    for_each_database(async |store| {
        let before = add(&store, leaver("Ng")).await;
        let refused = demo::fill(&store, Actor::COMMAND_LINE, USERS, 1).await;
        assert!(matches!(refused, Err(RecordsError::Refused(why)) if why.contains("not empty")));
        assert_eq!(users::Entity::find().all(&store.db).await.unwrap(), [before]);
        assert_eq!(count(&store, "terms").await, 0);
        users::ActiveModel { number: Set(1), ..Default::default() }.delete(&store.db).await.unwrap();
        let refused = demo::fill(&store, Actor::COMMAND_LINE, 10, 1).await;
        assert!(matches!(refused, Err(RecordsError::Refused(why)) if why.contains("from 50")));
    })
    .await;
}
