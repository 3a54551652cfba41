//! The decision of the second person.

use super::eligible_approvers::is_eligible;
use super::request::{record_event, requests_of};
use super::subject::ApprovalSubject;
use chrono::{DateTime, Utc};
use db::entity::approvals;
use db::{Clock, RecordsError};
use policy::approval::{ApprovalDecision, ApprovalKind};
use policy::four_eyes::NEW_APPROVER_HOURS;
use policy::{Action, ApprovalId, Channel, RunId, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use trail::audit::{AuditAction, Subject};
use trail::{Actor, Store};

/// Declines the request of another member of staff, or withdraws the actor's own request.
pub async fn decline(store: &Store, actor: Actor, id: ApprovalId) -> Result<ApprovalDecision, RecordsError> {
    let tx = store.begin().await?;
    let request = waiting(&tx, id).await?;
    let decision = if is_own(actor, &request) {
        ApprovalDecision::Withdrawn
    } else {
        actor.require(needs(request.kind))?;
        ApprovalDecision::Declined
    };
    close(tx, store, actor, &request, decision).await
}

/// Withdraws the actor's own request. The command line can withdraw requests made on the command line.
pub async fn withdraw(store: &Store, actor: Actor, id: ApprovalId) -> Result<ApprovalDecision, RecordsError> {
    let tx = store.begin().await?;
    let request = waiting(&tx, id).await?;
    if !is_own(actor, &request) {
        return Err(RecordsError::Refused(
            "You did not make this request. Only its requester can withdraw it".to_owned(),
        ));
    }
    close(tx, store, actor, &request, ApprovalDecision::Withdrawn).await
}

/// Returns whether the actor made the request. Requests without a member of staff come from the command line.
fn is_own(actor: Actor, request: &approvals::Model) -> bool {
    match actor.staff {
        Some(staff) => request.asked_by == Some(staff.0),
        None => request.asked_by.is_none() && actor.channel == Channel::CommandLine,
    }
}

/// Closes a request without approval and records an audit event.
async fn close(
    tx: DatabaseTransaction,
    store: &Store,
    actor: Actor,
    request: &approvals::Model,
    decision: ApprovalDecision,
) -> Result<ApprovalDecision, RecordsError> {
    decide(&tx, actor, request, decision, None).await?;
    let subject = match (request.kind, request.legal_hold_id) {
        (ApprovalKind::LegalHoldRelease, Some(hold)) => Subject::LegalHold(hold),
        (ApprovalKind::StaffAnonymising, _) => request.user_number.map_or(Subject::Library, Subject::User),
        _ => Subject::Library,
    };
    let action = match decision {
        ApprovalDecision::Withdrawn => AuditAction::ApprovalWithdrawn,
        ApprovalDecision::NotNeeded => AuditAction::ApprovalNotNeeded,
        ApprovalDecision::Approved | ApprovalDecision::Declined => AuditAction::ApprovalDeclined,
    };
    record_event(&tx, store, actor, action, subject, request.preview_id.map(RunId), ApprovalId(request.id))
        .await?;
    store.commit(tx).await?;
    Ok(decision)
}

/// Approves the waiting request and consumes the approval in the same transaction. Returns the request.
pub async fn agree_within(
    tx: &DatabaseTransaction,
    actor: Actor,
    approval_subject: &ApprovalSubject,
) -> Result<ApprovalId, RecordsError> {
    let waiting = requests_of(approval_subject)
        .filter(approvals::Column::Decision.is_null())
        .filter(approvals::Column::ExpiresAt.gt(Clock::system_now()))
        .order_by_asc(approvals::Column::Id)
        .one(tx)
        .await?;
    let request = waiting.ok_or_else(|| {
        let why = match approval_subject.kind {
            ApprovalKind::SuppressionKey => {
                "Destroying the key needs two people: one requests approval, the other approves. Request approval \
                 first"
            }
            _ => {
                "Releasing a legal hold needs two people: one requests the release, the other releases it. Request \
                 the release first"
            }
        };
        RecordsError::Refused(why.to_owned())
    })?;
    agree(tx, actor, approval_subject, &request, Some(Clock::system_now())).await?;
    Ok(ApprovalId(request.id))
}

/// Records the consent of the second person. Rejects an ineligible approver and a subject that has changed.
pub async fn agree(
    tx: &DatabaseTransaction,
    actor: Actor,
    approval_subject: &ApprovalSubject,
    request: &approvals::Model,
    used_at: Option<DateTime<Utc>>,
) -> Result<(), RecordsError> {
    let second = second_person(actor)?;
    if request.fingerprint != approval_subject.fingerprint {
        return Err(changed());
    }
    if request.asked_by == Some(second.0) || approval_subject.maker == Some(second.0) {
        return Err(RecordsError::Refused(
            "You requested this approval or made its subject. Another member of staff must approve it"
                .to_owned(),
        ));
    }
    if !is_eligible(tx, needs(approval_subject.kind), second).await? {
        return Err(RecordsError::Refused(format!(
            "Your role is newer than {NEW_APPROVER_HOURS} hours. Until then another member of staff must approve it"
        )));
    }
    decide(tx, actor, request, ApprovalDecision::Approved, used_at).await
}

/// Returns the permission that the second person needs.
const fn needs(kind: ApprovalKind) -> Action {
    match kind {
        ApprovalKind::LegalHoldRelease => Action::ReleaseLegalHolds,
        ApprovalKind::SuppressionKey => Action::DestroySuppressionKey,
        ApprovalKind::Run
        | ApprovalKind::Reapply
        | ApprovalKind::MoreChanges
        | ApprovalKind::ApiChanges
        | ApprovalKind::StaffAnonymising
        | ApprovalKind::Import => Action::Approve,
    }
}

/// Returns the signed-in member of staff. Rejects the command line, since its operator cannot be identified.
fn second_person(actor: Actor) -> Result<UserNumber, RecordsError> {
    actor.staff.ok_or_else(|| {
        RecordsError::Refused(
            "The command line cannot approve requests. A member of staff must sign in and approve on the page"
                .to_owned(),
        )
    })
}

/// Stores the decision. Fails if another one was stored in the meantime.
async fn decide(
    tx: &DatabaseTransaction,
    actor: Actor,
    request: &approvals::Model,
    decision: ApprovalDecision,
    used_at: Option<DateTime<Utc>>,
) -> Result<(), RecordsError> {
    let written = approvals::Entity::update_many()
        .col_expr(approvals::Column::Decision, Expr::value(decision))
        .col_expr(approvals::Column::DecidedBy, Expr::value(actor.staff.map(|staff| staff.0)))
        .col_expr(approvals::Column::DecidedAt, Expr::value(Clock::system_now()))
        .col_expr(approvals::Column::UsedAt, Expr::value(used_at))
        .filter(approvals::Column::Id.eq(request.id))
        .filter(approvals::Column::Decision.is_null())
        .exec(tx)
        .await?;
    if written.rows_affected == 1 { Ok(()) } else { Err(decided()) }
}

/// Reads a request.
pub async fn row(tx: &DatabaseTransaction, id: ApprovalId) -> Result<approvals::Model, RecordsError> {
    approvals::Entity::find_by_id(id.0).one(tx).await?.ok_or(RecordsError::NotFound("approval request"))
}

/// Returns a request that is waiting for a decision and has not expired.
pub async fn waiting(tx: &DatabaseTransaction, id: ApprovalId) -> Result<approvals::Model, RecordsError> {
    let request = row(tx, id).await?;
    if request.decision.is_some() {
        return Err(decided());
    }
    if request.expires_at <= Clock::system_now() {
        return Err(RecordsError::Refused("This request has expired. Request approval again".to_owned()));
    }
    Ok(request)
}

fn decided() -> RecordsError {
    RecordsError::Refused("This request has already been decided".to_owned())
}

/// Returns the error about a subject that has changed since the request.
pub fn changed() -> RecordsError {
    RecordsError::Refused("The subject of this request has changed. Request approval again".to_owned())
}
