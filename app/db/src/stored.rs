//! Policies and schedules as stored: JSON in a text column.

use crate::error::RecordsError;
use policy::{Policy, Schedule};

/// Parses a stored policy.
pub fn stored_policy(text: &str) -> Result<Policy, RecordsError> {
    serde_json::from_str(text).map_err(|_| RecordsError::Corrupt("policy"))
}

/// Parses a stored schedule.
pub fn stored_schedule(text: &str) -> Result<Schedule, RecordsError> {
    serde_json::from_str(text).map_err(|_| RecordsError::Corrupt("schedule"))
}
