//! The server side of Lethe: entities, queries, anonymising, runs, imports and reports. Native only.
//!
//! Functions that read or write take the [`Store`]. Functions that write also take the [`Actor`] and record an
//! audit event. Database rows never leave this crate: each read function returns a type made for its caller.

// Lets the unit tests use the helpers of the integration tests, which name the crate `records`.
#[cfg(test)]
extern crate self as records;

pub mod accounts;
pub mod actor;
pub mod anonymise;
pub mod approval;
pub mod approval_workflow;
pub mod audit;
pub mod backup;
mod bulk_insert;
pub mod catalogue;
pub mod certificate;
mod chain;
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
pub mod heartbeat;
pub mod key;
pub mod key_replacement;
pub mod ledger;
pub mod legal_hold;
pub mod limits;
pub mod maintenance;
mod manual_changes;
mod opening;
pub mod pagination;
pub mod person;
pub mod protection;
pub mod replay;
pub mod report;
pub mod residue;
pub mod roles;
pub mod run;
mod run_counts;
pub mod schedule;
pub mod search_index;
mod secret_box;
pub mod session;
pub mod settings;
pub mod staff;
mod startup;
pub mod store;
mod stored;
pub mod task;
pub mod task_name;
pub mod terms;
pub mod transfer;
pub mod undo;
pub mod undoable;
pub mod user;
pub mod vitals;

pub use actor::{Actor, Channel};
pub use clock::Clock;
pub use error::{Fault, RecordsError, Storage};
pub use session::Session;
pub use settings::{Settings, SignIn};
pub use staff::Caller;
pub use startup::{OpenOptions, key_standing, open_store, open_store_with};
pub use store::Store;
pub use undoable::Undo;
