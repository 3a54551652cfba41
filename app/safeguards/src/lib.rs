//! Safeguards of changes: approvals, limits, legal holds and protected settings.

pub mod approval;
pub mod legal_hold;
pub mod limits;
pub mod manual_changes;
pub mod protection;
