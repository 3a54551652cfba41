//! The anonymisation rules, without I/O.
//!
//! All functions are pure: no clock, no database, no network. Server and browser compile the same code, so both
//! validate forms in the same way.

pub mod access_request;
pub mod account;
pub mod affected;
pub mod announcement;
pub mod api_key;
pub mod approval;
pub mod assess;
pub mod channel;
pub mod cron;
#[cfg(feature = "currencies")]
pub mod currency;
pub mod custom_field;
pub mod dates;
pub mod erasure;
pub mod exclusion;
pub mod field;
pub mod file_pattern;
pub mod forecast;
pub mod form;
pub mod four_eyes;
pub mod generalise;
pub mod grounds;
pub mod ids;
pub mod import;
pub mod import_limits;
pub mod import_options;
pub mod import_profile;
pub mod import_settings;
pub mod key_form;
pub mod legal_hold;
pub mod letter;
#[cfg(feature = "keys")]
pub mod letters;
#[cfg(feature = "currencies")]
pub mod library;
pub mod limits;
pub mod listed_users;
pub mod maintenance;
pub mod manual_change;
pub mod marked_number;
#[cfg(feature = "keys")]
pub mod name_order;
pub mod notification;
pub mod numbers;
pub mod password;
pub mod permission;
pub mod personal_data;
mod placeholders;
pub mod policy;
pub mod policy_reach;
pub mod preview_warning;
pub mod public_address;
pub mod reason;
pub mod replacement;
pub mod residue;
pub mod role;
pub mod run;
pub mod safety_limit;
pub mod schedule;
#[cfg(feature = "keys")]
pub mod search_words;
pub mod stored;
pub mod summary;
pub mod suppression;
pub mod task_form;
pub mod task_type;
pub mod term;
pub mod text;
#[cfg(feature = "zones")]
pub mod timezone;
pub mod treated;
pub mod user_field;
pub mod user_form;
pub mod user_list;
#[cfg(feature = "keys")]
pub mod user_search;

pub use announcement::AnnouncementSettings;
pub use api_key::{ApiScope, ApiScopes};
pub use assess::{RunMode, UserFacts, Verdict, assess};
pub use channel::Channel;
pub use exclusion::ExclusionReason;
pub use field::{Field, Treatment};
pub use four_eyes::{ApprovalReason, FourEyes};
pub use grounds::{ErasureReason, Grounds};
pub use ids::{
    AccessRequestId, ApiKeyId, ApprovalId, CatalogueRecordId, ChargeId, DeliveryId, HeldLineId, ImportId,
    ImportProfileId, ItemId, LegalHoldId, LoanId, MessageId, RequestId, RunId, SavedSearchId, TaskId,
    UserNumber, WebhookId,
};
pub use import_settings::ImportSettings;
pub use legal_hold::{LegalHoldReason, LegalHoldTarget};
pub use limits::{Counted, Limits, Reached, Window};
pub use manual_change::ManualChange;
pub use permission::{Action, Roles};
pub use policy::{Conditions, Days, NoteTreatment, Policy, Scope};
pub use policy_reach::extends_beyond;
pub use reason::{Blocker, Blockers, Reason, VerdictKind};
pub use role::Role;
pub use run::{Outcome, Phase, Residue, RunKind, RunState};
pub use safety_limit::{Manual, SafetyLimit, SafetyLimits};
pub use schedule::{MisfirePolicy, MisfireReason, Schedule};
pub use task_type::{TaskCategory, TaskSettings, TaskType};
pub use term::TermKind;
pub use treated::TreatedFields;

/// The version of the rules in this crate. It is stored with every run and every anonymised user.
///
/// After an improvement of the rules, users anonymised under older ones can be found.
pub const RULES_VERSION: i32 = 1;
