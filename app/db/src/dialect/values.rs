//! Passing the values of many rows to the database.

use sea_orm::DatabaseBackend;
use sea_orm::sea_query::{ColumnType, Value};

/// The maximum number of values in a recurring statement on SQLite. Prepared, such a statement takes 250 KB.
const MAX_RECURRING_VALUES: usize = 2_000;

/// Returns the number of rows that the next statement takes, which is at most `most`.
///
/// On SQLite it is a power of two. The statement has a placeholder for each value, and its connection keeps the last
/// hundred statements. One for each number of rows would take the memory of the page cache.
pub(crate) fn rows_of_recurring_statement(backend: DatabaseBackend, columns: usize, most: usize) -> usize {
    match backend {
        DatabaseBackend::Postgres => most,
        _ => 1 << most.min(MAX_RECURRING_VALUES / columns.max(1)).max(1).ilog2(),
    }
}

/// Returns a query of these rows, and the values of its placeholders. `values` has the values of one row after another.
///
/// PostgreSQL plans a statement with thousands of placeholders slowly: it gets each column as one array. Columns whose
/// type has no array here are passed one by one.
pub(crate) fn rows_of_values(
    backend: DatabaseBackend,
    types: &[ColumnType],
    (rows, values): (usize, Vec<Value>),
) -> (String, Vec<Value>) {
    let arrays: Option<Vec<&str>> = types.iter().map(array_type).collect();
    if let (DatabaseBackend::Postgres, Some(arrays)) = (backend, arrays)
        && let Some(columns) = arrays_of(&values, arrays.len())
    {
        let places = arrays.iter().enumerate();
        let places: Vec<String> =
            places.map(|(place, name)| format!("CAST(${} AS {name}[])", place + 1)).collect();
        return (format!("SELECT * FROM UNNEST({})", places.join(", ")), columns);
    }
    let values = values.into_iter().map(|value| match value {
        // The driver writes the same text, but slowly.
        Value::ChronoDate(Some(date)) if backend == DatabaseBackend::Sqlite => date.to_string().into(),
        value => value,
    });
    let values: Vec<Value> = values.collect();
    let mut sql = String::with_capacity(values.len() * 4 + 16);
    let mut place = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "VALUES (" } else { ", (" });
        for column in 0..types.len() {
            sql.push_str(if column == 0 { "" } else { ", " });
            place += 1;
            match backend {
                DatabaseBackend::Postgres => {
                    sql.push('$');
                    sql.push_str(&place.to_string());
                }
                _ => sql.push('?'),
            }
        }
        sql.push(')');
    }
    (sql, values)
}

/// Returns the name of a type of PostgreSQL. `None` for a type whose values have no simple text.
const fn array_type(kind: &ColumnType) -> Option<&'static str> {
    match kind {
        ColumnType::String(_) | ColumnType::Text => Some("TEXT"),
        ColumnType::SmallInteger => Some("SMALLINT"),
        ColumnType::Integer => Some("INTEGER"),
        ColumnType::BigInteger => Some("BIGINT"),
        ColumnType::Boolean => Some("BOOLEAN"),
        ColumnType::Date => Some("DATE"),
        _ => None,
    }
}

/// Returns the columns of rows as arrays in text form. `None` if a value has no such form.
fn arrays_of(values: &[Value], columns: usize) -> Option<Vec<Value>> {
    let mut arrays = vec![String::from("{"); columns];
    for row in values.chunks(columns) {
        for (array, value) in arrays.iter_mut().zip(row) {
            if array.len() > 1 {
                array.push(',');
            }
            push(array, value)?;
        }
    }
    Some(
        arrays
            .into_iter()
            .map(|mut array| {
                array.push('}');
                Value::from(array)
            })
            .collect(),
    )
}

/// Appends a value to an array in text form.
fn push(array: &mut String, value: &Value) -> Option<()> {
    match value {
        Value::Bool(Some(value)) => array.push(if *value { 't' } else { 'f' }),
        Value::SmallInt(Some(value)) => array.push_str(&value.to_string()),
        Value::Int(Some(value)) => array.push_str(&value.to_string()),
        Value::BigInt(Some(value)) => array.push_str(&value.to_string()),
        Value::ChronoDate(Some(value)) => array.push_str(&value.to_string()),
        Value::String(Some(text)) => {
            array.push('"');
            for c in text.chars() {
                if matches!(c, '"' | '\\') {
                    array.push('\\');
                }
                array.push(c);
            }
            array.push('"');
        }
        Value::Bool(None)
        | Value::SmallInt(None)
        | Value::Int(None)
        | Value::BigInt(None)
        | Value::ChronoDate(None)
        | Value::String(None) => array.push_str("NULL"),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_gets_each_column_as_an_array() {
        let types = [ColumnType::BigInteger, ColumnType::Text];
        let values =
            vec![Value::from(1_i64), Value::from("a\"b\\c, {d}"), Value::from(2_i64), Value::String(None)];
        let (sql, arrays) = rows_of_values(DatabaseBackend::Postgres, &types, (2, values.clone()));
        assert_eq!(sql, "SELECT * FROM UNNEST(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[]))");
        assert_eq!(arrays, [Value::from("{1,2}"), Value::from("{\"a\\\"b\\\\c, {d}\",NULL}")]);
        let (sql, same) = rows_of_values(DatabaseBackend::Sqlite, &types, (2, values.clone()));
        assert_eq!((sql.as_str(), same), ("VALUES (?, ?), (?, ?)", values));
    }

    #[test]
    fn sqlite_gets_few_different_statements() {
        let rows = |backend, columns, most| rows_of_recurring_statement(backend, columns, most);
        let taken = [3_960, 523, 11, 3, 1].map(|left| rows(DatabaseBackend::Sqlite, 5, left));
        assert_eq!(taken, [256, 256, 8, 2, 1]);
        assert_eq!(rows(DatabaseBackend::Sqlite, 3_000, 2), 1);
        assert_eq!(rows(DatabaseBackend::Postgres, 5, 523), 523);
    }

    #[test]
    fn values_without_an_array_are_passed_one_by_one() {
        let (sql, values) = rows_of_values(
            DatabaseBackend::Postgres,
            &[ColumnType::BigInteger, ColumnType::Blob],
            (1, vec![Value::from(1_i64), Value::from(vec![1_u8])]),
        );
        assert_eq!((sql.as_str(), values.len()), ("VALUES ($1, $2)", 2));
    }
}
