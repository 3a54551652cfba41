//! Backups while Lethe serves, each with a manifest that says where ledger and audit stood; and the drill, which restores
//! one elsewhere and proves that it is of use.
//!
//! The ledger, the key and the anchors are not part of a backup: they are what a restored database is held against.

mod drill;
mod make;
mod manifest;
mod postgres;

pub use drill::{Drill, drill};
pub use make::make;
pub use manifest::{Manifest, manifest_beside};
