//! Parts of lists and tables.

use crate::state::store;
use chrono::{DateTime, NaiveDate, Utc};
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

/// An instant in the library's time zone: `15 Jan 2018 02:30`.
#[component]
pub(crate) fn Timestamp(
    /// The instant.
    #[prop(into)]
    at: Option<DateTime<Utc>>,
) -> impl IntoView {
    at.map(|at| {
        let local = at.with_timezone(&store().clock().zone());
        let shown = format!("{} {}", dates::shown(local.date_naive()), local.format("%H:%M"));
        view! { <time datetime=at.to_rfc3339()>{shown}</time> }
    })
}

/// A number in the middle of words: with thousands separators, in bold.
#[component]
pub(crate) fn Count(
    /// The number.
    of: i64,
) -> impl IntoView {
    view! { <b>{policy::numbers::grouped(of)}</b> }
}

/// The options of a dropdown that filters a list; the first one filters nothing.
pub(crate) fn options<T: Copy + PartialEq>(
    all: impl IntoIterator<Item = T>,
    chosen: Option<T>,
    none: &'static str,
    code: fn(T) -> &'static str,
    label: fn(T) -> &'static str,
) -> impl IntoView {
    let rows = all
        .into_iter()
        .map(|one| view! { <option value=code(one) selected=chosen == Some(one)>{label(one)}</option> })
        .collect_view();
    view! { <option value="">{none}</option> {rows} }
}

/// The way to the next page of a list, and back to the first.
#[component]
pub(crate) fn Pager(
    /// Address of the list with its filters, without the key: `/tasks?q=ng`.
    #[prop(into)]
    list: String,
    /// Whether this is not the first page.
    paged: bool,
    /// The key after which the next page begins.
    next: Option<String>,
) -> impl IntoView {
    let glue = if list.contains('?') { '&' } else { '?' };
    let next = next.map(|key| format!("{list}{glue}after={}", percent_encoded(&key)));
    view! { <Pages first=paged.then_some(list) next /> }
}

/// The way to the next page of a list, and back to the first, by their addresses.
#[component]
pub(crate) fn Pages(
    /// The first page; None where this is it.
    first: Option<String>,
    /// The next page; None where this is the last.
    next: Option<String>,
) -> impl IntoView {
    let next = next.map(|href| view! { <a rel="next" href=href>"Next page"</a> });
    let first = first.map(|href| view! { <a href=href>"First page"</a> });
    (next.is_some() || first.is_some())
        .then(|| view! { <nav class="pager" aria-label="Pages">{first} {next}</nav> })
}

/// A text as a value in the query of an address.
pub fn percent_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
