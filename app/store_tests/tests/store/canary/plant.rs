//! Creates users from the register of personal data. Each column that anonymising must empty gets a unique value, so
//! a column added to the register is covered without a change here.

use chrono::{Duration, NaiveDate};
use policy::personal_data::{Column, DataClass, ErasureAction, RowOwner, TABLES, Table};
use policy::{Policy, Schedule, TaskSettings};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Number of times that each value is written: once, then changed twice.
const EDITIONS: usize = 3;

/// The ids of the task and the run of announcements. Negative, so that they are those of no other row.
const TASK: i64 = -1;
const RUN: i64 = -1;

/// The type of a column, as far as canaries need it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Text,
    Day,
    Instant,
    Bytes,
    Number,
    Flag,
}

/// A user whose record and related rows contain only canaries.
#[derive(Clone, Debug)]
pub struct Person {
    pub number: i64,
    /// Every value ever written to a column that anonymising empties, as a dump shows it.
    pub canaries: Vec<String>,
    /// Those of them that are stored now.
    pub present: Vec<String>,
}

/// Plants users with given numbers.
pub struct Planter<'a> {
    db: &'a DatabaseConnection,
    kinds: BTreeMap<(String, String), Kind>,
    /// The guarantor of all planted users.
    guarantor: i64,
}

impl<'a> Planter<'a> {
    /// All planted users will have this guarantor. The custom field `locker` must be defined.
    pub async fn new(db: &'a DatabaseConnection, guarantor: i64) -> Self {
        let planter = Self { db, kinds: kinds(db).await, guarantor };
        planter.task_with_run().await;
        planter
    }

    /// Inserts the deleted task and the run to which announcements belong, unless they are there.
    async fn task_with_run(&self) {
        let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(Policy::default())).unwrap();
        let schedule = serde_json::to_string(&Schedule::ManualOnly).unwrap();
        let at = "'2017-05-01T12:00:00+00:00'";
        for insert in [
            format!(
                "INSERT INTO tasks (id, description, active, task_type, visibility, settings, schedule, created_at, \
                 changed_at, deleted_at) VALUES ({TASK}, 'Deleted', FALSE, 'anonymise_user_data', 'shared', '{settings}', \
                 '{schedule}', {at}, {at}, {at}) ON CONFLICT DO NOTHING"
            ),
            format!(
                "INSERT INTO runs (id, task_id, kind, state, channel, settings, task_version, rules_version, today, \
                 created_at) VALUES ({RUN}, {TASK}, 'manual', 'cancelled', 'web', '{settings}', 1, 1, '2017-05-01', {at}) \
                 ON CONFLICT DO NOTHING"
            ),
        ] {
            self.execute(&insert).await;
        }
    }

    /// Writes a user with all related rows, then changes every value twice.
    pub async fn plant(&self, number: i64) -> Person {
        let mut person = Person { number, canaries: Vec::new(), present: Vec::new() };
        let mut serial = 0;
        for table in TABLES.iter().filter(|table| owned(table) && table.columns.iter().any(must_go)) {
            let mut columns = Vec::new();
            let mut values = Vec::new();
            let mut changes = vec![Vec::new(); EDITIONS - 1];
            for column in table.columns {
                let kind = self.kinds[&(table.name.to_owned(), column.name.to_owned())];
                if !must_go(column) {
                    if let Some(value) = self.ordinary(number, table, column, kind) {
                        columns.push(column.name);
                        values.push(value);
                    }
                    continue;
                }
                serial += 1;
                for edition in 0..EDITIONS {
                    let canary = Canary { number, table, column, kind, serial, edition };
                    let (literal, shown) = canary.literal_and_text(self.db.get_database_backend());
                    if edition == 0 {
                        columns.push(column.name);
                        values.push(literal);
                    } else {
                        changes[edition - 1].push(format!("{} = {literal}", column.name));
                    }
                    if edition + 1 == EDITIONS {
                        person.present.push(shown.clone());
                    }
                    person.canaries.push(shown);
                }
            }
            let (columns, values) = (columns.join(", "), values.join(", "));
            self.execute(&format!("INSERT INTO {} ({columns}) VALUES ({values})", table.name)).await;
            for change in changes {
                let theirs = theirs(table, number);
                self.execute(&format!("UPDATE {} SET {} WHERE {theirs}", table.name, change.join(", ")))
                    .await;
            }
        }
        person
    }

    async fn execute(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    /// Returns the value of a column that anonymising keeps: the same for all users, and without blockers.
    fn ordinary(&self, number: i64, table: &Table, column: &Column, kind: Kind) -> Option<String> {
        match table.owner {
            RowOwner::User(owner) if owner == column.name => return Some(number.to_string()),
            RowOwner::Loan(owner) if owner == column.name => {
                return Some(format!("(SELECT MIN(id) FROM loans WHERE user_number = {number})"));
            }
            _ => {}
        }
        if matches!(column.action, ErasureAction::Note | ErasureAction::Replace) {
            return None;
        }
        Some(match (column.class, column.name, kind) {
            (_, "id" | "decline_reason", _) => return None,
            (_, "field_key", _) => "'locker'".to_owned(),
            (_, "kind", _) if table.name == "key_periods" => "'barcode'".to_owned(),
            (_, "state", _) if table.name == "access_requests" => "'open'".to_owned(),
            (_, "state", _) if table.name == "announcements" => "'sent'".to_owned(),
            (_, "problem", _) if table.name == "announcements" => return None,
            (_, "message_id", _) => format!("'message of {number}'"),
            (_, "task_id", _) => TASK.to_string(),
            (_, "run_id", _) if table.name == "announcements" => RUN.to_string(),
            (DataClass::Link, "guarantor_number", _) => self.guarantor.to_string(),
            (DataClass::Link, _, Kind::Text) => format!("'key of {number}'"),
            (DataClass::Link, ..) | (_, _, Kind::Bytes) => return None,
            (_, _, Kind::Text) => "'ordinary'".to_owned(),
            (_, _, Kind::Day) => "'2017-05-01'".to_owned(),
            (_, _, Kind::Instant) => "'2017-05-01T12:00:00+00:00'".to_owned(),
            (_, _, Kind::Number) => "1".to_owned(),
            (_, _, Kind::Flag) => "FALSE".to_owned(),
        })
    }
}

/// One unique value.
struct Canary<'a> {
    number: i64,
    table: &'a Table,
    column: &'a Column,
    kind: Kind,
    /// Position of the column among all columns of the user.
    serial: i64,
    edition: usize,
}

impl Canary<'_> {
    /// Returns the value as an SQL literal, and as it appears in a dump and in the files.
    fn literal_and_text(&self, backend: DatabaseBackend) -> (String, String) {
        let text =
            format!("canary-{}-{}-{}-{}", self.number, self.table.name, self.column.name, self.edition);
        match self.kind {
            Kind::Text => (format!("'{text}'"), text),
            Kind::Day => (format!("'{}'", self.day()), self.day().to_string()),
            // At noon, the day is the same in every time zone in which a dump may show it.
            Kind::Instant => (format!("'{}T12:00:00+00:00'", self.day()), self.day().to_string()),
            Kind::Bytes => {
                let mut hex = String::new();
                for byte in text.bytes() {
                    let _ = write!(hex, "{byte:02x}");
                }
                match backend {
                    DatabaseBackend::Postgres => (format!("'\\x{hex}'"), hex),
                    _ => (format!("X'{hex}'"), text),
                }
            }
            Kind::Number | Kind::Flag => panic!("no canary for {}.{}", self.table.name, self.column.name),
        }
    }

    /// Returns a day that no other value uses, long before 2018.
    fn day(&self) -> NaiveDate {
        let edition = i64::try_from(self.edition).unwrap();
        NaiveDate::from_ymd_opt(1900, 1, 1).unwrap()
            + Duration::days(self.number * 1_000 + self.serial * 3 + edition)
    }
}

/// Returns whether a policy that removes everything must leave nothing of a column.
pub fn must_go(column: &Column) -> bool {
    let personal = matches!(
        column.class,
        DataClass::Identifier | DataClass::QuasiIdentifier | DataClass::FreeText | DataClass::Credential
    );
    personal && column.action != ErasureAction::Keep
}

fn owned(table: &Table) -> bool {
    table.owner != RowOwner::NoUser
}

fn theirs(table: &Table, number: i64) -> String {
    match table.owner {
        RowOwner::User(column) => format!("{column} = {number}"),
        RowOwner::Loan(column) => format!("{column} IN (SELECT id FROM loans WHERE user_number = {number})"),
        RowOwner::NoUser => "FALSE".to_owned(),
    }
}

/// Returns all rows about a user, one line for each, without values that differ between users: numbers, keys and
/// replacement names.
pub async fn rows_of(db: &DatabaseConnection, number: i64) -> Vec<String> {
    let alike = |column: &Column| {
        column.class != DataClass::Link && column.name != "id" && column.action != ErasureAction::Replace
    };
    columns_of(db, number, alike).await
}

/// Returns [`rows_of`] with every column, so that any change is detected.
pub async fn whole_rows_of(db: &DatabaseConnection, number: i64) -> Vec<String> {
    columns_of(db, number, |_| true).await
}

async fn columns_of(db: &DatabaseConnection, number: i64, which: impl Fn(&Column) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for table in TABLES.iter().filter(|table| owned(table)) {
        let columns: Vec<String> = table
            .columns
            .iter()
            .filter(|column| which(column))
            .map(|column| format!("'{0}=' || COALESCE(CAST({0} AS TEXT), '~')", column.name))
            .collect();
        let (columns, theirs) = (columns.join(" || ' ' || "), theirs(table, number));
        let sql = format!("SELECT {columns} AS line FROM {} WHERE {theirs} ORDER BY 1", table.name);
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap() {
            lines.push(format!("{} {}", table.name, row.try_get::<String>("", "line").unwrap()));
        }
    }
    lines
}

/// Returns the type of every column.
async fn kinds(db: &DatabaseConnection) -> BTreeMap<(String, String), Kind> {
    let sql = match db.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT table_name AS t, column_name AS c, data_type AS k FROM information_schema.columns \
             WHERE table_schema = current_schema()"
        }
        _ => {
            "SELECT m.name AS t, p.name AS c, p.type AS k FROM sqlite_master m \
             JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let kind = |declared: &str| {
        let declared = declared.to_lowercase();
        let is = |part: &str| declared.contains(part);
        match () {
            () if is("timestamp") => Kind::Instant,
            () if is("date") => Kind::Day,
            () if is("blob") || is("bytea") => Kind::Bytes,
            () if is("bool") => Kind::Flag,
            () if is("int") => Kind::Number,
            () => Kind::Text,
        }
    };
    rows.iter()
        .map(|row| {
            let text = |name: &str| row.try_get::<String>("", name).unwrap();
            ((text("t"), text("c")), kind(&text("k")))
        })
        .collect()
}
