//! Safety limits of manual changes. A *manual change* is a change by staff or an import that removes or replaces
//! identifying values, or makes a user eligible earlier. All servers count them in one table.
//!
//! A change beyond a limit is rejected, unless a second person has approved more changes by this member of staff.
//! The first rejection of an hour is recorded for banner, health and audit. Changes since the last confirmed run
//! also count towards the limits of the next run (`policy::safety_limit`).

mod confirm;
mod count;
mod event;
mod import;

pub use confirm::{confirm, manual};
pub use count::{claim, reached};
pub use event::{record_limit, record_limit_as};
pub use import::{ImportStop, TooMany, claim_import, confirm_import, record_import, too_many};
