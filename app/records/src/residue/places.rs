//! The places that are searched: every column in which text can stand, from the register and from the schema.

use super::kind::ValueKind;
use crate::dialect::{self, ColumnFacts, ColumnKind, Source, TableFacts, quoted};
use policy::register::{self, Class, Owner};
use sea_orm::DatabaseBackend;

/// A table with the columns that are searched.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its name.
    pub(super) table: String,
    /// How a row is named in a finding.
    pub(super) key: Key,
    /// SQL of the number of the user to whom a row belongs.
    owner: Option<String>,
    /// Whether the key could hold a value itself: it is a word, or nobody knows what it is.
    pub(super) key_may_tell: bool,
    /// Columns that are read row by row.
    pub(super) columns: Vec<Column>,
    /// Columns with few different values, which need not be read row by row.
    pub(super) alike: Vec<Column>,
    has_positions: bool,
}

/// A column that is searched.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Whether anything may stand here; so it is where nothing is known about the column.
    pub(super) is_free: bool,
    /// Whether it identifies the user to whom the row belongs.
    pub(super) identifies: bool,
    /// The kind of value whose own place this is.
    pub(super) kind: Option<ValueKind>,
}

/// A column that could hold something and is not searched, and why.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct NotSearched {
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// Why.
    pub why: &'static str,
}

/// How a row is named in a finding. The name must say nothing about anybody: a key that is a word is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Key {
    /// By these columns; whether each holds whole numbers.
    Columns(Vec<(String, bool)>),
    /// By its position in the table.
    Position,
}

/// Why bytes are not searched.
const BYTES: &str = "holds pictures or other bytes, in which no text can be found";
/// What is noted instead of a key that holds a value itself.
pub(super) const UNTOLD: &str = "?";
/// Between the parts of a key.
const KEY_GLUE: char = ',';

impl Key {
    /// SQL of the key as text.
    fn sql(&self, backend: DatabaseBackend) -> String {
        match self {
            Self::Position => format!("CAST({} AS TEXT)", dialect::position(backend)),
            Self::Columns(columns) if columns.is_empty() => "''".to_owned(),
            Self::Columns(columns) => {
                let parts: Vec<String> =
                    columns.iter().map(|(name, _)| format!("CAST(t.{} AS TEXT)", quoted(name))).collect();
                parts.join(&format!(" || '{KEY_GLUE}' || "))
            }
        }
    }

    /// SQL of the condition that a row has this key, with its values. None where the key is untold, or cannot be one of
    /// this table.
    pub(super) fn is(&self, backend: DatabaseBackend, key: &str) -> Option<(String, Vec<sea_orm::Value>)> {
        let columns = match self {
            Self::Position => return Some((dialect::position_is(backend).to_owned(), vec![key.into()])),
            Self::Columns(_) if key == UNTOLD => return None,
            Self::Columns(columns) => columns,
        };
        let parts: Vec<&str> = key.splitn(columns.len(), KEY_GLUE).collect();
        if columns.is_empty() || parts.len() != columns.len() {
            return None;
        }
        let mut values: Vec<sea_orm::Value> = Vec::new();
        for ((_, is_number), part) in columns.iter().zip(parts) {
            values.push(if *is_number { part.parse::<i64>().ok()?.into() } else { part.into() });
        }
        let conditions: Vec<String> =
            columns.iter().map(|(name, _)| format!("t.{} = ?", quoted(name))).collect();
        Some((conditions.join(" AND "), values))
    }
}

/// Every place, and every column that is not searched. `users` comes first: what people have now must be known before
/// the rest is judged.
pub(super) fn places(tables: &[TableFacts]) -> (Vec<Place>, Vec<NotSearched>) {
    let mut not_searched = Vec::new();
    let mut places: Vec<Place> = tables.iter().filter_map(|table| place(table, &mut not_searched)).collect();
    places.sort_by_key(|place| match place.table.as_str() {
        "users" => 0,
        "custom_values" => 1,
        _ => 2,
    });
    (places, not_searched)
}

fn place(table: &TableFacts, not_searched: &mut Vec<NotSearched>) -> Option<Place> {
    let entry = register::table(&table.name);
    let mut columns = Vec::new();
    let mut alike = Vec::new();
    for facts in &table.columns {
        let class = register::column(&table.name, &facts.name).map(|column| column.class);
        match facts.kind {
            ColumnKind::Bytes => {
                let (table, column) = (table.name.clone(), facts.name.clone());
                not_searched.push(NotSearched { table, column, why: BYTES });
                continue;
            }
            // Numbers and dates are no text. What the register does not know is searched whatever it is.
            ColumnKind::Integer | ColumnKind::Other if class.is_some() => continue,
            _ => {}
        }
        let column = column(&table.name, &facts.name, class);
        let is_code = matches!(class, Some(Class::NotPersonal | Class::QuasiIdentifier));
        if is_code && table.name != "users" { &mut alike } else { &mut columns }.push(column);
    }
    if columns.is_empty() && alike.is_empty() {
        return None;
    }
    let owner = match entry.map(|entry| entry.owner) {
        Some(Owner::User(column)) => Some(format!("t.{}", quoted(column))),
        Some(Owner::Loan(column)) => {
            Some(format!("(SELECT l.user_number FROM loans l WHERE l.id = t.{})", quoted(column)))
        }
        Some(Owner::Nobody) => None,
        None => table
            .columns
            .iter()
            .any(|column| column.name == "user_number" && column.kind == ColumnKind::Integer)
            .then(|| "t.\"user_number\"".to_owned()),
    };
    let key = key(table, entry);
    let key_may_tell = match &key {
        Key::Columns(columns) => entry.is_none() || columns.iter().any(|(_, is_number)| !is_number),
        Key::Position => false,
    };
    let has_positions = table.has_positions;
    Some(Place { table: table.name.clone(), key, key_may_tell, owner, columns, alike, has_positions })
}

fn column(table: &str, name: &str, class: Option<Class>) -> Column {
    let identifies = class == Some(Class::Identifier);
    let kind = match (table, name) {
        ("users", _) if identifies => Some(ValueKind::of_column(name)),
        ("custom_values", "value") => Some(ValueKind::CustomValue),
        ("messages", "recipient") => Some(ValueKind::Address),
        _ => None,
    };
    Column {
        name: name.to_owned(),
        is_free: matches!(class, Some(Class::FreeText) | None),
        identifies: identifies && matches!(table, "users" | "user_words"),
        kind,
    }
}

/// The primary key, if it says nothing about anybody; else the owner; else the position.
fn key(table: &TableFacts, entry: Option<&register::Table>) -> Key {
    let says_nothing = |facts: &ColumnFacts| match register::column(&table.name, &facts.name) {
        Some(column) => matches!(column.class, Class::Link | Class::NotPersonal),
        None => facts.kind == ColumnKind::Integer,
    };
    let named = |facts: &ColumnFacts| (facts.name.clone(), facts.kind == ColumnKind::Integer);
    let mut columns: Vec<&ColumnFacts> = table.columns.iter().filter(|facts| facts.key > 0).collect();
    columns.sort_by_key(|facts| facts.key);
    if !columns.is_empty() && columns.iter().all(|facts| says_nothing(facts)) {
        return Key::Columns(columns.into_iter().map(named).collect());
    }
    let owner = entry.and_then(|entry| match entry.owner {
        Owner::User(column) | Owner::Loan(column) => table.columns.iter().find(|facts| facts.name == column),
        Owner::Nobody => None,
    });
    match owner {
        Some(facts) => Key::Columns(vec![named(facts)]),
        None if table.has_positions => Key::Position,
        None => Key::Columns(Vec::new()),
    }
}

impl Place {
    /// What is read of it: key, owner and the columns; only rows in which something stands.
    pub(super) fn source(&self, backend: DatabaseBackend) -> Source {
        let conditions: Vec<String> =
            self.columns.iter().map(|column| format!("t.{} IS NOT NULL", quoted(&column.name))).collect();
        self.source_where(backend, conditions.join(" OR "), Vec::new())
    }

    /// The same, of the rows of this condition.
    pub(super) fn source_where(
        &self,
        backend: DatabaseBackend,
        filter: String,
        values: Vec<sea_orm::Value>,
    ) -> Source {
        let owner = self.owner.clone().unwrap_or_else(|| "''".to_owned());
        let mut fields = vec![self.key.sql(backend), owner];
        fields.extend(self.columns.iter().map(|column| format!("t.{}", quoted(&column.name))));
        Source { table: self.table.clone(), fields, filter, values, has_positions: self.has_positions }
    }

    /// SQL of the number of the user to whom a row belongs; None where rows are about nobody.
    pub(super) fn owner_sql(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The names of the columns with few different values.
    pub(super) fn alike_names(&self) -> Vec<String> {
        self.alike.iter().map(|column| column.name.clone()).collect()
    }

    /// The same place when its columns have more different values than was thought.
    pub(super) fn with_all_read(mut self) -> Self {
        self.columns.append(&mut self.alike);
        self
    }

    /// The same place with one column of those with few different values, read row by row.
    pub(super) fn only(&self, alike: usize) -> Self {
        let columns = self.alike.get(alike).cloned().into_iter().collect();
        Self { columns, alike: Vec::new(), ..self.clone() }
    }
}
