//! The list of catalogue records.

use super::record_table;
use crate::components::{
    FilterProblem, PageLayout, Pager, ProblemSummary, guarded_page, paging, percent_encoded, search_text,
    wrong_filters,
};
use crate::state::store;
use leptos::prelude::*;
use policy::form::FieldErrors;
use records::catalogue;
use records::pagination::Page;

/// Catalogue records by title.
#[component]
pub fn CatalogueListPage() -> impl IntoView {
    let mut errors = FieldErrors::default();
    let typed = search_text(&mut errors, "title");
    guarded_page(async move {
        let paging = paging();
        let paged = paging.after.is_some();
        let error = wrong_filters(&errors);
        let Page { rows, next } = match error {
            Some(_) => Page::default(),
            None => catalogue::list(&store(), &typed, &paging).await?,
        };
        let list = if typed.is_empty() {
            "/catalogue".to_owned()
        } else {
            format!("/catalogue?title={}", percent_encoded(&typed))
        };
        let results = match (rows.is_empty(), typed.is_empty()) {
            _ if error.is_some() => ().into_any(),
            (false, _) => record_table("Catalogue records", rows).into_any(),
            (true, true) => view! {
                <p class="empty">
                    <b>"There are no catalogue records yet. "</b>
                    "They come with the demo library or with imported loans."
                </p>
            }
            .into_any(),
            (true, false) => view! {
                <p class="empty">
                    <b>"No titles begin with this text. "</b> <a href="/catalogue">"Show all records"</a>
                </p>
            }
            .into_any(),
        };
        Ok(view! {
            <PageLayout title="Catalogue" lead="Records by title, with who created and last changed them.">
                <ProblemSummary error />
                <form class="filters" method="get" action="/catalogue" role="search" aria-label="Catalogue records">
                    <div class="field">
                        <label for="title">"Title begins with"</label>
                        <input id="title" name="title" type="search" value=typed autocomplete="off"
                            aria-invalid=errors.of("title").map(|_| "true") aria-describedby="title-problem" />
                        <FilterProblem field="title" errors=errors.clone() />
                    </div>
                    <button class="primary" type="submit">"Find records"</button>
                </form>
                {results}
                <Pager list paged next />
            </PageLayout>
        })
    })
}
