//! Consuming an approval, in the transaction of the action that it allows.

use super::eligible_approvers::is_eligible;
use super::request::requests_of;
use super::subject::ApprovalSubject;
use db::entity::approvals;
use db::{Clock, RecordsError};
use policy::approval::ApprovalDecision;
use policy::{Action, ApprovalId, ApprovalReason, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use trail::{Actor, Store};

/// Consumes an approval of this subject by a second person. Rejects the action if none is valid now.
pub async fn consume(
    tx: &DatabaseTransaction,
    actor: Actor,
    approval_subject: &ApprovalSubject,
    why: &str,
) -> Result<ApprovalId, RecordsError> {
    let approval = match find(tx, actor, approval_subject).await? {
        Lookup::Holds(approval) => approval,
        Lookup::UnusableReason(flaw) => return Err(RecordsError::Refused(refusal_text(why, flaw))),
    };
    let used = approvals::Entity::update_many()
        .col_expr(approvals::Column::UsedAt, Expr::value(Clock::system_now()))
        .filter(approvals::Column::Id.eq(approval.0))
        .filter(approvals::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    // Another process has consumed it in the meantime.
    if used.rows_affected != 1 {
        return Err(RecordsError::Refused(refusal_text(why, UnusableReason::Used)));
    }
    Ok(approval)
}

/// Returns why this actor can use no approval yet. None if one is valid.
pub async fn why_not_yet(
    store: &Store,
    actor: Actor,
    approval_subject: &ApprovalSubject,
    why: &str,
) -> Result<Option<String>, RecordsError> {
    Ok(match find(&store.db, actor, approval_subject).await? {
        Lookup::Holds(_) => None,
        Lookup::UnusableReason(flaw) => Some(refusal_text(why, flaw)),
    })
}

enum Lookup {
    /// This approval can be used.
    Holds(ApprovalId),
    /// No approval can be used, for this reason of the newest one.
    UnusableReason(UnusableReason),
}

/// The reason why an approval cannot be used.
#[derive(Clone, Copy)]
enum UnusableReason {
    NotRequested,
    Waits,
    Declined,
    Withdrawn,
    NotNeeded,
    Used,
    Expired,
    OfTheStarter,
    OfRequester,
    NoLongerAllowed,
}

impl UnusableReason {
    const fn label(self) -> &'static str {
        match self {
            Self::NotRequested => "Request approval",
            Self::Waits => "Approval has been requested but not given yet",
            Self::Declined => "The request was declined",
            Self::Withdrawn => "The request was withdrawn. Request approval again",
            Self::NotNeeded => {
                "The request was closed because no second person was needed. Request approval again"
            }
            Self::Used => "The approval has already been used. Request approval again",
            Self::Expired => "The approval has expired. Request approval again",
            Self::OfTheStarter => "You approved this yourself. Another member of staff must start it",
            Self::OfRequester => {
                "The approver also requested it or created the preview. Another member of staff must approve"
            }
            Self::NoLongerAllowed => "The approver may no longer approve. Request approval again",
        }
    }
}

/// Returns why a run needs a second person, as a sentence without its full stop.
pub fn of_run(store: &Store, why: ApprovalReason) -> String {
    format!("A second person must approve this run, because {}", why.label(store.settings.safety_limits))
}

fn refusal_text(why: &str, flaw: UnusableReason) -> String {
    format!("{why}. {}", flaw.label())
}

/// Returns the approval of more manual changes that this actor can use now.
pub async fn more_changes(
    db: &impl ConnectionTrait,
    actor: Actor,
) -> Result<Option<approvals::Model>, RecordsError> {
    usable(db, actor, &ApprovalSubject::over_limit_changes_by(actor)).await
}

/// Returns the approval of more changes by identity systems that can be used now.
pub async fn api_changes(
    db: &impl ConnectionTrait,
    actor: Actor,
) -> Result<Option<approvals::Model>, RecordsError> {
    usable(db, actor, &ApprovalSubject::api_changes()).await
}

async fn usable(
    db: &impl ConnectionTrait,
    actor: Actor,
    approval_subject: &ApprovalSubject,
) -> Result<Option<approvals::Model>, RecordsError> {
    let Lookup::Holds(id) = find(db, actor, approval_subject).await? else { return Ok(None) };
    Ok(approvals::Entity::find_by_id(id.0).one(db).await?)
}

/// Marks an approval as used.
pub async fn use_up(db: &impl ConnectionTrait, approval: &approvals::Model) -> Result<(), RecordsError> {
    approvals::Entity::update_many()
        .col_expr(approvals::Column::UsedAt, Expr::value(Clock::system_now()))
        .filter(approvals::Column::Id.eq(approval.id))
        .exec(db)
        .await?;
    Ok(())
}

async fn find(
    db: &impl ConnectionTrait,
    actor: Actor,
    approval_subject: &ApprovalSubject,
) -> Result<Lookup, RecordsError> {
    let all = requests_of(approval_subject).order_by_desc(approvals::Column::Id).all(db).await?;
    let mut newest = None;
    for approval in &all {
        match flaw(db, actor, approval_subject, approval).await? {
            None => return Ok(Lookup::Holds(ApprovalId(approval.id))),
            Some(flaw) => newest = newest.or(Some(flaw)),
        }
    }
    Ok(Lookup::UnusableReason(newest.unwrap_or(UnusableReason::NotRequested)))
}

async fn flaw(
    db: &impl ConnectionTrait,
    actor: Actor,
    approval_subject: &ApprovalSubject,
    approval: &approvals::Model,
) -> Result<Option<UnusableReason>, RecordsError> {
    let starter = actor.staff.map(|staff| staff.0);
    let decision = approval.decision;
    let Some(second) = approval.decided_by.filter(|_| decision == Some(ApprovalDecision::Approved)) else {
        let waits = decision.is_none();
        return Ok(Some(match waits {
            true if approval.expires_at > Clock::system_now() => UnusableReason::Waits,
            true => UnusableReason::Expired,
            false if decision == Some(ApprovalDecision::Withdrawn) => UnusableReason::Withdrawn,
            false if decision == Some(ApprovalDecision::NotNeeded) => UnusableReason::NotNeeded,
            false => UnusableReason::Declined,
        }));
    };
    if approval.used_at.is_some() {
        return Ok(Some(UnusableReason::Used));
    }
    if approval.expires_at <= Clock::system_now() {
        return Ok(Some(UnusableReason::Expired));
    }
    if starter == Some(second) {
        return Ok(Some(UnusableReason::OfTheStarter));
    }
    if approval.asked_by == Some(second) || approval_subject.maker == Some(second) {
        return Ok(Some(UnusableReason::OfRequester));
    }
    let still = is_eligible(db, Action::Approve, UserNumber(second)).await?;
    Ok((!still).then_some(UnusableReason::NoLongerAllowed))
}
