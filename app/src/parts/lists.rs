//! Parts of lists and tables.

use chrono::NaiveDate;
use leptos::prelude::*;
use policy::dates;

/// A date as people read it, and as machines do. Nothing where there is none.
#[component]
pub(crate) fn Day(
    /// The date.
    #[prop(into)]
    date: Option<NaiveDate>,
) -> impl IntoView {
    date.map(|date| view! { <time datetime=dates::iso(date)>{dates::shown(date)}</time> })
}

/// The way to the next page of a list, and back to the first.
#[component]
pub(crate) fn Pager(
    /// Address of the list with its filters, without the key: `/users?q=ng`.
    #[prop(into)]
    list: String,
    /// Whether this is not the first page.
    paged: bool,
    /// The key after which the next page begins.
    next: Option<String>,
) -> impl IntoView {
    let glue = if list.contains('?') { '&' } else { '?' };
    let next = next.map(|key| {
        let key: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        view! { <a rel="next" href=format!("{list}{glue}after={key}")>"Next page"</a> }
    });
    let first = paged.then(|| view! { <a href=list.clone()>"First page"</a> });
    (next.is_some() || first.is_some())
        .then(|| view! { <nav class="pager" aria-label="Pages">{first} {next}</nav> })
}
