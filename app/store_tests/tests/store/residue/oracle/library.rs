//! Decides which occurrences of values in a library are residue.

use super::values::{self, Field, Value, Weight};
use super::{Text, letters, occurrences};
use db::entity::{custom_values, messages, users};
use erasure::residue::ValueKind;
use policy::NoteTreatment;
use policy::personal_data::{self, DataClass, RowOwner};
use sea_orm::{ConnectionTrait, DatabaseBackend, EntityTrait, Statement};
use std::collections::{BTreeMap, BTreeSet};
use trail::Store;

/// The searched tables. In these tests, the others are empty.
pub const TABLES: [&str; 8] =
    ["users", "user_words", "custom_values", "loans", "renewals", "requests", "charges", "messages"];

/// Maximum number of users who share a word, and of fields per user that contain it, up to which the word still
/// identifies a user.
const MAX_HOLDERS: usize = 20;
const MAX_FIELDS: usize = 20;

/// A finding: user, table, column, key of the row, kind.
pub type Finding = (i64, String, String, String, ValueKind);

/// An anonymised user, with the values from before.
pub struct Person {
    pub number: i64,
    pub values: Vec<Value>,
}

/// A text in the database.
pub struct Cell {
    pub table: &'static str,
    pub column: &'static str,
    pub owner: Option<i64>,
    pub key: String,
    pub text: String,
    letters: Vec<super::Letter>,
    is_free: bool,
    /// Whether it identifies its owner.
    identifies: bool,
    /// The kind of value that the column is for.
    kind: Option<ValueKind>,
}

/// Reads the values of the users that `leaving` selects, before they are anonymised.
pub async fn people(store: &Store, leaving: impl Fn(&users::Model) -> bool) -> Vec<Person> {
    let db = &store.db;
    let custom = custom_values::Entity::find().all(db).await.unwrap();
    let messages = messages::Entity::find().all(db).await.unwrap();
    let mut people = Vec::new();
    for user in users::Entity::find().all(db).await.unwrap().into_iter().filter(leaving) {
        let theirs = custom.iter().filter(|value| value.user_number == user.number);
        let custom: Vec<String> = theirs.map(|value| value.value.clone()).collect();
        let sent = messages.iter().filter(|message| message.user_number == user.number);
        let recipients: BTreeSet<String> = sent.filter_map(|message| message.recipient.clone()).collect();
        let recipients: Vec<String> = recipients.into_iter().collect();
        let values = values::values(&values::fields_of(&user), &custom, &recipients);
        people.push(Person { number: user.number, values });
    }
    people
}

/// Reads all texts as they are now.
pub async fn cells(store: &Store) -> Vec<Cell> {
    let db = &store.db;
    let mut cells = Vec::new();
    for table in TABLES {
        let entry = personal_data::table(table).unwrap();
        let (owner, key) = match entry.owner {
            RowOwner::User(column) if ["users", "user_words"].contains(&table) => {
                (column.to_owned(), format!("CAST({column} AS TEXT)"))
            }
            RowOwner::User(column) if table == "custom_values" => {
                (column.to_owned(), "CAST(user_number AS TEXT) || ',' || field_key".to_owned())
            }
            RowOwner::User(column) => (column.to_owned(), "CAST(id AS TEXT)".to_owned()),
            RowOwner::Loan(column) => (
                format!("(SELECT l.user_number FROM loans l WHERE l.id = t.{column})"),
                "CAST(id AS TEXT)".to_owned(),
            ),
            RowOwner::NoUser => ("NULL".to_owned(), "''".to_owned()),
        };
        for column in entry.columns {
            // The normal forms of keys say nothing that the keys don't say.
            let is_of_key =
                table == "users" && (column.name.ends_with("_key") || column.name == "name_order");
            if is_of_key || !is_text(store, table, column.name).await {
                continue;
            }
            let column_name = column.name;
            let sql = format!(
                "SELECT {key} AS key, CAST({owner} AS BIGINT) AS owner, {column_name} AS text FROM {table} AS t"
            );
            let identifies =
                column.class == DataClass::Identifier && ["users", "user_words"].contains(&table);
            let kind = match (table, column.name) {
                ("users", name) if identifies => kind_of(name),
                ("custom_values", "value") => Some(ValueKind::CustomValue),
                ("messages", "recipient") => Some(ValueKind::Address),
                _ => None,
            };
            for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
            {
                let text: Option<String> = row.try_get("", "text").unwrap();
                let Some(text) = text.filter(|text| text != NoteTreatment::MARK) else { continue };
                cells.push(Cell {
                    table,
                    column: column.name,
                    owner: row.try_get("", "owner").unwrap(),
                    key: row.try_get("", "key").unwrap(),
                    letters: letters(&text),
                    text,
                    is_free: column.class == DataClass::FreeText,
                    identifies,
                    kind,
                });
            }
        }
    }
    cells
}

fn kind_of(column: &str) -> Option<ValueKind> {
    Some(match column {
        "user_id" => ValueKind::UserId,
        "first_name" => ValueKind::FirstName,
        "middle_name" => ValueKind::MiddleName,
        "last_name" => ValueKind::LastName,
        "preferred_name" => ValueKind::PreferredName,
        "email" => ValueKind::Email,
        "phone" | "mobile" => ValueKind::Phone,
        "street" => ValueKind::Street,
        "barcode" => ValueKind::Barcode,
        "external_id" => ValueKind::ExternalId,
        _ => return None,
    })
}

async fn is_text(store: &Store, table: &str, column: &str) -> bool {
    let db = &store.db;
    let sql = match db.get_database_backend() {
        DatabaseBackend::Postgres => format!(
            "SELECT COUNT(*) AS n FROM information_schema.columns WHERE table_name = '{table}' \
             AND column_name = '{column}' AND data_type IN ('text', 'character varying')"
        ),
        _ => format!(
            "SELECT COUNT(*) AS n FROM pragma_table_info('{table}') WHERE name = '{column}' \
             AND LOWER(type) IN ('text', 'varchar')"
        ),
    };
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get::<i64>("", "n").unwrap() > 0
}

/// The current values of other users.
struct Others<'a> {
    people: &'a [Person],
    cells: &'a [Cell],
    /// The names of other users in every form, as letters.
    names: BTreeMap<i64, BTreeSet<String>>,
    /// The values searched for in rows of other users, by their letters, each with its user.
    words: BTreeMap<&'a str, Vec<(i64, &'a Value)>>,
}

/// Returns all residue.
pub fn residue(people: &[Person], cells: &[Cell]) -> BTreeSet<Finding> {
    let mut words: BTreeMap<&str, Vec<(i64, &Value)>> = BTreeMap::new();
    for person in people {
        for value in person.values.iter().filter(|value| value.weight > Weight::Own) {
            words.entry(&value.word).or_default().push((person.number, value));
        }
    }
    let others = Others { people, cells, names: names(people, cells), words };
    let mut found = BTreeSet::new();
    // Weak values and where they occur, to be counted.
    let mut words: BTreeMap<String, BTreeSet<(usize, i64)>> = BTreeMap::new();
    let mut waiting: Vec<(usize, i64, String, ValueKind)> = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let finding_in = |user: i64, kind: ValueKind| {
            (user, cell.table.to_owned(), cell.column.to_owned(), cell.key.clone(), kind)
        };
        let mut theirs: Vec<(i64, &Value, (usize, usize))> = Vec::new();
        for person in people {
            if cell.owner == Some(person.number) {
                let kinds = person.values.iter().filter(|value| counts_in_own_row(value, cell));
                found.extend(kinds.map(|value| value.kind).min().map(|kind| finding_in(person.number, kind)));
                continue;
            }
            for value in &person.values {
                let spans = occurrences(value, &cell.letters).into_iter();
                let counting = spans.filter(|span| others.counts(value, cell, *span));
                theirs.extend(counting.map(|span| (person.number, value, span)));
            }
        }
        // A weak value inside a strong one is part of it.
        let is_part = |span: (usize, usize)| {
            theirs.iter().any(|(_, value, whole)| {
                value.weight == Weight::Strong && whole.0 <= span.0 && span.1 <= whole.1
            })
        };
        let mut best: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
        for (user, value, span) in &theirs {
            if value.weight == Weight::Strong || !is_part(*span) {
                best.entry(*user).or_default().push(value);
            }
        }
        for (user, values) in best {
            let strong = values.iter().filter(|value| value.weight == Weight::Strong);
            match strong.map(|value| value.kind).min() {
                Some(kind) => {
                    found.insert(finding_in(user, kind));
                }
                None => {
                    for value in values {
                        words.entry(value.word.clone()).or_default().insert((at, user));
                        waiting.push((at, user, value.word.clone(), value.kind));
                    }
                }
            }
        }
    }
    // A word in many fields is an ordinary word.
    waiting.retain(|(_, _, word, _)| words[word].len() <= MAX_FIELDS * others.holders(word));
    let mut best: BTreeMap<(usize, i64), ValueKind> = BTreeMap::new();
    for (at, user, _, kind) in waiting {
        let known = best.entry((at, user)).or_insert(kind);
        *known = kind.min(*known);
    }
    found.extend(best.into_iter().map(|((at, user), kind)| {
        let Cell { table, column, key, .. } = &cells[at];
        (user, (*table).to_owned(), (*column).to_owned(), key.clone(), kind)
    }));
    found
}

/// Returns whether a value counts in a row of the same user. Weak values count only in texts about the user.
fn counts_in_own_row(value: &Value, cell: &Cell) -> bool {
    let is_about_user = cell.is_free || cell.identifies || cell.kind.is_some();
    (value.weight == Weight::Strong || is_about_user) && !occurrences(value, &cell.letters).is_empty()
}

/// Returns whether a column of this kind is for such a value.
fn belongs(value: &Value, kind: ValueKind) -> bool {
    value.kind == kind || value.is_name() && is_for_names(kind)
}

fn is_for_names(kind: ValueKind) -> bool {
    use ValueKind::{FirstName, LastName, MiddleName, PreferredName};
    matches!(kind, LastName | FirstName | MiddleName | PreferredName)
}

impl<'a> Others<'a> {
    /// Returns whether a value counts at `span` in a row that doesn't belong to its user.
    fn counts(&self, value: &Value, cell: &Cell, span: (usize, usize)) -> bool {
        let word = value.word.as_str();
        let is_weak = value.weight == Weight::Weak;
        let is_in_its_column = cell.kind.is_some_and(|kind| {
            self.same(word).any(|same| {
                let is_there = occurrences(same, &cell.letters).contains(&span);
                belongs(same, kind) && is_there && is_all(same, cell, span)
            })
        });
        let is_allowed = match value.weight {
            Weight::Own => false,
            Weight::Weak => cell.is_free && self.is_identifying(value, word),
            Weight::Strong => true,
        };
        let is_part_of_address =
            is_weak && value.kind != ValueKind::LastName && Text(&cell.letters).is_in_address(span.0, span.1);
        let is_theirs =
            cell.owner.filter(|owner| self.is_other(*owner)).is_some_and(|owner| match cell.table {
                _ if value.is_name() => self.has_as_name(owner, word),
                "user_words" => self.has_exactly(owner, word) || self.has_in_record(owner, word),
                "messages" => self.has_exactly(owner, word),
                _ => false,
            });
        // A field for names, or a search word.
        let is_name_among_names = value.is_name() && cell.identifies && cell.kind.is_none_or(is_for_names);
        is_allowed && !is_in_its_column && !is_name_among_names && !is_part_of_address && !is_theirs
    }

    fn is_other(&self, user: i64) -> bool {
        !self.people.iter().any(|person| person.number == user)
    }

    /// Returns all values with these letters.
    fn same(&self, word: &str) -> impl Iterator<Item = &'a Value> {
        self.words.get(word).into_iter().flatten().map(|(_, value)| *value)
    }

    /// Returns how many anonymised users had these letters.
    fn holders(&self, word: &str) -> usize {
        self.words[word].iter().map(|(user, _)| *user).collect::<BTreeSet<i64>>().len()
    }

    /// Returns the fields for such values in records of other users.
    fn fields(&self, word: &str) -> impl Iterator<Item = (&'a Cell, &'a Value)> {
        let mut fields = Vec::new();
        for cell in self.cells {
            let Some((kind, owner)) = cell.kind.zip(cell.owner) else { continue };
            if ["users", "custom_values"].contains(&cell.table) && self.is_other(owner) {
                let for_it = self.same(word).filter(|value| belongs(value, kind));
                fields.extend(for_it.map(|value| (cell, value)));
            }
        }
        fields.into_iter()
    }

    /// Returns whether a word is rare enough to identify a user. A last name must be unique.
    fn is_identifying(&self, value: &Value, word: &str) -> bool {
        let mut fields: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (cell, same) in self.fields(word) {
            if same.kind != ValueKind::FullName && !occurrences(same, &cell.letters).is_empty() {
                fields.insert((cell.column, &cell.key));
            }
        }
        let is_full_name = self.same(word).any(|same| same.kind == ValueKind::FullName);
        let names = self.names.values().filter(|names| is_full_name && names.contains(word)).count();
        let all = self.holders(word) + fields.len() + names;
        if value.kind == ValueKind::LastName { all == 1 } else { all <= MAX_HOLDERS }
    }

    /// Returns whether it is a whole field of that user, or the full name.
    fn has_exactly(&self, user: i64, word: &str) -> bool {
        let mut fields = self.fields(word).filter(|(cell, _)| cell.owner == Some(user));
        let in_field = fields.any(|(cell, same)| {
            let spans = occurrences(same, &cell.letters);
            !same.is_name() && spans.into_iter().any(|span| is_all(same, cell, span))
        });
        in_field || self.has_as_name(user, word)
    }

    /// Returns whether it is the full name of that user.
    fn has_as_name(&self, user: i64, word: &str) -> bool {
        let mut fields = self.fields(word).filter(|(cell, _)| cell.owner == Some(user));
        let in_field = fields.any(|(cell, same)| {
            let spans = occurrences(same, &cell.letters);
            same.kind == ValueKind::FullName && spans.into_iter().any(|span| is_all(same, cell, span))
        });
        let is_full_name = self.same(word).any(|same| same.kind == ValueKind::FullName);
        in_field || is_full_name && self.names.get(&user).is_some_and(|names| names.contains(word))
    }

    /// Returns whether it occurs in that user's identifying fields, from which the search words are made.
    fn has_in_record(&self, user: i64, word: &str) -> bool {
        self.cells.iter().filter(|cell| cell.table == "users" && cell.identifies).any(|cell| {
            cell.owner == Some(user)
                && self.same(word).any(|same| !same.is_name() && !occurrences(same, &cell.letters).is_empty())
        })
    }
}

/// Returns whether a value is a whole field, or one of several addresses or numbers in it.
fn is_all(value: &Value, cell: &Cell, span: (usize, usize)) -> bool {
    match value.kind {
        ValueKind::Email => true,
        ValueKind::Phone => values::has_number(&cell.text, value),
        _ => span == (0, cell.letters.len()),
    }
}

fn names(people: &[Person], cells: &[Cell]) -> BTreeMap<i64, BTreeSet<String>> {
    let mut fields: BTreeMap<i64, Vec<Field>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.table == "users") {
        if let (Some(owner), Some(kind)) = (cell.owner, cell.kind)
            && !people.iter().any(|person| person.number == owner)
        {
            fields.entry(owner).or_default().push((kind, cell.text.clone()));
        }
    }
    let written = |fields: &Vec<Field>| {
        values::full_names(fields).iter().map(|name| super::plain(&letters(name))).collect()
    };
    fields.iter().map(|(user, fields)| (*user, written(fields))).collect()
}
