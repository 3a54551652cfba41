//! Policies and schedules as stored: JSON in a text column.

use crate::error::RecordsError;
use policy::{Policy, Schedule};

/// Parses a stored policy.
pub(crate) fn stored_policy(text: &str) -> Result<Policy, RecordsError> {
    serde_json::from_str(text).map_err(|_| RecordsError::Corrupt("policy"))
}

pub(crate) fn stored_schedule(text: &str) -> Result<Schedule, RecordsError> {
    serde_json::from_str(text).map_err(|_| RecordsError::Corrupt("schedule"))
}
