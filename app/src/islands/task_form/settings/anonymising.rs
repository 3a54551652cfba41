//! The settings of the task type *Anonymise user data*: the policy.

use super::super::affected::Affected;
use super::super::inputs::{Checkbox, Form, Problem, RadioField, Text, field, posted};
use leptos::prelude::*;
use policy::affected::AffectedTexts;
use policy::field::{ALWAYS_REMOVED, ALWAYS_REMOVED_TOO, FieldGroup};
use policy::{Field, NoteTreatment, Scope, Treatment, summary};

#[component]
pub(super) fn Policy(
    form: Form,
    custom: Vec<(String, String)>,
    zone: String,
    awake: RwSignal<bool>,
    affected: RwSignal<Option<AffectedTexts>>,
    check: String,
) -> impl IntoView {
    let texts = NoteTreatment::ALL.map(
        |way| view! { <RadioField form text=field!(text circulation_notes) code=way.code() label=way.label() /> },
    );
    view! {
        <Conditions form zone />
        <Affected form affected awake check />
        <fieldset class="treatments">
            <legend>"Anonymise below user data"</legend>
            <ScopeField form affected />
            <p class="hint">{ALWAYS_REMOVED_TOO}</p>
            <Treatments form custom />
            <Problem form name="fields" />
        </fieldset>
        <fieldset>
            <legend>"Notes on loans, requests and charges"</legend>
            <p class="hint">
                "Loans, requests and charges stay, with the user category and department on their date. Free \
                 text on them is removed."
            </p>
            {texts}
            <Problem form name="circulation_notes" />
        </fieldset>
    }
}

/// The dropdown of the users to which the task applies, with their numbers.
#[component]
fn ScopeField(form: Form, affected: RwSignal<Option<AffectedTexts>>) -> impl IntoView {
    let scope = field!(text scope);
    let initial = form.initial(|form| form.scope.clone());
    let options = Scope::ALL.into_iter().enumerate().map(|(place, scope)| {
        let label = match scope {
            Scope::Imported => "Imported users",
            Scope::NotImported => "Users not imported",
            Scope::All => "All users",
        };
        let users =
            move || affected.with(|texts| texts.as_ref()?.scopes.get(place).map(|n| format!(" ({n})")));
        view! { <option value=scope.code() selected=initial == scope.code()>{label}{users}</option> }
    });
    view! {
        <div class="field">
            <label for="scope">"Apply to"</label>
            <p class="hint" id="scope-hint">
                "An imported user was created or last matched by an import. All other users are not imported. \
                 Users who are already anonymised are not counted."
            </p>
            <select
                id=scope.name
                name=posted(scope.name)
                aria-describedby="scope-hint scope-problem"
                aria-invalid=move || form.problem("scope").map(|_| "true")
                on:change=move |event| {
                    form.change(scope.name, |form| *(scope.write)(form) = event_target_value(&event));
                }
            >
                {options.collect_view()}
            </select>
            <Problem form name="scope" />
        </div>
    }
}

/// The three conditions, and the sentence that describes them.
#[component]
fn Conditions(form: Form, zone: String) -> impl IntoView {
    let selection = move || form.with(summary::of_form);
    let example =
        move || form.with(|values| summary::example_of_form(values, form.now().date())).unwrap_or_default();
    view! {
        <fieldset id="conditions" tabindex="-1" aria-describedby="conditions-problem">
            <legend>"Anonymise user data after"</legend>
            <p class="hint">
                "Tick the conditions that apply and enter their days. All ticked conditions must be met. \
                 Whole days, in the library's time zone (" {zone} ")."
            </p>
            <Condition form checkbox=field!(checkbox by_leaving) days=field!(text leaving_days)
                label="days after the leaving date" />
            <Condition form checkbox=field!(checkbox by_activity) days=field!(text activity_days)
                label="days after the last activity" />
            <Condition form checkbox=field!(checkbox by_marked) days=field!(text marked_days)
                label="days after being marked for deletion" />
            <Problem form name="conditions" />
            <p class="hint">{summary::ACTIVITY}</p>
        </fieldset>
        <div class="sentence" role="status">
            <p>{selection}</p>
            <p class="first-day">{example}</p>
        </div>
    }
}

#[component]
fn Condition(form: Form, checkbox: Checkbox, days: Text, label: &'static str) -> impl IntoView {
    let name = days.name;
    // Typing a number ticks its condition: without the tick the rule would be wider than intended.
    let typed = move |event| {
        let text = event_target_value(&event);
        if !text.trim().is_empty() {
            form.change(checkbox.name, |form| *(checkbox.write)(form) = true);
        }
        form.change(name, |form| *(days.write)(form) = text);
    };
    let ticked = move |event| {
        let is_ticked = event_target_checked(&event);
        form.change(checkbox.name, |form| *(checkbox.write)(form) = is_ticked);
        if !is_ticked {
            form.change(name, |_| ());
        }
    };
    view! {
        <div class="condition">
            <div class="choice">
                <input
                    id=checkbox.name
                    name=posted(checkbox.name)
                    type="checkbox"
                    value="true"
                    checked=form.initial(checkbox.read)
                    prop:checked=move || form.with(checkbox.read)
                    on:change=ticked
                />
                <input
                    id=name
                    name=posted(name)
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    aria-label=format!("Number of {label}")
                    aria-describedby=format!("{name}-problem")
                    aria-invalid=move || form.problem(name).map(|_| "true")
                    value=form.initial(|form| (days.read)(form).clone())
                    on:input=typed
                />
                <label for=checkbox.name>{label}</label>
            </div>
            <Problem form name />
        </div>
    }
}

/// The treatment of each field.
#[component]
fn Treatments(form: Form, custom: Vec<(String, String)>) -> impl IntoView {
    let always = ALWAYS_REMOVED.map(|(label, why)| {
        view! {
            <tr>
                <th scope="row">
                    <span class="choice">
                        <input type="checkbox" checked disabled aria-label=format!("Remove {label}: always") />
                        {label}
                    </span>
                </th>
                <td>"Always removed"<br /><small>{why}</small></td>
            </tr>
        }
    });
    let groups = FieldGroup::ALL.map(|group| {
        let rows = Field::ALL.into_iter().filter(|field| field.group() == group);
        let rows = rows.map(|field| view! { <Treated form field /> }).collect_view();
        view! { <tbody><tr><th scope="rowgroup" colspan="2"><b>{group.label()}</b></th></tr>{rows}</tbody> }
    });
    let custom = (!custom.is_empty()).then(|| {
        let rows = custom
            .into_iter()
            .map(|(key, label)| view! { <CustomTreated form custom_key=key label /> })
            .collect_view();
        view! { <tbody><tr><th scope="rowgroup" colspan="2"><b>"Custom fields"</b></th></tr>{rows}</tbody> }
    });
    view! {
        <div class="scroll" role="region" aria-label="What happens to each field" tabindex="0">
            <table>
                <caption class="hidden">"What happens to each field of the user"</caption>
                <thead><tr><th scope="col">"Field"</th><th scope="col">"What happens to it"</th></tr></thead>
                <tbody>{always}</tbody>
                {groups}
                {custom}
            </table>
        </div>
    }
}

#[component]
fn Treated(form: Form, field: Field) -> impl IntoView {
    let id = format!("fields.{}", field.code());
    let now = form.initial(|form| form.fields.get(field.code()).cloned());
    let now = now.and_then(|code| Treatment::from_code(&code)).unwrap_or(field.default_treatment());
    let options = field
        .treatments()
        .iter()
        .map(|one| view! { <option value=one.code() selected=*one == now>{one.label()}</option> })
        .collect_view();
    let change = move |event| {
        form.change("fields", |form| {
            form.fields.insert(field.code().to_owned(), event_target_value(&event));
        });
    };
    view! {
        <tr>
            <th scope="row"><label for=id.clone()>{field.label()}</label></th>
            <td><select id=id name=format!("form[fields][{}]", field.code()) on:change=change>{options}</select></td>
        </tr>
    }
}

#[component]
fn CustomTreated(form: Form, custom_key: String, label: String) -> impl IntoView {
    let id = format!("custom.{custom_key}");
    let name = format!("form[custom][{custom_key}]");
    let kept = form.initial(|form| form.custom.get(&custom_key).is_some_and(|code| code == "keep"));
    let change = move |event| {
        form.change("custom", |form| {
            form.custom.insert(custom_key.clone(), event_target_value(&event));
        });
    };
    view! {
        <tr>
            <th scope="row"><label for=id.clone()>{label}</label></th>
            <td>
                <select id=id name=name on:change=change>
                    <option value="remove" selected=!kept>"Remove"</option>
                    <option value="keep" selected=kept>"Keep"</option>
                </select>
            </td>
        </tr>
    }
}
