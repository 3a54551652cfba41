//! Who would be anonymised, asked of the database for all users at once.
//!
//! What is selected here and what [`policy::assess`] says are the same; a property test holds the two equal on
//! both databases.

use chrono::{Duration, NaiveDate};
use policy::{Blockers, Conditions, Days, Policy, RULES_VERSION, Reason, Scope, UserFacts, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use crate::dialect;

/// The blockers of the user `{u}` as bits, in the order of [`policy::Blocker`].
fn blockers_sql(user: &str) -> String {
    let blockers = [
        format!("SELECT 1 FROM loans x WHERE x.user_number = {user}.number AND x.returned_on IS NULL"),
        format!("SELECT 1 FROM requests x WHERE x.user_number = {user}.number AND x.closed_on IS NULL"),
        format!(
            "SELECT 1 FROM charges x WHERE x.user_number = {user}.number AND x.settled_on IS NULL AND x.cents <> 0"
        ),
        format!("SELECT 1 FROM users x WHERE x.guarantor_number = {user}.number AND x.anonymised_on IS NULL"),
        format!("SELECT 1 FROM legal_holds x WHERE x.user_number = {user}.number AND x.released_on IS NULL"),
    ];
    let bits = blockers
        .iter()
        .enumerate()
        .map(|(place, exists)| format!("CASE WHEN EXISTS ({exists}) THEN {} ELSE 0 END", 1 << place));
    format!("({})", bits.collect::<Vec<_>>().join(" + "))
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

/// The facts of some users, in the order of their numbers. Users that do not exist are left out.
pub(crate) async fn facts(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
) -> Result<Vec<(UserNumber, UserFacts)>, DbErr> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT u.number, u.anonymised_on, CASE WHEN {STAFF} THEN 1 ELSE 0 END AS staff, u.fictitious, u.imported, \
         u.created_on, u.leaving_on, u.last_activity_on, u.marked_on, {} AS blockers \
         FROM users u WHERE u.number IN ({}) ORDER BY u.number",
        blockers_sql("u"),
        dialect::places(numbers.len()),
    );
    let values = numbers.iter().map(|number| number.0.into()).collect();
    let rows = db.query_all_raw(dialect::statement(db.get_database_backend(), &sql, values)).await?;
    rows.iter().map(facts_of_row).collect()
}

/// Those of some users who were anonymised under older rules than the present ones.
pub(crate) async fn under_older_rules(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
) -> Result<Vec<UserNumber>, DbErr> {
    let sql = format!(
        "SELECT number FROM users WHERE anonymised_on IS NOT NULL AND COALESCE(rules_version, 0) < ? \
         AND number IN ({})",
        dialect::places(numbers.len())
    );
    let values = std::iter::once(RULES_VERSION.into()).chain(numbers.iter().map(|number| number.0.into()));
    let rows =
        db.query_all_raw(dialect::statement(db.get_database_backend(), &sql, values.collect())).await?;
    rows.iter().map(|row| row.try_get("", "number").map(UserNumber)).collect()
}

fn facts_of_row(row: &QueryResult) -> Result<(UserNumber, UserFacts), DbErr> {
    let bits: i32 = row.try_get("", "blockers")?;
    let facts = UserFacts {
        anonymised: row.try_get::<Option<NaiveDate>>("", "anonymised_on")?.is_some(),
        staff: row.try_get::<i32>("", "staff")? != 0,
        fictitious: row.try_get("", "fictitious")?,
        imported: row.try_get("", "imported")?,
        created_on: row.try_get("", "created_on")?,
        leaving_on: row.try_get("", "leaving_on")?,
        last_activity_on: row.try_get("", "last_activity_on")?,
        marked_on: row.try_get("", "marked_on")?,
        blockers: Blockers::from_bits(u8::try_from(bits).unwrap_or(u8::MAX)),
    };
    Ok((UserNumber(row.try_get("", "number")?), facts))
}
