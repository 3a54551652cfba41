//! Imports of files: upload, check, import, history.

mod actions;
mod choice;
mod detection;
mod list;
mod one;
mod options;
mod profile_actions;
mod profile_form;
mod profiles;
mod report;
mod result;
mod second_person;

pub use list::ImportListPage;
pub use one::ImportPage;
pub use profile_form::{EditImportProfilePage, NewImportProfilePage};
pub use profiles::ImportProfilesPage;
pub use report::report_csv;
pub(crate) use result::{counts, first_differences, report_table};

use super::crumbs;
use crate::components::Crumb;
use leptos::prelude::*;
use policy::import::ImportState;

/// The address of the list.
const LIST: &str = "/users/import";

/// Returns the breadcrumbs of a page about one import.
fn import_crumbs() -> Vec<Crumb> {
    crumbs([("Import".to_owned(), LIST.to_owned())])
}

/// Renders the state of an import as a tag.
pub(crate) fn state_tag(state: ImportState) -> impl IntoView {
    let class = match state {
        ImportState::Imported => "tag proven",
        ImportState::Uploaded | ImportState::Checking | ImportState::Importing => "tag ready",
        ImportState::Checked | ImportState::Stopped => "tag due",
        ImportState::Rejected | ImportState::Failed => "tag bad",
        ImportState::Unchanged | ImportState::Cancelled | ImportState::Interrupted => "tag quiet",
    };
    view! { <span class=class>{state.label()}</span> }
}
