//! Checks users who would be created.

use super::key::{KeyedDigest, ListKey};
use super::list;
use super::{KeyForm, KeyValues};
use chrono::NaiveDate;
use db::RecordsError;
use policy::suppression::{KeyKind, holding_key};
use sea_orm::DatabaseTransaction;
use std::collections::HashMap;
use trail::Store;

/// The suppressed keys of a user who would be created.
#[derive(Clone, Debug, Default)]
pub struct Suppressed {
    /// The kinds of the suppressed keys, the strongest first.
    pub kinds: Vec<KeyKind>,
    /// The key because of which the user is held. None if the user can be created.
    pub held_by: Option<(KeyKind, KeyedDigest)>,
}

/// Checks keys in one transaction.
#[derive(Debug)]
pub struct Checker {
    key: ListKey,
    /// Whether the list had rows when the check began. An empty list can get rows meanwhile.
    has_rows: bool,
}

impl Checker {
    /// Reads the key of the list. Rejects a missing or another key while the list has rows.
    pub async fn open(tx: &DatabaseTransaction, store: &Store) -> Result<Self, RecordsError> {
        Ok(Self { key: ListKey::load(tx, store).await?, has_rows: !list::is_empty(tx).await? })
    }

    /// Returns whether the list is empty now. On PostgreSQL, a run can anonymise users during an import.
    async fn is_list_empty(&self, tx: &DatabaseTransaction) -> Result<bool, RecordsError> {
        Ok(!self.has_rows && list::is_empty(tx).await?)
    }

    /// Returns the suppressed keys of each of these users, in the same order.
    pub async fn check(
        &self,
        tx: &DatabaseTransaction,
        users: &[KeyValues<'_>],
    ) -> Result<Vec<Suppressed>, RecordsError> {
        if users.is_empty() || self.is_list_empty(tx).await? {
            return Ok(vec![Suppressed::default(); users.len()]);
        }
        let keys: Vec<Vec<(KeyKind, KeyedDigest)>> = users
            .iter()
            .map(|user| {
                let normal = user.normal_forms();
                normal.map(|(kind, normal)| (kind, self.key.digest(kind, &normal))).collect()
            })
            .collect();
        let digests: Vec<KeyedDigest> = keys.iter().flatten().map(|(_, digest)| digest.clone()).collect();
        let listed = list::listed(tx, &digests).await?;
        let suppressed = keys.into_iter().zip(users).map(|(keys, user)| {
            let mut keys: Vec<_> =
                keys.into_iter().filter(|(_, digest)| listed.contains_key(digest)).collect();
            keys.sort_by_key(|(kind, _)| *kind);
            let kinds: Vec<KeyKind> = keys.iter().map(|(kind, _)| *kind).collect();
            let holding = holding_key(user.has_external_id(), &kinds);
            Suppressed { kinds, held_by: keys.into_iter().find(|(kind, _)| Some(*kind) == holding) }
        });
        Ok(suppressed.collect())
    }

    /// Returns those of these keys that are on the list, with the month in which the last user with the key was
    /// anonymised.
    pub async fn suppressed_since(
        &self,
        tx: &DatabaseTransaction,
        keys: &[KeyForm],
    ) -> Result<HashMap<KeyForm, NaiveDate>, RecordsError> {
        if keys.is_empty() || self.is_list_empty(tx).await? {
            return Ok(HashMap::new());
        }
        let digests: Vec<KeyedDigest> =
            keys.iter().map(|(kind, form)| self.key.digest(*kind, form)).collect();
        let listed = list::listed(tx, &digests).await?;
        let since =
            keys.iter().zip(&digests).filter_map(|(key, digest)| Some((key.clone(), *listed.get(digest)?)));
        Ok(since.collect())
    }

    /// Returns the digest of the content of a line.
    pub fn line_digest(&self, content: &str) -> String {
        self.key.line_digest(content)
    }
}
