//! The filters of the audit.

use crate::parts::{DateInput, FieldProblem, date_query, options, percent_encoded, query};
use leptos::prelude::*;
use policy::form::FieldErrors;
use records::audit::{AuditForm, Deed, Subject};

/// Reads the address of the page.
pub(super) fn of_address() -> AuditForm {
    AuditForm {
        from: date_query("from"),
        to: date_query("to"),
        deed: query("deed"),
        staff: query("staff"),
        kind: query("kind"),
        id: query("id"),
        run: query("run"),
    }
}

/// The address of a page with these filters.
pub(super) fn address(page: &str, form: &AuditForm) -> String {
    let AuditForm { from, to, deed, staff, kind, id, run } = form;
    let filters = [
        ("from", from),
        ("to", to),
        ("deed", deed),
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

/// The filters, as a form.
#[component]
pub(super) fn Filters(form: AuditForm, errors: FieldErrors) -> impl IntoView {
    let any = form != AuditForm::default();
    let chosen = Subject::KINDS.iter().copied().find(|(code, _)| *code == form.kind);
    let input = |name: &'static str, label: &'static str, value: String| {
        let wrong = errors.of(name).is_some().then_some("true");
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
                <DateInput id=name name value wrong=errors.of(name).is_some()
                    described=format!("{name}-problem") />
                <FieldProblem field=name errors=errors.clone() />
            </div>
        }
    };
    let from = day("from", "First day", form.from);
    let to = day("to", "Last day", form.to);
    let staff = input("staff", "Staff, user number", form.staff);
    let id = input("id", "Its number", form.id);
    let run = input("run", "Run", form.run);
    view! {
        <form class="filters" method="get" action="/audit" role="search" aria-label="Filter events">
            {from} {to}
            <div class="field">
                <label for="deed">"What"</label>
                <select id="deed" name="deed" aria-describedby="deed-problem">
                    {options(Deed::ALL.iter().copied(), Deed::of_code(&form.deed), "Anything", Deed::code, Deed::words)}
                </select>
                <FieldProblem field="deed" errors=errors.clone() />
            </div>
            <div class="field">
                <label for="kind">"On what"</label>
                <select id="kind" name="kind" aria-describedby="kind-problem">
                    {options(Subject::KINDS, chosen, "Anything", |kind| kind.0, |kind| kind.1)}
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
