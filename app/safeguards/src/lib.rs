//! Safeguards of changes: approvals, limits, legal holds, protected settings and the suppression list.

pub mod approval;
pub mod key_periods;
pub mod legal_hold;
pub mod limits;
pub mod manual_changes;
pub mod protection;
pub mod suppression;
