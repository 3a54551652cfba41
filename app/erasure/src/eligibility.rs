//! Computes the verdicts on all users with one SQL query.
//!
//! The query and [`policy::assess()`] must agree. A property test checks this on both databases.

use chrono::{Duration, NaiveDate};
use db::dialect;
use policy::assess::kept_since;
use policy::{
    Blocker, Blockers, Conditions, Days, Policy, RULES_VERSION, Reason, Scope, UserFacts, UserNumber,
};
use safeguards::suppression::KeyValues;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult};
use std::collections::BTreeMap;

/// Where blockers are stored: table, user-number column and condition of the rows.
///
/// A legal hold applies to a user or to a category.
const OBSTACLES: [(Blocker, &str, &str, &str); 6] = [
    (Blocker::OpenLoan, "loans", "user_number", "returned_on IS NULL"),
    (Blocker::OpenRequest, "requests", "user_number", "closed_on IS NULL"),
    (Blocker::UnsettledCharge, "charges", "user_number", "settled_on IS NULL AND COALESCE(cents, 1) <> 0"),
    (
        Blocker::Guarantor,
        "users",
        "guarantor_number",
        "guarantor_number IS NOT NULL AND anonymised_on IS NULL",
    ),
    (Blocker::LegalHold, "legal_holds", "user_number", "released_on IS NULL AND user_number IS NOT NULL"),
    (
        Blocker::LegalHold,
        "users",
        "number",
        "category IN (SELECT category FROM legal_holds WHERE released_on IS NULL AND category IS NOT NULL)",
    ),
];

/// The SQL of [`policy::assess::inactive_since`] for user `u`. NULL if both dates are.
pub const INACTIVE_SINCE: &str = "CASE WHEN u.last_activity_on > u.created_on THEN u.last_activity_on \
                                  ELSE COALESCE(u.created_on, u.last_activity_on) END";

/// The SQL of [`policy::assess::kept_since`] for user `u`. NULL if the account was never kept.
pub const KEPT_SINCE: &str = "CASE WHEN u.last_activity_on >= u.announced_on \
                              AND (u.kept_on IS NULL OR u.last_activity_on > u.kept_on) \
                              THEN u.last_activity_on ELSE u.kept_on END";

/// The bit for a role, beside those of the blockers.
pub(crate) const STAFF: u8 = 1 << 5;

/// Returns one query for each kind of obstacle, with the columns `number` and `bit`.
///
/// `among` returns the SQL condition that limits a user-number column to the requested users.
pub(crate) fn obstacle_queries(among: impl Fn(&str) -> String) -> Vec<String> {
    let staff = ("user_roles", "user_number", "TRUE", STAFF);
    let blockers = OBSTACLES.map(|(blocker, table, column, open)| (table, column, open, blocker.bit()));
    let all = std::iter::once(staff).chain(blockers);
    all.map(|(table, column, open, bit)| {
        format!("SELECT {column} AS number, {bit} AS bit FROM {table} WHERE {}{open}", among(column))
    })
    .collect()
}

/// Returns a query of all users and its values. Its columns are `number`, `reason` (the number of the [`Reason`])
/// and `blockers` (the bits of the [`Blockers`]).
pub fn verdicts_sql(policy: &Policy, today: NaiveDate) -> (String, Vec<Value>) {
    verdicts(policy, today, None)
}

/// Returns the query of [`verdicts_sql`] for these users alone.
pub fn verdicts_of_sql(
    backend: DatabaseBackend,
    policy: &Policy,
    today: NaiveDate,
    numbers: impl IntoIterator<Item = UserNumber>,
) -> (String, Vec<Value>) {
    let list = dialect::id_list(backend, numbers.into_iter().map(|number| number.0));
    verdicts(policy, today, Some((backend, list)))
}

fn verdicts(
    policy: &Policy,
    today: NaiveDate,
    among: Option<(DatabaseBackend, Value)>,
) -> (String, Vec<Value>) {
    let (reason, mut values) = reason_sql(policy, today);
    let listed = |column: &str| {
        among.as_ref().map(|(backend, _)| dialect::in_list(*backend, column)).unwrap_or_default()
    };
    let obstacles = obstacle_queries(|column| match listed(column) {
        list if list.is_empty() => list,
        list => format!("{list} AND "),
    });
    let only = match listed("u.number") {
        list if list.is_empty() => list,
        list => format!(" WHERE {list}"),
    };
    if let Some((_, list)) = among {
        // One for each obstacle, and one for the users themselves.
        values.extend(vec![list; obstacles.len() + 1]);
    }
    let blockers = Blocker::ALL.iter().map(|blocker| i32::from(blocker.bit())).sum::<i32>();
    let blocked = Blocker::ALL.map(|blocker| Reason::from(blocker).number().to_string()).join(", ");
    // Raw SQL: one statement assesses all users; `OBSTACLES` provides its tables and conditions as text.
    // Obstacles are aggregated once for all users. A subquery for each user takes ten times as long.
    let sql = format!(
        "SELECT v.number, v.reason, CASE WHEN v.reason IN ({blocked}) THEN v.bits & {blockers} ELSE 0 END AS blockers \
         FROM (SELECT u.number, {reason} AS reason, o.bits FROM users u LEFT JOIN (\
         SELECT number, SUM(bit) AS bits FROM ({obstacles}) bits GROUP BY number) o ON o.number = u.number{only}) v",
        obstacles = obstacles.join(" UNION "),
    );
    (sql, values)
}

/// Returns the number of users for each reason.
pub async fn counts(
    db: &impl ConnectionTrait,
    policy: &Policy,
    today: NaiveDate,
) -> Result<Vec<(Reason, i64)>, DbErr> {
    let (verdicts, values) = verdicts_sql(policy, today);
    // Raw SQL: the statement counts the rows of `verdicts_sql`, which is text.
    let sql =
        format!("SELECT reason, COUNT(*) AS n FROM ({verdicts}) verdicts GROUP BY reason ORDER BY reason");
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    rows.iter()
        .map(|row| {
            let number: i32 = row.try_get("", "reason")?;
            let reason = i16::try_from(number).ok().and_then(Reason::from_number);
            let reason = reason.ok_or_else(|| DbErr::Custom("a verdict has no known reason".to_owned()))?;
            Ok((reason, row.try_get("", "n")?))
        })
        .collect()
}

/// Returns the SQL of the reason number for user `u` with obstacles `o.bits`: the first condition that holds.
fn reason_sql(policy: &Policy, today: NaiveDate) -> (String, Vec<Value>) {
    let mut cases = vec![
        ("u.anonymised_on IS NOT NULL".to_owned(), Reason::AlreadyAnonymised),
        (format!("(o.bits & {STAFF}) <> 0"), Reason::Staff),
        ("u.fictitious".to_owned(), Reason::Fictitious),
    ];
    match policy.scope {
        Scope::All => {}
        Scope::Imported => cases.push(("NOT u.imported".to_owned(), Reason::OutsideScope)),
        Scope::NotImported => cases.push(("u.imported".to_owned(), Reason::OutsideScope)),
    }
    let (conditions, values) = condition_cases(&policy.conditions, today);
    cases.extend(conditions);
    let otherwise = if policy.conditions.is_empty() { Reason::NoConditions } else { Reason::Eligible };
    if otherwise == Reason::Eligible {
        cases.extend(
            Blocker::ALL.map(|blocker| (format!("(o.bits & {}) <> 0", blocker.bit()), Reason::from(blocker))),
        );
    }
    let cases = cases.iter().map(|(holds, reason)| format!("WHEN {holds} THEN {} ", reason.number()));
    (format!("CASE {}ELSE {} END", cases.collect::<String>(), otherwise.number()), values)
}

/// Returns the cases that depend on conditions: missing dates first, then dates that are too recent.
fn condition_cases(conditions: &Conditions, today: NaiveDate) -> (Vec<(String, Reason)>, Vec<Value>) {
    let mut cases = Vec::new();
    let mut late = Vec::new();
    let mut values = Vec::new();
    for (days, date, reason) in [
        (conditions.leaving, "u.leaving_on", Reason::NoLeavingDate),
        (conditions.marked, "u.marked_on", Reason::NotMarked),
        (conditions.activity, INACTIVE_SINCE, Reason::NoActivityDate),
    ] {
        let Some(days) = days else { continue };
        cases.push((format!("{date} IS NULL"), reason));
        late.push(format!("{date} >= ? OR {KEPT_SINCE} >= ?"));
        values.extend([Value::from(last_day_too_late(today, days)), last_day_too_late(today, days).into()]);
    }
    if !late.is_empty() {
        cases.push((late.join(" OR "), Reason::Waiting));
    }
    (cases, values)
}

/// Returns the first date that isn't old enough: `today > date + days` means `date < today - days`.
fn last_day_too_late(today: NaiveDate, days: Days) -> NaiveDate {
    today.checked_sub_signed(Duration::days(i64::from(days.get()))).unwrap_or(NaiveDate::MIN)
}

/// The data needed to anonymise a user.
pub(crate) struct Candidate {
    /// The user.
    pub number: UserNumber,
    /// The facts that the verdict depends on.
    pub(crate) facts: UserFacts,
    /// The random key of the record.
    pub(crate) uuid: String,
    /// The date of birth, to be generalised to a year or decade.
    pub(crate) birth_date: Option<NaiveDate>,
    /// The postcode, to be generalised to a district.
    pub(crate) postcode: Option<String>,
    external_id: Option<String>,
    user_id: Option<String>,
    barcode: Option<String>,
    email: Option<String>,
    rules_version: Option<i32>,
}

impl Candidate {
    /// Returns whether the user was anonymised under older rules than the current ones.
    pub(crate) fn is_under_older_rules(&self) -> bool {
        self.facts.anonymised && self.rules_version.unwrap_or_default() < RULES_VERSION
    }

    /// Returns the keys for the suppression list. A fictitious user is not a person and has none.
    pub(crate) fn keys(&self) -> KeyValues<'_> {
        if self.facts.fictitious {
            return KeyValues::default();
        }
        KeyValues {
            external_id: self.external_id.as_deref(),
            user_id: self.user_id.as_deref(),
            barcode: self.barcode.as_deref(),
            email: self.email.as_deref(),
        }
    }
}

/// Returns the facts of these users, ordered by user number. Users that don't exist are left out.
pub async fn facts(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
) -> Result<Vec<(UserNumber, UserFacts)>, DbErr> {
    let candidates = read(db, numbers, "").await?;
    Ok(candidates.into_iter().map(|candidate| (candidate.number, candidate.facts)).collect())
}

/// Locks these users and reads their data, ordered by user number so that transactions can't deadlock.
///
/// A concurrent loan or request for one of them waits for the lock, or is included.
pub(crate) async fn lock(tx: &DatabaseTransaction, numbers: &[UserNumber]) -> Result<Vec<Candidate>, DbErr> {
    // A legal hold on a category locks no user rows. It waits for this lock, or is included.
    dialect::lock_category_holds_shared(tx).await?;
    read(tx, numbers, dialect::for_update(tx.get_database_backend())).await
}

async fn read(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
    lock: &str,
) -> Result<Vec<Candidate>, DbErr> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let backend = db.get_database_backend();
    // Raw SQL: `dialect::in_list` takes a batch of users as one value, so each batch uses the same statement.
    let sql = format!(
        "SELECT number, uuid, birth_date, postcode, external_id, user_id, barcode, email, anonymised_on, fictitious, \
         imported, created_on, leaving_on, last_activity_on, marked_on, \
         announced_on, kept_on, rules_version FROM users WHERE {} ORDER BY number{lock}",
        dialect::in_list(backend, "number")
    );
    let list = dialect::id_list(backend, numbers.iter().map(|number| number.0));
    let rows = db.query_all_raw(dialect::bind(backend, &sql, vec![list])).await?;
    // Read after locking, to include what the previous holder of the lock has committed.
    let obstacles = obstacles(db, numbers).await?;
    rows.iter()
        .map(|row| {
            let number: i64 = row.try_get("", "number")?;
            candidate(row, number, obstacles.get(&number).copied().unwrap_or_default())
        })
        .collect()
}

/// Returns the obstacles of these users as bits. Users without obstacles are left out.
async fn obstacles(db: &impl ConnectionTrait, numbers: &[UserNumber]) -> Result<BTreeMap<i64, u8>, DbErr> {
    let backend = db.get_database_backend();
    // Raw SQL: a union over the tables of the obstacles, whose conditions the verdicts on all users share.
    let parts = obstacle_queries(|column| format!("{} AND ", dialect::in_list(backend, column)));
    let list = dialect::id_list(backend, numbers.iter().map(|number| number.0));
    let values = vec![list; parts.len()];
    let mut found: BTreeMap<i64, u8> = BTreeMap::new();
    for row in db.query_all_raw(dialect::bind(backend, &parts.join(" UNION ALL "), values)).await? {
        let bits = found.entry(row.try_get("", "number")?).or_default();
        let bit: i32 = row.try_get("", "bit")?;
        *bits |= u8::try_from(bit).unwrap_or_default();
    }
    Ok(found)
}

fn candidate(row: &QueryResult, number: i64, obstacles: u8) -> Result<Candidate, DbErr> {
    let last_activity_on = row.try_get("", "last_activity_on")?;
    let facts = UserFacts {
        anonymised: row.try_get::<Option<NaiveDate>>("", "anonymised_on")?.is_some(),
        staff: obstacles & STAFF != 0,
        fictitious: row.try_get("", "fictitious")?,
        imported: row.try_get("", "imported")?,
        created_on: row.try_get("", "created_on")?,
        leaving_on: row.try_get("", "leaving_on")?,
        last_activity_on,
        marked_on: row.try_get("", "marked_on")?,
        kept_since: kept_since(
            row.try_get("", "kept_on")?,
            row.try_get("", "announced_on")?,
            last_activity_on,
        ),
        blockers: Blockers::from_bits(obstacles),
    };
    Ok(Candidate {
        number: UserNumber(number),
        facts,
        uuid: row.try_get("", "uuid")?,
        birth_date: row.try_get("", "birth_date")?,
        postcode: row.try_get("", "postcode")?,
        external_id: row.try_get("", "external_id")?,
        user_id: row.try_get("", "user_id")?,
        barcode: row.try_get("", "barcode")?,
        email: row.try_get("", "email")?,
        rules_version: row.try_get("", "rules_version")?,
    })
}
