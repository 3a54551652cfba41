//! The database below everything else: entities, the two dialects of SQL, pagination, the clock, the settings and the
//! errors.
//!
//! This crate knows nothing about users' rights or the audit. A crate above it writes through the store of `trail`.

pub mod bulk_insert;
pub mod checksum;
pub mod clock;
pub mod csv_text;
pub mod dialect;
pub mod disk;
pub mod entity;
pub mod error;
pub mod lookup;
pub mod opening;
pub mod pagination;
pub mod search_index;
pub mod settings;

pub use clock::Clock;
pub use error::{Fault, RecordsError, Storage};
pub use settings::{MailSettings, MailTls, Settings, SignIn};
