//! Writing events.

use super::{Deed, Subject};
use crate::actor::Actor;
use crate::clock::Clock;
use crate::entity::audit_events;
use crate::error::RecordsError;
use crate::store::Store;
use policy::{Action, RunId};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, Set};

/// Writes one event, in the transaction of the change itself: a change that cannot be noted is not made. It gets its
/// place in the chain when that is committed by [`Store::commit`].
///
/// `detail` is made of names of fields and codes, joined by commas.
pub(crate) async fn note(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    deed: Deed,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> Result<(), DbErr> {
    note_event(tx, clock, actor, deed, subject, run, detail).await.map(|_| ())
}

/// Writes one event like [`note`] and returns its id.
pub(crate) async fn note_event(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    deed: Deed,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> Result<i64, DbErr> {
    let (kind, id) = subject.parts();
    let event = audit_events::ActiveModel {
        at: Set(clock.now()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        action: Set(deed.code().to_owned()),
        subject_kind: Set(kind.to_owned()),
        subject_id: Set(id),
        run_id: Set(run.map(|run| run.0)),
        detail: Set(of_codes(detail)),
        ..Default::default()
    };
    Ok(event.insert(tx).await?.id)
}

/// A detail is made of names and codes: whatever is none, in a name that a library gave to a field of its own, is
/// left out, so that nobody writes lines or cells of their own into the audit.
fn of_codes(detail: &str) -> String {
    let is_of_codes = |char: char| char.is_alphanumeric() || "_-=,.:/".contains(char);
    detail.chars().map(|char| if is_of_codes(char) { char } else { '_' }).collect()
}

/// Writes one event of something that changes nothing else, in a transaction of its own.
pub(crate) async fn note_alone(
    store: &Store,
    actor: Actor,
    deed: Deed,
    subject: Subject,
    detail: &str,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    note(&tx, &store.clock, actor, deed, subject, None, detail).await?;
    store.commit(tx).await
}

/// Notes that somebody was refused something.
pub async fn refused(store: &Store, actor: Actor, action: Action) -> Result<(), RecordsError> {
    note_alone(store, actor, Deed::Refused, Subject::Library, action.code()).await
}
