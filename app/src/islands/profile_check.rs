//! Shows the problems of the form of an import profile while it is edited, with the check of the server.

use leptos::prelude::*;
use policy::import_profile::FileKind;

/// Checks the form around it after each change of a field. Without WebAssembly the server checks it when it is saved.
#[island]
pub fn ProfileCheck(
    /// The records in the file.
    kind: FileKind,
    /// The keys of the custom fields.
    custom: Vec<String>,
) -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    Effect::new(move || {
        #[cfg(feature = "hydrate")]
        if let Some(span) = place.get() {
            live::watch(&span, kind, custom.clone());
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (place, kind, &custom);
    });
    view! { <span node_ref=place hidden></span> }
}

#[cfg(feature = "hydrate")]
mod live {
    use leptos::ev;
    use leptos::prelude::*;
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::web_sys::{self, Element, FormData, HtmlFormElement};
    use policy::form::FieldErrors;
    use policy::import_profile::{ColumnForm, FileKind, ProfileForm};
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    /// Checks the form of an element after each change.
    pub(super) fn watch(element: &Element, kind: FileKind, custom: Vec<String>) {
        let form =
            element.closest("form").ok().flatten().and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
        let Some(form) = form else { return };
        let touched = RefCell::new(BTreeSet::new());
        let handle = window_event_listener(ev::input, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
            if form.contains(target.as_ref()) {
                let errors =
                    read(&form).validate(kind, "profile", |key| custom.iter().any(|known| known == key));
                if let Some(input) = target.as_ref().and_then(|target| target.dyn_ref::<Element>()) {
                    touched.borrow_mut().insert(input.id());
                }
                show(&form, &errors.err().unwrap_or_default(), &touched.borrow());
            }
        });
        on_cleanup(move || handle.remove());
    }

    /// Shows each problem at its field. A field that was not changed yet gets no new problem, except for a column: the change
    /// of one column can make another one wrong.
    fn show(form: &HtmlFormElement, errors: &FieldErrors, touched: &BTreeSet<String>) {
        let Ok(problems) = form.query_selector_all("p.problem") else { return };
        for place in 0..problems.length() {
            let Some(problem) = problems.item(place).and_then(|node| node.dyn_into::<Element>().ok()) else {
                continue;
            };
            let id = problem.id();
            let field = id.strip_suffix("-problem").unwrap_or(&id);
            let is_shown = field.starts_with("columns")
                || touched.contains(field)
                || problem.text_content().is_some_and(|text| !text.is_empty());
            if !is_shown {
                continue;
            }
            let text = errors.message(field);
            problem.set_text_content(text.as_deref());
            let Some(input) = document().get_element_by_id(field).filter(|input| input.has_attribute("name"))
            else {
                continue;
            };
            let _ = match text {
                Some(_) => input.set_attribute("aria-invalid", "true"),
                None => input.remove_attribute("aria-invalid"),
            };
        }
    }

    /// Returns the typed values.
    fn read(form: &HtmlFormElement) -> ProfileForm {
        let Ok(data) = FormData::new_with_form(form) else { return ProfileForm::default() };
        let value = |name: &str| data.get(&format!("form{name}")).as_string();
        let text = |name: &str| value(name).unwrap_or_default();
        let column = |place: usize| {
            let part = |part: &str| value(&format!("[columns][{place}][{part}]"));
            Some(ColumnForm {
                source: part("source")?,
                target: part("target").unwrap_or_default(),
                dates: part("dates").unwrap_or_default(),
                several: part("several").is_some(),
            })
        };
        ProfileForm {
            name: text("[name]"),
            columns: (0..).map_while(column).collect(),
            other_columns: text("[other_columns]"),
            dates: text("[dates]"),
            decimals: text("[decimals]"),
            never: text("[never]"),
            encoding: text("[encoding]"),
            delimiter: text("[delimiter]"),
            header_line: text("[header_line]"),
            ..ProfileForm::default()
        }
    }
}
