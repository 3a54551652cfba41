//! Finds the database records of users named in the ledger.

use super::entry::Person;
use chrono::NaiveDate;
use db::entity::users;
use policy::UserNumber;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// The record of a user named in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct FoundUser {
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
pub async fn find(db: &impl ConnectionTrait, people: &[Person]) -> Result<Vec<FoundUser>, DbErr> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let by_key: HashMap<&str, &Person> = people.iter().map(|person| (person.0.as_str(), person)).collect();
    let rows: Vec<(i64, String, Option<NaiveDate>, Option<i32>)> = users::Entity::find()
        .select_only()
        .columns([
            users::Column::Number,
            users::Column::Uuid,
            users::Column::AnonymisedOn,
            users::Column::RulesVersion,
        ])
        .filter(users::Column::Uuid.is_in(people.iter().map(|person| person.0.as_str())))
        .order_by_asc(users::Column::Number)
        .into_tuple()
        .all(db)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for (number, key, anonymised_on, rules) in rows {
        let number = UserNumber(number);
        if by_key.get(key.as_str()).is_some_and(|person| person.is(&key, number)) {
            found.push(FoundUser { number, anonymised: anonymised_on.is_some(), rules });
        }
    }
    Ok(found)
}
