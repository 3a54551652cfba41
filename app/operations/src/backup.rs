//! Backups of a running Lethe, and the restore drill.
//!
//! Each backup has a manifest with the positions of ledger and audit. The drill restores a backup elsewhere and
//! checks that it can be used.
//!
//! A backup contains neither the ledger nor the key nor the anchors: a restored database is checked against them.

mod drill;
mod make;
mod manifest;
mod postgres;

pub use drill::{Drill, PASSED, drill, record};
pub use make::make;
pub use manifest::{Manifest, manifest_beside};
