//! The rules of anonymising, without input or output.
//!
//! All functions are pure: no clock, no database, no network. Server and browser compile the same code, so both
//! validate forms in the same way.

pub mod assess;
pub mod brake;
pub mod cron;
pub mod dates;
pub mod erasure;
pub mod field;
pub mod form;
pub mod four_eyes;
pub mod generalise;
pub mod hold;
pub mod ids;
pub mod limits;
pub mod numbers;
pub mod password;
pub mod permission;
pub mod policy;
pub mod reason;
pub mod register;
pub mod replacement;
pub mod role;
pub mod run;
pub mod schedule;
pub mod sentence;
pub mod task_form;
pub mod text;
pub mod treated;
pub mod user_form;
pub mod wider;
#[cfg(feature = "zones")]
pub mod zones;

pub use assess::{Selection, UserFacts, Verdict, assess};
pub use brake::{Brake, Brakes, Manual};
pub use field::{Field, Treatment};
pub use four_eyes::{FourEyes, WhyTwo};
pub use hold::{HeldBy, HoldReason};
pub use ids::{
    ApprovalId, CatalogueRecordId, ChargeId, HoldId, ItemId, LoanId, MessageId, RequestId, RunId, TaskId,
    UserNumber,
};
pub use limits::{Counted, Limits, Window};
pub use permission::{Action, Roles};
pub use policy::{Conditions, Days, LoanText, Policy, Scope};
pub use reason::{Blocker, Blockers, Reason, VerdictKind};
pub use role::Role;
pub use run::{Outcome, Phase, Residue, RunKind, RunState};
pub use schedule::{Missed, Schedule, WhyMissed};
pub use treated::TreatedFields;
pub use wider::is_wider;

/// The version of the rules in this crate. It is stored with every run and every anonymised user.
///
/// After an improvement of the rules, users anonymised under older ones can be found.
pub const RULES_VERSION: i32 = 1;
