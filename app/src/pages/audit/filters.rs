//! The filters of the audit.

use crate::parts::{FieldProblem, options, percent_encoded, query};
use leptos::prelude::*;
use policy::form::FieldErrors;
use records::audit::{AuditForm, Deed, Subject};

/// Reads the address of the page.
pub(super) fn of_address() -> AuditForm {
    AuditForm {
        from: query("from"),
        to: query("to"),
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
    let input = |name: &'static str,
                 label: &'static str,
                 value: String,
                 hint: &'static str,
                 class: &'static str| {
        let wrong = errors.of(name).is_some().then_some("true");
        let inputmode = (class == "number").then_some("numeric");
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input class=class id=name name=name value=value placeholder=hint maxlength="40" autocomplete="off"
                    inputmode=inputmode aria-invalid=wrong aria-describedby=format!("{name}-problem") />
                <FieldProblem field=name errors=errors.clone() />
            </div>
        }
    };
    let from = input("from", "First day", form.from, "1 Jan 2018", "date");
    let to = input("to", "Last day", form.to, "31 Jan 2018", "date");
    let staff = input("staff", "Staff, user number", form.staff, "", "number");
    let id = input("id", "Its number", form.id, "", "number");
    let run = input("run", "Run", form.run, "", "number");
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
