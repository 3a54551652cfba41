//! Anonymises a member of staff: ends sign-in and roles, requires an approval, and calls the same anonymiser.

use super::single::{SingleOrder, execute_one, grounds_of, task_as_shown};
use db::RecordsError;
use db::entity::{user_roles, users};
use identity::session;
use policy::{Action, Counted, Roles, RunId, UserNumber};
use safeguards::approval::{self, ApprovalSubject};
use safeguards::{limits, protection};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use trail::audit::{self, AuditAction, Subject};
use trail::roles::roles_of;
use trail::{Actor, Store, person};

/// Why an approval is needed.
pub(crate) const STAFF_APPROVAL_REASON: &str = "A second person must approve anonymising a member of staff";

/// Anonymises a member of staff, as the order says.
///
/// Always requires an approval, regardless of the four eyes setting. Returns the run, or `None` if the user is already anonymised.
pub async fn anonymise_staff(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    order: &SingleOrder<'_>,
) -> Result<Option<RunId>, RecordsError> {
    let done = within_limits(store, actor, number, order).await;
    limits::record_limit(store, actor, done).await
}

async fn within_limits(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    order: &SingleOrder<'_>,
) -> Result<Option<RunId>, RecordsError> {
    actor.require(Action::ManageStaff)?;
    actor.require(Action::AnonymiseOne)?;
    let tx = store.begin().await?;
    let user = person::lock(&tx, number).await?;
    let grounds = grounds_of(&tx, number, &[number], order).await?;
    if user.anonymised_on.is_some() {
        return Ok(None);
    }
    let roles = may_anonymise_staff(&tx, actor, number).await?;
    let task = task_as_shown(&tx, order.shown).await?;
    limits::claim(&tx, store, actor, Counted::Anonymised, number).await?;
    let approval_subject = ApprovalSubject::staff_anonymising_of(number, roles);
    let approval = approval::consume(&tx, actor, &approval_subject, STAFF_APPROVAL_REASON).await?;
    approval::observe(&tx, store).await?;
    user_roles::Entity::delete_many().filter(user_roles::Column::UserNumber.eq(number.0)).exec(&tx).await?;
    session::forget(&tx, number).await?;
    let subject = Subject::User(number.0);
    for role in roles.iter() {
        audit::record_event(&tx, &store.clock, actor, AuditAction::RoleRevoked, subject, None, role.code())
            .await?;
    }
    let detail = format!("approval={approval}");
    audit::record_event(&tx, &store.clock, actor, AuditAction::StaffDisabled, subject, None, &detail).await?;
    execute_one(tx, store, actor, &user, (&task, Some(approval)), &grounds).await.map(Some)
}

/// Returns the roles of a member of staff that this actor may request to anonymise.
///
/// Returns an error for a user without a role, a fictitious user, the actor, and the last member of staff who may
/// manage staff.
pub(crate) async fn may_anonymise_staff(
    db: &impl ConnectionTrait,
    actor: Actor,
    number: UserNumber,
) -> Result<Roles, RecordsError> {
    let user = users::Entity::find_by_id(number.0).one(db).await?.ok_or(RecordsError::NotFound("user"))?;
    if user.anonymised_on.is_some() {
        return Err(person::anonymised(number));
    }
    let roles = roles_of(db, number).await?;
    let why = if user.fictitious {
        "A fictitious user is not a person"
    } else if roles.is_empty() && !protection::was_staff(db, number).await? {
        "This user has no role: use “Anonymise user” on the record"
    } else if actor.staff == Some(number) {
        "Another administrator must anonymise your record"
    } else if approval::count_other_eligible(db, Action::ManageStaff, number).await? == 0 {
        "This is the last administrator. Give the role to another member of staff first"
    } else {
        return Ok(roles);
    };
    Err(RecordsError::Refused(format!("Nothing was changed. {why}")))
}
