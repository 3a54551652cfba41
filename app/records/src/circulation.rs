//! What hangs on a user: loans, requests, charges, messages. It outlives the person.

mod close;
mod read;

pub(crate) use close::CANCELLED;
pub use close::{cancel_request, return_loan, settle_charge};
pub use read::{Charge, Loan, Loans, Message, Request, charges, loans, messages, requests};
