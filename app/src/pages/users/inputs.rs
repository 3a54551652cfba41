//! The fields of the user form.

use crate::components::{DateInput, FieldProblem, escaped};
use leptos::prelude::*;
use policy::form::FieldErrors;
use trail::terms::Term;

/// The shared state of the fields of one form.
pub(super) struct Inputs {
    pub(super) errors: FieldErrors,
}

impl Inputs {
    fn wrong(&self, field: &str) -> Option<&'static str> {
        self.errors.message(field).is_some().then_some("true")
    }

    /// Renders a line of text.
    pub(super) fn text(&self, field: &'static str, label: &'static str, value: &str) -> AnyView {
        self.input(field, label, value, "text", None)
    }

    /// Renders a line of text with a hint.
    pub(super) fn text_with_hint(
        &self,
        field: &'static str,
        label: &'static str,
        value: &str,
        hint: String,
    ) -> AnyView {
        self.input(field, label, value, "text", Some(hint))
    }

    /// Renders a read-only line of text.
    pub(super) fn read_only(
        &self,
        field: &'static str,
        label: &'static str,
        value: &str,
        why: &'static str,
    ) -> AnyView {
        view! {
            <div class="field">
                <label for=field>{label}</label>
                <p class="hint" id=format!("{field}-hint")>{why}</p>
                <input id=field name=format!("form[{field}]") type="text" value=value.to_owned() readonly
                    aria-describedby=format!("{field}-hint {field}-problem") />
                <FieldProblem field errors=self.errors.clone() />
            </div>
        }
        .into_any()
    }

    /// Renders a date.
    pub(super) fn date(&self, field: &'static str, label: &'static str, value: &str) -> AnyView {
        view! {
            <div class="field">
                <label for=field>{label}</label>
                <p class="hint" id=format!("{field}-hint")>"For example 15 Jan 2018"</p>
                <DateInput id=field name=format!("form[{field}]") value=value.to_owned()
                    wrong=self.wrong(field).is_some() described=format!("{field}-hint {field}-problem") />
                <FieldProblem field errors=self.errors.clone() />
            </div>
        }
        .into_any()
    }

    /// Renders an e-mail address.
    pub(super) fn email(&self, field: &'static str, label: &'static str, value: &str) -> AnyView {
        self.input(field, label, value, "email", None)
    }

    fn input(
        &self,
        field: &'static str,
        label: &'static str,
        value: &str,
        kind: &'static str,
        hint: Option<String>,
    ) -> AnyView {
        let hint_id = format!("{field}-hint");
        let described = match &hint {
            Some(_) => format!("{hint_id} {field}-problem"),
            None => format!("{field}-problem"),
        };
        view! {
            <div class="field">
                <label for=field>{label}</label>
                {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
                <input id=field name=format!("form[{field}]") type=kind value=value.to_owned()
                    autocomplete="off" aria-invalid=self.wrong(field) aria-describedby=described />
                <FieldProblem field errors=self.errors.clone() />
            </div>
        }
        .into_any()
    }

    /// Renders a dropdown of the library's codes, or a line of text if there are none.
    pub(super) fn term(
        &self,
        field: &'static str,
        label: &'static str,
        value: &str,
        terms: Vec<Term>,
    ) -> AnyView {
        if terms.is_empty() {
            return self.text(field, label, value);
        }
        let value = value.to_owned();
        let unknown = (!value.is_empty() && terms.iter().all(|term| term.code != value))
            .then(|| view! { <option value=value.clone() selected>{value.clone()}</option> });
        let options = terms
            .into_iter()
            .map(|term| view! { <option value=term.code.clone() selected=term.code == value>{term.name}</option> })
            .collect_view();
        view! {
            <div class="field">
                <label for=field>{label}</label>
                <select id=field name=format!("form[{field}]") aria-invalid=self.wrong(field)
                    aria-describedby=format!("{field}-problem")>
                    <option value="">"None"</option>
                    {unknown}
                    {options}
                </select>
                <FieldProblem field errors=self.errors.clone() />
            </div>
        }
        .into_any()
    }

    /// Renders several lines of text.
    pub(super) fn lines(&self, field: &'static str, label: &'static str, value: &str) -> AnyView {
        view! {
            <div class="field">
                <label for=field>{label}</label>
                <textarea id=field name=format!("form[{field}]") rows="4"
                    aria-invalid=self.wrong(field) aria-describedby=format!("{field}-problem")>
                    {escaped(value)}
                </textarea>
                <FieldProblem field errors=self.errors.clone() />
            </div>
        }
        .into_any()
    }

    /// Renders a custom field.
    pub(super) fn custom(&self, key: &str, label: &str, value: &str) -> AnyView {
        let field = format!("custom.{key}");
        let problem = format!("{field}-problem");
        view! {
            <div class="field">
                <label for=field.clone()>{label.to_owned()}</label>
                <input id=field.clone() name=format!("form[custom][{key}]") value=value.to_owned() autocomplete="off"
                    aria-invalid=self.wrong(&field) aria-describedby=problem.clone() />
                <p class="problem" id=problem>{self.errors.message(&field)}</p>
            </div>
        }
        .into_any()
    }
}

/// Renders a checkbox.
pub(super) fn tick(field: &'static str, label: &'static str, ticked: bool) -> AnyView {
    view! {
        <div class="choice">
            <input id=field name=format!("form[{field}]") type="checkbox" value="true" checked=ticked />
            <label for=field>{label}</label>
        </div>
    }
    .into_any()
}
