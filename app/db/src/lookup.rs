//! Looking up many rows at once: the rows found are one value.
//!
//! The driver of SQLite hands each row to another thread, which takes longer than to find it.

use crate::dialect;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbErr};
use serde::de::DeserializeOwned;

/// Returns the rows of the query `SELECT columns rest`, whose placeholders are `?`. Each row is a tuple, or a struct
/// with the columns in the order of its fields.
pub async fn rows<R: DeserializeOwned>(
    db: &impl ConnectionTrait,
    columns: &[&str],
    (rest, values): (&str, Vec<Value>),
) -> Result<Vec<R>, DbErr> {
    let backend = db.get_database_backend();
    let columns = columns.join(", ");
    let (array, aggregate) = dialect::json_arrays(backend);
    // Raw SQL: SeaORM has no aggregates of JSON, and its rows are what this function avoids.
    let sql = format!(
        "SELECT CAST(COALESCE({aggregate}({array}({columns})), '[]') AS TEXT) AS found \
         FROM (SELECT {columns} {rest}) AS looked_up"
    );
    let Some(row) = db.query_one_raw(dialect::bind(backend, &sql, values)).await? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&row.try_get::<String>("", "found")?).map_err(|error| DbErr::Json(error.to_string()))
}
