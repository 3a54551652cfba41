//! Requesting and giving approval. What a request is about decides which check runs and what an approval does.

use crate::run;
use db::RecordsError;
use db::entity::approvals;
use policy::form::Problem;
use policy::numbers::grouped;
use policy::{Action, ApprovalId, ApprovalReason, Channel, LegalHoldId, RunId, UserNumber};
use safeguards::approval::{
    About, ApprovalKind, ApprovalSubject, agree, changed, of_run, read, record_event, request_in_own_tx,
    request_within, row, waiting, why_not_yet,
};
use safeguards::{legal_hold, limits, suppression};
use trail::audit::{AuditAction, Subject};
use trail::roles::roles_of;
use trail::{Actor, Store};

/// Returns why the run of a preview needs a second person. None if it needs none.
pub async fn needed_for(store: &Store, preview: RunId) -> Result<Option<ApprovalReason>, RecordsError> {
    run::why_two_of(store, preview).await
}

/// Returns why this actor cannot start the run of a preview yet, if only an approval is missing. None if a second
/// person has approved or none is needed.
pub async fn missing_for(
    store: &Store,
    actor: Actor,
    preview: RunId,
) -> Result<Option<String>, RecordsError> {
    let Some(why) = needed_for(store, preview).await? else { return Ok(None) };
    let preview = run::preview_row(&store.db, preview).await?;
    why_not_yet(store, actor, &ApprovalSubject::run_of(&preview)?, &of_run(store, why)).await
}

/// Returns why this actor cannot anonymise a member of staff yet. None if a second person has approved.
pub async fn missing_for_staff(
    store: &Store,
    actor: Actor,
    number: UserNumber,
) -> Result<Option<String>, RecordsError> {
    let roles = roles_of(&store.db, number).await?;
    why_not_yet(
        store,
        actor,
        &ApprovalSubject::staff_anonymising_of(number, roles),
        run::STAFF_APPROVAL_REASON,
    )
    .await
}

/// Requests approval for the run of a preview. Returns the waiting request if there is one.
pub async fn request(store: &Store, actor: Actor, preview: RunId) -> Result<ApprovalId, RecordsError> {
    actor.require(Action::Preview)?;
    let tx = store.begin().await?;
    run::lock_preview(&tx, preview).await?;
    let preview = run::usable_preview(&tx, store, preview).await?;
    if run::approval_reason(&tx, store, &preview).await?.is_none() {
        return Err(not_needed());
    }
    let asked = request_within(&tx, store, actor, &ApprovalSubject::run_of(&preview)?).await?;
    if asked.is_new {
        let subject = Subject::Task(preview.task_id.unwrap_or_default());
        record_event(
            &tx,
            store,
            actor,
            AuditAction::ApprovalRequested,
            subject,
            Some(RunId(preview.id)),
            asked.id,
        )
        .await?;
    }
    store.commit(tx).await?;
    Ok(asked.id)
}

/// Requests approval to apply the current rules to users anonymised under older ones.
pub async fn request_reapply(store: &Store, actor: Actor) -> Result<ApprovalId, RecordsError> {
    actor.require(Action::Run)?;
    let tx = store.begin().await?;
    let reapply = run::reapply_subject(&tx, store).await?.ok_or_else(not_needed)?;
    let asked = request_within(&tx, store, actor, &reapply).await?;
    if asked.is_new {
        record_event(&tx, store, actor, AuditAction::ApprovalRequested, Subject::Library, None, asked.id)
            .await?;
    }
    store.commit(tx).await?;
    Ok(asked.id)
}

/// Requests approval for more manual changes by this actor, who has reached a safety limit.
pub async fn request_more_changes(store: &Store, actor: Actor) -> Result<ApprovalId, RecordsError> {
    actor.require_permission_to_see(Action::EditUsers)?;
    if limits::reached(store, actor).await?.is_empty() {
        return Err(RecordsError::Refused(
            "No safety limit has been reached, so manual changes need no approval".to_owned(),
        ));
    }
    request_in_own_tx(store, actor, ApprovalSubject::over_limit_changes_by(actor), Subject::Library).await
}

/// Requests approval to anonymise a member of staff.
pub async fn request_staff_anonymising(
    store: &Store,
    actor: Actor,
    number: UserNumber,
) -> Result<ApprovalId, RecordsError> {
    actor.require_permission_to_see(Action::ManageStaff)?;
    let roles = run::may_anonymise_staff(&store.db, actor, number).await?;
    request_in_own_tx(
        store,
        actor,
        ApprovalSubject::staff_anonymising_of(number, roles),
        Subject::User(number.0),
    )
    .await
}

/// Approves the request of another member of staff. Releases a legal hold at once; a run must then be started by a
/// person other than the approver.
pub async fn approve(store: &Store, actor: Actor, id: ApprovalId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let request = waiting(&tx, id).await?;
    match request.kind {
        ApprovalKind::LegalHoldRelease => {
            let hold = LegalHoldId(request.legal_hold_id.unwrap_or_default());
            legal_hold::release_within(&tx, store, actor, hold).await?;
            // If several requests for one legal hold are open, the decided one must be this one.
            let request = row(&tx, id).await?;
            if request.decision.is_none() {
                return Err(changed());
            }
        }
        ApprovalKind::SuppressionKey => {
            suppression::destroy::destroy_within(&tx, store, actor).await?;
            // If several requests are open, the decided one must be this one.
            let request = row(&tx, id).await?;
            if request.decision.is_none() {
                return Err(changed());
            }
        }
        ApprovalKind::Run => {
            actor.require(Action::Approve)?;
            let preview = run::usable_preview(&tx, store, preview_of(&request)).await?;
            let approval_subject = ApprovalSubject::run_of(&preview)?;
            agree(&tx, actor, &approval_subject, &request, None).await?;
            let subject = Subject::Task(preview.task_id.unwrap_or_default());
            record_event(&tx, store, actor, AuditAction::ApprovalGiven, subject, Some(RunId(preview.id)), id)
                .await?;
        }
        ApprovalKind::Reapply => {
            actor.require(Action::Approve)?;
            let approval_subject = run::reapply_subject(&tx, store).await?.ok_or_else(changed)?;
            agree(&tx, actor, &approval_subject, &request, None).await?;
            record_event(&tx, store, actor, AuditAction::ApprovalGiven, Subject::Library, None, id).await?;
        }
        ApprovalKind::MoreChanges => {
            actor.require(Action::Approve)?;
            let approval_subject = ApprovalSubject::over_limit_changes_by(asker(&request));
            agree(&tx, actor, &approval_subject, &request, None).await?;
            record_event(&tx, store, actor, AuditAction::ApprovalGiven, Subject::Library, None, id).await?;
        }
        ApprovalKind::ApiChanges => {
            actor.require(Action::Approve)?;
            agree(&tx, actor, &ApprovalSubject::api_changes(), &request, None).await?;
            record_event(&tx, store, actor, AuditAction::ApprovalGiven, Subject::Library, None, id).await?;
        }
        ApprovalKind::Import => {
            actor.require(Action::Approve)?;
            let number = (request.users.unwrap_or_default(), request.counted_by);
            let approval_subject = ApprovalSubject::import_of(request.fingerprint.clone(), number);
            agree(&tx, actor, &approval_subject, &request, None).await?;
            record_event(&tx, store, actor, AuditAction::ApprovalGiven, Subject::Library, None, id).await?;
        }
        ApprovalKind::StaffAnonymising => {
            actor.require(Action::Approve)?;
            let number = UserNumber(request.user_number.unwrap_or_default());
            let roles = roles_of(&tx, number).await?;
            agree(&tx, actor, &ApprovalSubject::staff_anonymising_of(number, roles), &request, None).await?;
            record_event(&tx, store, actor, AuditAction::ApprovalGiven, Subject::User(number.0), None, id)
                .await?;
        }
    }
    store.commit(tx).await?;
    Ok(())
}

/// Approves like [`approve`], but first compares the number of users that the approver typed with the request.
pub async fn approve_confirmed(
    store: &Store,
    actor: Actor,
    id: ApprovalId,
    typed: &str,
) -> Result<(), RecordsError> {
    // An exclusion can change the number meanwhile. It changes the fingerprint of the preview too, and then `approve`
    // rejects the request. The number of a file cannot change.
    if let About::Run { people: users, .. } | About::Import { users, .. } = read(store, id).await?.about
        && run::typed_number(typed) != Some(users)
    {
        let expected = grouped(users);
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    approve(store, actor, id).await
}

fn not_needed() -> RecordsError {
    RecordsError::Refused("This needs no second person. You can start it now".to_owned())
}

/// Returns the requester as an actor, which only identifies the subject.
fn asker(request: &approvals::Model) -> Actor {
    request
        .asked_by
        .map_or(Actor::COMMAND_LINE, |staff| Actor::unprivileged(Some(UserNumber(staff)), Channel::Web))
}

fn preview_of(request: &approvals::Model) -> RunId {
    RunId(request.preview_id.unwrap_or_default())
}
