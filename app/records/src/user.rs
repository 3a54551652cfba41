//! Users: search, record and changes.

mod edit;
mod find;
mod guarantor;
mod identity;
mod impact;
mod last_activity;
mod mark;
pub mod provision;
mod read;
mod save;

pub use find::{
    Having, MAX_SIMILAR_COUNTED, RoleFilter, Similar, Sort, UserQuery, UserRow, count, exact_match, find,
    numbers, similar,
};
pub use identity::{fates, is_eligible_earlier, overwrites};
pub use impact::{Impact, ImpactCount, ImpactKind, impacts};
pub use last_activity::correct_last_activity;
pub use mark::{mark_for_deletion, unmark};
pub use read::{CustomValue, Photo, UserCounts, UserRecord, photo, read};
pub use save::{form_of, save, save_undoable};
