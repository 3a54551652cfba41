//! Shared by all tests: a fresh database of each kind for each test, and parts of a library.

use chrono::NaiveDate;
use chrono_tz::Tz;
use db::entity::{tasks, users};
use db::{Clock, Settings, dialect};
use policy::import_profile::{FileKind, ImportProfile};
use policy::task_form::Visibility;
use policy::{ApprovalId, Conditions, Days, Policy, Schedule, Scope, TaskSettings};
use sea_orm::{ActiveModelTrait, ConnectionTrait, Database, Set, Statement};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use trail::{Actor, Store};
use transfer::{ImportOrder, ImportSummary, TransferError, Watch};

/// The date in the tests.
pub const TODAY: &str = "2018-01-21";

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn clock() -> Clock {
    Clock::fixed(Tz::Europe__London, day(TODAY))
}

/// Runs a test on a fresh SQLite file and on a fresh PostgreSQL database.
///
/// PostgreSQL is at the URL in `TEST_POSTGRES_URL` (`make test` starts one). Without it, only SQLite is tested, and a
/// message says so. In continuous integration that is an error.
pub async fn for_each_database<F: AsyncFn(Store)>(test: F) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
    test(operations::open_store(&url, clock(), Settings::in_folder(folder.path())).await.unwrap()).await;
    if let Some(url) = fresh_postgres().await {
        let folder = tempfile::tempdir().unwrap();
        test(operations::open_store(&url, clock(), Settings::in_folder(folder.path())).await.unwrap()).await;
    }
}

pub async fn fresh_postgres() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(std::env::var("CI").is_err(), "TEST_POSTGRES_URL is not set");
        eprintln!("PostgreSQL is not tested: TEST_POSTGRES_URL is not set (make test sets it)");
        return None;
    };
    let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let admin = Database::connect(&server).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    Some(format!("{base}/{name}"))
}

/// Returns an imported user who left on 15 January 2018 and was marked for deletion on that day.
pub fn leaver(name: &str) -> users::ActiveModel {
    users::ActiveModel {
        uuid: Set(format!("uuid of {name}")),
        user_id: Set(Some(format!("{name}-id"))),
        first_name: Set(Some("First".to_owned())),
        last_name: Set(Some(name.to_owned())),
        imported: Set(true),
        created_on: Set(Some(day("2016-09-01"))),
        leaving_on: Set(Some(day("2018-01-15"))),
        marked_on: Set(Some(day("2018-01-15"))),
        ..Default::default()
    }
}

pub async fn add(store: &Store, user: users::ActiveModel) -> users::Model {
    user.insert(&store.db).await.unwrap()
}

/// Returns a policy for imported users who left more than five days ago.
pub fn five_days() -> Policy {
    Policy {
        scope: Scope::Imported,
        conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
        ..Policy::default()
    }
}

pub async fn add_task(store: &Store, policy: &Policy) -> policy::TaskId {
    let now = store.clock.now();
    let task = tasks::ActiveModel {
        description: Set("Leavers".to_owned()),
        active: Set(true),
        task_type: Set(policy::TaskType::AnonymiseUserData),
        visibility: Set(Visibility::Shared),
        settings: Set(TaskSettings::AnonymiseUserData(policy.clone())),
        schedule: Set(Schedule::ManualOnly),
        single_default: Set(true),
        created_at: Set(now),
        changed_at: Set(now),
        ..Default::default()
    };
    policy::TaskId(task.insert(&store.db).await.unwrap().id)
}

pub async fn execute(store: &Store, sql: &str) {
    store.db.execute_unprepared(sql).await.unwrap();
}

/// Returns the content of the database as text, one line for each row.
pub async fn dump(store: &Store) -> String {
    let db = &store.db;
    let mut dump = String::new();
    for (table, columns) in dialect::schema(db).await.unwrap() {
        let row: Vec<String> =
            columns.iter().map(|column| format!("COALESCE(CAST({column} AS TEXT), '~')")).collect();
        let sql = format!("SELECT {} AS line FROM {table}", row.join(" || '|' || "));
        let statement = Statement::from_string(db.get_database_backend(), sql);
        for row in db.query_all_raw(statement).await.unwrap() {
            let line: String = row.try_get("", "line").unwrap();
            writeln!(dump, "{table}|{line}").unwrap();
        }
    }
    dump
}

/// Returns the content of the database as [`dump`] does, without the audit and the history of imports, which record a
/// rejected import, too.
pub async fn dump_records(store: &Store) -> String {
    let history = ["audit_events|", "audit_head|", "imports|", "import_lines|"];
    let dump = dump(store).await;
    let lines = dump.lines().filter(|line| !history.iter().any(|table| line.starts_with(table)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the order to import a file on the command line.
fn order<'a>(
    file: &'a Path,
    kind: FileKind,
    watch: &'a Watch,
    (dry_run, confirmed): (bool, Option<u64>),
) -> ImportOrder<'a> {
    ImportOrder {
        dry_run,
        confirmed,
        ..ImportOrder::on_command_line(file, ImportProfile::own_format(kind), watch)
    }
}

/// Imports a file in Lethe's own format. `how` is whether it is only checked, and the confirmed number.
pub async fn import_of(
    (store, actor): (&Store, Actor),
    kind: FileKind,
    file: &Path,
    how: (bool, Option<u64>),
) -> Result<ImportSummary, TransferError> {
    let watch = Watch::default();
    let imported = transfer::import(store, actor, &order(file, kind, &watch, how)).await?;
    Ok(imported.summary)
}

pub async fn import_users(
    store: &Store,
    actor: Actor,
    file: &Path,
    dry_run: bool,
) -> Result<ImportSummary, TransferError> {
    import_of((store, actor), FileKind::Users, file, (dry_run, None)).await
}

pub async fn import_users_confirmed(
    store: &Store,
    actor: Actor,
    file: &Path,
    dry_run: bool,
    confirmed: Option<u64>,
) -> Result<ImportSummary, TransferError> {
    import_of((store, actor), FileKind::Users, file, (dry_run, confirmed)).await
}

pub async fn import_loans(
    store: &Store,
    actor: Actor,
    file: &Path,
    dry_run: bool,
) -> Result<ImportSummary, TransferError> {
    import_of((store, actor), FileKind::Loans, file, (dry_run, None)).await
}

pub async fn request_import_of_users(
    store: &Store,
    actor: Actor,
    file: &Path,
) -> Result<ApprovalId, TransferError> {
    let watch = Watch::default();
    let order = order(file, FileKind::Users, &watch, (true, None));
    transfer::request_import(store, actor, &order).await
}
