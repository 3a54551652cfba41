//! The old values of users, from before anonymising until the search.

use super::value::{Raw, Values};
use db::dialect;
use policy::personal_data::{self, DataClass, ErasureAction, RowOwner, TABLES};
use policy::residue::ValueKind;
use policy::{Policy, Treatment, UserNumber};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::collections::{BTreeMap, HashSet};
use zeroize::Zeroizing;

/// The old values of users, held in memory only. They are overwritten when dropped.
#[derive(Default)]
pub struct ErasedValues {
    pub(super) people: Vec<Remembered>,
}

/// The old values of one user.
pub(super) struct Remembered {
    pub(super) number: UserNumber,
    pub(super) values: Values,
}

impl ErasedValues {
    /// Reads the values that the policy doesn't keep. Call it before anonymising the users, in the same
    /// transaction.
    pub async fn read(
        db: &impl ConnectionTrait,
        policy: &Policy,
        numbers: &[UserNumber],
    ) -> Result<Self, DbErr> {
        if numbers.is_empty() {
            return Ok(Self::default());
        }
        let mut people: BTreeMap<UserNumber, Raw> = BTreeMap::new();
        records(db, policy, numbers, &mut people).await?;
        custom_values(db, policy, numbers, &mut people).await?;
        former_keys(db, numbers, &mut people).await?;
        addresses(db, numbers, &mut people).await?;
        let remembered =
            people.into_iter().map(|(number, raw)| Remembered { number, values: raw.values() }).collect();
        Ok(Self { people: remembered })
    }

    /// Returns the values that identify these users: names, keys of today and before, addresses, custom values. Whatever
    /// a policy keeps is included. The postcode is not, because alone it identifies no user.
    pub async fn identifying(
        db: &impl ConnectionTrait,
        numbers: &[UserNumber],
    ) -> Result<Vec<Zeroizing<String>>, DbErr> {
        let policy = Policy::default();
        let mut people: BTreeMap<UserNumber, Raw> = BTreeMap::new();
        records(db, &policy, numbers, &mut people).await?;
        custom_values(db, &policy, numbers, &mut people).await?;
        former_keys(db, numbers, &mut people).await?;
        addresses(db, numbers, &mut people).await?;
        let values = people.into_values().flat_map(|raw| {
            let of_record = raw.columns.into_iter().chain(raw.kept_names);
            let of_record = of_record.filter(|(kind, _)| *kind != ValueKind::Postcode).map(|(_, text)| text);
            of_record.chain(raw.custom).chain(raw.addresses)
        });
        Ok(values.collect())
    }

    /// Adds the values in `read` of users that are anonymised by now.
    pub fn keep(&mut self, read: Self, done: &[UserNumber]) {
        let done: HashSet<UserNumber> = done.iter().copied().collect();
        self.people.extend(read.people.into_iter().filter(|person| done.contains(&person.number)));
    }

    /// Returns the number of users whose values it holds.
    pub fn people(&self) -> usize {
        self.people.len()
    }
}

/// Returns a text of a row, or `None` if it is empty.
fn text(row: &QueryResult, index: usize) -> Result<Option<Zeroizing<String>>, DbErr> {
    let text: Option<String> = row.try_get_by_index(index)?;
    Ok(text.filter(|text| !text.trim().is_empty()).map(Zeroizing::new))
}

async fn rows(
    db: &impl ConnectionTrait,
    select: &str,
    owner: &str,
    numbers: &[UserNumber],
) -> Result<Vec<QueryResult>, DbErr> {
    let backend = db.get_database_backend();
    // Raw SQL: the register names tables and columns; `dialect::in_list` takes a batch of users as one value.
    let sql = format!("{select} WHERE {}", dialect::in_list(backend, owner));
    let values = vec![dialect::id_list(backend, numbers.iter().map(|number| number.0))];
    db.query_all_raw(dialect::bind(backend, &sql, values)).await
}

/// Reads the identifying columns of the records.
///
/// The postcode is included: alone it identifies no user, but it must not remain in the user's own rows.
async fn records(
    db: &impl ConnectionTrait,
    policy: &Policy,
    numbers: &[UserNumber],
    people: &mut BTreeMap<UserNumber, Raw>,
) -> Result<(), DbErr> {
    let table = personal_data::table("users").map_or(&[][..], |table| table.columns);
    let columns: Vec<&personal_data::Column> = table
        .iter()
        // They have the same names and keys in another form.
        .filter(|column| !personal_data::DERIVED_USER_COLUMNS.contains(&column.name))
        .filter(|column| column.class == DataClass::Identifier || column.name == "postcode")
        .collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let select = format!("SELECT number, {} FROM users", names.join(", "));
    for row in rows(db, &select, "number", numbers).await? {
        let raw = people.entry(UserNumber(row.try_get_by_index(0)?)).or_default();
        for (index, column) in columns.iter().enumerate() {
            let Some(text) = text(&row, index + 1)? else { continue };
            let kind = ValueKind::of_column(column.name);
            if !is_kept(policy, column.action) {
                raw.columns.push((kind, text));
            } else if kind.is_name() {
                raw.kept_names.push((kind, text));
            }
        }
    }
    Ok(())
}

fn is_kept(policy: &Policy, action: ErasureAction) -> bool {
    matches!(action, ErasureAction::ByPolicy(field) if policy.treatment(field) == Treatment::Keep)
}

async fn custom_values(
    db: &impl ConnectionTrait,
    policy: &Policy,
    numbers: &[UserNumber],
    people: &mut BTreeMap<UserNumber, Raw>,
) -> Result<(), DbErr> {
    let select = "SELECT user_number, value, field_key FROM custom_values";
    for row in rows(db, select, "user_number", numbers).await? {
        let key: String = row.try_get_by_index(2)?;
        if policy.keep_custom.contains(&key) {
            continue;
        }
        let raw = people.entry(UserNumber(row.try_get_by_index(0)?)).or_default();
        raw.custom.extend(text(&row, 1)?);
    }
    Ok(())
}

/// Reads the keys that the users had before the current ones.
async fn former_keys(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
    people: &mut BTreeMap<UserNumber, Raw>,
) -> Result<(), DbErr> {
    let select = "SELECT user_number, kind, key_form FROM key_periods";
    for row in rows(db, select, "user_number", numbers).await? {
        let kind: String = row.try_get_by_index(1)?;
        let raw = people.entry(UserNumber(row.try_get_by_index(0)?)).or_default();
        raw.columns.extend(text(&row, 2)?.map(|form| (ValueKind::of_column(&kind), form)));
    }
    Ok(())
}

/// Reads identifiers from rows that remain: the addresses of messages. They can be older than those in the record.
async fn addresses(
    db: &impl ConnectionTrait,
    numbers: &[UserNumber],
    people: &mut BTreeMap<UserNumber, Raw>,
) -> Result<(), DbErr> {
    for table in TABLES.iter().filter(|table| table.name != "users" && !table.deletes_rows()) {
        let RowOwner::User(owner) = table.owner else { continue };
        for column in table.columns.iter().filter(|column| column.class == DataClass::Identifier) {
            let select = format!("SELECT DISTINCT {owner}, {} FROM {}", column.name, table.name);
            for row in rows(db, &select, owner, numbers).await? {
                let raw = people.entry(UserNumber(row.try_get_by_index(0)?)).or_default();
                raw.addresses.extend(text(&row, 1)?);
            }
        }
    }
    Ok(())
}
