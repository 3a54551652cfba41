//! The list of catalogue records.

use super::record_table;
use crate::parts::{Frame, Pager, page, paging, percent_encoded, query};
use crate::state::store;
use leptos::prelude::*;
use policy::text;
use records::catalogue;
use records::page::Page;

/// Catalogue records by title.
#[component]
pub fn CatalogueListPage() -> impl IntoView {
    let typed = query("title");
    page(async move {
        let paging = paging();
        let paged = paging.after.is_some();
        let Page { rows, next } = catalogue::list(&store(), &typed, &paging).await?;
        let list = if typed.is_empty() {
            "/catalogue".to_owned()
        } else {
            format!("/catalogue?title={}", percent_encoded(&typed))
        };
        let results = match (rows.is_empty(), typed.is_empty()) {
            (false, _) => record_table("Catalogue records", rows).into_any(),
            (true, true) => view! {
                <p class="empty">
                    <b>"There are no catalogue records yet. "</b>
                    "They come with the demo library, or with the loans of another system."
                </p>
            }
            .into_any(),
            (true, false) => view! {
                <p class="empty">
                    <b>"No title begins like this. "</b> <a href="/catalogue">"Show all records"</a>
                </p>
            }
            .into_any(),
        };
        Ok(view! {
            <Frame title="Catalogue" lead="Records by title, with who made and who last changed them.">
                <form class="filters" method="get" action="/catalogue" role="search" aria-label="Catalogue records">
                    <div class="field">
                        <label for="title">"Title begins with"</label>
                        <input id="title" name="title" type="search" maxlength=text::SHORT value=typed autocomplete="off" />
                    </div>
                    <button class="primary" type="submit">"Find records"</button>
                </form>
                {results}
                <Pager list paged next />
            </Frame>
        })
    })
}
