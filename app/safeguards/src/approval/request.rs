//! Requesting approval, and closing requests that are no longer needed.

use super::subject::ApprovalSubject;
use chrono::Duration;
use db::clock::Clock;
use db::entity::approvals;
use db::error::RecordsError;
use policy::approval::Decision;
use policy::four_eyes::APPROVAL_HOURS;
use policy::{ApprovalId, RunId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Select, Set,
};
use trail::actor::Actor;
use trail::audit::{self, AuditAction, Subject};
use trail::store::Store;

/// A request, and whether it was created by this call.
pub struct Requested {
    pub id: ApprovalId,
    pub is_new: bool,
}

/// Requests approval to import the file with this SHA-256. `users` is the number of users that count towards the
/// safety limits.
pub async fn request_import(
    store: &Store,
    actor: Actor,
    sha256: String,
    users: i64,
) -> Result<ApprovalId, RecordsError> {
    request_in_own_tx(store, actor, ApprovalSubject::import_of(sha256, users), Subject::Library).await
}

/// Requests approval in a transaction of its own, and records the audit event.
pub async fn request_in_own_tx(
    store: &Store,
    actor: Actor,
    matter: ApprovalSubject,
    subject: Subject,
) -> Result<ApprovalId, RecordsError> {
    let tx = store.begin().await?;
    let asked = request_within(&tx, actor, &matter).await?;
    if asked.is_new {
        note(&tx, store, actor, AuditAction::ApprovalRequested, subject, None, asked.id).await?;
    }
    store.commit(tx).await?;
    Ok(asked.id)
}

/// Stores a request, unless an identical one is waiting.
pub async fn request_within(
    tx: &DatabaseTransaction,
    actor: Actor,
    matter: &ApprovalSubject,
) -> Result<Requested, RecordsError> {
    let waiting = requests_of(matter)
        .filter(approvals::Column::Decision.is_null())
        .filter(approvals::Column::ExpiresAt.gt(Clock::system_now()));
    if let Some(request) = waiting.one(tx).await? {
        return Ok(Requested { id: ApprovalId(request.id), is_new: false });
    }
    let now = Clock::system_now();
    let request = approvals::ActiveModel {
        kind: Set(matter.kind),
        preview_id: Set(matter.preview),
        legal_hold_id: Set(matter.hold),
        user_number: Set(matter.user),
        users: Set(matter.users),
        fingerprint: Set(matter.fingerprint.clone()),
        asked_by: Set(actor.staff.map(|staff| staff.0)),
        asked_at: Set(now),
        expires_at: Set(now + Duration::hours(APPROVAL_HOURS)),
        ..Default::default()
    }
    .insert(tx)
    .await?;
    Ok(Requested { id: ApprovalId(request.id), is_new: true })
}

/// Closes the requests for a subject that no longer needs a second person, and records an audit event for each.
pub async fn close_within(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    matter: &ApprovalSubject,
) -> Result<(), RecordsError> {
    let open = requests_of(matter).filter(approvals::Column::Decision.is_null());
    let open: Vec<i64> = open.select_only().column(approvals::Column::Id).into_tuple().all(tx).await?;
    for id in &open {
        let subject = matter.hold.map_or(Subject::Library, Subject::LegalHold);
        note(tx, store, actor, AuditAction::ApprovalNotNeeded, subject, None, ApprovalId(*id)).await?;
    }
    approvals::Entity::update_many()
        .col_expr(approvals::Column::Decision, Expr::value(Decision::NotNeeded))
        .col_expr(approvals::Column::DecidedBy, Expr::value(actor.staff.map(|staff| staff.0)))
        .col_expr(approvals::Column::DecidedAt, Expr::value(Clock::system_now()))
        .filter(approvals::Column::Id.is_in(open))
        .exec(tx)
        .await?;
    Ok(())
}

/// Selects the requests and approvals of exactly this subject with this fingerprint.
pub(super) fn requests_of(matter: &ApprovalSubject) -> Select<approvals::Entity> {
    let of =
        |column: approvals::Column, id: Option<i64>| id.map_or_else(|| column.is_null(), |id| column.eq(id));
    approvals::Entity::find()
        .filter(approvals::Column::Kind.eq(matter.kind))
        .filter(of(approvals::Column::PreviewId, matter.preview))
        .filter(of(approvals::Column::LegalHoldId, matter.hold))
        .filter(of(approvals::Column::UserNumber, matter.user))
        .filter(of(approvals::Column::Users, matter.users))
        .filter(approvals::Column::Fingerprint.eq(&matter.fingerprint))
}

/// Records an audit event about an approval.
pub async fn note(
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
