//! Writes the users that lines create or change, with their search words and custom fields.

use crate::exchange;
use crate::reader::Header;
use crate::user_line::{GuarantorKey, UserLine};
use chrono::NaiveDate;
use db::bulk_insert::{MAX_PARAMETERS, insert, insert_returning};
use db::entity::{custom_values, user_words, users};
use policy::import_profile::CUSTOM;
use policy::suppression::KeyKind;
use safeguards::key_periods;
use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, Insert, IntoActiveModel, Iterable, QueryFilter,
};
use std::collections::{BTreeMap, HashMap};
use trail::person::search_words;

/// Values of custom fields by key.
pub(super) type Custom = BTreeMap<String, String>;

/// A user that a line creates or changes, with the line's values of custom fields.
pub(super) struct Change {
    pub(super) line: u64,
    pub(super) user: users::Model,
    pub(super) custom: Custom,
    pub(super) guarantor: Option<GuarantorKey>,
}

impl Change {
    /// Returns the change that creates the user of a line.
    pub(super) fn of_new_user(line: UserLine, today: NaiveDate) -> Self {
        let mut user = users::Model::blank(0, uuid::Uuid::new_v4().to_string());
        user.created_on = Some(today);
        Self::new(line, user)
    }

    /// Returns the change that a line makes to its user. `custom` has the user's values of the custom fields in the
    /// file.
    pub(super) fn of_known_user(
        line: UserLine,
        header: &Header,
        (user, custom): (&users::Model, Option<&Custom>),
    ) -> Self {
        let mut change = Self::new(line, user.clone());
        if !header.clears_empty() {
            let mut kept = custom.cloned().unwrap_or_default();
            kept.append(&mut change.custom);
            change.custom = kept;
        }
        change
    }

    fn new(mut line: UserLine, mut user: users::Model) -> Self {
        let (custom, guarantor) = (std::mem::take(&mut line.draft.custom), line.guarantor.take());
        let number = line.number;
        line.apply(&mut user);
        Self { line: number, user, custom, guarantor }
    }
}

/// Returns the keys of the custom fields in the file.
fn custom_keys(header: &Header) -> Vec<&str> {
    header.names().iter().filter_map(|name| name.strip_prefix(CUSTOM)).collect()
}

/// Returns these users' values of the custom fields in the file.
pub(super) async fn custom_values(
    tx: &DatabaseTransaction,
    header: &Header,
    users: &HashMap<i64, users::Model>,
) -> Result<HashMap<i64, Custom>, DbErr> {
    let keys = custom_keys(header);
    let mut values: HashMap<i64, Custom> = HashMap::new();
    if keys.is_empty() || users.is_empty() {
        return Ok(values);
    }
    let rows = custom_values::Entity::find()
        .filter(custom_values::Column::UserNumber.is_in(users.keys().copied()))
        .filter(custom_values::Column::FieldKey.is_in(keys))
        .all(tx)
        .await?;
    for row in rows {
        values.entry(row.user_number).or_default().insert(row.field_key, row.value);
    }
    Ok(values)
}

/// Updates existing users with few statements. Keys that change are freed first, so that their order doesn't matter.
pub(super) async fn update(
    tx: &DatabaseTransaction,
    header: &Header,
    changes: &[Change],
    key_changes: &[key_periods::Change],
) -> Result<(), DbErr> {
    if changes.is_empty() {
        return Ok(());
    }
    for kind in KeyKind::ALL {
        let losing: Vec<i64> =
            key_changes.iter().filter(|change| change.loses(kind)).map(|change| change.user).collect();
        exchange::clear(tx, kind, &losing).await?;
    }
    let numbers: Vec<i64> = changes.iter().map(|change| change.user.number).collect();
    let written = users::Column::iter().filter(|column| !matches!(column, users::Column::Number));
    let written: Vec<users::Column> = written.collect();
    let rows: Vec<users::Model> = changes
        .iter()
        .map(|change| users::Model { version: change.user.version + 1, ..change.user.clone() })
        .collect();
    for some in rows.chunks(MAX_PARAMETERS / (written.len() + 1)) {
        let conflict = OnConflict::column(users::Column::Number).update_columns(written.clone()).to_owned();
        let many = Insert::<users::ActiveModel>::many(some.to_vec()).on_conflict(conflict);
        many.exec_without_returning(tx).await?;
    }
    user_words::Entity::delete_many()
        .filter(user_words::Column::UserNumber.is_in(numbers.iter().copied()))
        .exec(tx)
        .await?;
    let keys = custom_keys(header);
    if !keys.is_empty() {
        custom_values::Entity::delete_many()
            .filter(custom_values::Column::UserNumber.is_in(numbers))
            .filter(custom_values::Column::FieldKey.is_in(keys))
            .exec(tx)
            .await?;
    }
    parts(tx, changes).await
}

/// Creates new users, and sets their numbers.
pub(super) async fn create(tx: &DatabaseTransaction, changes: &mut [Change]) -> Result<(), DbErr> {
    let rows: Vec<users::ActiveModel> = changes
        .iter()
        .map(|change| users::ActiveModel { number: NotSet, ..change.user.clone().into_active_model() })
        .collect();
    let made = insert_returning(tx, rows, &[users::Column::Uuid, users::Column::Number]).await?;
    let mut numbers: HashMap<String, i64> = HashMap::with_capacity(made.len());
    for user in made {
        numbers.insert(user.try_get("", "uuid")?, user.try_get("", "number")?);
    }
    for change in changes.iter_mut() {
        change.user.number = *numbers.get(&change.user.uuid).ok_or(DbErr::RecordNotInserted)?;
    }
    parts(tx, changes).await
}

/// Inserts search words and custom values of users that have none.
async fn parts(tx: &DatabaseTransaction, changes: &[Change]) -> Result<(), DbErr> {
    let words = changes.iter().flat_map(|change| {
        let number = change.user.number;
        search_words(&change.user)
            .into_iter()
            .map(move |word| user_words::Model { word, user_number: number })
    });
    // Collected, because the future of an import moves between threads.
    insert(tx, words.collect::<Vec<_>>()).await?;
    let values = changes.iter().flat_map(|change| {
        let number = change.user.number;
        change.custom.iter().map(move |(key, value)| custom_values::Model {
            user_number: number,
            field_key: key.clone(),
            value: value.clone(),
        })
    });
    insert(tx, values.collect::<Vec<_>>()).await
}
