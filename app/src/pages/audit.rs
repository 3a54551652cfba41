//! The audit: the list of events, and its CSV file.

mod csv;
mod filters;

pub use csv::audit_csv;

use crate::components::{
    Column, DataTable, Day, PageLayout, Pager, ProblemSummary, Timestamp, filter_error, guarded_page, paging,
};
use crate::state::{actor, store};
use db::pagination::Page;
use filters::Filters;
use leptos::prelude::*;
use policy::Action;
use policy::form::FieldErrors;
use policy::numbers::grouped;
use trail::audit::{self, AuditForm, AuditRow, ChainStatus};

/// Shows the events, newest first.
#[component]
pub fn AuditPage() -> impl IntoView {
    let (actor, form) = (actor(), filters::from_address());
    guarded_page(async move {
        actor.require(Action::SeeAudit)?;
        let store = store();
        let status = audit::status(&store, actor).await?;
        let (results, errors) = match form.validate() {
            Err(errors) => (().into_any(), errors),
            Ok(query) => {
                let paging = paging();
                let paged = paging.after.is_some();
                let found = audit::list(&store, actor, &query, &paging).await?;
                (results(&form, found, paged).into_any(), FieldErrors::default())
            }
        };
        let error = filter_error(&errors);
        Ok(view! {
            <PageLayout title="Audit"
                lead="All recorded actions, newest first. Events are never changed or removed, and \
                      contain no field values.">
                <ProblemSummary error />
                {chain(&status)}
                <Filters form errors />
                {results}
            </PageLayout>
        })
    })
}

/// Renders the state of the audit chain, as far as it is known without reading the whole chain.
fn chain(status: &ChainStatus) -> impl IntoView + use<> {
    let broken = status.is_behind().then(|| {
        view! {
            <div class="notice danger" role="alert">
                <p>
                    <b>"The audit ends before its last anchor: events were removed."</b> " Run "
                    <code>"lethe audit verify"</code> " to see which."
                </p>
            </div>
        }
    });
    let last = status.last.unwrap_or_default();
    let anchor = status.anchor.as_ref().map_or_else(
        || view! { "It is not anchored yet." }.into_any(),
        |anchor| {
            let position = grouped(anchor.sequence);
            view! { "The last anchor was written on " <Day date=anchor.date />", at event "{position}"." }
                .into_any()
        },
    );
    view! {
        {broken}
        <p class="hint">
            "The chain has "{if last == 1 { "1 event".to_owned() } else { format!("{} events", grouped(last)) }}". "
            {anchor} " To check that nothing was altered, choose Verify audit on the " <a href="/">"overview"</a>
            " or run "<code>"lethe audit verify"</code>"."
        </p>
    }
}

fn results(form: &AuditForm, found: Page<AuditRow>, paged: bool) -> impl IntoView + use<> {
    let Page { rows, next, .. } = found;
    if rows.is_empty() {
        return view! {
            <p class="empty">
                <b>"No events match. "</b>
                "Every sign-in, change, preview, run and export is recorded. " <a href="/audit">"Show all events"</a>
            </p>
        }
        .into_any();
    }
    let list = filters::address("/audit", form);
    let file = filters::address("/audit/csv", form);
    view! {
        <p><a href=file download>"Download these events as CSV"</a></p>
        <DataTable label="Events" caption="Events, newest first"
            columns=vec![
                Column::text("When"), Column::text("Action"), Column::text("Object"), Column::text("Staff"),
                Column::text("Channel"), Column::text("Details"), Column::number("Event"),
            ]>
            {rows.into_iter().map(row).collect_view()}
        </DataTable>
        <Pager list paged next />
    }
    .into_any()
}

fn row(event: AuditRow) -> impl IntoView {
    let who = event.staff.map(|number| {
        let label = event.name.clone().unwrap_or_else(|| "(no longer exists)".to_owned());
        let link = if event.name.is_some() {
            view! { <a href=format!("/users/{number}")>{label}</a> }.into_any()
        } else {
            label.into_any()
        };
        view! { {link} <br /> <small>{number.to_string()}</small> }.into_any()
    });
    let who = who.unwrap_or_else(|| view! { "–" }.into_any());
    let label = event.subject_label();
    let subject = match page_of(&event) {
        Some(href) => view! { <a href=href>{label}</a> }.into_any(),
        None => label.into_any(),
    };
    // A run that is the subject is not named twice.
    let run = event.run.filter(|run| event.kind != "run" || event.subject != Some(run.0)).map(|run| {
        view! { <br /> <small><a href=format!("/runs/{run}")>"Run "{run.to_string()}</a></small> }
    });
    let position = event.sequence.map_or_else(
        || view! { <span class="tag bad">"Not written by Lethe"</span> }.into_any(),
        |sequence| grouped(sequence).into_any(),
    );
    view! {
        <tr>
            <td class="nowrap"><Timestamp at=event.at seconds=true /></td>
            <th scope="row">{event.action_label()}</th>
            <td>{subject} {run}</td>
            <td>{who}</td>
            <td>{event.channel_label().to_owned()}</td>
            <td>{event.detail_words()}</td>
            <td class="number">{position}</td>
        </tr>
    }
}

/// Returns the page of the event's subject, if it has one.
fn page_of(event: &AuditRow) -> Option<String> {
    let id = event.subject?;
    match event.kind.as_str() {
        "user" => Some(format!("/users/{id}")),
        "task" => Some(format!("/tasks/{id}")),
        "run" => Some(format!("/runs/{id}")),
        "api_key" => Some("/api-keys".to_owned()),
        _ => None,
    }
}
