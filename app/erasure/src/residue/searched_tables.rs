//! The searched columns: every column that can contain text, from the register and the schema.

use db::dialect::{self, ColumnFacts, ColumnKind, Source, TableFacts, quoted};
use policy::personal_data::{self, DERIVED_USER_COLUMNS, DataClass, RowOwner};
use policy::residue::ValueKind;
use sea_orm::DatabaseBackend;

/// A table and its searched columns.
#[derive(Clone, Debug)]
pub(super) struct SearchedTable {
    /// Name of the table.
    pub(super) table: String,
    /// The key by which a finding identifies a row.
    pub(super) key: Key,
    /// SQL of the user number of the row's owner.
    owner: Option<String>,
    /// Whether the key itself could contain a value, because it is text or not in the register.
    pub(super) key_may_tell: bool,
    /// Columns that are read row by row.
    pub(super) columns: Vec<Column>,
    /// Columns with few distinct values, of which only the distinct values are read.
    pub(super) low_cardinality: Vec<Column>,
    has_positions: bool,
}

/// A searched column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Name of the column.
    pub(super) name: String,
    /// Whether the column holds free text. True for a column that the register doesn't contain.
    pub(super) is_free: bool,
    /// Whether the column identifies the owner of the row.
    pub(super) identifies: bool,
    /// The kind of value that this column is meant for.
    pub(super) kind: Option<ValueKind>,
}

/// A column that could contain a value but isn't searched.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct NotSearched {
    /// Name of the table.
    pub table: String,
    /// Name of the column.
    pub column: String,
    /// The reason.
    pub why: &'static str,
}

/// The key by which a finding identifies a row. It must not contain personal data, so text keys are not used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Key {
    /// By these columns. The flag says whether the column holds integers.
    Columns(Vec<(String, bool)>),
    /// By the position of the row in the table.
    Position,
}

/// The reason why binary columns are not searched.
const BYTES: &str = "contains images or other binary data, which cannot be searched for text";
/// Tables whose texts are keyed digests and codes. A digest never matches a searched value.
const OF_DIGESTS: [&str; 2] = ["suppressed_keys", "held_lines"];
/// The reason why they are not searched.
const DIGESTS: &str = "contains keyed digests, which cannot be searched for a value";
/// The table that says about its user what a key of the record said. It is not searched, and neither are the derived
/// columns of users. A finding in the key or the name of another user is reported there. Rows of anonymised users are
/// checked to be empty.
const OF_KEYS: &str = "key_periods";
/// The reason why they are not searched.
const KEY_FORMS: &str =
    "contains keys or the name of the same user in their normal form; these themselves are searched";
/// Stored instead of a key that itself contains a value.
pub(super) const REDACTED_KEY: &str = "?";
/// Separator between the parts of a key.
const KEY_GLUE: char = ',';

impl Key {
    /// Returns the SQL of the key as text.
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

    /// Returns the SQL condition for this key and its values, or `None` if the key was redacted or can't belong to
    /// this table.
    pub(super) fn is(&self, backend: DatabaseBackend, key: &str) -> Option<(String, Vec<sea_orm::Value>)> {
        let columns = match self {
            Self::Position => return Some((dialect::position_is(backend).to_owned(), vec![key.into()])),
            Self::Columns(_) if key == REDACTED_KEY => return None,
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

/// Returns the searched tables and the columns that are not searched.
///
/// `users` comes first: the current values of all users must be known before other tables are judged.
pub(super) fn searched_tables(tables: &[TableFacts]) -> (Vec<SearchedTable>, Vec<NotSearched>) {
    let mut not_searched = Vec::new();
    let mut searched: Vec<SearchedTable> =
        tables.iter().filter_map(|table| searched_table(table, &mut not_searched)).collect();
    searched.sort_by_key(|searched| match searched.table.as_str() {
        "users" => 0,
        "custom_values" => 1,
        _ => 2,
    });
    (searched, not_searched)
}

fn searched_table(table: &TableFacts, not_searched: &mut Vec<NotSearched>) -> Option<SearchedTable> {
    let entry = personal_data::table(&table.name);
    let mut columns = Vec::new();
    let mut low_cardinality = Vec::new();
    for facts in &table.columns {
        let class = personal_data::column(&table.name, &facts.name).map(|column| column.class);
        match facts.kind {
            ColumnKind::Bytes => {
                let (table, column) = (table.name.clone(), facts.name.clone());
                not_searched.push(NotSearched { table, column, why: BYTES });
                continue;
            }
            // Integers and dates contain no text. Columns missing from the register are always searched.
            ColumnKind::Integer | ColumnKind::Other if class.is_some() => continue,
            _ if OF_DIGESTS.contains(&table.name.as_str()) && class.is_some() => {
                let (table, column) = (table.name.clone(), facts.name.clone());
                not_searched.push(NotSearched { table, column, why: DIGESTS });
                continue;
            }
            _ if is_of_keys(&table.name, &facts.name) => {
                let (table, column) = (table.name.clone(), facts.name.clone());
                not_searched.push(NotSearched { table, column, why: KEY_FORMS });
                continue;
            }
            _ => {}
        }
        let column = column(&table.name, &facts.name, class);
        let is_code = matches!(class, Some(DataClass::NotPersonal | DataClass::QuasiIdentifier));
        if is_code && table.name != "users" { &mut low_cardinality } else { &mut columns }.push(column);
    }
    if columns.is_empty() && low_cardinality.is_empty() {
        return None;
    }
    let owner = match entry.map(|entry| entry.owner) {
        Some(RowOwner::User(column)) => Some(format!("t.{}", quoted(column))),
        Some(RowOwner::Loan(column)) => {
            Some(format!("(SELECT l.user_number FROM loans l WHERE l.id = t.{})", quoted(column)))
        }
        Some(RowOwner::NoUser) => None,
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
    Some(SearchedTable {
        table: table.name.clone(),
        key,
        key_may_tell,
        owner,
        columns,
        low_cardinality,
        has_positions,
    })
}

fn is_of_keys(table: &str, column: &str) -> bool {
    table == OF_KEYS || table == "users" && DERIVED_USER_COLUMNS.contains(&column)
}

fn column(table: &str, name: &str, class: Option<DataClass>) -> Column {
    let identifies = class == Some(DataClass::Identifier);
    let kind = match (table, name) {
        ("users", _) if identifies => Some(ValueKind::of_column(name)),
        ("custom_values", "value") => Some(ValueKind::CustomValue),
        ("messages", "recipient") => Some(ValueKind::Address),
        _ => None,
    };
    Column {
        name: name.to_owned(),
        is_free: matches!(class, Some(DataClass::FreeText) | None),
        identifies: identifies && matches!(table, "users" | "user_words"),
        kind,
    }
}

/// Returns the primary key if it contains no personal data, else the owner, else the position.
fn key(table: &TableFacts, entry: Option<&personal_data::Table>) -> Key {
    let says_nothing = |facts: &ColumnFacts| match personal_data::column(&table.name, &facts.name) {
        Some(column) => matches!(column.class, DataClass::Link | DataClass::NotPersonal),
        None => facts.kind == ColumnKind::Integer,
    };
    let named = |facts: &ColumnFacts| (facts.name.clone(), facts.kind == ColumnKind::Integer);
    let mut columns: Vec<&ColumnFacts> = table.columns.iter().filter(|facts| facts.key > 0).collect();
    columns.sort_by_key(|facts| facts.key);
    if !columns.is_empty() && columns.iter().all(|facts| says_nothing(facts)) {
        return Key::Columns(columns.into_iter().map(named).collect());
    }
    let owner = entry.and_then(|entry| match entry.owner {
        RowOwner::User(column) | RowOwner::Loan(column) => {
            table.columns.iter().find(|facts| facts.name == column)
        }
        RowOwner::NoUser => None,
    });
    match owner {
        Some(facts) => Key::Columns(vec![named(facts)]),
        None if table.has_positions => Key::Position,
        None => Key::Columns(Vec::new()),
    }
}

impl SearchedTable {
    /// Returns the query for key, owner and columns of all rows with a value.
    pub(super) fn rows_query(&self, backend: DatabaseBackend) -> Source {
        let conditions: Vec<String> =
            self.columns.iter().map(|column| format!("t.{} IS NOT NULL", quoted(&column.name))).collect();
        self.rows_query_where(backend, conditions.join(" OR "), Vec::new())
    }

    /// Returns the same query, limited to rows that meet `filter`.
    pub(super) fn rows_query_where(
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

    /// Returns the SQL of the owner's user number, or `None` if the rows belong to no user.
    pub(super) fn owner_sql(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Returns the names of the columns with few distinct values.
    pub(super) fn low_cardinality_names(&self) -> Vec<String> {
        self.low_cardinality.iter().map(|column| column.name.clone()).collect()
    }

    /// Returns the same table with all columns read row by row, for columns with too many distinct values.
    pub(super) fn with_all_read(mut self) -> Self {
        self.columns.append(&mut self.low_cardinality);
        self
    }

    /// Returns the same table with only one of the `low_cardinality` columns, read row by row.
    pub(super) fn only(&self, at: usize) -> Self {
        let columns = self.low_cardinality.get(at).cloned().into_iter().collect();
        Self { columns, low_cardinality: Vec::new(), ..self.clone() }
    }
}
