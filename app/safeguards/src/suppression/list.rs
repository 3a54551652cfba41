//! The rows of the list: adding, looking up and deleting them.

use super::key::{KeyedDigest, ListKey};
use super::{KeyForm, KeyValues};
use chrono::{Datelike as _, Months, NaiveDate};
use db::bulk_insert::insert_on_conflict;
use db::entity::{held_lines, suppressed_keys};
use db::{RecordsError, dialect};
use policy::suppression::KeyKind;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect, QueryTrait,
};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use trail::Store;

/// Lets a key that is listed already leave the list at the later of both days.
const KEEP_LATER_EXPIRY: &str = "ON CONFLICT (id) DO UPDATE SET added_on = excluded.added_on, \
    expires_on = excluded.expires_on WHERE suppressed_keys.expires_on < excluded.expires_on";

/// The keys of users in their normal forms.
#[derive(Debug, Default)]
pub struct NormalKeys(Vec<(KeyKind, String)>);

impl<'a> FromIterator<KeyValues<'a>> for NormalKeys {
    fn from_iter<I: IntoIterator<Item = KeyValues<'a>>>(users: I) -> Self {
        Self(users.into_iter().flat_map(|values| values.normal_forms()).collect())
    }
}

impl NormalKeys {
    /// Adds keys in their normal forms.
    pub fn extend(&mut self, keys: Vec<KeyForm>) {
        self.0.extend(keys);
    }
}

/// Adds the keys of users who are being anonymised, in the transaction that anonymises them.
///
/// The rows are written in the order of their digests, which is unrelated to the order of the users.
pub async fn add(tx: &DatabaseTransaction, store: &Store, keys: NormalKeys) -> Result<(), RecordsError> {
    if keys.0.is_empty() {
        return Ok(());
    }
    let key = ListKey::load(tx, store).await?;
    let mut digests: BTreeMap<i64, (KeyKind, KeyedDigest)> = BTreeMap::new();
    for (kind, normal) in keys.0 {
        let digest = key.digest(kind, &normal);
        digests.insert(digest.id(), (kind, digest));
    }
    let (added_on, expires_on) = dates(store);
    let rows = digests.into_iter().map(|(id, (kind, digest))| suppressed_keys::Model {
        id,
        kind,
        digest: digest.0,
        added_on,
        expires_on,
    });
    Ok(insert_on_conflict(tx, rows, KEEP_LATER_EXPIRY).await?)
}

/// Returns the first day of the current month, and the day on which a key that is added now leaves the list.
fn dates(store: &Store) -> (NaiveDate, NaiveDate) {
    let today = store.clock.today();
    let added_on = today.with_day(1).unwrap_or(today);
    let expires_on = added_on + Months::new(store.settings.suppression_months);
    (added_on, expires_on)
}

/// Returns those of the digests that are on the list, with the first day of the month of anonymising.
pub(super) async fn listed(
    tx: &DatabaseTransaction,
    digests: &[KeyedDigest],
) -> Result<HashMap<KeyedDigest, NaiveDate>, DbErr> {
    if digests.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = tx.get_database_backend();
    // Raw SQL: thousands of ids as one value.
    let sql =
        format!("SELECT digest, added_on FROM suppressed_keys WHERE {}", dialect::in_list(backend, "id"));
    let ids = dialect::id_list(backend, digests.iter().map(KeyedDigest::id));
    let rows = tx.query_all_raw(dialect::bind(backend, &sql, vec![ids])).await?;
    let found: Result<HashMap<KeyedDigest, NaiveDate>, DbErr> = rows
        .iter()
        .map(|row| Ok((KeyedDigest(row.try_get("", "digest")?), row.try_get("", "added_on")?)))
        .collect();
    let found = found?;
    // Two digests can share an id.
    Ok(digests.iter().filter_map(|digest| Some((digest.clone(), *found.get(digest)?))).collect())
}

/// Returns whether the list is empty.
pub(super) async fn is_empty(tx: &DatabaseTransaction) -> Result<bool, DbErr> {
    let any = suppressed_keys::Entity::find().select_only().column(suppressed_keys::Column::Id);
    Ok(any.into_tuple::<i64>().one(tx).await?.is_none())
}

/// Deletes the keys whose time is over, and the held lines about them. Returns the number of keys.
///
/// A shorter time in the configuration applies to all keys, a longer one to those added from then on.
pub async fn purge(store: &Store) -> Result<u64, RecordsError> {
    let today = store.clock.today();
    let added_before = today - Months::new(store.settings.suppression_months);
    let is_over = Condition::any()
        .add(suppressed_keys::Column::ExpiresOn.lte(today))
        .add(suppressed_keys::Column::AddedOn.lte(added_before));
    let over = suppressed_keys::Entity::find().filter(is_over.clone());
    if over
        .select_only()
        .column(suppressed_keys::Column::Id)
        .into_tuple::<i64>()
        .one(&store.db)
        .await?
        .is_none()
    {
        return Ok(0);
    }
    let tx = store.begin().await?;
    let deleted = suppressed_keys::Entity::delete_many().filter(is_over).exec(&tx).await?.rows_affected;
    let left =
        suppressed_keys::Entity::find().select_only().column(suppressed_keys::Column::Digest).into_query();
    held_lines::Entity::delete_many()
        .filter(held_lines::Column::Digest.not_in_subquery(left))
        .exec(&tx)
        .await?;
    store.commit(tx).await?;
    Ok(deleted)
}

/// The size of the list.
#[derive(Clone, Debug, Serialize)]
pub struct ListFigures {
    /// The number of keys.
    pub keys: u64,
    /// The day on which the first key leaves the list.
    pub first_expires_on: Option<NaiveDate>,
    /// The day on which the last key leaves the list.
    pub last_expires_on: Option<NaiveDate>,
}

/// Returns the size of the list.
pub async fn figures(store: &Store) -> Result<ListFigures, RecordsError> {
    let keys = suppressed_keys::Entity::find().count(&store.db).await?;
    let range: Option<(Option<NaiveDate>, Option<NaiveDate>)> = suppressed_keys::Entity::find()
        .select_only()
        .column_as(suppressed_keys::Column::ExpiresOn.min(), "first")
        .column_as(suppressed_keys::Column::ExpiresOn.max(), "last")
        .into_tuple()
        .one(&store.db)
        .await?;
    let (first_expires_on, last_expires_on) = range.unwrap_or_default();
    Ok(ListFigures { keys, first_expires_on, last_expires_on })
}
