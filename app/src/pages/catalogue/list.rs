//! The list of catalogue records.

use super::record_table;
use crate::components::{
    FilterProblem, PageLayout, ProblemSummary, filtered_list, guarded_page, paging, search_text,
};
use crate::state::store;
use crate::url::percent_encoded;
use leptos::prelude::*;
use policy::form::FieldErrors;
use records::catalogue;

/// Shows catalogue records by title.
#[component]
pub fn CatalogueListPage() -> impl IntoView {
    let mut errors = FieldErrors::default();
    let typed = search_text(&mut errors, "title");
    guarded_page(async move {
        let (store, paging) = (store(), paging());
        let is_filtered = !typed.is_empty();
        let address = if is_filtered {
            format!("/catalogue?title={}", percent_encoded(&typed))
        } else {
            "/catalogue".to_owned()
        };
        let load = catalogue::list(&store, &typed, &paging);
        let list =
            filtered_list(&errors, address, &paging, load, |rows| match (rows.is_empty(), is_filtered) {
                (false, _) => record_table("Catalogue records", rows).into_any(),
                (true, false) => view! {
                    <p class="empty">
                        <b>"There are no catalogue records yet. "</b>
                        "They come with the demo library or with imported loans."
                    </p>
                }
                .into_any(),
                (true, true) => view! {
                    <p class="empty">
                        <b>"No records found. "</b> "All words must match, each by its beginning. "
                        <a href="/catalogue">"Show all records"</a>
                    </p>
                }
                .into_any(),
            })
            .await?;
        Ok(view! {
            <PageLayout title="Catalogue" lead="Records by title, with who created and last changed them.">
                <ProblemSummary error=list.error />
                <form class="filters" method="get" action="/catalogue" role="search" aria-label="Catalogue records">
                    <div class="field">
                        <label for="title">"Title, author or item barcode"</label>
                        <input id="title" name="title" type="search" value=typed autocomplete="off"
                            aria-invalid=errors.message("title").map(|_| "true") aria-describedby="title-problem" />
                        <FilterProblem field="title" errors=errors.clone() />
                    </div>
                    <button class="primary" type="submit">"Find records"</button>
                </form>
                {list.content}
            </PageLayout>
        })
    })
}
