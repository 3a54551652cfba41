//! The form that chooses how an uploaded file is imported.

use super::actions::ChooseImportOptions;
use crate::components::FieldProblem;
use crate::error::field_errors;
use crate::form::{self, action, error_for};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::import_options::{EmptyCells, ImportMode};
use policy::import_profile::DateFormat;
use transfer::import_history::Import;

/// Renders the form. `are_dates_ambiguous` is `None` if the file has no dates.
pub(super) fn options_form(
    import: &Import,
    are_dates_ambiguous: Option<bool>,
    here: &str,
) -> impl IntoView + use<> {
    let error = error_for(ChooseImportOptions::PATH);
    let errors = field_errors(error.as_ref());
    let dates = are_dates_ambiguous.map(|is_ambiguous| {
        let label = |format: DateFormat| match format {
            DateFormat::Detect => "Detect".to_owned(),
            format => format!("{}: {}", format.label(), format.example()),
        };
        let choices = DateFormat::ALL
            .map(|format| choice(format.code(), label(format), format == import.profile.dates))
            .collect_view();
        let hint = if is_ambiguous {
            "The dates of the file have two meanings: 03/04/2018 is 3 April or 4 March. Choose what the other system \
             writes."
        } else {
            "Choose a format if the dates below are wrong."
        };
        let problem = view! { <FieldProblem field="dates" errors=errors.clone() /> };
        field("dates", "Date format", choices.into_any(), Some(hint), problem.into_any())
    });
    let modes = ImportMode::ALL
        .map(|mode| choice(mode.code(), mode.label().to_owned(), mode == import.options.mode))
        .collect_view();
    let empty = EmptyCells::ALL
        .map(|cells| choice(cells.code(), cells.label().to_owned(), cells == import.options.empty_cells))
        .collect_view();
    let problem_of =
        |name: &'static str| view! { <FieldProblem field=name errors=errors.clone() /> }.into_any();
    view! {
        <h2 id="options">"Import options"</h2>
        <form class="stacked" method="post" action=action(ChooseImportOptions::PATH, here)>
            <form::Token />
            <input type="hidden" name="form[import]" value=import.id.to_string() />
            {dates}
            {field("mode", "Wrong lines", modes.into_any(), None, problem_of("mode"))}
            {field("empty_cells", "Empty cells", empty.into_any(), None, problem_of("empty_cells"))}
            <button type="submit">"Save options"</button>
            <p class="hint">"After a change, check the file again."</p>
        </form>
    }
}

fn choice(code: &'static str, label: String, is_selected: bool) -> impl IntoView {
    view! { <option value=code selected=is_selected>{label}</option> }
}

fn field(
    name: &'static str,
    label: &'static str,
    choices: AnyView,
    hint: Option<&'static str>,
    problem: AnyView,
) -> impl IntoView {
    let hint_id = hint.map(|_| format!("{name}-hint"));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=format!("form[{name}]") aria-describedby=hint_id.clone()>{choices}</select>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {problem}
        </div>
    }
}
