//! The parts of every change: the [`Store`], the [`Actor`] and the audit.
//!
//! Functions that read or write take the [`Store`]. Functions that write also take the [`Actor`] and record an audit
//! event. [`Store::commit`] chains the events of a transaction and commits it; nothing else commits.

pub mod actor;
pub mod audit;
pub mod chain;
pub mod key;
pub mod library;
pub mod outbox;
pub mod person;
pub mod roles;
pub mod secret_box;
pub mod store;
pub mod task_name;
pub mod terms;
pub mod undoable;
pub mod vitals;

pub use actor::Actor;
pub use store::Store;
pub use undoable::Undo;
