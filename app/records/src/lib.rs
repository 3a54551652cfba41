//! The library's records: users, their accounts, loans and requests, the catalogue and reports.
//!
//! Database rows never leave this crate: each read function returns a type made for its caller.

pub mod access_request;
pub mod accounts;
pub mod catalogue;
pub mod circulation;
pub mod custom_field;
pub mod report;
pub mod saved_search;
pub mod user;
