//! Users: search, record and changes.

mod edit;
mod find;
mod guarantor;
mod identity;
mod impact;
mod imported_date;
mod mark;
mod namesakes;
pub mod provision;
mod read;
mod save;

pub use find::{
    Having, MAX_SIMILAR_COUNTED, RoleFilter, Similar, Sort, UserQuery, UserRow, count, exact_match, find,
    numbers, similar,
};
pub use identity::{fates, is_eligible_earlier, overwrites};
pub use impact::{Impact, ImpactCount, ImpactKind, impacts};
pub use imported_date::{ImportedDate, correct_date};
pub use mark::{mark_for_deletion, unmark};
pub use namesakes::{MAX_NAMESAKES, Namesakes, namesakes};
pub use read::{CustomValue, Photo, UserCounts, UserRecord, photo, read};
pub use save::{form_of, save, save_undoable};
