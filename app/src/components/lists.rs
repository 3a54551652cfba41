//! Dates, numbers, dropdowns and pagination of lists.

use crate::state::store;
use crate::url::percent_encoded;
use chrono::{DateTime, NaiveDate, Utc};
use leptos::prelude::*;
use policy::dates;

/// Shows a date for people and for machines. Renders nothing for `None`.
#[component]
pub(crate) fn Day(
    /// The date.
    #[prop(into)]
    date: Option<NaiveDate>,
) -> impl IntoView {
    date.map(|date| view! { <time datetime=dates::iso(date)>{dates::shown(date)}</time> })
}

/// Shows a date of the record. For an anonymised user it may be the month only.
#[component]
pub(crate) fn RecordDay(date: Option<NaiveDate>, by_month: bool) -> impl IntoView {
    match date {
        Some(date) if by_month => {
            let machine = date.format("%Y-%m").to_string();
            view! { <time datetime=machine>{dates::shown_month(date)}</time> }.into_any()
        }
        date => view! { <Day date /> }.into_any(),
    }
}

/// Shows an instant in the library's time zone: `15 Jan 2018 02:30`.
#[component]
pub(crate) fn Timestamp(
    /// The instant.
    #[prop(into)]
    at: Option<DateTime<Utc>>,
    /// Whether the seconds are shown.
    #[prop(optional)]
    seconds: bool,
) -> impl IntoView {
    at.map(|at| {
        let local = at.with_timezone(&store().clock.zone());
        let time = local.format(if seconds { "%H:%M:%S" } else { "%H:%M" });
        let shown = format!("{} {time}", dates::shown(local.date_naive()));
        view! { <time datetime=at.to_rfc3339()>{shown}</time> }
    })
}

/// Shows a number within a sentence: in bold, with thousands separators.
#[component]
pub(crate) fn Count(
    /// The number.
    of: i64,
) -> impl IntoView {
    view! { <b>{policy::numbers::grouped(of)}</b> }
}

/// Renders the options of a dropdown that filters a list. The first option does not filter.
pub(crate) fn options<T: Copy + PartialEq>(
    all: impl IntoIterator<Item = T>,
    chosen: Option<T>,
    none: &'static str,
    code: fn(T) -> &'static str,
    label: impl Fn(T) -> &'static str,
) -> impl IntoView {
    let rows = all
        .into_iter()
        .map(|one| view! { <option value=code(one) selected=chosen == Some(one)>{label(one)}</option> })
        .collect_view();
    view! { <option value="">{none}</option> {rows} }
}

/// Links to the next and the first page of a list.
#[component]
pub(crate) fn Pager(
    /// The address of the list with its filters, without the key: `/tasks?q=ng`.
    #[prop(into)]
    list: String,
    /// Whether this is not the first page.
    paged: bool,
    /// The key after which the next page begins; `None` on the last page.
    next: Option<String>,
) -> impl IntoView {
    let glue = if list.contains('?') { '&' } else { '?' };
    let next = next.map(|key| format!("{list}{glue}after={}", percent_encoded(&key)));
    view! { <Pages first=paged.then_some(list) previous=None next /> }
}

/// Links to the next and the first page of a list, given their addresses.
#[component]
pub(crate) fn Pages(
    /// The first page; `None` if this is it.
    first: Option<String>,
    /// The previous page; `None` on the first one, and for lists that cannot go back.
    #[prop(optional_no_strip)]
    previous: Option<String>,
    /// The next page; `None` if this is the last one.
    next: Option<String>,
) -> impl IntoView {
    let previous = previous.map(|href| view! { <a rel="prev" href=href>"Previous page"</a> });
    let next = next.map(|href| view! { <a rel="next" href=href>"Next page"</a> });
    let first = first.map(|href| view! { <a href=href>"First page"</a> });
    (next.is_some() || first.is_some() || previous.is_some())
        .then(|| view! { <nav class="pager" aria-label="Pages">{first} {previous} {next}</nav> })
}
