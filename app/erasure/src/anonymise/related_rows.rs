//! Changes that are the same for all users: the tables with rows of a user, according to the register.

use db::dialect;
use policy::personal_data::{ErasureAction, RowOwner, Table};
use policy::{NoteTreatment, Policy, Treatment, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

/// Deletes or clears the rows of these users in one table. Returns the number of changed rows.
pub(super) async fn clear(
    tx: &DatabaseTransaction,
    policy: &Policy,
    table: &Table,
    numbers: &[UserNumber],
) -> Result<u64, DbErr> {
    let Some((what, more)) = change(policy, table) else { return Ok(0) };
    let backend = tx.get_database_backend();
    let theirs = match table.owner {
        RowOwner::User(column) => dialect::in_list(backend, column),
        RowOwner::Loan(column) => {
            format!("{column} IN (SELECT id FROM loans WHERE {})", dialect::in_list(backend, "user_number"))
        }
        RowOwner::NoUser => return Ok(0),
    };
    // Raw SQL: the register names table and columns; `dialect::in_list` takes a batch of users as one value.
    let sql = format!("{what} WHERE {theirs}{}", more.sql);
    let mut values = vec![dialect::id_list(backend, numbers.iter().map(|number| number.0))];
    values.extend(more.values);
    let result = tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    Ok(result.rows_affected())
}

/// A further condition that limits the statement to rows that would change.
#[derive(Default)]
struct More {
    sql: String,
    values: Vec<Value>,
}

/// Returns the beginning of the statement for a table and its condition. None if nothing has to change.
fn change(policy: &Policy, table: &Table) -> Option<(String, More)> {
    if table.deletes_rows() {
        return Some((format!("DELETE FROM {}", table.name), More::default()));
    }
    if table.with_action(ErasureAction::ByCustomField).next().is_some() {
        return Some((format!("DELETE FROM {}", table.name), unless_kept(policy)));
    }
    let mut sets = Vec::new();
    let mut present = Vec::new();
    for column in table.columns {
        let name = column.name;
        let set = match column.action {
            ErasureAction::Clear => format!("{name} = NULL"),
            ErasureAction::ByPolicy(field) if policy.treatment(field) == Treatment::Remove => {
                format!("{name} = NULL")
            }
            ErasureAction::ClearText => match policy.circulation_notes {
                NoteTreatment::Empty => format!("{name} = NULL"),
                NoteTreatment::Mark => {
                    format!("{name} = CASE WHEN {name} IS NULL THEN NULL ELSE '{}' END", NoteTreatment::MARK)
                }
            },
            _ => continue,
        };
        sets.push(set);
        present.push(format!("{name} IS NOT NULL"));
    }
    if sets.is_empty() {
        return None;
    }
    let more = More { sql: format!(" AND ({})", present.join(" OR ")), values: Vec::new() };
    Some((format!("UPDATE {} SET {}", table.name, sets.join(", ")), more))
}

/// Returns the condition for the custom fields to delete: all but those that the policy keeps.
fn unless_kept(policy: &Policy) -> More {
    if policy.keep_custom.is_empty() {
        return More::default();
    }
    More {
        sql: format!(" AND field_key NOT IN ({})", dialect::placeholders(policy.keep_custom.len())),
        values: policy.keep_custom.iter().map(|key| key.clone().into()).collect(),
    }
}
