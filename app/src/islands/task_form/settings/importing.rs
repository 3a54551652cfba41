//! The settings of the task type *Import users*: files, options and safety limits.

use super::super::inputs::{Choice, ChosenField, Form, Problem, RadioField, TextField, field};
use leptos::prelude::*;
use policy::import_limits::ImportLimit;
use policy::import_options::{Absence, EmptyCells, ImportMode};
use policy::import_profile::FileKind;
use policy::import_settings::ImportedFile;

const FOLDER: &str = "A folder below the folder of imports (LETHE_IMPORT_DIR), such as hr. Leave it empty for that \
                      folder itself.";
const PATTERN: &str = "For example *.csv or users-????.csv. The oldest file is imported first.";

#[component]
pub(super) fn ImportFields(form: Form, profiles: Vec<(String, String)>) -> impl IntoView {
    let kinds: Vec<(String, String)> =
        FileKind::ALL.into_iter().map(|kind| (kind.code().to_owned(), kind.label().to_owned())).collect();
    let modes = ImportMode::ALL.map(
        |one| view! { <RadioField form text=field!(text import_mode) code=one.code() label=one.label() /> },
    );
    let cells = EmptyCells::ALL.map(
        |one| view! { <RadioField form text=field!(text empty_cells) code=one.code() label=one.label() /> },
    );
    let absences = Absence::ALL
        .map(|one| view! { <RadioField form text=field!(text absence) code=one.code() label=one.label() /> });
    let treatments = ImportedFile::ALL.map(
        |one| view! { <RadioField form text=field!(text imported_file) code=one.code() label=one.label() /> },
    );
    view! {
        <fieldset>
            <legend>"Files"</legend>
            <div class="columns">
                <ChosenField form text=field!(text file_kind) label="Lines of the file" options=Choice::all(kinds) />
                <ChosenField form text=field!(text profile) label="Import profile" options=Choice::all(profiles) />
            </div>
            <div class="columns">
                <TextField form text=field!(text folder) label="Folder" hint=FOLDER />
                <TextField form text=field!(text file_pattern) label="File name" hint=PATTERN />
            </div>
        </fieldset>
        <fieldset>
            <legend>"Wrong lines"</legend>
            {modes}
            <Problem form name="import_mode" />
        </fieldset>
        <fieldset>
            <legend>"Empty cells"</legend>
            {cells}
            <Problem form name="empty_cells" />
        </fieldset>
        <fieldset id="absence" tabindex="-1" aria-describedby="absence-hint absence-problem">
            <legend>"Missing users"</legend>
            <p class="hint" id="absence-hint">
                "Set the leaving date only if each file contains all users of its system. It is set for users in \
                 earlier files of this task, unless another such task still has them. Staff, fictitious users and \
                 users who have left already are never changed. A file with rejected lines sets no leaving date."
            </p>
            {absences}
            <Problem form name="absence" />
        </fieldset>
        <Limits form />
        <fieldset>
            <legend>"After the import"</legend>
            <p class="hint">"The files hold names. A file that was not imported stays."</p>
            {treatments}
            <Problem form name="imported_file" />
        </fieldset>
    }
}

/// The shares beyond which a file changes nothing.
#[component]
fn Limits(form: Form) -> impl IntoView {
    let limits = ImportLimit::ALL.map(|limit| view! { <Limit form limit /> });
    view! {
        <fieldset id="limits" tabindex="-1" aria-describedby="limits-hint limits-problem">
            <legend>"Safety limits"</legend>
            <p class="hint" id="limits-hint">
                "A file beyond one of these shares changes nothing and waits for a person, or for two with four eyes. \
                 Shares are in per cent. An empty field means no limit. Up to 20 users or lines are always within the \
                 limits, and so are the new users of the first import. The limits of users apply to files of users. The \
                 limit of closed loans, requests or charges applies to files of those. The limits of lines apply to all \
                 files."
            </p>
            <div class="columns">{limits}</div>
            <Problem form name="limits" />
        </fieldset>
    }
}

#[component]
fn Limit(form: Form, limit: ImportLimit) -> impl IntoView {
    let (name, code) = (limit.field(), limit.code());
    let value = form.initial(|form| form.limits.get(code).cloned().unwrap_or_default());
    let typed = move |event| {
        form.change(name, |form| {
            form.limits.insert(code.to_owned(), event_target_value(&event));
        });
    };
    view! {
        <div class="field">
            <label for=name>{limit.label()}</label>
            <p class="hint" id=format!("{name}-hint")>{limit.hint()}</p>
            <input
                id=name
                name=format!("form[limits][{code}]")
                type="text"
                class="date"
                inputmode="numeric"
                autocomplete="off"
                value=value
                aria-describedby=format!("{name}-hint {name}-problem")
                aria-invalid=move || form.problem(name).map(|_| "true")
                on:input=typed
            />
            <Problem form name />
        </div>
    }
}
