//! The server functions of the buttons of a user's record.

use super::tab::Tab;
use crate::components::undo::go_to;
use crate::components::user_address;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::{ChargeId, LoanId, RequestId, UserNumber};
use records::{circulation, user};
use serde::{Deserialize, Serialize};

/// Identifies the user.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserRef {
    user: i64,
}

/// Identifies the loan.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoanRef {
    loan: i64,
}

/// Identifies the request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestRef {
    request: i64,
}

/// Identifies the charge.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChargeRef {
    charge: i64,
}

/// Marks a user for deletion.
#[server(prefix = "/do", endpoint = "mark_user", input = PostUrl)]
pub(super) async fn mark_user(form: UserRef) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    let undo = user::mark_for_deletion(&store(), actor(), number).await?;
    let undo = undo.ok_or_else(|| AppError::unchanged("This user was already marked for deletion"))?;
    go_to(format!("{}?done=user-marked", user_address(number)), Some(&undo))
}

/// Removes the deletion mark.
#[server(prefix = "/do", endpoint = "unmark_user", input = PostUrl)]
pub(super) async fn unmark_user(form: UserRef) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    let undo = user::unmark(&store(), actor(), number).await?;
    let undo = undo.ok_or_else(|| AppError::unchanged("This user was not marked for deletion"))?;
    go_to(format!("{}?done=user-unmarked", user_address(number)), Some(&undo))
}

/// Returns a loan.
#[server(prefix = "/do", endpoint = "return_loan", input = PostUrl)]
pub(super) async fn return_loan(form: LoanRef) -> Result<(), AppError> {
    let (number, undo) = circulation::return_loan(&store(), actor(), LoanId(form.loan)).await?;
    go_to(format!("{}&done=loan-returned", Tab::Loans.address(number)), Some(&undo))
}

/// Cancels a request.
#[server(prefix = "/do", endpoint = "cancel_request", input = PostUrl)]
pub(super) async fn cancel_request(form: RequestRef) -> Result<(), AppError> {
    let (number, undo) = circulation::cancel_request(&store(), actor(), RequestId(form.request)).await?;
    go_to(format!("{}&done=request-cancelled", Tab::Requests.address(number)), Some(&undo))
}

/// Settles a charge or a credit.
#[server(prefix = "/do", endpoint = "settle_charge", input = PostUrl)]
pub(super) async fn settle_charge(form: ChargeRef) -> Result<(), AppError> {
    let (number, undo) = circulation::settle_charge(&store(), actor(), ChargeId(form.charge)).await?;
    go_to(format!("{}&done=charge-settled", Tab::Charges.address(number)), Some(&undo))
}
