//! Closing open items: returning a loan, cancelling a request, settling a charge. Each can be undone for a while.
//!
//! None of these is activity (rule 4), because clearing a blocker would otherwise extend retention by years.

use db::RecordsError;
use db::entity::{charges, loans, requests};
use policy::{Action, ChargeId, LoanId, RequestId, UserNumber};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::person::lock;
use trail::undoable::Change;
use trail::{Actor, Store, Undo};

/// The status of a cancelled request.
pub const CANCELLED: &str = "cancelled";

/// Returns a loan, even of an anonymised user. Returns the borrower.
pub async fn return_loan(
    store: &Store,
    actor: Actor,
    id: LoanId,
) -> Result<(UserNumber, Undo), RecordsError> {
    actor.require(Action::EditUsers)?;
    let tx = store.begin().await?;
    let find = || loans::Entity::find_by_id(id.0);
    let number = find().one(&tx).await?.ok_or(RecordsError::NotFound("loan"))?.user_number;
    let user = lock(&tx, UserNumber(number)).await?;
    let loan = find().one(&tx).await?.ok_or(RecordsError::NotFound("loan"))?;
    if loan.returned_on.is_some() {
        return Err(closed("This loan has already been returned"));
    }
    let today = store.clock.today();
    loans::ActiveModel { id: Set(id.0), returned_on: Set(Some(today)), ..Default::default() }
        .update(&tx)
        .await?;
    let event = record(&tx, store, actor, AuditAction::LoanReturned, number, &format!("loan={id}")).await?;
    store.commit(tx).await?;
    let change = Change::LoanReturned { loan: id.0, on: today, was_anonymised: user.anonymised_on.is_some() };
    Ok((UserNumber(number), Undo::new(actor, change, event)))
}

/// Cancels an open request. Returns the requester.
pub async fn cancel_request(
    store: &Store,
    actor: Actor,
    id: RequestId,
) -> Result<(UserNumber, Undo), RecordsError> {
    actor.require(Action::EditUsers)?;
    let tx = store.begin().await?;
    let find = || requests::Entity::find_by_id(id.0);
    let number = find().one(&tx).await?.ok_or(RecordsError::NotFound("request"))?.user_number;
    let user = lock(&tx, UserNumber(number)).await?;
    let request = find().one(&tx).await?.ok_or(RecordsError::NotFound("request"))?;
    if request.closed_on.is_some() {
        return Err(closed("This request is already closed"));
    }
    let today = store.clock.today();
    requests::ActiveModel {
        id: Set(id.0),
        status: Set(CANCELLED.to_owned()),
        closed_on: Set(Some(today)),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let event =
        record(&tx, store, actor, AuditAction::RequestCancelled, number, &format!("request={id}")).await?;
    store.commit(tx).await?;
    let was_anonymised = user.anonymised_on.is_some();
    let change =
        Change::RequestCancelled { request: id.0, on: today, status: request.status, was_anonymised };
    Ok((UserNumber(number), Undo::new(actor, change, event)))
}

/// Settles a charge or a credit. Returns the debtor.
pub async fn settle_charge(
    store: &Store,
    actor: Actor,
    id: ChargeId,
) -> Result<(UserNumber, Undo), RecordsError> {
    actor.require(Action::EditUsers)?;
    let tx = store.begin().await?;
    let find = || charges::Entity::find_by_id(id.0);
    let number = find().one(&tx).await?.ok_or(RecordsError::NotFound("charge"))?.user_number;
    let user = lock(&tx, UserNumber(number)).await?;
    let charge = find().one(&tx).await?.ok_or(RecordsError::NotFound("charge"))?;
    if charge.settled_on.is_some() {
        return Err(closed("This charge has already been settled"));
    }
    let today = store.clock.today();
    charges::ActiveModel { id: Set(id.0), settled_on: Set(Some(today)), ..Default::default() }
        .update(&tx)
        .await?;
    let event =
        record(&tx, store, actor, AuditAction::ChargeSettled, number, &format!("charge={id}")).await?;
    store.commit(tx).await?;
    let was_anonymised = user.anonymised_on.is_some();
    let settled = Change::ChargeSettled { charge: id.0, on: today, was_anonymised };
    Ok((UserNumber(number), Undo::new(actor, settled, event)))
}

fn closed(why: &str) -> RecordsError {
    RecordsError::Refused(format!("{why}. Nothing was changed"))
}

async fn record(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    action: AuditAction,
    user: i64,
    detail: &str,
) -> Result<i64, RecordsError> {
    Ok(audit::note_event(tx, &store.clock, actor, action, Subject::User(user), None, detail).await?)
}
