//! The codes of categories, departments and branches in a file.

use db::RecordsError;
use db::bulk_insert::insert;
use db::entity::terms;
use policy::TermKind;
use sea_orm::{DatabaseTransaction, EntityTrait};
use std::collections::{BTreeSet, HashSet};
use trail::terms::Spellings;

/// The codes of the library, and how it spells them.
pub(super) struct TermCodes {
    /// The codes that have a name.
    named: HashSet<(TermKind, String)>,
    spellings: Spellings,
}

impl TermCodes {
    pub(super) async fn load(tx: &DatabaseTransaction) -> Result<Self, RecordsError> {
        let all = terms::Entity::find().all(tx).await?;
        let named = all.into_iter().map(|term| (term.kind, term.code)).collect();
        Ok(Self { named, spellings: Spellings::load(tx).await? })
    }

    /// Changes a code to the spelling of the library.
    pub(super) fn spell(&mut self, kind: TermKind, code: &mut String) {
        let spelling = self.spellings.learn(kind, std::mem::take(code));
        spelling.clone_into(code);
    }

    /// Adds new codes with the code as name, and returns how many were added.
    pub(super) async fn add<'a>(
        &mut self,
        tx: &DatabaseTransaction,
        used: impl Iterator<Item = (TermKind, &'a str)>,
    ) -> Result<u64, RecordsError> {
        let used: BTreeSet<(TermKind, &str)> = used.collect();
        let mut fresh = Vec::new();
        for (kind, code) in used {
            if self.named.insert((kind, code.to_owned())) {
                fresh.push(terms::Model { kind, code: code.to_owned(), name: code.to_owned() });
            }
        }
        let count = fresh.len() as u64;
        insert(tx, fresh).await?;
        Ok(count)
    }
}
