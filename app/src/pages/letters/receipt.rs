//! The receipt after a single erasure: for the person who asked for it. It has no name, and Lethe keeps no copy.

use crate::components::{Day, PageLayout, PrintHeader, guarded_page, path_param};
use crate::pages::runs::treated_fields;
use crate::state::store;
use db::RecordsError;
use erasure::certificate;
use leptos::prelude::*;
use policy::{RunId, RunKind};
use trail::library;

/// Shows the receipt of a single erasure, to print.
#[component]
pub fn ReceiptPage() -> impl IntoView {
    let id = path_param::<RunId>("run");
    guarded_page(async move {
        let (store, id) = (store(), id?);
        let says = certificate::read(&store, id).await?.certificate;
        // After a merge the library still holds a record of the person.
        if says.kind != RunKind::Single || says.done == 0 || says.merged_into.is_some() {
            return Err(RecordsError::NotFound("receipt"));
        }
        let library = library::read(&store.db).await?;
        let crumbs = vec![
            ("Task centre".to_owned(), "/tasks".to_owned()),
            (format!("Run {id}"), format!("/runs/{id}")),
        ];
        let sender =
            [library.name.clone(), library.address.clone()].into_iter().flatten().collect::<Vec<_>>();
        Ok(view! {
            <PrintHeader run=id />
            <PageLayout title="Receipt of erasure" crumbs
                lead="We have removed the personal data of one person from our records.">
                <p class="on-screen">
                    <button type="button" class="scripted" data-print="">"Print receipt"</button>
                    " Print this page for the person. It contains no name, and Lethe keeps no copy of it."
                </p>
                <p class="lines">{sender.join("\n")}</p>
                <dl class="facts">
                    <dt>"Erased on"</dt><dd><Day date=says.day /></dd>
                    <dt>"Number of the run"</dt><dd>{id.to_string()}</dd>
                </dl>
                <h2>"Treatment of each field"</h2>
                {treated_fields(&says.fields)}
                <p>
                    "What is kept is no longer linked to a name. Loans and requests stay as statistics, without the \
                     person. This cannot be undone."
                </p>
                {library.contact.map(|contact| view! { <h2>"Contact"</h2> <p class="lines">{contact}</p> })}
            </PageLayout>
        })
    })
}
