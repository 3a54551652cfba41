//! Using an approval: where what it allows begins, inside the same transaction.

use super::ask::requests_of;
use super::matter::{Decision, Matter};
use super::who::could;
use crate::actor::Actor;
use crate::clock::Clock;
use crate::entity::approvals;
use crate::error::RecordsError;
use crate::store::Store;
use policy::{Action, ApprovalId, UserNumber, WhyTwo};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

/// Uses up an approval of this by a second person. Refuses when there is none that holds now.
pub(crate) async fn spend(
    tx: &DatabaseTransaction,
    actor: Actor,
    matter: &Matter,
    why: &str,
) -> Result<ApprovalId, RecordsError> {
    let approval = match find(tx, actor, matter).await? {
        Found::Holds(approval) => approval,
        Found::Flaw(flaw) => return Err(RecordsError::Refused(in_words(why, flaw))),
    };
    let used = approvals::Entity::update_many()
        .col_expr(approvals::Column::UsedAt, Expr::value(Clock::real()))
        .filter(approvals::Column::Id.eq(approval.0))
        .filter(approvals::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    // Another process was quicker.
    if used.rows_affected != 1 {
        return Err(RecordsError::Refused(in_words(why, Flaw::Used)));
    }
    Ok(approval)
}

/// Why there is no approval yet that this actor could use, in words.
pub(crate) async fn why_not_yet(
    store: &Store,
    actor: Actor,
    matter: &Matter,
    why: &str,
) -> Result<Option<String>, RecordsError> {
    Ok(match find(&store.db, actor, matter).await? {
        Found::Holds(_) => None,
        Found::Flaw(flaw) => Some(in_words(why, flaw)),
    })
}

enum Found {
    /// This one can be used.
    Holds(ApprovalId),
    /// None can; this is what is wrong with the newest.
    Flaw(Flaw),
}

/// Why an approval cannot be used.
#[derive(Clone, Copy)]
enum Flaw {
    NotAsked,
    Waits,
    Declined,
    Withdrawn,
    NotNeeded,
    Used,
    Expired,
    OfTheStarter,
    OfWhoAsked,
    NoLongerAllowed,
}

impl Flaw {
    const fn words(self) -> &'static str {
        match self {
            Self::NotAsked => "Ask for approval",
            Self::Waits => "It was asked for, and nobody has approved yet",
            Self::Declined => "It was asked for, and not approved",
            Self::Withdrawn => "The request was withdrawn. Ask again",
            Self::NotNeeded => "The request was closed, because no second person was needed. Ask again",
            Self::Used => "The approval was used before. Ask again",
            Self::Expired => "The approval has expired. Ask again",
            Self::OfTheStarter => "You have approved it yourself: somebody else has to start it",
            Self::OfWhoAsked => "Whoever approved it also asked for it or made the preview",
            Self::NoLongerAllowed => "Whoever approved it may no longer approve. Ask again",
        }
    }
}

/// Why a run needs a second person, as a sentence without its end.
pub(crate) fn of_run(store: &Store, why: WhyTwo) -> String {
    format!("A second person has to approve this run, because {}", why.words(store.settings.brakes))
}

fn in_words(why: &str, flaw: Flaw) -> String {
    format!("{why}. {}", flaw.words())
}

/// The approval of more manual changes that this actor can use now.
pub(crate) async fn more_changes(
    db: &impl ConnectionTrait,
    actor: Actor,
) -> Result<Option<approvals::Model>, RecordsError> {
    let Found::Holds(id) = find(db, actor, &Matter::more_changes_of(actor)).await? else { return Ok(None) };
    Ok(approvals::Entity::find_by_id(id.0).one(db).await?)
}

/// Notes that an approval allows nothing more.
pub(crate) async fn use_up(
    db: &impl ConnectionTrait,
    approval: &approvals::Model,
) -> Result<(), RecordsError> {
    approvals::Entity::update_many()
        .col_expr(approvals::Column::UsedAt, Expr::value(Clock::real()))
        .filter(approvals::Column::Id.eq(approval.id))
        .exec(db)
        .await?;
    Ok(())
}

async fn find(db: &impl ConnectionTrait, actor: Actor, matter: &Matter) -> Result<Found, RecordsError> {
    let all = requests_of(matter).order_by_desc(approvals::Column::Id).all(db).await?;
    let mut newest = None;
    for approval in &all {
        match flaw(db, actor, matter, approval).await? {
            None => return Ok(Found::Holds(ApprovalId(approval.id))),
            Some(flaw) => newest = newest.or(Some(flaw)),
        }
    }
    Ok(Found::Flaw(newest.unwrap_or(Flaw::NotAsked)))
}

async fn flaw(
    db: &impl ConnectionTrait,
    actor: Actor,
    matter: &Matter,
    approval: &approvals::Model,
) -> Result<Option<Flaw>, RecordsError> {
    let starter = actor.staff.map(|staff| staff.0);
    let decision = approval.decision.as_deref().and_then(Decision::from_code);
    let Some(second) = approval.decided_by.filter(|_| decision == Some(Decision::Approved)) else {
        let waits = approval.decision.is_none();
        return Ok(Some(match waits {
            true if approval.expires_at > Clock::real() => Flaw::Waits,
            true => Flaw::Expired,
            false if decision == Some(Decision::Withdrawn) => Flaw::Withdrawn,
            false if decision == Some(Decision::NotNeeded) => Flaw::NotNeeded,
            false => Flaw::Declined,
        }));
    };
    if approval.used_at.is_some() {
        return Ok(Some(Flaw::Used));
    }
    if approval.expires_at <= Clock::real() {
        return Ok(Some(Flaw::Expired));
    }
    if starter == Some(second) {
        return Ok(Some(Flaw::OfTheStarter));
    }
    if approval.asked_by == Some(second) || matter.maker == Some(second) {
        return Ok(Some(Flaw::OfWhoAsked));
    }
    let still = could(db, Action::Approve, UserNumber(second)).await?;
    Ok((!still).then_some(Flaw::NoLongerAllowed))
}
