//! Writing events.

use super::{Deed, Subject, note_repeated};
use crate::actor::Actor;
use crate::bulk;
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
    Ok(event(clock, actor, deed, subject, run, detail).insert(tx).await?.id)
}

/// Writes one event for each of these subjects, with its run and detail, as [`note`] does.
pub(crate) async fn note_each(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    deed: Deed,
    subjects: &[(Subject, Option<RunId>, String)],
) -> Result<(), DbErr> {
    let events: Vec<audit_events::ActiveModel> = subjects
        .iter()
        .map(|(subject, run, detail)| event(clock, actor, deed, *subject, *run, detail))
        .collect();
    bulk::insert(tx, events).await
}

fn event(
    clock: &Clock,
    actor: Actor,
    deed: Deed,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> audit_events::ActiveModel {
    let (kind, id) = subject.parts();
    audit_events::ActiveModel {
        at: Set(clock.now()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        action: Set(deed.code().to_owned()),
        subject_kind: Set(kind.to_owned()),
        subject_id: Set(id),
        run_id: Set(run.map(|run| run.0)),
        detail: Set(of_codes(detail)),
        ..Default::default()
    }
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

/// Notes that somebody was refused something. Repeated refusals are counted.
pub async fn refused(store: &Store, actor: Actor, action: Action) -> Result<(), RecordsError> {
    note_repeated(store, actor, Deed::Refused, Subject::Library, action.code()).await
}
