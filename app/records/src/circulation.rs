//! Loans, requests, charges and messages of users. They are kept when a user is anonymised.

mod close;
mod read;

pub use close::{CANCELLED, cancel_request, return_loan, settle_charge};
pub use read::{Charge, Loan, Loans, Message, Request, charges, loans, messages, requests};
