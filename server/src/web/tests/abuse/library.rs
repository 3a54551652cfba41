//! Test libraries, rows to insert into them, and a dump of the whole database.

use crate::network::NetworkConfig;
use crate::web::tests::desk::Desk;
use db::{SignIn, dialect};
use policy::{
    Conditions, Days, FourEyes, Policy, Role, RunId, SafetyLimits, Scope, TaskId, TaskSettings, UserNumber,
};
use sea_orm::{ConnectionTrait as _, Statement};
use task_centre::run;
use trail::{Actor, Store};

/// The `UserID`s of two members of staff with every role.
pub(super) const ANA: &str = "ana";
pub(super) const BEN: &str = "ben";

/// Opens a library with four eyes, and signs Ana in.
pub(super) async fn four_eyes() -> Desk {
    let mut desk = closed().await;
    add_ana_and_ben(&mut desk).await;
    desk
}

/// Does the same with a demo library.
pub(super) async fn demo(users: u32) -> Desk {
    let mut desk = closed().await;
    demo::fill(&desk.store, Actor::COMMAND_LINE, users, 7).await.unwrap();
    add_ana_and_ben(&mut desk).await;
    desk
}

async fn add_ana_and_ben(desk: &mut Desk) {
    for user_id in [ANA, BEN] {
        desk.staff(user_id, &Role::ALL).await;
    }
    desk.sign_in(ANA).await;
}

async fn closed() -> Desk {
    Desk::with(
        |settings| {
            settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
            settings.four_eyes = FourEyes::On;
            settings.safety_limits = SafetyLimits { people: 1_000, percent: 100, times_median: 1_000 };
        },
        |_| (),
        NetworkConfig::default(),
    )
    .await
}

pub(super) async fn execute(store: &Store, sql: &str) {
    store.db.execute_unprepared(sql).await.unwrap();
}

/// Returns the result of a query for one number.
pub(super) async fn number(store: &Store, sql: &str) -> i64 {
    let db = &store.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index::<Option<i64>>(0).unwrap().unwrap_or_default()
}

/// Inserts a row. Returns its key.
pub(super) async fn insert(store: &Store, key: &str, sql: &str) -> i64 {
    number(store, &format!("INSERT INTO {sql} RETURNING {key}")).await
}

/// Inserts an imported user who left long ago.
pub(super) async fn leaver(store: &Store, name: &str) -> UserNumber {
    let sql = format!(
        "users (uuid, user_id, first_name, last_name, email, notes, imported, created_on, leaving_on) VALUES \
         ('uuid ' || hex('{name}'), '{name}-id', 'First{name}', '{name}', '{name}@example.org', 'Notes on {name}', TRUE, \
         '2016-09-01', '2018-01-15')"
    );
    UserNumber(insert(store, "number", &sql).await)
}

/// Returns a policy for imported users who left more than five days ago.
pub(super) fn leavers() -> Policy {
    Policy {
        scope: Scope::Imported,
        conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
        ..Policy::default()
    }
}

/// Inserts a task whose policy was never confirmed.
pub(super) async fn add_task(store: &Store, description: &str, single_default: bool) -> TaskId {
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(leavers())).unwrap();
    let sql = format!(
        "tasks (description, active, task_type, visibility, settings, schedule, single_default, created_at, changed_at) \
         VALUES ('{description}', FALSE, 'anonymise_user_data', 'shared', '{settings}', '{{\"kind\":\"manual_only\"}}', \
         {single_default}, '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    TaskId(insert(store, "id", &sql).await)
}

/// Previews a task whose policy is confirmed, so that no second person is needed.
pub(super) async fn confirmed_preview(store: &Store, actor: Actor, task: TaskId) -> RunId {
    execute(store, &format!("UPDATE tasks SET confirmed_settings = settings WHERE id = {task}")).await;
    run::preview(store, actor, task).await.unwrap()
}

/// Returns all rows of the database as lines, without the times of the last requests.
pub(super) async fn dump(store: &Store) -> Vec<String> {
    let db = &store.db;
    let mut lines = Vec::new();
    for (table, columns) in dialect::schema(db).await.unwrap() {
        let row: Vec<String> = columns
            .iter()
            // The digest of a logo replaces its bytes.
            .filter(|column| !["last_seen_at", "logo"].contains(&column.as_str()))
            .map(|column| format!("COALESCE(CAST({column} AS TEXT), '~')"))
            .collect();
        let sql = format!("SELECT {} AS line FROM {table}", row.join(" || '|' || "));
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap() {
            lines.push(format!("{table}|{}", row.try_get::<String>("", "line").unwrap()));
        }
    }
    lines.sort();
    lines
}

/// Asserts that nothing was changed since, except for audit events about the attempt.
pub(super) async fn unchanged(store: &Store, before: &[String], what: &str) {
    let is_audit = |line: &&String| line.starts_with("audit_");
    let after = dump(store).await;
    let new: Vec<_> = after.iter().filter(|line| !is_audit(line) && !before.contains(line)).collect();
    let removed: Vec<_> = before.iter().filter(|line| !is_audit(line) && !after.contains(line)).collect();
    assert!(new.is_empty() && removed.is_empty(), "{what} has changed {removed:#?} to {new:#?}");
}
