//! Sets and removes the deletion mark.

use db::RecordsError;
use db::entity::users;
use policy::{Action, Counted, ManualChange, UserNumber};
use safeguards::{limits, manual_changes};
use sea_orm::{ActiveModelTrait, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::person::{anonymised, lock};
use trail::undoable;
use trail::{Actor, Store, Undo};

/// Marks a user for deletion from today. Returns how to undo it, or `None` if the user is already marked.
pub async fn mark_for_deletion(
    store: &Store,
    actor: Actor,
    number: UserNumber,
) -> Result<Option<Undo>, RecordsError> {
    change(store, actor, number, true).await
}

/// Removes the deletion mark. Returns how to undo it, or `None` if the user isn't marked.
pub async fn unmark(store: &Store, actor: Actor, number: UserNumber) -> Result<Option<Undo>, RecordsError> {
    change(store, actor, number, false).await
}

async fn change(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    mark: bool,
) -> Result<Option<Undo>, RecordsError> {
    let changed = change_within_limits(store, actor, number, mark).await;
    limits::record_limit(store, actor, changed).await
}

async fn change_within_limits(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    mark: bool,
) -> Result<Option<Undo>, RecordsError> {
    actor.require(Action::EditUsers)?;
    let tx = store.begin().await?;
    let user = lock(&tx, number).await?;
    if user.anonymised_on.is_some() {
        return Err(anonymised(number));
    }
    if user.marked_on.is_some() == mark {
        return Ok(None);
    }
    if mark {
        limits::claim(&tx, store, actor, Counted::Marked, number).await?;
        manual_changes::record(&tx, actor, ManualChange::Marked, [(number, 1)]).await?;
    }
    let after = mark.then(|| store.clock.today());
    users::ActiveModel {
        number: Set(number.0),
        marked_on: Set(after),
        version: Set(user.version + 1),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let action = if mark { AuditAction::UserMarked } else { AuditAction::UserUnmarked };
    let subject = Subject::User(number.0);
    let event = audit::note_event(&tx, &store.clock, actor, action, subject, None, "marked_on").await?;
    store.commit(tx).await?;
    let change = undoable::Change::Mark { user: number.0, before: user.marked_on, after };
    Ok(Some(Undo::new(actor, change, event)))
}
