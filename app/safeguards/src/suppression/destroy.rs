//! Destroying the key of the suppression list, which ends the list: without its key, no row can be compared with a
//! value.

use super::key::{self, blocking, fingerprint_in, overwrite, unusable};
use crate::approval;
use db::RecordsError;
use db::entity::{held_lines, suppressed_keys};
use policy::form::Problem;
use policy::four_eyes::NEW_APPROVER_HOURS;
use policy::{Action, ApprovalId, Channel};
use sea_orm::{DatabaseTransaction, EntityTrait};
use serde::Serialize;
use std::path::Path;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// The word to type as confirmation.
pub const CONFIRMATION: &str = "DESTROY";

/// The result of destroying the key.
#[derive(Clone, Debug, Serialize)]
pub struct Destroyed {
    /// The number of keys that were on the list.
    pub keys: u64,
    /// The number of held lines that were deleted.
    pub held_lines: u64,
    /// The fingerprint of the new key.
    pub fingerprint: String,
}

/// Requests approval to destroy the key.
pub async fn request_destruction(store: &Store, actor: Actor) -> Result<ApprovalId, RecordsError> {
    actor.require(Action::DestroySuppressionKey)?;
    let subject = approval::ApprovalSubject::suppression_key();
    approval::request_in_own_tx(store, actor, subject, Subject::Library).await
}

/// Destroys the key, deletes the list and the held lines, and makes a new key. `typed` must be `DESTROY`. This cannot be
/// undone: the next import can bring back every anonymised user in its file.
///
/// Also the remedy for a lost key. With four eyes, another data protection officer must have requested it, except on the
/// command line.
pub async fn destroy(store: &Store, actor: Actor, typed: &str) -> Result<Destroyed, RecordsError> {
    actor.require(Action::DestroySuppressionKey)?;
    if typed.trim() != CONFIRMATION {
        let expected = CONFIRMATION.to_owned();
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let tx = store.begin().await?;
    let destroyed = destroy_within(&tx, store, actor).await?;
    store.commit(tx).await?;
    Ok(destroyed)
}

/// Destroys the key in the caller's transaction, which must be committed at once.
pub async fn destroy_within(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
) -> Result<Destroyed, RecordsError> {
    actor.require(Action::DestroySuppressionKey)?;
    let subject = approval::ApprovalSubject::suppression_key();
    // The operator of the command line can delete the file anyway.
    let more = if actor.channel == Channel::CommandLine {
        approval::close_within(tx, store, actor, &subject).await?;
        String::new()
    } else if approval::is_on(tx, store, Action::DestroySuppressionKey).await? {
        format!(",approval={}", approval::agree_within(tx, actor, &subject).await?)
    } else {
        if let Some(staff) = actor.staff
            && approval::is_new(tx, staff).await?
        {
            return Err(RecordsError::Refused(format!(
                "Your role or your invitation is newer than {NEW_APPROVER_HOURS} hours. Until then you cannot destroy \
                 the key alone. Nothing was changed"
            )));
        }
        approval::close_within(tx, store, actor, &subject).await?;
        String::new()
    };
    let destroyed = start_over(tx, &store.settings.suppression_key).await?;
    let detail = format!("keys={},held_lines={}{more}", destroyed.keys, destroyed.held_lines);
    let action = AuditAction::SuppressionKeyDestroyed;
    audit::record_event(tx, &store.clock, actor, action, Subject::Library, None, &detail).await?;
    Ok(destroyed)
}

/// Empties the list and replaces the key, in the caller's transaction.
///
/// The file is replaced before the commit. If the commit fails, the list is unusable until it is destroyed again, but
/// the key is gone for certain.
pub async fn start_over(tx: &DatabaseTransaction, path: &Path) -> Result<Destroyed, RecordsError> {
    key::lock(tx).await?;
    let keys = suppressed_keys::Entity::delete_many().exec(tx).await?.rows_affected;
    let held_lines = held_lines::Entity::delete_many().exec(tx).await?.rows_affected;
    let of = path.to_owned();
    blocking(move || overwrite(&of)).await.map_err(|error| unusable(&error))?;
    let fingerprint = fingerprint_in(path).await?;
    key::record(tx, &fingerprint).await?;
    Ok(Destroyed { keys, held_lines, fingerprint })
}
