//! The audit: the list of events, and its file.

mod csv;
mod filters;

pub use csv::audit_csv;

use crate::parts::{Day, Frame, Moment, Pager, ProblemSummary, page, paging, wrong_filters};
use crate::state::{actor, store};
use filters::Filters;
use leptos::prelude::*;
use policy::Action;
use policy::form::FieldErrors;
use policy::numbers::grouped;
use records::audit::{self, AuditForm, AuditRow, Standing};
use records::page::Page;

/// Who did what to which record, the newest first.
#[component]
pub fn AuditPage() -> impl IntoView {
    let (actor, form) = (actor(), filters::of_address());
    page(async move {
        actor.must(Action::SeeAudit)?;
        let store = store();
        let standing = audit::standing(&store, actor).await?;
        let (results, errors) = match form.validate() {
            Err(errors) => (().into_any(), errors),
            Ok(query) => {
                let paging = paging();
                let paged = paging.after.is_some();
                let found = audit::list(&store, actor, &query, &paging).await?;
                (results(&form, found, paged).into_any(), FieldErrors::default())
            }
        };
        let error = wrong_filters(&errors);
        Ok(view! {
            <Frame title="Audit"
                lead="Who did what to which record, the newest first. Nothing is ever changed or taken from it, and no value \
                      of a field stands in it.">
                <ProblemSummary error />
                {chain(&standing)}
                <Filters form errors />
                {results}
            </Frame>
        })
    })
}

/// How the chain stands, as far as can be told without reading all of it.
fn chain(standing: &Standing) -> impl IntoView + use<> {
    let broken = standing.is_behind().then(|| {
        view! {
            <div class="notice danger" role="alert">
                <p>
                    <b>"The audit ends before what was anchored: events were removed."</b> " "
                    <code>"lethe audit verify"</code> " says which."
                </p>
            </div>
        }
    });
    let last = standing.last.unwrap_or_default();
    let anchor = standing.anchor.as_ref().map_or_else(
        || view! { "It is not anchored yet." }.into_any(),
        |anchor| {
            let place = grouped(anchor.sequence);
            view! { "The last anchor, of " <Day date=anchor.date />", is at event "{place}"." }.into_any()
        },
    );
    view! {
        {broken}
        <p class="hint">
            "The chain has "{if last == 1 { "1 event".to_owned() } else { format!("{} events", grouped(last)) }}". "
            {anchor} " Whether all of it is as Lethe wrote it, "<code>"lethe audit verify"</code>" tells."
        </p>
    }
}

fn results(form: &AuditForm, found: Page<AuditRow>, paged: bool) -> impl IntoView + use<> {
    let Page { rows, next } = found;
    if rows.is_empty() {
        return view! {
            <p class="empty">
                <b>"No event fits here. "</b>
                "Every sign-in, change, preview, run and export is noted. " <a href="/audit">"Show all events"</a>
            </p>
        }
        .into_any();
    }
    let list = filters::address("/audit", form);
    let file = filters::address("/audit/csv", form);
    view! {
        <p><a href=file download>"Download these events as CSV"</a></p>
        <div class="scroll" role="region" aria-label="Events" tabindex="0">
            <table>
                <caption class="hidden">"Events, the newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"On what"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"Way"</th>
                        <th scope="col">"Details"</th>
                        <th scope="col" class="number">"Event"</th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        <Pager list paged next />
    }
    .into_any()
}

fn row(event: AuditRow) -> impl IntoView {
    let who = event.staff.map(|number| {
        let words = event.name.clone().unwrap_or_else(|| "(no longer here)".to_owned());
        let link = if event.name.is_some() {
            view! { <a href=format!("/users/{number}")>{words}</a> }.into_any()
        } else {
            words.into_any()
        };
        view! { {link} <br /> <small>{number.to_string()}</small> }.into_any()
    });
    let who = who.unwrap_or_else(|| view! { "–" }.into_any());
    let words = event.subject_words();
    let subject = match page_of(&event) {
        Some(href) => view! { <a href=href>{words}</a> }.into_any(),
        None => words.into_any(),
    };
    // A run that is the subject itself need not be named twice.
    let run = event.run.filter(|run| event.kind != "run" || event.subject != Some(run.0)).map(|run| {
        view! { <br /> <small><a href=format!("/runs/{run}")>"Run "{run.to_string()}</a></small> }
    });
    let place = event.sequence.map_or_else(
        || view! { <span class="tag bad">"Not by Lethe"</span> }.into_any(),
        |sequence| grouped(sequence).into_any(),
    );
    view! {
        <tr>
            <td><Moment at=event.at /></td>
            <th scope="row">{event.deed_words()}</th>
            <td>{subject} {run}</td>
            <td>{who}</td>
            <td>{event.channel_words().to_owned()}</td>
            <td>{event.detail_words()}</td>
            <td class="number">{place}</td>
        </tr>
    }
}

/// The page of the record that something was done to, if it has one.
fn page_of(event: &AuditRow) -> Option<String> {
    let id = event.subject?;
    match event.kind.as_str() {
        "user" => Some(format!("/users/{id}")),
        "task" => Some(format!("/tasks/{id}")),
        "run" => Some(format!("/runs/{id}")),
        _ => None,
    }
}
