//! Previews and runs: who would be anonymised, and who was.

mod carry_out;
mod preview;
mod read;
mod single;
mod start;

pub use carry_out::carry_out;
pub use preview::preview;
pub use read::{Member, MemberQuery, Run, RunQuery, RunRow, list, members, read, unfinished};
pub use single::{SinglePlan, anonymise_one, anonymise_one_as_shown, plan_for_one};
pub use start::{start, why_not};

use crate::error::RecordsError;
use policy::Policy;

/// A policy as it is stored.
pub(crate) fn stored_policy(text: &str) -> Result<Policy, RecordsError> {
    serde_json::from_str(text).map_err(|_| RecordsError::Corrupt("policy"))
}
