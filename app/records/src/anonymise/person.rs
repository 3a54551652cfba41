//! What is different for each person: the record itself, with its random name and its generalised values.

use super::Job;
use crate::dialect;
use chrono::NaiveDate;
use policy::register::{self, Action};
use policy::replacement::replacement;
use policy::{Field, Policy, RULES_VERSION, Selection, Treatment, UserNumber, generalise};
use rand::RngExt;
use rand::seq::SliceRandom;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use std::collections::BTreeSet;

/// What one person's record gets.
pub(super) struct Person {
    number: UserNumber,
    /// The random key of the record.
    pub(super) uuid: String,
    replacement: String,
    birth_period: Option<String>,
    district: Option<String>,
}

/// Reads what generalising needs, and gives everybody a random name.
pub(super) async fn read(
    tx: &DatabaseTransaction,
    policy: &Policy,
    numbers: &[UserNumber],
) -> Result<Vec<Person>, DbErr> {
    let names = unused_names(tx, numbers.len()).await?;
    let sql = format!(
        "SELECT number, uuid, birth_date, postcode FROM users WHERE number IN ({}) ORDER BY number",
        dialect::places(numbers.len())
    );
    let values = numbers.iter().map(|number| number.0.into()).collect();
    let rows = tx.query_all_raw(dialect::statement(tx.get_database_backend(), &sql, values)).await?;
    rows.iter()
        .zip(names)
        .map(|(row, replacement)| {
            let birth_date: Option<NaiveDate> = row.try_get("", "birth_date")?;
            let postcode: Option<String> = row.try_get("", "postcode")?;
            let birth_period = match policy.treatment(Field::BirthDate) {
                Treatment::Year => birth_date.map(generalise::year),
                Treatment::Decade => birth_date.map(generalise::decade),
                _ => None,
            };
            let district = match policy.treatment(Field::Postcode) {
                Treatment::District => postcode.as_deref().and_then(generalise::district),
                _ => None,
            };
            Ok(Person {
                number: UserNumber(row.try_get("", "number")?),
                uuid: row.try_get("", "uuid")?,
                replacement,
                birth_period,
                district,
            })
        })
        .collect()
}

/// Random names that nobody has. They come from a cryptographically secure generator and from nothing else.
async fn unused_names(tx: &DatabaseTransaction, count: usize) -> Result<Vec<String>, DbErr> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    while names.len() < count {
        let mut fresh: BTreeSet<String> = BTreeSet::new();
        while fresh.len() < count - names.len() {
            let name = replacement(|below| rand::rng().random_range(0..below));
            if !names.contains(&name) {
                fresh.insert(name);
            }
        }
        let sql =
            format!("SELECT replacement FROM users WHERE replacement IN ({})", dialect::places(fresh.len()));
        let values = fresh.iter().map(|name| name.clone().into()).collect();
        for row in tx.query_all_raw(dialect::statement(tx.get_database_backend(), &sql, values)).await? {
            fresh.remove(&row.try_get::<String>("", "replacement")?);
        }
        names.extend(fresh);
    }
    // The set is sorted; the order in which names are given out must say nothing.
    let mut names: Vec<String> = names.into_iter().collect();
    names.shuffle(&mut rand::rng());
    Ok(names)
}

/// Writes the records of these people.
pub(super) async fn replace(
    tx: &DatabaseTransaction,
    job: &Job<'_>,
    people: &[Person],
) -> Result<u64, DbErr> {
    let backend = tx.get_database_backend();
    let mut values: Vec<Value> = Vec::with_capacity(people.len() * 4 + 2);
    for person in people {
        values.push(person.number.0.into());
        values.push(person.replacement.clone().into());
        values.push(person.birth_period.clone().into());
        values.push(person.district.clone().into());
    }
    if job.selection != Selection::Reapply {
        values.push(job.today.into());
    }
    values.push(RULES_VERSION.into());
    let row = "(CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT))";
    let sql = format!(
        "WITH v (number, replacement, birth_period, district) AS (VALUES {}) \
         UPDATE users SET {} FROM v WHERE users.number = v.number",
        vec![row; people.len()].join(", "),
        sets(backend, job).join(", "),
    );
    Ok(tx.execute_raw(dialect::statement(backend, &sql, values)).await?.rows_affected())
}

/// What each column of the record becomes, in the order of the register; the place holders are the day and the
/// version of the rules. Somebody who is anonymised already keeps name and day, and what was generalised.
fn sets(backend: sea_orm::DatabaseBackend, job: &Job<'_>) -> Vec<String> {
    let again = job.selection == Selection::Reapply;
    let columns = register::table("users").map_or(&[][..], |table| table.columns);
    let mut sets: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            let name = column.name;
            match column.action {
                Action::Clear => Some(format!("{name} = NULL")),
                Action::Replace if !again => Some(format!("{name} = v.replacement")),
                Action::ByPolicy(field) => match job.policy.treatment(field) {
                    Treatment::Remove => Some(format!("{name} = NULL")),
                    _ if again => None,
                    treatment => by_policy(backend, treatment, name),
                },
                _ => None,
            }
        })
        .collect();
    if !again {
        let by_month = job.policy.treatment(Field::RecordDates) == Treatment::Month;
        sets.push(format!("dates_by_month = {}", if by_month { "TRUE" } else { "FALSE" }));
        sets.push("anonymised_on = ?".to_owned());
    }
    sets.push("version = users.version + 1".to_owned());
    sets.push("rules_version = ?".to_owned());
    sets
}

fn by_policy(backend: sea_orm::DatabaseBackend, treatment: Treatment, column: &str) -> Option<String> {
    let value = match (treatment, column) {
        (Treatment::Keep, _) => return None,
        (Treatment::Year | Treatment::Decade, "birth_period") => "v.birth_period".to_owned(),
        (Treatment::District, "postcode") => "v.district".to_owned(),
        (Treatment::Month, column) => dialect::first_of_month(backend, &format!("users.{column}")),
        _ => "NULL".to_owned(),
    };
    Some(format!("{column} = {value}"))
}
