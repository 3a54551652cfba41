//! The server side of Lethe: entities, queries, anonymising, runs, imports and reports. Native only.
//!
//! Functions that read or write take the [`Store`]. Functions that write also take the [`Actor`] and record an
//! audit event. Database rows never leave this crate: each read function returns a type made for its caller.

// Lets the unit tests use the helpers of the integration tests, which name the crate `records`.
#[cfg(test)]
extern crate self as records;

pub mod actor;
pub mod anonymise;
pub mod approval;
pub mod audit;
pub mod backup;
mod bulk_insert;
pub mod catalogue;
pub mod certificate;
mod checksum;
pub mod circulation;
pub mod clock;
pub mod csv_text;
pub mod demo;
pub mod dialect;
mod eligibility;
pub mod entity;
pub mod error;
pub mod health;
pub mod key;
pub mod ledger;
pub mod legal_hold;
pub mod limits;
pub mod maintenance;
mod opening;
pub mod pagination;
pub mod protection;
pub mod report;
pub mod residue;
pub mod run;
pub mod schedule;
mod sealed;
pub mod search_index;
pub mod session;
pub mod settings;
pub mod staff;
pub mod store;
pub mod task;
pub mod transfer;
pub mod undo;
pub mod user;
pub mod vitals;

pub use actor::{Actor, Channel};
pub use clock::Clock;
pub use error::{Fault, RecordsError, Storage};
pub use session::Session;
pub use settings::{Settings, SignIn};
pub use staff::Caller;
pub use store::Store;
pub use undo::Undo;
