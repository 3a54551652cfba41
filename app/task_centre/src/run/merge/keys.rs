//! The keys of two merged records: the record that stays takes over those that it lacks.

use db::RecordsError;
use db::entity::users;
use policy::key_form::normal;
use policy::suppression::KeyKind;
use safeguards::key_periods::{self, Change};
use safeguards::suppression::KeyForm;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, Set};
use trail::Store;

/// The result of merging for a key of the record that is anonymised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyFate {
    /// The record that stays has no such key and takes it over.
    TakenOver,
    /// The record that stays has the same one.
    Same,
    /// The record that stays has another one. The key becomes a former key of that record, and is suppressed so that an
    /// import can't create the duplicate again.
    Former,
}

/// A key of the record that is anonymised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MergedKey {
    /// Its kind.
    pub kind: KeyKind,
    /// The result of merging for it.
    pub fate: KeyFate,
}

/// Returns the keys of the record that is anonymised, with what becomes of each.
pub(super) fn fates(staying: &users::Model, losing: &users::Model) -> Vec<MergedKey> {
    let key = |kind| {
        let theirs = value(losing, kind)?;
        let fate = match value(staying, kind) {
            None => KeyFate::TakenOver,
            Some(own) if normal(own) == normal(theirs) => KeyFate::Same,
            Some(_) => KeyFate::Former,
        };
        Some(MergedKey { kind, fate })
    };
    KeyKind::ALL.into_iter().filter_map(key).collect()
}

fn value(user: &users::Model, kind: KeyKind) -> Option<&str> {
    let value = match kind {
        KeyKind::ExternalId => &user.external_id,
        KeyKind::UserId => &user.user_id,
        KeyKind::Barcode => &user.barcode,
        KeyKind::Email => &user.email,
    };
    value.as_deref().filter(|value| !value.trim().is_empty())
}

/// Empties the keys that the record that stays takes over or has as well, so that the anonymiser doesn't suppress them.
/// Records the others as former keys. Returns the record that stays with its new keys, not yet written.
pub(super) async fn take_over(
    tx: &DatabaseTransaction,
    store: &Store,
    staying: &users::Model,
    losing: &users::Model,
) -> Result<users::Model, RecordsError> {
    let mut merged = staying.clone();
    let mut emptied = users::ActiveModel { number: Set(losing.number), ..Default::default() };
    let mut former: Vec<KeyForm> = Vec::new();
    for MergedKey { kind, fate } in fates(staying, losing) {
        if fate == KeyFate::Former {
            // Several users can have one e-mail address, so that no loan is imported by it.
            former.extend(
                losing.key_forms().find(|(of, _)| *of == kind).map(|(of, form)| (of, form.to_owned())),
            );
            continue;
        }
        let (own, theirs, slot) = match kind {
            KeyKind::ExternalId => (&mut merged.external_id, &losing.external_id, &mut emptied.external_id),
            KeyKind::UserId => (&mut merged.user_id, &losing.user_id, &mut emptied.user_id),
            KeyKind::Barcode => (&mut merged.barcode, &losing.barcode, &mut emptied.barcode),
            KeyKind::Email => (&mut merged.email, &losing.email, &mut emptied.email),
        };
        if fate == KeyFate::TakenOver {
            own.clone_from(theirs);
        }
        *slot = Set(None);
    }
    // The keys are unique: they are free before the other record gets them.
    emptied.update(tx).await?;
    let today = store.clock.today();
    key_periods::record_lost(tx, today, &[Change::of_lost(losing.number, today, former)]).await?;
    merged.derive();
    Ok(merged)
}
