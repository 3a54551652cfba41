//! Changes that differ by user: the user's row, with its replacement name and generalised values.

use super::ErasureRequest;
use crate::eligibility::Candidate;
use db::dialect;
use policy::personal_data::{self, ErasureAction};
use policy::replacement::replacement;
use policy::{Field, Policy, RULES_VERSION, RunMode, Treatment, generalise};
use rand::RngExt;
use rand::seq::SliceRandom;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde::Serialize;
use std::collections::BTreeSet;

/// Returns replacement names that are not in use. They come from a cryptographically secure generator only.
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
        let backend = tx.get_database_backend();
        // Raw SQL: one statement looks up a batch of names, whose rows `dialect::json_rows` provides.
        let sql = format!(
            "SELECT u.replacement FROM users u JOIN {} ON u.replacement = v.replacement",
            dialect::json_rows(backend, "v", &["replacement"])
        );
        let asked: Vec<_> = fresh.iter().map(|name| Row { replacement: name, ..Row::default() }).collect();
        for row in tx.query_all_raw(dialect::bind(backend, &sql, vec![json(&asked)?])).await? {
            fresh.remove(&row.try_get::<String>("", "replacement")?);
        }
        names.extend(fresh);
    }
    // The set is sorted. Shuffled names reveal nothing about the order of the users.
    let mut names: Vec<String> = names.into_iter().collect();
    names.shuffle(&mut rand::rng());
    Ok(names)
}

/// The values for one user, passed to the database as JSON.
#[derive(Default, Serialize)]
struct Row<'a> {
    number: i64,
    replacement: &'a str,
    birth_period: Option<String>,
    district: Option<String>,
}

fn json(rows: &[Row<'_>]) -> Result<Value, DbErr> {
    serde_json::to_string(rows).map(Value::from).map_err(|error| DbErr::Custom(error.to_string()))
}

/// Gives each user a replacement name and updates their rows. Returns the number of changed rows.
pub(super) async fn replace(
    tx: &DatabaseTransaction,
    request: &ErasureRequest<'_>,
    people: &[Candidate],
) -> Result<u64, DbErr> {
    let backend = tx.get_database_backend();
    let names = unused_names(tx, people.len()).await?;
    let rows: Vec<Row<'_>> =
        people.iter().zip(&names).map(|(person, name)| row(request.policy, person, name)).collect();
    // Raw SQL: one UPDATE with different values for each user, from a JSON list; the register names the columns.
    let sql = format!(
        "UPDATE users SET {} FROM {} WHERE users.number = v.number",
        sets(backend, request).join(", "),
        dialect::json_rows(backend, "v", &["replacement", "birth_period", "district"]),
    );
    let mut values: Vec<Value> = vec![RULES_VERSION.into(), json(&rows)?];
    if request.mode != RunMode::Reapply {
        values.insert(0, request.today.into());
    }
    Ok(tx.execute_raw(dialect::bind(backend, &sql, values)).await?.rows_affected())
}

fn row<'a>(policy: &Policy, person: &Candidate, replacement: &'a str) -> Row<'a> {
    let birth_period = match policy.treatment(Field::BirthDate) {
        Treatment::Year => person.birth_date.map(generalise::year),
        Treatment::Decade => person.birth_date.map(generalise::decade),
        _ => None,
    };
    let district = match policy.treatment(Field::Postcode) {
        Treatment::District => person.postcode.as_deref().and_then(generalise::district),
        _ => None,
    };
    Row { number: person.number.0, replacement, birth_period, district }
}

/// Returns the assignments for the row, in the order of the register. The placeholders are the day and the version
/// of the rules. Users who are already anonymised keep their name, their day and their generalised values.
fn sets(backend: sea_orm::DatabaseBackend, request: &ErasureRequest<'_>) -> Vec<String> {
    let again = request.mode == RunMode::Reapply;
    let columns = personal_data::table("users").map_or(&[][..], |table| table.columns);
    let mut sets: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            let name = column.name;
            match column.action {
                ErasureAction::Clear => Some(format!("{name} = NULL")),
                ErasureAction::Replace if !again => Some(format!("{name} = v.replacement")),
                ErasureAction::ByPolicy(field) => match request.policy.treatment(field) {
                    Treatment::Remove => Some(format!("{name} = NULL")),
                    _ if again => None,
                    treatment => by_policy(backend, treatment, name),
                },
                _ => None,
            }
        })
        .collect();
    if !again {
        let by_month = request.policy.treatment(Field::RecordDates) == Treatment::Month;
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
