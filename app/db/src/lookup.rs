//! Looking up many rows at once: the values of a condition are one value, and the rows found are another one.
//!
//! A statement with a placeholder for each value is parsed again for each count of values. The driver of SQLite hands
//! each row to another thread, which takes longer than to find it.

use crate::dialect;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr};
use serde::de::DeserializeOwned;

/// Returns texts as the value of one placeholder, for [`in_texts`].
pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Value, DbErr> {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::to_string(&texts).map(Value::from).map_err(|error| DbErr::Custom(error.to_string()))
}

/// Returns the condition that a column has one of these [`texts`].
pub fn in_texts(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => {
            format!("{column} = ANY(ARRAY(SELECT json_array_elements_text(CAST(? AS JSON))))")
        }
        _ => format!("{column} IN (SELECT value FROM json_each(?))"),
    }
}

/// Returns the rows of the query `SELECT columns rest`, whose placeholders are `?`. Each row is a tuple, or a struct
/// with the columns in the order of its fields.
pub async fn rows<R: DeserializeOwned>(
    db: &impl ConnectionTrait,
    columns: &[&str],
    (rest, values): (&str, Vec<Value>),
) -> Result<Vec<R>, DbErr> {
    let backend = db.get_database_backend();
    let columns = columns.join(", ");
    let (array, aggregate) = match backend {
        DatabaseBackend::Postgres => ("json_build_array", "json_agg"),
        _ => ("json_array", "json_group_array"),
    };
    // Raw SQL: SeaORM has no aggregates of JSON, and its rows are what this function avoids.
    let sql = format!(
        "SELECT CAST(COALESCE({aggregate}({array}({columns})), '[]') AS TEXT) AS found FROM (SELECT {columns} {rest}) AS o"
    );
    let Some(row) = db.query_one_raw(dialect::bind(backend, &sql, values)).await? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&row.try_get::<String>("", "found")?).map_err(|error| DbErr::Json(error.to_string()))
}
