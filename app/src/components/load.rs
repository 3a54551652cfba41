//! Loading pages: parameters and filters from the address, access, and the page for an error.

use crate::components::{PageLayout, Pager};
use crate::error::AppError;
use crate::state::session;
use crate::{picked, private_search, route_access};
use db::RecordsError;
use db::pagination::{Page, Paging};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};
use policy::form::{FieldErrors, Problem};
use policy::text;
use std::future::Future;
use std::str::FromStr;

/// Reads the id in the path, as in `/users/5`. An invalid id is `NotFound`.
pub(crate) fn path_param<T: FromStr>(what: &'static str) -> Result<T, RecordsError> {
    use_params_map()
        .with_untracked(|params| params.get("id"))
        .and_then(|text| text.parse().ok())
        .ok_or(RecordsError::NotFound(what))
}

/// Returns the page's own address: its path and query.
pub(crate) fn own_address() -> String {
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    // On the server the search has no question mark; in the browser it may have one.
    let search = search.trim_start_matches('?');
    if search.is_empty() { path } else { format!("{path}?{search}") }
}

/// Returns a value of the query of the page's address, or an empty text.
pub(crate) fn query(name: &str) -> String {
    private_search::value(name).unwrap_or_default()
}

/// Reads a filter that has no field on the page. Returns `None` if the address does not contain it, and an error if
/// it is invalid.
pub(crate) fn filter<T>(name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, RecordsError> {
    let typed = query(name);
    if typed.trim().is_empty() {
        return Ok(None);
    }
    read(typed.trim()).map(Some).ok_or_else(|| RecordsError::field(name, Problem::UnknownChoice))
}

/// Reads a filter with fixed choices. An unknown choice is an error, because the list without the filter would be
/// longer than the requested one.
pub(crate) fn choice<T>(
    errors: &mut FieldErrors,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let typed = query(name);
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    errors.take(name, read(typed).ok_or(Problem::UnknownChoice))
}

/// Returns the error above a list whose filters are invalid, and sets the status. None if they are valid.
pub(crate) fn filter_error(errors: &FieldErrors) -> Option<AppError> {
    if errors.is_empty() {
        return None;
    }
    expect_context::<ResponseOptions>().set_status(StatusCode::UNPROCESSABLE_ENTITY);
    Some(AppError::Refused("No search was made. Correct the errors below".to_owned()))
}

/// The filtered list of a page.
pub(crate) struct FilteredList {
    /// Why no list is shown.
    pub(crate) error: Option<AppError>,
    /// The rows and the links to the other pages.
    pub(crate) content: AnyView,
}

/// Loads and shows one page of a list. If a filter is invalid, nothing is loaded: the list without the filter would be
/// longer than the requested one. `address` is the address of the list with its filters.
pub(crate) async fn filtered_list<Row>(
    errors: &FieldErrors,
    address: String,
    paging: &Paging,
    load: impl Future<Output = Result<Page<Row>, RecordsError>>,
    show: impl FnOnce(Vec<Row>) -> AnyView,
) -> Result<FilteredList, RecordsError> {
    let error = filter_error(errors);
    let (rows, next) = if error.is_none() {
        let Page { rows, next, .. } = load.await?;
        (Some(rows), next)
    } else {
        (None, None)
    };
    let rows = rows.map(show);
    let paged = paging.after.is_some();
    let content = view! { {rows} <Pager list=address paged next /> }.into_any();
    Ok(FilteredList { error, content })
}

/// Reads a search text from the query of the page's address.
pub(crate) fn search_text(errors: &mut FieldErrors, name: &str) -> String {
    let typed = query(name);
    errors.take(name, text::line(&typed, text::MAX_SHORT_CHARS)).unwrap_or(typed)
}

/// Returns a typed or picked date of the query of the page's address, or an empty text.
pub(crate) fn date_query(name: &str) -> String {
    let typed = query(name);
    let picked = use_query_map().with_untracked(|query| {
        let all = query.clone().into_iter();
        all.into_iter().find_map(|(picker, date)| {
            let (at_first, field) = picked::parse_picker_name(&picker)?;
            (field == name).then(|| (at_first.to_owned(), date.into_owned()))
        })
    });
    picked.map_or(typed.clone(), |(at_first, date)| picked::merge_picked(&typed, &date, &at_first))
}

/// Returns the requested page of the list.
pub(crate) fn paging() -> Paging {
    let key = |name| Some(query(name)).filter(|key| !key.is_empty());
    Paging { after: key("after"), before: key("before"), rows: None }
}

/// Renders the result of `load` if the caller has access to the page. Otherwise, and if `load` fails, renders an
/// error page.
pub(crate) fn guarded_page<V: IntoView + 'static>(
    load: impl Future<Output = Result<V, RecordsError>> + Send + 'static,
) -> impl IntoView {
    let is_open = route_access::is_allowed(&use_location().pathname.get_untracked(), session().as_ref());
    Suspend::new(async move {
        if !is_open {
            return message_page(
                StatusCode::FORBIDDEN,
                "You do not have permission to see this page.".to_owned(),
            )
            .into_any();
        }
        match load.await {
            Ok(view) => view.into_any(),
            Err(error) => error_page(error).into_any(),
        }
    })
}

fn error_page(error: RecordsError) -> impl IntoView {
    let error = AppError::from(error);
    let text = match &error {
        // A page was requested: the sentence that nothing was changed is left out.
        AppError::NotFound(what) => format!("There is no such {what}."),
        AppError::Forbidden(action) => format!("You do not have permission to {action}."),
        AppError::Unavailable(fault) => format!("{fault}."),
        AppError::TooMany => RecordsError::Busy.to_string(),
        AppError::Invalid(_) => AppError::Unreadable.to_string(),
        error => error.to_string(),
    };
    message_page(error.status(), text)
}

fn message_page(status: StatusCode, label: String) -> impl IntoView {
    expect_context::<ResponseOptions>().set_status(status);
    let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "This page cannot be shown" };
    view! {
        <PageLayout title>
            <p>{label}</p>
            <p><a href="/">"Go to the overview"</a></p>
        </PageLayout>
    }
}
