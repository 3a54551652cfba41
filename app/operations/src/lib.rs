//! Operation of an installation: start-up, backup, health, key replacement and undo.

pub mod backup;
pub mod dashboard;
pub mod health;
pub mod heartbeat;
pub mod key_replacement;
pub mod startup;
pub mod undo;

pub use startup::{OpenOptions, key_status, open_store, open_store_with};
