//! The form that chooses how an uploaded file is imported, and checks it.

use super::actions::CheckImport;
use super::choice::{Choice, date_label};
use crate::error::field_errors;
use crate::form::{self, action, error_for};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::import::ImportState;
use policy::import_options::{EmptyCells, ImportMode};
use policy::import_profile::DateFormat;
use transfer::import_history::Import;

/// Renders the form. `are_dates_ambiguous` is `None` if the file has no dates.
pub(super) fn options_form(
    import: &Import,
    are_dates_ambiguous: Option<bool>,
    here: &str,
) -> impl IntoView + use<> {
    let error = error_for(CheckImport::PATH);
    let errors = field_errors(error.as_ref());
    let dates = are_dates_ambiguous.map(|is_ambiguous| {
        let options = DateFormat::ALL.map(|format| (format.code(), date_label(format))).to_vec();
        let hint = if is_ambiguous {
            "The dates of the file have two meanings: 03/04/2018 is 3 April or 4 March. Choose what the other system \
             writes."
        } else {
            "Choose a format if the dates below are wrong."
        };
        let chosen = import.profile.dates.code().to_owned();
        view! { <Choice field="dates" label="Date format" chosen options hint=Some(hint) errors=errors.clone() /> }
    });
    let modes = ImportMode::ALL.map(|mode| (mode.code(), mode.label().to_owned())).to_vec();
    let mode = import.options.mode.code().to_owned();
    let empty = EmptyCells::ALL.map(|cells| (cells.code(), cells.label().to_owned())).to_vec();
    let empty_cells = import.options.empty_cells.code().to_owned();
    // After a check, the import comes next.
    let is_next = import.state != ImportState::Checked;
    view! {
        <h2 id="options">"Import options"</h2>
        <form class="stacked" method="post" action=action(CheckImport::PATH, here)>
            <form::Token />
            <input type="hidden" name="form[import]" value=import.id.to_string() />
            {dates}
            <Choice field="mode" label="Wrong lines" chosen=mode options=modes errors=errors.clone() />
            <Choice field="empty_cells" label="Empty cells" chosen=empty_cells options=empty errors />
            <button class=is_next.then_some("primary") type="submit">"Check file"</button>
            <p class="hint">"A check counts what an import would do, and changes nothing."</p>
        </form>
    }
}
