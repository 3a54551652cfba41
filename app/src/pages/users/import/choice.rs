//! A dropdown of the forms of imports.

use crate::components::FieldProblem;
use leptos::prelude::*;
use policy::form::FieldErrors;
use policy::import_profile::DateFormat;

/// Returns the label of a notation of dates, with an example.
pub(super) fn date_label(format: DateFormat) -> String {
    match format {
        DateFormat::Detect => "Detect".to_owned(),
        format => format!("{}: {}", format.label(), format.example()),
    }
}

/// A dropdown with its hint and the problem of its field.
#[component]
pub(super) fn Choice(
    /// The name of the field.
    field: &'static str,
    /// The label.
    label: &'static str,
    /// The code of the chosen option.
    chosen: String,
    /// Codes and labels.
    options: Vec<(&'static str, String)>,
    /// The problems of the form.
    errors: FieldErrors,
    /// Advice on the choice, with the reason.
    #[prop(optional_no_strip)]
    hint: Option<&'static str>,
) -> impl IntoView {
    let wrong = errors.message(field).is_some().then_some("true");
    let hint_id = format!("{field}-hint");
    let described = match hint {
        Some(_) => format!("{hint_id} {field}-problem"),
        None => format!("{field}-problem"),
    };
    let options = options
        .into_iter()
        .map(|(code, label)| view! { <option value=code selected=code == chosen>{label}</option> })
        .collect_view();
    view! {
        <div class="field">
            <label for=field>{label}</label>
            <select id=field name=format!("form[{field}]") aria-invalid=wrong aria-describedby=described>
                {options}
            </select>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            <FieldProblem field errors />
        </div>
    }
}
