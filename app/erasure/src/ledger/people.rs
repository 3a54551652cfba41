//! Finds the database records of users named in the ledger.

use super::entry::Person;
use chrono::NaiveDate;
use db::dialect;
use policy::UserNumber;
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::HashMap;

/// The record of a user named in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Number of the user.
    pub number: UserNumber,
    /// Whether the record is anonymised.
    pub anonymised: bool,
    /// Version of the rules with which the user was anonymised.
    pub rules: Option<i32>,
}

/// Returns the records of `people` that this database contains, ordered by user number.
///
/// A record with a matching key but another user number belongs to another user and is left out.
pub async fn find(db: &impl ConnectionTrait, people: &[Person]) -> Result<Vec<Found>, DbErr> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let by_key: HashMap<&str, &Person> = people.iter().map(|person| (person.0.as_str(), person)).collect();
    let sql = format!(
        "SELECT number, uuid, anonymised_on, rules_version FROM users WHERE uuid IN ({}) ORDER BY number",
        dialect::placeholders(people.len())
    );
    let values = people.iter().map(|person| person.0.clone().into()).collect();
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (number, key) = (UserNumber(row.try_get("", "number")?), row.try_get::<String>("", "uuid")?);
        if by_key.get(key.as_str()).is_some_and(|person| person.is(&key, number)) {
            found.push(Found {
                number,
                anonymised: row.try_get::<Option<NaiveDate>>("", "anonymised_on")?.is_some(),
                rules: row.try_get("", "rules_version")?,
            });
        }
    }
    Ok(found)
}
