//! What hangs on a user: loans, requests, charges, messages, legal holds. It outlives the person.

mod close;
mod read;

pub use close::{cancel_request, return_loan, settle_charge};
pub use read::{
    Charge, LegalHold, Loan, Loans, Message, Request, charges, legal_holds, loans, messages, requests,
};
