//! Marking for deletion, and taking that back.

use super::{anonymised, lock};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::entity::users;
use crate::error::RecordsError;
use crate::limits::{self, Change};
use crate::store::Store;
use policy::{Action, Counted, UserNumber};
use sea_orm::{ActiveModelTrait, Set};

/// Marks a user for deletion from today. Who is marked already keeps the day.
pub async fn mark_for_deletion(store: &Store, actor: Actor, number: UserNumber) -> Result<(), RecordsError> {
    change(store, actor, number, true).await
}

/// Takes the mark back.
pub async fn undelete(store: &Store, actor: Actor, number: UserNumber) -> Result<(), RecordsError> {
    change(store, actor, number, false).await
}

async fn change(store: &Store, actor: Actor, number: UserNumber, mark: bool) -> Result<(), RecordsError> {
    let changed = change_within_limits(store, actor, number, mark).await;
    limits::noted(store, actor, changed).await
}

async fn change_within_limits(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    mark: bool,
) -> Result<(), RecordsError> {
    actor.must(Action::EditUsers)?;
    let tx = store.begin().await?;
    let user = lock(&tx, number).await?;
    if user.anonymised_on.is_some() {
        return Err(anonymised(number));
    }
    if user.marked_on.is_some() == mark {
        return Ok(());
    }
    if mark {
        limits::claim(&tx, store, actor, Counted::Marked, number).await?;
        limits::record(&tx, actor, Change::Marked, [(number, 1)]).await?;
    }
    users::ActiveModel {
        number: Set(number.0),
        marked_on: Set(mark.then(|| store.clock.today())),
        version: Set(user.version + 1),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let deed = if mark { Deed::UserMarked } else { Deed::UserUnmarked };
    audit::note(&tx, &store.clock, actor, deed, Subject::User(number.0), None, "marked_on").await?;
    store.commit(tx).await?;
    Ok(())
}
