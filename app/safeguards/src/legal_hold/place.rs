//! Placing a legal hold, and setting its next review.

use super::{lock, record};
use db::RecordsError;
use db::dialect;
use db::entity::{legal_holds, user_roles};
use policy::form::Problem;
use policy::legal_hold::{LegalHoldForm, review_date, validate};
use policy::{Action, LegalHoldId, LegalHoldTarget, TermKind, UserNumber};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use trail::audit::AuditAction;
use trail::person;
use trail::terms::{self, Spelling};
use trail::{Actor, Store};

/// Places a legal hold. From then on none of its users is anonymised, not even by an active run.
pub async fn place(store: &Store, actor: Actor, form: &LegalHoldForm) -> Result<LegalHoldId, RecordsError> {
    actor.require(Action::PlaceLegalHolds)?;
    let today = store.clock.today();
    let draft = validate(form, today).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let (user, category) = match draft.on {
        LegalHoldTarget::User(number) => {
            if person::lock(&tx, number).await?.anonymised_on.is_some() {
                return Err(person::anonymised(number));
            }
            (Some(number.0), None)
        }
        LegalHoldTarget::Category(code) => {
            let code = known_category(&tx, &code).await?;
            dialect::lock_category_holds_exclusive(&tx).await?;
            (None, Some(code))
        }
    };
    let hold = legal_holds::ActiveModel {
        user_number: Set(user),
        category: Set(category),
        reason: Set(draft.reason),
        owner_number: Set(Some(owner(&tx, actor, draft.owner).await?.0)),
        placed_by: Set(actor.staff.map(|staff| staff.0)),
        placed_on: Set(today),
        review_on: Set(draft.review_on),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    record(&tx, store, actor, AuditAction::LegalHoldPlaced, &hold, "").await?;
    store.commit(tx).await?;
    Ok(LegalHoldId(hold.id))
}

/// Records that a legal hold was reviewed and stays in force. Sets the next review date.
pub async fn review(
    store: &Store,
    actor: Actor,
    id: LegalHoldId,
    review_on: &str,
) -> Result<(), RecordsError> {
    actor.require(Action::PlaceLegalHolds)?;
    let next = review_date(review_on, store.clock.today())
        .map_err(|problem| RecordsError::field("review_on", problem))?;
    let tx = store.begin().await?;
    let hold = lock(&tx, id).await?;
    legal_holds::ActiveModel { id: Set(hold.id), review_on: Set(next), ..Default::default() }
        .update(&tx)
        .await?;
    record(&tx, store, actor, AuditAction::LegalHoldReviewed, &hold, ",review_on").await?;
    store.commit(tx).await?;
    Ok(())
}

/// Returns the owner of the legal hold: the named member of staff, or the actor.
async fn owner(
    tx: &DatabaseTransaction,
    actor: Actor,
    named: Option<UserNumber>,
) -> Result<UserNumber, RecordsError> {
    let Some(owner) = named.or(actor.staff) else {
        let problem = Problem::required("the user number of the owner");
        return Err(RecordsError::field("owner", problem));
    };
    let staff = user_roles::Entity::find().filter(user_roles::Column::UserNumber.eq(owner.0)).one(tx).await?;
    let known = staff.is_some() || named.is_none();
    if known { Ok(owner) } else { Err(RecordsError::field("owner", Problem::NotStaff)) }
}

/// Returns how the library spells a category. Rejects one that is neither defined by the library nor used by a user.
async fn known_category(tx: &DatabaseTransaction, code: &str) -> Result<String, RecordsError> {
    if let Spelling::Known(code) = terms::spelling(tx, TermKind::Category, code).await? {
        return Ok(code);
    }
    let used = terms::used(tx, TermKind::Category, code).await?;
    used.ok_or_else(|| RecordsError::field("category", Problem::UnknownChoice))
}
