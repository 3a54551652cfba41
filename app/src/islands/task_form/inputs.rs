//! The shared parts of the form's fields: their values and when their problems are shown.

use crate::error::AppError;
use crate::picked::{CALENDAR, iso_or_empty, picker_name};
use chrono::NaiveDateTime;
use leptos::prelude::*;
use policy::dates;
use policy::form::FieldErrors;
use policy::task_form::{Tab, TaskForm, validate};
use std::collections::BTreeSet;

/// The values of the form and their problems.
#[derive(Clone, Copy)]
pub(super) struct Form {
    values: RwSignal<TaskForm>,
    problems: Memo<FieldErrors>,
    touched: RwSignal<BTreeSet<&'static str>>,
    asked: RwSignal<bool>,
    now: NaiveDateTime,
}

/// A text of the form: its name and its place in the values.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) name: &'static str,
    pub(super) read: fn(&TaskForm) -> &String,
    pub(super) write: fn(&mut TaskForm) -> &mut String,
}

/// A checkbox of the form: its name and its place in the values.
#[derive(Clone, Copy)]
pub(super) struct Checkbox {
    pub(super) name: &'static str,
    pub(super) read: fn(&TaskForm) -> bool,
    pub(super) write: fn(&mut TaskForm) -> &mut bool,
}

/// Makes a text or checkbox from the name of its field.
macro_rules! field {
    (text $name:ident) => {
        $crate::islands::task_form::inputs::Text {
            name: stringify!($name),
            read: |form| &form.$name,
            write: |form| &mut form.$name,
        }
    };
    (checkbox $name:ident) => {
        $crate::islands::task_form::inputs::Checkbox {
            name: stringify!($name),
            read: |form| form.$name,
            write: |form| &mut form.$name,
        }
    };
}
pub(super) use field;

impl Form {
    pub(super) fn new(form: TaskForm, posted: Option<AppError>, now: NaiveDateTime) -> Self {
        let values = RwSignal::new(form);
        let asked = RwSignal::new(matches!(posted, Some(AppError::Invalid(_))));
        // Errors that only the database can find are shown until a value is changed.
        let from_server = match posted {
            Some(AppError::Invalid(errors)) => Some(errors),
            _ => None,
        };
        let untouched = values.get_untracked();
        let problems = Memo::new(move |_| {
            values.with(|form| match &from_server {
                Some(errors) if *form == untouched => errors.clone(),
                _ => validate(&form.with_shown_fields(), now).err().unwrap_or_default(),
            })
        });
        Self { values, problems, touched: RwSignal::default(), asked, now }
    }

    /// Returns an initial value.
    pub(super) fn initial<T>(self, read: impl FnOnce(&TaskForm) -> T) -> T {
        self.values.with_untracked(read)
    }

    pub(super) fn with<T>(self, read: impl FnOnce(&TaskForm) -> T) -> T {
        self.values.with(read)
    }

    /// Changes a value. From then on the problem of its field is shown.
    pub(super) fn change(self, name: &'static str, write: impl FnOnce(&mut TaskForm)) {
        self.values.update(write);
        self.touched.update(|touched| {
            touched.insert(name);
        });
    }

    /// Returns all problems, shown or not.
    pub(super) fn problems(self) -> FieldErrors {
        self.problems.get()
    }

    /// Returns whether the user has tried to save.
    pub(super) fn asked(self) -> bool {
        self.asked.get()
    }

    /// Shows every problem from now on. Returns whether there is one.
    pub(super) fn show_all_problems(self) -> bool {
        self.asked.set(true);
        !self.problems.with_untracked(FieldErrors::is_empty)
    }

    /// Returns the first field that the server rejected.
    pub(super) fn first_wrong(self) -> Option<String> {
        let asked = self.asked.get_untracked();
        self.problems.with_untracked(|errors| errors.0.first().filter(|_| asked).map(|e| e.field.clone()))
    }

    /// Returns the problem of a field if it is shown.
    pub(super) fn problem(self, name: &'static str) -> Option<String> {
        let shown = self.is_shown(name);
        self.problems.with(|errors| errors.message(name).filter(|_| shown))
    }

    /// Returns the number of shown problems of a tab.
    pub(super) fn problems_of(self, tab: Tab) -> usize {
        self.problems.with(|errors| {
            errors.0.iter().filter(|e| Tab::for_field(&e.field) == tab && self.is_shown(&e.field)).count()
        })
    }

    fn is_shown(self, name: &str) -> bool {
        // A missing condition can result from the schedule and from the checkboxes.
        let by_others = ["schedule", "by_leaving", "by_activity", "by_marked"];
        self.asked.get()
            || self.touched.with(|touched| {
                touched.contains(name)
                    || (name == "conditions" && by_others.iter().any(|other| touched.contains(other)))
            })
    }

    pub(super) const fn now(self) -> NaiveDateTime {
        self.now
    }
}

/// Returns the name of a field in the posted form.
pub(super) fn posted(name: &str) -> String {
    format!("form[{name}]")
}

/// Returns the elements that describe a field.
fn described_by(name: &str, hint: Option<&str>) -> String {
    match hint {
        Some(_) => format!("{name}-hint {name}-problem"),
        None => format!("{name}-problem"),
    }
}

/// Shows the problem of a field.
#[component]
pub(super) fn Problem(form: Form, name: &'static str) -> impl IntoView {
    view! { <p class="problem" id=format!("{name}-problem")>{move || form.problem(name)}</p> }
}

/// Renders a field for one line of text.
#[component]
pub(super) fn TextField(
    form: Form,
    text: Text,
    label: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional)] class: Option<&'static str>,
    #[prop(optional)] mode: Option<&'static str>,
    #[prop(optional)] kind: Option<&'static str>,
) -> impl IntoView {
    let name = text.name;
    let described = described_by(name, hint);
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
            <input
                id=name
                name=posted(name)
                type=kind.unwrap_or("text")
                class=class
                inputmode=mode
                autocomplete="off"
                value=form.initial(|form| (text.read)(form).clone())
                aria-describedby=described
                aria-invalid=move || form.problem(name).map(|_| "true")
                on:input=move |event| form.change(name, |form| *(text.write)(form) = event_target_value(&event))
            />
            <Problem form name />
        </div>
    }
}

/// Renders the text field of a date with the browser's date picker beside it.
#[component]
pub(super) fn DateField(form: Form, text: Text, label: &'static str, hint: &'static str) -> impl IntoView {
    let name = text.name;
    let value = form.initial(|form| (text.read)(form).clone());
    let picked = iso_or_empty(&value);
    // A picked date replaces the text. Without WebAssembly the server compares the two.
    let typed = NodeRef::<leptos::html::Input>::new();
    let pick = move |event| {
        let shown = dates::as_shown(&event_target_value(&event));
        if let Some(input) = typed.get_untracked() {
            input.set_value(&shown);
        }
        form.change(name, |form| *(text.write)(form) = shown);
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
            <span class="dated">
                <input
                    id=name
                    node_ref=typed
                    name=posted(name)
                    type="text"
                    class="date"
                    autocomplete="off"
                    value=value
                    aria-describedby=format!("{name}-hint {name}-problem")
                    aria-invalid=move || form.problem(name).map(|_| "true")
                    on:input=move |event| form.change(name, |form| *(text.write)(form) = event_target_value(&event))
                />
                <input
                    name=picker_name(&posted(name), &picked)
                    type="date"
                    aria-label=CALENDAR
                    value=picked.clone()
                    prop:value=move || form.with(|form| iso_or_empty((text.read)(form)))
                    on:change=pick
                />
            </span>
            <Problem form name />
        </div>
    }
}

/// Renders a checkbox with its label.
#[component]
pub(super) fn CheckboxField(form: Form, checkbox: Checkbox, label: &'static str) -> impl IntoView {
    let name = checkbox.name;
    view! {
        <div class="choice">
            <input
                id=name
                name=posted(name)
                type="checkbox"
                value="true"
                checked=form.initial(checkbox.read)
                on:change=move |event| form.change(name, |form| *(checkbox.write)(form) = event_target_checked(&event))
            />
            <label for=name>{label}</label>
        </div>
    }
}

/// Renders one of several choices.
#[component]
pub(super) fn RadioField(form: Form, text: Text, code: &'static str, label: &'static str) -> impl IntoView {
    let name = text.name;
    let id = format!("{name}-{code}");
    view! {
        <div class="choice">
            <input
                id=id.clone()
                name=posted(name)
                type="radio"
                value=code
                checked=form.initial(|form| (text.read)(form) == code)
                on:change=move |_| form.change(name, |form| code.clone_into((text.write)(form)))
            />
            <label for=id>{label}</label>
        </div>
    }
}

/// An option of a dropdown.
#[derive(Clone)]
pub(super) struct Choice {
    code: String,
    label: String,
    /// Whether the option can't be chosen now.
    hidden: Signal<bool>,
}

impl Choice {
    /// Returns an option.
    pub(super) fn new(code: impl Into<String>, label: impl Into<String>, hidden: Signal<bool>) -> Self {
        Self { code: code.into(), label: label.into(), hidden }
    }

    /// Returns options that are always shown.
    pub(super) fn all(options: Vec<(String, String)>) -> Vec<Self> {
        let shown = Signal::stored(false);
        options.into_iter().map(|(code, label)| Self::new(code, label, shown)).collect()
    }
}

/// Renders a dropdown. `none` is the text while nothing is chosen.
#[component]
pub(super) fn ChosenField(
    form: Form,
    text: Text,
    label: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional)] none: Option<&'static str>,
    options: Vec<Choice>,
) -> impl IntoView {
    let name = text.name;
    let described = described_by(name, hint);
    let initial = form.initial(|form| (text.read)(form).clone());
    let none = none.map(|none| view! { <option value="" selected=initial.is_empty()>{none}</option> });
    let options = options
        .into_iter()
        .map(|Choice { code, label, hidden }| {
            let selected = initial == code;
            let hidden = move || hidden.get();
            view! { <option value=code selected=selected hidden=hidden disabled=hidden>{label}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
            <select
                id=name
                name=posted(name)
                aria-describedby=described
                aria-invalid=move || form.problem(name).map(|_| "true")
                on:change=move |event| form.change(name, |form| *(text.write)(form) = event_target_value(&event))
            >
                {none}
                {options}
            </select>
            <Problem form name />
        </div>
    }
}
