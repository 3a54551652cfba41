//! The filters of the audit.

use crate::components::{DateInput, FieldProblem, date_query, options, query};
use crate::url::percent_encoded;
use leptos::prelude::*;
use policy::form::FieldErrors;
use trail::audit::{AuditAction, AuditForm, Subject};

/// Reads the filters of the page's address.
pub(super) fn from_address() -> AuditForm {
    AuditForm {
        from: date_query("from"),
        to: date_query("to"),
        action: query("action"),
        staff: query("staff"),
        kind: query("kind"),
        id: query("id"),
        run: query("run"),
    }
}

/// Returns the address of a page with these filters.
pub(super) fn address(page: &str, form: &AuditForm) -> String {
    let AuditForm { from, to, action, staff, kind, id, run } = form;
    let filters = [
        ("from", from),
        ("to", to),
        ("action", action),
        ("staff", staff),
        ("kind", kind),
        ("id", id),
        ("run", run),
    ];
    let parts: Vec<String> = filters
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| format!("{name}={}", percent_encoded(value.trim())))
        .collect();
    if parts.is_empty() { page.to_owned() } else { format!("{page}?{}", parts.join("&")) }
}

/// Renders the filters.
#[component]
pub(super) fn Filters(form: AuditForm, errors: FieldErrors) -> impl IntoView {
    let any = form != AuditForm::default();
    let chosen = Subject::KINDS.iter().copied().find(|(code, _)| *code == form.kind);
    let input = |name: &'static str, label: &'static str, value: String| {
        let wrong = errors.message(name).is_some().then_some("true");
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input class="number" id=name name=name value=value autocomplete="off"
                    inputmode="numeric" aria-invalid=wrong aria-describedby=format!("{name}-problem") />
                <FieldProblem field=name errors=errors.clone() />
            </div>
        }
    };
    let day = |name: &'static str, label: &'static str, value: String| {
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <DateInput id=name name value wrong=errors.message(name).is_some()
                    described=format!("{name}-problem") />
                <FieldProblem field=name errors=errors.clone() />
            </div>
        }
    };
    let from = day("from", "First day", form.from);
    let to = day("to", "Last day", form.to);
    let staff = input("staff", "Staff (user number)", form.staff);
    let id = input("id", "Object number", form.id);
    let run = input("run", "Run", form.run);
    view! {
        <form class="filters" method="get" action="/audit" role="search" aria-label="Filter events">
            {from} {to}
            <div class="field">
                <label for="action">"Action"</label>
                <select id="action" name="action" aria-describedby="action-problem">
                    {options(AuditAction::ALL.iter().copied(), AuditAction::from_code(&form.action), "Any action", AuditAction::code, AuditAction::label)}
                </select>
                <FieldProblem field="action" errors=errors.clone() />
            </div>
            <div class="field">
                <label for="kind">"Object"</label>
                <select id="kind" name="kind" aria-describedby="kind-problem">
                    {options(Subject::KINDS, chosen, "Any object", |kind| kind.0, |kind| kind.1)}
                </select>
                <FieldProblem field="kind" errors=errors.clone() />
            </div>
            {id} {staff} {run}
            <div class="field">
                <button type="submit">"Filter events"</button>
                <p class="problem"></p>
            </div>
            {any.then(|| view! {
                <div class="field">
                    <a class="button" href="/audit">"Show all events"</a>
                    <p class="problem"></p>
                </div>
            })}
        </form>
    }
}
