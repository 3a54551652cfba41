//! The pages of the help.

use crate::components::{PageLayout, guarded_page, path_param};
use crate::help::{self, DOCUMENTS, HELP};
use db::RecordsError;
use leptos::prelude::*;

/// Lists the documents.
#[component]
pub fn HelpListPage() -> impl IntoView {
    guarded_page(async {
        let rows = DOCUMENTS.iter().map(|document| {
            view! { <li><a href=document.address()>{document.title()}</a> " – " {document.about}</li> }
        });
        Ok(view! {
            <PageLayout title="Help" lead="How Lethe works, and what to do.">
                <ul>{rows.collect_view()}</ul>
            </PageLayout>
        })
    })
}

/// Shows a document.
#[component]
pub fn HelpPage() -> impl IntoView {
    let name = path_param::<String>("help page");
    guarded_page(async move {
        let name = name?;
        let document = DOCUMENTS.iter().find(|one| one.name == name);
        let document = document.ok_or(RecordsError::NotFound("help page"))?;
        let crumbs = vec![("Help".to_owned(), HELP.to_owned())];
        Ok(view! {
            <PageLayout title=document.title() crumbs>
                <div class="document" inner_html=help::html(document)></div>
            </PageLayout>
        })
    })
}
