//! Which of the places where a value stands are residue.

use super::values::{self, Field, Value, Weight};
use super::{Text, letters, stands};
use policy::NoteTreatment;
use policy::personal_data::{self, DataClass, RowOwner};
use records::Store;
use records::entity::{custom_values, messages, users};
use records::residue::ValueKind;
use sea_orm::{ConnectionTrait, DatabaseBackend, EntityTrait, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// The tables that are looked at. Others hold nothing in these tests.
pub const TABLES: [&str; 8] =
    ["users", "user_words", "custom_values", "loans", "renewals", "requests", "charges", "messages"];

/// The most users who have a word, and the most fields for each of them in which it stands, so that it still says whose
/// it is.
const MAX_BEARERS: usize = 20;
const MAX_FIELDS: usize = 20;

/// A place of residue: user, table, column, key of the row, kind.
pub type Finding = (i64, String, String, String, ValueKind);

/// An anonymised user, with what was known before.
pub struct Person {
    pub number: i64,
    pub values: Vec<Value>,
}

/// A text in the database.
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub owner: Option<i64>,
    pub key: String,
    pub text: String,
    letters: Vec<super::Letter>,
    is_free: bool,
    /// Whether it identifies its owner.
    identifies: bool,
    /// The kind of value for which the column is.
    kind: Option<ValueKind>,
}

/// The values of those who are not to stay, read before they are anonymised. All of them goes, but in these columns.
pub async fn people(store: &Store, leaving: impl Fn(&users::Model) -> bool) -> Vec<Person> {
    let db = store.database();
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

/// All texts as they are now.
pub async fn places(store: &Store) -> Vec<Place> {
    let db = store.database();
    let mut places = Vec::new();
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
            if !is_text(store, table, column.name).await {
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
                places.push(Place {
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
    places
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
    let db = store.database();
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

/// What others have now.
struct Others<'a> {
    people: &'a [Person],
    places: &'a [Place],
    /// The names of other users, in each way they are written, as letters.
    names: BTreeMap<i64, BTreeSet<String>>,
    /// The values that are searched for in rows of others, by their letters, each with its user.
    words: BTreeMap<&'a str, Vec<(i64, &'a Value)>>,
}

/// Everything that is residue.
pub fn residue(people: &[Person], places: &[Place]) -> BTreeSet<Finding> {
    let mut words: BTreeMap<&str, Vec<(i64, &Value)>> = BTreeMap::new();
    for person in people {
        for value in person.values.iter().filter(|value| value.weight > Weight::Own) {
            words.entry(&value.word).or_default().push((person.number, value));
        }
    }
    let others = Others { people, places, names: names(people, places), words };
    let mut found = BTreeSet::new();
    // A word that could be a value, and where it stands: to be counted.
    let mut words: BTreeMap<String, BTreeSet<(usize, i64)>> = BTreeMap::new();
    let mut waiting: Vec<(usize, i64, String, ValueKind)> = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let place_of = |user: i64, kind: ValueKind| {
            (user, place.table.to_owned(), place.column.to_owned(), place.key.clone(), kind)
        };
        let mut theirs: Vec<(i64, &Value, (usize, usize))> = Vec::new();
        for person in people {
            if place.owner == Some(person.number) {
                let kinds = person.values.iter().filter(|value| counts_in_own_row(value, place));
                found.extend(kinds.map(|value| value.kind).min().map(|kind| place_of(person.number, kind)));
                continue;
            }
            for value in &person.values {
                let spans = stands(value, &place.letters).into_iter();
                let counting = spans.filter(|span| others.counts(value, place, *span));
                theirs.extend(counting.map(|span| (person.number, value, span)));
            }
        }
        // A word inside something that says more is part of it.
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
                    found.insert(place_of(user, kind));
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
    // A word that stands in many fields is one of the language.
    waiting.retain(|(_, _, word, _)| words[word].len() <= MAX_FIELDS * others.bearers(word));
    let mut best: BTreeMap<(usize, i64), ValueKind> = BTreeMap::new();
    for (at, user, _, kind) in waiting {
        let known = best.entry((at, user)).or_insert(kind);
        *known = kind.min(*known);
    }
    found.extend(best.into_iter().map(|((at, user), kind)| {
        let Place { table, column, key, .. } = &places[at];
        (user, (*table).to_owned(), (*column).to_owned(), key.clone(), kind)
    }));
    found
}

/// In the user's own rows everything counts; what says little only where text about the user can be.
fn counts_in_own_row(value: &Value, place: &Place) -> bool {
    let is_about_user = place.is_free || place.identifies || place.kind.is_some();
    (value.weight == Weight::Strong || is_about_user) && !stands(value, &place.letters).is_empty()
}

/// Whether a column of a kind is for such a value.
fn belongs(value: &Value, kind: ValueKind) -> bool {
    value.kind == kind || value.is_name() && is_for_names(kind)
}

fn is_for_names(kind: ValueKind) -> bool {
    use ValueKind::{FirstName, LastName, MiddleName, PreferredName};
    matches!(kind, LastName | FirstName | MiddleName | PreferredName)
}

impl<'a> Others<'a> {
    /// Whether a value counts in a row that does not belong to its user, where it stands at `span`.
    fn counts(&self, value: &Value, place: &Place, span: (usize, usize)) -> bool {
        let word = value.word.as_str();
        let is_weak = value.weight == Weight::Weak;
        let is_in_its_column = place.kind.is_some_and(|kind| {
            self.same(word).any(|same| {
                let is_there = stands(same, &place.letters).contains(&span);
                belongs(same, kind) && is_there && is_all(same, place, span)
            })
        });
        let is_allowed = match value.weight {
            Weight::Own => false,
            Weight::Weak => place.is_free && self.points_to_one(value, word),
            Weight::Strong => true,
        };
        let is_part_of_address = is_weak
            && value.kind != ValueKind::LastName
            && Text(&place.letters).is_in_address(span.0, span.1);
        let is_theirs =
            place.owner.filter(|owner| self.is_other(*owner)).is_some_and(|owner| match place.table {
                _ if value.is_name() => self.has_as_name(owner, word),
                "user_words" => self.has_exactly(owner, word) || self.has_in_record(owner, word),
                "messages" => self.has_exactly(owner, word),
                _ => false,
            });
        // A field for names, or a search word.
        let is_name_among_names = value.is_name() && place.identifies && place.kind.is_none_or(is_for_names);
        is_allowed && !is_in_its_column && !is_name_among_names && !is_part_of_address && !is_theirs
    }

    fn is_other(&self, user: i64) -> bool {
        !self.people.iter().any(|person| person.number == user)
    }

    /// All values with these letters.
    fn same(&self, word: &str) -> impl Iterator<Item = &'a Value> {
        self.words.get(word).into_iter().flatten().map(|(_, value)| *value)
    }

    /// How many anonymised users had these letters.
    fn bearers(&self, word: &str) -> usize {
        self.words[word].iter().map(|(user, _)| *user).collect::<BTreeSet<i64>>().len()
    }

    /// Fields for what these letters are, in records of others.
    fn fields(&self, word: &str) -> impl Iterator<Item = (&'a Place, &'a Value)> {
        let mut fields = Vec::new();
        for place in self.places {
            let Some((kind, owner)) = place.kind.zip(place.owner) else { continue };
            if ["users", "custom_values"].contains(&place.table) && self.is_other(owner) {
                let for_it = self.same(word).filter(|value| belongs(value, kind));
                fields.extend(for_it.map(|value| (place, value)));
            }
        }
        fields.into_iter()
    }

    /// Whether so few have a word that it points to one of them; a last name, only if nobody else has it.
    fn points_to_one(&self, value: &Value, word: &str) -> bool {
        let mut fields: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (place, same) in self.fields(word) {
            if same.kind != ValueKind::FullName && !stands(same, &place.letters).is_empty() {
                fields.insert((place.column, &place.key));
            }
        }
        let is_full_name = self.same(word).any(|same| same.kind == ValueKind::FullName);
        let names = self.names.values().filter(|names| is_full_name && names.contains(word)).count();
        let all = self.bearers(word) + fields.len() + names;
        if value.kind == ValueKind::LastName { all == 1 } else { all <= MAX_BEARERS }
    }

    /// Whether it is all of a field of that user, or the whole name.
    fn has_exactly(&self, user: i64, word: &str) -> bool {
        let mut fields = self.fields(word).filter(|(place, _)| place.owner == Some(user));
        let in_field = fields.any(|(place, same)| {
            let spans = stands(same, &place.letters);
            !same.is_name() && spans.into_iter().any(|span| is_all(same, place, span))
        });
        in_field || self.has_as_name(user, word)
    }

    /// Whether it is the whole name of that user.
    fn has_as_name(&self, user: i64, word: &str) -> bool {
        let mut fields = self.fields(word).filter(|(place, _)| place.owner == Some(user));
        let in_field = fields.any(|(place, same)| {
            let spans = stands(same, &place.letters);
            same.kind == ValueKind::FullName && spans.into_iter().any(|span| is_all(same, place, span))
        });
        let is_full_name = self.same(word).any(|same| same.kind == ValueKind::FullName);
        in_field || is_full_name && self.names.get(&user).is_some_and(|names| names.contains(word))
    }

    /// Whether it stands in what identifies that user, from which the search words are made.
    fn has_in_record(&self, user: i64, word: &str) -> bool {
        self.places.iter().filter(|place| place.table == "users" && place.identifies).any(|place| {
            place.owner == Some(user)
                && self.same(word).any(|same| !same.is_name() && !stands(same, &place.letters).is_empty())
        })
    }
}

/// Whether a value is all of a field, or one of several addresses or numbers in it.
fn is_all(value: &Value, place: &Place, span: (usize, usize)) -> bool {
    match value.kind {
        ValueKind::Email => true,
        ValueKind::Phone => values::has_number(&place.text, value),
        _ => span == (0, place.letters.len()),
    }
}

fn names(people: &[Person], places: &[Place]) -> BTreeMap<i64, BTreeSet<String>> {
    let mut fields: BTreeMap<i64, Vec<Field>> = BTreeMap::new();
    for place in places.iter().filter(|place| place.table == "users") {
        if let (Some(owner), Some(kind)) = (place.owner, place.kind)
            && !people.iter().any(|person| person.number == owner)
        {
            fields.entry(owner).or_default().push((kind, place.text.clone()));
        }
    }
    let written = |fields: &Vec<Field>| {
        values::full_names(fields).iter().map(|name| super::plain(&letters(name))).collect()
    };
    fields.iter().map(|(user, fields)| (*user, written(fields))).collect()
}
