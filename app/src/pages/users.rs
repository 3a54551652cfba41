//! Users: search, record, edit, anonymise.

mod actions;
mod activity;
mod anonymise;
mod confirmation;
mod details;
mod form;
mod held_lines;
mod identity;
mod impact;
pub(crate) mod import;
mod imported_dates;
mod inputs;
mod merge;
mod preview_found;
mod record;
mod saved_searches;
mod search;
mod staff;
mod status;
mod tab;

pub use anonymise::AnonymiseUserPage;
pub use form::{EditUserPage, NewUserPage};
pub use held_lines::HeldLinesPage;
pub use import::{
    EditImportProfilePage, ImportListPage, ImportPage, ImportProfilesPage, NewImportProfilePage,
    report_csv as import_report_csv,
};
pub use merge::MergeUsersPage;
pub use record::UserPage;
pub use saved_searches::SavedSearchesPage;
pub use search::UserSearchPage;

use crate::components::Crumb;

/// Returns the breadcrumbs of a page about users.
fn crumbs(more: impl IntoIterator<Item = Crumb>) -> Vec<Crumb> {
    std::iter::once(("Users".to_owned(), "/users".to_owned())).chain(more).collect()
}

/// Returns the label of a code of the records: `text_message` is “Text message”.
pub(super) fn code_label(code: &str) -> String {
    let mut label = code.replace('_', " ");
    if let Some(first) = label.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    label
}
