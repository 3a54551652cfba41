//! The second person decides.

use super::ask::{note, requests_of};
use super::matter::{Decision, Kind, Matter};
use super::read::{About, read};
use super::who::could;
use crate::actor::{Actor, Channel};
use crate::audit::{Deed, Subject};
use crate::clock::Clock;
use crate::entity::approvals;
use crate::error::RecordsError;
use crate::staff::roles_of;
use crate::store::Store;
use crate::{hold, run};
use chrono::{DateTime, Utc};
use policy::form::Problem;
use policy::four_eyes::NEW_APPROVER_HOURS;
use policy::numbers::grouped;
use policy::{Action, ApprovalId, HoldId, RunId, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

/// Approves what somebody else has asked for. The release of a legal hold is carried out at once; a run is then to be
/// started, by neither the one who approves.
pub async fn approve(store: &Store, actor: Actor, id: ApprovalId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let (request, kind) = waiting(&tx, id).await?;
    match kind {
        Kind::HoldRelease => {
            let hold = HoldId(request.hold_id.unwrap_or_default());
            hold::release_within(&tx, store, actor, hold).await?;
            // Of several requests for one hold the right one is the one that was decided.
            let request = row(&tx, id).await?;
            if request.decision.is_none() {
                return Err(changed());
            }
        }
        Kind::Run => {
            actor.must(Action::Approve)?;
            let preview = run::usable_preview(&tx, store, preview_of(&request)).await?;
            let matter = Matter::run_of(&preview)?;
            agree(&tx, actor, &matter, &request, None).await?;
            let subject = Subject::Task(preview.task_id.unwrap_or_default());
            note(&tx, store, actor, Deed::ApprovalGiven, subject, Some(RunId(preview.id)), id).await?;
        }
        Kind::Reapply => {
            actor.must(Action::Approve)?;
            let matter = run::reapply_matter(&tx, store).await?.ok_or_else(changed)?;
            agree(&tx, actor, &matter, &request, None).await?;
            note(&tx, store, actor, Deed::ApprovalGiven, Subject::Library, None, id).await?;
        }
        Kind::MoreChanges => {
            actor.must(Action::Approve)?;
            let matter = Matter::more_changes_of(asker(&request));
            agree(&tx, actor, &matter, &request, None).await?;
            note(&tx, store, actor, Deed::ApprovalGiven, Subject::Library, None, id).await?;
        }
        Kind::Import => {
            actor.must(Action::Approve)?;
            let users = request.users.unwrap_or_default();
            let matter = Matter::import_of(request.fingerprint.clone(), users);
            agree(&tx, actor, &matter, &request, None).await?;
            note(&tx, store, actor, Deed::ApprovalGiven, Subject::Library, None, id).await?;
        }
        Kind::StaffAnonymising => {
            actor.must(Action::Approve)?;
            let number = UserNumber(request.user_number.unwrap_or_default());
            let roles = roles_of(&tx, number).await?;
            agree(&tx, actor, &Matter::staff_anonymising_of(number, roles), &request, None).await?;
            note(&tx, store, actor, Deed::ApprovalGiven, Subject::User(number.0), None, id).await?;
        }
    }
    store.commit(tx).await?;
    Ok(())
}

/// Approves like [`approve`], after the number of users of a run or an import was typed to confirm.
pub async fn approve_confirmed(
    store: &Store,
    actor: Actor,
    id: ApprovalId,
    typed: &str,
) -> Result<(), RecordsError> {
    // A request is for one preview or one file, whose users do not change.
    if let About::Run { people: users, .. } | About::Import { users, .. } = read(store, id).await?.about
        && run::typed_number(typed) != Some(users)
    {
        let expected = grouped(users);
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    approve(store, actor, id).await
}

/// Declines the request of another member of staff. One's own request is withdrawn instead, and noted as that.
pub async fn decline(store: &Store, actor: Actor, id: ApprovalId) -> Result<Decision, RecordsError> {
    let tx = store.begin().await?;
    let (request, kind) = waiting(&tx, id).await?;
    let decision = if is_own(actor, &request) {
        Decision::Withdrawn
    } else {
        actor.must(needs(kind))?;
        Decision::Declined
    };
    close(tx, store, actor, &request, kind, decision).await
}

/// Withdraws a request that this actor made. The command line withdraws what was asked for on the command line.
pub async fn withdraw(store: &Store, actor: Actor, id: ApprovalId) -> Result<Decision, RecordsError> {
    let tx = store.begin().await?;
    let (request, kind) = waiting(&tx, id).await?;
    if !is_own(actor, &request) {
        return Err(RecordsError::Refused(
            "This request was made by another member of staff or another way: only the one who asked can withdraw it"
                .to_owned(),
        ));
    }
    close(tx, store, actor, &request, kind, Decision::Withdrawn).await
}

/// Whether the actor made the request. Requests without a member of staff are of the command line.
fn is_own(actor: Actor, request: &approvals::Model) -> bool {
    match actor.staff {
        Some(staff) => request.asked_by == Some(staff.0),
        None => request.asked_by.is_none() && actor.channel == Channel::CommandLine,
    }
}

/// Closes a request without approval, and notes which way.
async fn close(
    tx: DatabaseTransaction,
    store: &Store,
    actor: Actor,
    request: &approvals::Model,
    kind: Kind,
    decision: Decision,
) -> Result<Decision, RecordsError> {
    decide(&tx, actor, request, decision, None).await?;
    let subject = match (kind, request.hold_id) {
        (Kind::HoldRelease, Some(hold)) => Subject::LegalHold(hold),
        (Kind::StaffAnonymising, _) => request.user_number.map_or(Subject::Library, Subject::User),
        _ => Subject::Library,
    };
    let deed = match decision {
        Decision::Withdrawn => Deed::ApprovalWithdrawn,
        Decision::NotNeeded => Deed::ApprovalNotNeeded,
        Decision::Approved | Decision::Declined => Deed::ApprovalDeclined,
    };
    note(&tx, store, actor, deed, subject, request.preview_id.map(RunId), ApprovalId(request.id)).await?;
    store.commit(tx).await?;
    Ok(decision)
}

/// Agrees to what somebody else has asked for and uses the approval in the same transaction. Gives the request.
pub(crate) async fn agree_within(
    tx: &DatabaseTransaction,
    actor: Actor,
    matter: &Matter,
) -> Result<ApprovalId, RecordsError> {
    let waiting = requests_of(matter)
        .filter(approvals::Column::Decision.is_null())
        .filter(approvals::Column::ExpiresAt.gt(Clock::real()))
        .order_by_asc(approvals::Column::Id)
        .one(tx)
        .await?;
    let request = waiting.ok_or_else(|| {
        RecordsError::Refused(
            "Two people are needed to release a legal hold: one asks for the release, another one releases it. Ask \
             for the release first"
                .to_owned(),
        )
    })?;
    agree(tx, actor, matter, &request, Some(Clock::real())).await?;
    Ok(ApprovalId(request.id))
}

/// Notes that a second person agrees, unless that is no second person, or it is not what was asked for.
async fn agree(
    tx: &DatabaseTransaction,
    actor: Actor,
    matter: &Matter,
    request: &approvals::Model,
    used_at: Option<DateTime<Utc>>,
) -> Result<(), RecordsError> {
    let second = second_person(actor)?;
    if request.fingerprint != matter.fingerprint {
        return Err(changed());
    }
    if request.asked_by == Some(second.0) || matter.maker == Some(second.0) {
        return Err(RecordsError::Refused(
            "You asked for this, or made what is to be approved: somebody else has to approve it".to_owned(),
        ));
    }
    if !could(tx, needs(matter.kind), second).await? {
        return Err(RecordsError::Refused(format!(
            "Your role is newer than {NEW_APPROVER_HOURS} hours: until then somebody else has to approve it"
        )));
    }
    decide(tx, actor, request, Decision::Approved, used_at).await
}

/// What the second person must be allowed.
const fn needs(kind: Kind) -> Action {
    match kind {
        Kind::HoldRelease => Action::ReleaseHolds,
        Kind::Run | Kind::Reapply | Kind::MoreChanges | Kind::StaffAnonymising | Kind::Import => {
            Action::Approve
        }
    }
}

/// A member of staff who signed in. Whoever has the command line may be anybody.
fn second_person(actor: Actor) -> Result<UserNumber, RecordsError> {
    actor.staff.ok_or_else(|| {
        RecordsError::Refused(
            "The command line cannot approve anything: a member of staff has to do that, signed in at the desk"
                .to_owned(),
        )
    })
}

/// Writes the decision, unless somebody else has decided in between.
async fn decide(
    tx: &DatabaseTransaction,
    actor: Actor,
    request: &approvals::Model,
    decision: Decision,
    used_at: Option<DateTime<Utc>>,
) -> Result<(), RecordsError> {
    let written = approvals::Entity::update_many()
        .col_expr(approvals::Column::Decision, Expr::value(decision.code()))
        .col_expr(approvals::Column::DecidedBy, Expr::value(actor.staff.map(|staff| staff.0)))
        .col_expr(approvals::Column::DecidedAt, Expr::value(Clock::real()))
        .col_expr(approvals::Column::UsedAt, Expr::value(used_at))
        .filter(approvals::Column::Id.eq(request.id))
        .filter(approvals::Column::Decision.is_null())
        .exec(tx)
        .await?;
    if written.rows_affected == 1 { Ok(()) } else { Err(decided()) }
}

async fn row(tx: &DatabaseTransaction, id: ApprovalId) -> Result<approvals::Model, RecordsError> {
    approvals::Entity::find_by_id(id.0).one(tx).await?.ok_or(RecordsError::NotFound("request for approval"))
}

/// A request that waits for a decision and has not expired.
async fn waiting(tx: &DatabaseTransaction, id: ApprovalId) -> Result<(approvals::Model, Kind), RecordsError> {
    let request = row(tx, id).await?;
    if request.decision.is_some() {
        return Err(decided());
    }
    if request.expires_at <= Clock::real() {
        return Err(RecordsError::Refused(
            "This request has expired. It has to be asked for again".to_owned(),
        ));
    }
    let kind = Kind::from_code(&request.kind).ok_or(RecordsError::Corrupt("kind of the approval"))?;
    Ok((request, kind))
}

/// Whoever asked, as far as a matter names them.
fn asker(request: &approvals::Model) -> Actor {
    request.asked_by.map_or(Actor::COMMAND_LINE, |staff| Actor::noted(Some(UserNumber(staff)), Channel::Desk))
}

fn preview_of(request: &approvals::Model) -> RunId {
    RunId(request.preview_id.unwrap_or_default())
}

fn decided() -> RecordsError {
    RecordsError::Refused("This request was decided before".to_owned())
}

fn changed() -> RecordsError {
    RecordsError::Refused("What was asked for has changed since. It has to be asked for again".to_owned())
}
