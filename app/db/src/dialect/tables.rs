//! Reading the schema from the database.

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement};
use std::collections::BTreeMap;

/// A table in the database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableFacts {
    /// The name.
    pub name: String,
    /// The columns, in order.
    pub columns: Vec<ColumnFacts>,
    /// Whether its rows can be read in the order of their positions (SQLite: `rowid`, PostgreSQL: `ctid`), and so
    /// in blocks.
    pub has_positions: bool,
}

/// A column in the database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ColumnFacts {
    /// The name.
    pub name: String,
    /// The kind of its values.
    pub kind: ColumnKind,
    /// The position in the primary key, from 1. 0 if it is not part of the key.
    pub key: i32,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// The kind of the values of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// Any text.
    Text,
    /// Whole numbers.
    Integer,
    /// Photos and other bytes.
    Bytes,
    /// Dates, instants, other numbers, booleans.
    Other,
}

impl ColumnKind {
    /// Returns the kind of a declared type. Unknown types count as text, so that they are searched.
    fn of_type(declared: &str) -> Self {
        let declared = declared.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        if has(&["blob", "bytea"]) {
            Self::Bytes
        } else if declared.contains("[]") {
            Self::Text
        } else if has(&["date", "time"]) {
            Self::Other
        } else if has(&["int"]) {
            Self::Integer
        } else if has(&["bool", "real", "floa", "doub", "numeric", "decimal", "uuid"]) {
            Self::Other
        } else {
            Self::Text
        }
    }
}

/// Returns every table, by name. Omits views, which store nothing, but includes the tables behind virtual ones.
pub async fn tables(db: &impl ConnectionTrait) -> Result<Vec<TableFacts>, DbErr> {
    let sql = match db.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT c.relname AS t, a.attname AS c, format_type(a.atttypid, NULL) AS k, \
             COALESCE(array_position(CAST(i.indkey AS INT2[]), a.attnum) + 1, 0) AS key, NOT a.attnotnull AS nullable, \
             c.relkind <> 'p' AS has_positions \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
             WHERE c.relnamespace = CAST(current_schema() AS REGNAMESPACE) AND c.relkind IN ('r', 'm', 'p') \
             ORDER BY c.relname, a.attnum"
        }
        _ => {
            "SELECT l.name AS t, p.name AS c, p.type AS k, p.pk AS key, p.\"notnull\" = 0 AS nullable, \
             l.wr = 0 AS has_positions \
             FROM pragma_table_list l JOIN pragma_table_xinfo(l.name) p \
             WHERE l.schema = 'main' AND l.type IN ('table', 'shadow') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             ORDER BY l.name, p.cid"
        }
    };
    let mut tables: Vec<TableFacts> = Vec::new();
    for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
        let name: String = row.try_get("", "t")?;
        let declared: String = row.try_get("", "k")?;
        let column = ColumnFacts {
            name: row.try_get("", "c")?,
            kind: ColumnKind::of_type(&declared),
            key: row.try_get("", "key")?,
            nullable: row.try_get("", "nullable")?,
        };
        if let Some(table) = tables.last_mut().filter(|table| table.name == name) {
            table.columns.push(column);
        } else {
            let has_positions = row.try_get("", "has_positions")?;
            tables.push(TableFacts { name, columns: vec![column], has_positions });
        }
    }
    Ok(tables)
}

/// Returns every table with the names of its columns.
pub async fn schema(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Vec<String>>, DbErr> {
    let names =
        |table: TableFacts| (table.name, table.columns.into_iter().map(|column| column.name).collect());
    Ok(tables(db).await?.into_iter().map(names).collect())
}

/// Quotes the name of a table or column for a statement, whatever characters it contains.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_understood() {
        for (declared, kind) in [
            ("varchar", ColumnKind::Text),
            ("character varying", ColumnKind::Text),
            ("jsonb", ColumnKind::Text),
            ("integer[]", ColumnKind::Text),
            ("", ColumnKind::Text),
            ("BLOB", ColumnKind::Bytes),
            ("bytea", ColumnKind::Bytes),
            ("bigint", ColumnKind::Integer),
            ("date_text", ColumnKind::Other),
            ("timestamp with time zone", ColumnKind::Other),
            ("boolean", ColumnKind::Other),
        ] {
            assert_eq!(ColumnKind::of_type(declared), kind, "{declared}");
        }
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
