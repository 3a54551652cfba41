//! Recording events.

use super::{AuditAction, Subject, note_repeated};
use crate::actor::Actor;
use crate::store::Store;
use db::entity::audit_events;
use db::{Clock, RecordsError, bulk_insert};
use policy::{Action, RunId};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, Set};

/// Records one event in the transaction of the change itself: if it fails, so does the change. [`Store::commit`]
/// chains it.
///
/// `detail` consists of field names and codes, joined by commas.
pub async fn record_event(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> Result<(), DbErr> {
    note_event(tx, clock, actor, action, subject, run, detail).await.map(|_| ())
}

/// Records one event and returns its id.
pub async fn note_event(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> Result<i64, DbErr> {
    Ok(event(clock, actor, action, subject, run, detail).insert(tx).await?.id)
}

/// Records one event for each of the subjects, with its run and detail.
pub async fn note_each(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    action: AuditAction,
    subjects: &[(Subject, Option<RunId>, String)],
) -> Result<(), DbErr> {
    let events: Vec<audit_events::ActiveModel> = subjects
        .iter()
        .map(|(subject, run, detail)| event(clock, actor, action, *subject, *run, detail))
        .collect();
    bulk_insert::insert(tx, events).await
}

fn event(
    clock: &Clock,
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> audit_events::ActiveModel {
    let (kind, id) = subject.parts();
    let detail = match actor.api_key {
        Some(key) if detail.is_empty() => format!("api_key={key}"),
        Some(key) => format!("api_key={key},{detail}"),
        None => detail.to_owned(),
    };
    audit_events::ActiveModel {
        at: Set(clock.now()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        action: Set(action.code().to_owned()),
        subject_kind: Set(kind.to_owned()),
        subject_id: Set(id),
        run_id: Set(run.map(|run| run.0)),
        detail: Set(of_codes(&detail)),
        ..Default::default()
    }
}

/// Replaces characters that cannot be part of names and codes. A field name that a library chose can contain any
/// character, and must not add lines or cells to the audit.
fn of_codes(detail: &str) -> String {
    let is_of_codes = |char: char| char.is_alphanumeric() || "_-=,.:/".contains(char);
    detail.chars().map(|char| if is_of_codes(char) { char } else { '_' }).collect()
}

/// Records one event in its own transaction, for an action that changes nothing else.
pub async fn record_event_in_own_tx(
    store: &Store,
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    detail: &str,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    record_event(&tx, &store.clock, actor, action, subject, None, detail).await?;
    store.commit(tx).await
}

/// Records that the actor was refused an action. Repeated refusals are counted (`note_repeated`).
pub async fn refused(store: &Store, actor: Actor, action: Action) -> Result<(), RecordsError> {
    note_repeated(store, actor, AuditAction::Refused, Subject::Library, action.code()).await
}
