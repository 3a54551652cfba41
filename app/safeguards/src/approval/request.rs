//! Requesting approval, and closing requests that are no longer needed.

use super::subject::ApprovalSubject;
use chrono::Duration;
use db::entity::approvals;
use db::{Clock, RecordsError, dialect};
use policy::approval::ApprovalDecision;
use policy::four_eyes::APPROVAL_HOURS;
use policy::notification::Event;
use policy::{ApprovalId, LegalHoldId, RunId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Select, Set,
};
use trail::audit::{self, AuditAction, Subject};
use trail::outbox::{self, About};
use trail::{Actor, Store};

/// A request, and whether it was created by this call.
pub struct Requested {
    pub id: ApprovalId,
    pub is_new: bool,
}

/// Requests approval to import a file.
pub async fn request_import(
    store: &Store,
    actor: Actor,
    file: ApprovalSubject,
) -> Result<ApprovalId, RecordsError> {
    request_in_own_tx(store, actor, file, Subject::Library).await
}

/// Requests approval for more changes by identity systems, when a limit has rejected one. An identity system repeats its
/// requests, so a request that was declined is not made again before it expires.
pub async fn request_api_changes(store: &Store, actor: Actor) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    dialect::lock_manual_changes(&tx, 0).await?;
    let subject = ApprovalSubject::api_changes();
    let current = requests_of(&subject)
        .filter(approvals::Column::ExpiresAt.gt(Clock::system_now()))
        .filter(approvals::Column::UsedAt.is_null());
    if current.one(&tx).await?.is_some() {
        return Ok(());
    }
    let asked = request_within(&tx, store, actor, &subject).await?;
    record_event(&tx, store, actor, AuditAction::ApprovalRequested, Subject::Library, None, asked.id).await?;
    store.commit(tx).await
}

/// Requests approval in a separate transaction, and records the audit event.
pub async fn request_in_own_tx(
    store: &Store,
    actor: Actor,
    approval_subject: ApprovalSubject,
    subject: Subject,
) -> Result<ApprovalId, RecordsError> {
    let tx = store.begin().await?;
    let asked = request_within(&tx, store, actor, &approval_subject).await?;
    if asked.is_new {
        record_event(&tx, store, actor, AuditAction::ApprovalRequested, subject, None, asked.id).await?;
    }
    store.commit(tx).await?;
    Ok(asked.id)
}

/// Stores a request, unless an identical one is waiting.
pub async fn request_within(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    approval_subject: &ApprovalSubject,
) -> Result<Requested, RecordsError> {
    let waiting = requests_of(approval_subject)
        .filter(approvals::Column::Decision.is_null())
        .filter(approvals::Column::ExpiresAt.gt(Clock::system_now()));
    if let Some(request) = waiting.one(tx).await? {
        return Ok(Requested { id: ApprovalId(request.id), is_new: false });
    }
    let now = Clock::system_now();
    let request = approvals::ActiveModel {
        kind: Set(approval_subject.kind),
        preview_id: Set(approval_subject.preview),
        legal_hold_id: Set(approval_subject.hold),
        user_number: Set(approval_subject.user),
        users: Set(approval_subject.users),
        counted_by: Set(approval_subject.counted_by),
        fingerprint: Set(approval_subject.fingerprint.clone()),
        asked_by: Set(actor.staff.map(|staff| staff.0)),
        asked_at: Set(now),
        expires_at: Set(now + Duration::hours(APPROVAL_HOURS)),
        ..Default::default()
    }
    .insert(tx)
    .await?;
    let about = About {
        approval: Some(ApprovalId(request.id)),
        run: approval_subject.preview.map(RunId),
        legal_hold: approval_subject.hold.map(LegalHoldId),
        ..About::default()
    };
    outbox::post(tx, &store.clock, Event::ApprovalWaiting, about, None).await?;
    Ok(Requested { id: ApprovalId(request.id), is_new: true })
}

/// Closes the requests for a subject that no longer needs a second person, and records an audit event for each.
pub async fn close_within(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    approval_subject: &ApprovalSubject,
) -> Result<(), RecordsError> {
    let open = requests_of(approval_subject).filter(approvals::Column::Decision.is_null());
    let open: Vec<i64> = open.select_only().column(approvals::Column::Id).into_tuple().all(tx).await?;
    for id in &open {
        let subject = approval_subject.hold.map_or(Subject::Library, Subject::LegalHold);
        record_event(tx, store, actor, AuditAction::ApprovalNotNeeded, subject, None, ApprovalId(*id))
            .await?;
    }
    approvals::Entity::update_many()
        .col_expr(approvals::Column::Decision, Expr::value(ApprovalDecision::NotNeeded))
        .col_expr(approvals::Column::DecidedBy, Expr::value(actor.staff.map(|staff| staff.0)))
        .col_expr(approvals::Column::DecidedAt, Expr::value(Clock::system_now()))
        .filter(approvals::Column::Id.is_in(open))
        .exec(tx)
        .await?;
    Ok(())
}

/// Selects the requests and approvals of exactly this subject with this fingerprint.
pub(super) fn requests_of(approval_subject: &ApprovalSubject) -> Select<approvals::Entity> {
    let of =
        |column: approvals::Column, id: Option<i64>| id.map_or_else(|| column.is_null(), |id| column.eq(id));
    approvals::Entity::find()
        .filter(approvals::Column::Kind.eq(approval_subject.kind))
        .filter(of(approvals::Column::PreviewId, approval_subject.preview))
        .filter(of(approvals::Column::LegalHoldId, approval_subject.hold))
        .filter(of(approvals::Column::UserNumber, approval_subject.user))
        .filter(of(approvals::Column::Users, approval_subject.users))
        .filter(approvals::Column::Fingerprint.eq(&approval_subject.fingerprint))
}

/// Records an audit event about an approval.
pub async fn record_event(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    run: Option<RunId>,
    approval: ApprovalId,
) -> Result<(), RecordsError> {
    let detail = format!("approval={approval}");
    Ok(audit::record_event(tx, &store.clock, actor, action, subject, run, &detail).await?)
}
