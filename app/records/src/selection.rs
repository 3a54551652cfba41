//! Who would be anonymised, asked of the database for all users at once.
//!
//! What is selected here and what [`policy::assess`] says are the same; a property test holds the two equal on
//! both databases.

use crate::dialect;
use chrono::{Duration, NaiveDate};
use policy::{
    Blocker, Blockers, Conditions, Days, Policy, RULES_VERSION, Reason, Scope, UserFacts, UserNumber,
};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};
use std::collections::BTreeMap;

/// Where a blocker stands: the table, the column of the user's number, and the condition of its rows.
const fn place_of(blocker: Blocker) -> (&'static str, &'static str, &'static str) {
    match blocker {
        Blocker::OpenLoan => ("loans", "user_number", "returned_on IS NULL"),
        Blocker::OpenRequest => ("requests", "user_number", "closed_on IS NULL"),
        Blocker::UnsettledCharge => ("charges", "user_number", "settled_on IS NULL AND cents <> 0"),
        Blocker::Guarantor => {
            ("users", "guarantor_number", "guarantor_number IS NOT NULL AND anonymised_on IS NULL")
        }
        Blocker::LegalHold => ("legal_holds", "user_number", "released_on IS NULL"),
    }
}

/// The blockers of the user `{user}` as bits.
fn blockers_sql(user: &str) -> String {
    let bits = Blocker::ALL.map(|blocker| {
        let (table, column, open) = place_of(blocker);
        let bit = blocker.bit();
        format!(
            "CASE WHEN {user}.number IN (SELECT {column} FROM {table} WHERE {open}) THEN {bit} ELSE 0 END"
        )
    });
    format!("({})", bits.join(" + "))
}

const STAFF: &str = "EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = u.number)";

/// A query of every user with the number of the [`Reason`] and the bits of the [`Blockers`], and its values.
/// Its columns are `number`, `reason` and `blockers`.
pub(crate) fn verdicts_sql(policy: &Policy, today: NaiveDate) -> (String, Vec<Value>) {
    let (conditions, values) = conditions_sql(&policy.conditions, today);
    let scope = match policy.scope {
        Scope::All => String::new(),
        Scope::Imported => format!(" WHEN NOT u.imported THEN {}", Reason::OutsideScope.number()),
        Scope::NotImported => format!(" WHEN u.imported THEN {}", Reason::OutsideScope.number()),
    };
    let base = format!(
        "CASE WHEN u.anonymised_on IS NOT NULL THEN {already} WHEN {STAFF} THEN {staff} \
         WHEN u.fictitious THEN {fictitious}{scope}{conditions} END",
        already = Reason::AlreadyAnonymised.number(),
        staff = Reason::Staff.number(),
        fictitious = Reason::Fictitious.number(),
    );
    let first_blocker = policy::Blocker::ALL
        .map(|blocker| {
            format!(" WHEN (f.blockers & {}) <> 0 THEN {}", blocker.bit(), Reason::from(blocker).number())
        })
        .concat();
    let eligible = Reason::Eligible.number();
    let sql = format!(
        "SELECT f.number AS number, \
         CASE WHEN f.base <> {eligible} THEN f.base{first_blocker} ELSE {eligible} END AS reason, \
         f.blockers AS blockers FROM (\
         SELECT b.number, b.base, CASE WHEN b.base = {eligible} THEN {blockers} ELSE 0 END AS blockers FROM (\
         SELECT u.number, {base} AS base FROM users u) b) f",
        blockers = blockers_sql("b"),
    );
    (sql, values)
}

/// The part of the reason that conditions decide: `WHEN … THEN … ELSE …`.
fn conditions_sql(conditions: &Conditions, today: NaiveDate) -> (String, Vec<Value>) {
    if conditions.is_empty() {
        return (format!(" ELSE {}", Reason::NoConditions.number()), Vec::new());
    }
    let mut missing = Vec::new();
    let mut met = Vec::new();
    let mut values = Vec::new();
    for (days, date, reason) in [
        (conditions.leaving, "u.leaving_on", Reason::NoLeavingDate),
        (conditions.marked, "u.marked_on", Reason::NotMarked),
        (conditions.activity, "COALESCE(u.last_activity_on, u.created_on)", Reason::NoActivityDate),
    ] {
        let Some(days) = days else { continue };
        missing.push(format!(" WHEN {date} IS NULL THEN {}", reason.number()));
        met.push(format!("{date} < ?"));
        values.push(Value::from(last_day_too_late(today, days)));
    }
    let sql = format!(
        "{} WHEN {} THEN {} ELSE {}",
        missing.concat(),
        met.join(" AND "),
        Reason::Eligible.number(),
        Reason::Waiting.number()
    );
    (sql, values)
}

/// `today > date + days` is `date < today - days`: the first date that is not old enough.
fn last_day_too_late(today: NaiveDate, days: Days) -> NaiveDate {
    today.checked_sub_signed(Duration::days(i64::from(days.get()))).unwrap_or(NaiveDate::MIN)
}

/// What must be known of a user who may be anonymised.
pub(crate) struct Candidate {
    /// The user.
    pub(crate) number: UserNumber,
    /// What the verdict depends on.
    pub(crate) facts: UserFacts,
    /// The random key of the record.
    pub(crate) uuid: String,
    /// What a decade or a year may be made of.
    pub(crate) birth_date: Option<NaiveDate>,
    /// What a district may be made of.
    pub(crate) postcode: Option<String>,
    rules_version: Option<i32>,
}

impl Candidate {
    /// Whether the user was anonymised under older rules than the present ones.
    pub(crate) fn is_under_older_rules(&self) -> bool {
        self.facts.anonymised && self.rules_version.unwrap_or_default() < RULES_VERSION
    }
}

/// The facts of some users, in the order of their numbers. Users that do not exist are left out.
pub(crate) async fn facts(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
) -> Result<Vec<(UserNumber, UserFacts)>, DbErr> {
    let candidates = read(db, numbers, "").await?;
    Ok(candidates.into_iter().map(|candidate| (candidate.number, candidate.facts)).collect())
}

/// Locks some users and reads what must be known of them, in the order of their numbers, so that two transactions
/// can never wait for each other. Loans and requests that are being made for them wait, or are seen.
pub(crate) async fn lock(tx: &DatabaseTransaction, numbers: &[UserNumber]) -> Result<Vec<Candidate>, DbErr> {
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
    let sql = format!(
        "SELECT number, uuid, birth_date, postcode, anonymised_on, fictitious, imported, created_on, leaving_on, \
         last_activity_on, marked_on, rules_version FROM users WHERE {} ORDER BY number{lock}",
        dialect::among(backend, "number")
    );
    let list = dialect::list(backend, numbers.iter().map(|number| number.0));
    let rows = db.query_all_raw(dialect::statement(backend, &sql, vec![list])).await?;
    // Only now: what was written by somebody who held a lock is seen.
    let obstacles = obstacles(db, numbers).await?;
    rows.iter()
        .map(|row| {
            let number: i64 = row.try_get("", "number")?;
            candidate(row, number, obstacles.get(&number).copied().unwrap_or_default())
        })
        .collect()
}

/// What the tables around users say of one of them.
#[derive(Clone, Copy, Default)]
struct Obstacles {
    staff: bool,
    blockers: Blockers,
}

/// What stands in the way of some users, from whichever table; those with nothing are left out.
async fn obstacles(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
) -> Result<BTreeMap<i64, Obstacles>, DbErr> {
    let backend = db.get_database_backend();
    let mut parts = vec![format!(
        "SELECT user_number AS number, 0 AS bit FROM user_roles WHERE {}",
        dialect::among(backend, "user_number")
    )];
    parts.extend(Blocker::ALL.map(|blocker| {
        let (table, column, open) = place_of(blocker);
        let among = dialect::among(backend, column);
        format!("SELECT {column} AS number, {} AS bit FROM {table} WHERE {among} AND {open}", blocker.bit())
    }));
    let list = dialect::list(backend, numbers.iter().map(|number| number.0));
    let values = vec![list; parts.len()];
    let mut found: BTreeMap<i64, Obstacles> = BTreeMap::new();
    for row in db.query_all_raw(dialect::statement(backend, &parts.join(" UNION ALL "), values)).await? {
        let obstacles = found.entry(row.try_get("", "number")?).or_default();
        let bit: i32 = row.try_get("", "bit")?;
        match Blocker::ALL.into_iter().find(|blocker| i32::from(blocker.bit()) == bit) {
            Some(blocker) => obstacles.blockers = obstacles.blockers.with(blocker, true),
            None => obstacles.staff = true,
        }
    }
    Ok(found)
}

fn candidate(row: &QueryResult, number: i64, obstacles: Obstacles) -> Result<Candidate, DbErr> {
    let facts = UserFacts {
        anonymised: row.try_get::<Option<NaiveDate>>("", "anonymised_on")?.is_some(),
        staff: obstacles.staff,
        fictitious: row.try_get("", "fictitious")?,
        imported: row.try_get("", "imported")?,
        created_on: row.try_get("", "created_on")?,
        leaving_on: row.try_get("", "leaving_on")?,
        last_activity_on: row.try_get("", "last_activity_on")?,
        marked_on: row.try_get("", "marked_on")?,
        blockers: obstacles.blockers,
    };
    Ok(Candidate {
        number: UserNumber(number),
        facts,
        uuid: row.try_get("", "uuid")?,
        birth_date: row.try_get("", "birth_date")?,
        postcode: row.try_get("", "postcode")?,
        rules_version: row.try_get("", "rules_version")?,
    })
}
