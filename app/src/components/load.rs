//! Loading what a page shows, and the page to show when that does not work.

use crate::components::PageLayout;
use crate::error::{AppError, log_internal, transient_fault};
use crate::picked;
use crate::private_search;
use crate::route_access;
use crate::state::session;
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};
use policy::form::{FieldErrors, Problem};
use policy::text;
use records::RecordsError;
use records::pagination::Paging;
use std::future::Future;
use std::str::FromStr;

/// What the path of the page names: `/users/5`. What cannot be read is not there.
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

/// A value of the query of the page's address; empty where it is not given.
pub(crate) fn query(name: &str) -> String {
    private_search::value(name).unwrap_or_default()
}

/// A filter in the query of the page's address that has no field on the page; None where it is not given. What cannot be read is
/// an error of the address.
pub(crate) fn filter<T>(name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, RecordsError> {
    let typed = query(name);
    if typed.trim().is_empty() {
        return Ok(None);
    }
    read(typed.trim()).map(Some).ok_or_else(|| RecordsError::field(name, Problem::UnknownChoice))
}

/// A filter that is chosen from a list. A value that is none of its choices is an error: a list without the filter would be
/// a longer one.
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

/// What is wrong with the filters of a list, if anything is: the page then shows no list, which would be a longer one.
pub(crate) fn wrong_filters(errors: &FieldErrors) -> Option<AppError> {
    if errors.is_empty() {
        return None;
    }
    expect_context::<ResponseOptions>().set_status(StatusCode::UNPROCESSABLE_ENTITY);
    Some(AppError::Refused("No search was made. Correct the errors below".to_owned()))
}

/// A text that a list is searched for, from the query of the page's address.
pub(crate) fn search_text(errors: &mut FieldErrors, name: &str) -> String {
    let typed = query(name);
    errors.take(name, text::line(&typed, text::SHORT)).unwrap_or(typed)
}

/// A date of the query of the page's address, which was typed or picked; empty where it is not given.
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

/// The page of a list that the address names.
pub(crate) fn paging() -> Paging {
    let after = query("after");
    Paging { after: (!after.is_empty()).then_some(after), rows: None }
}

/// A page of what `load` finds, for whom its door opens.
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
            Err(error) => error_page(&error).into_any(),
        }
    })
}

fn error_page(error: &RecordsError) -> impl IntoView + use<> {
    if let Some(fault) = transient_fault(error) {
        return message_page(StatusCode::SERVICE_UNAVAILABLE, format!("{fault}.")).into_any();
    }
    let (status, label) = match error {
        RecordsError::NotFound(what) => (StatusCode::NOT_FOUND, format!("There is no such {what}.")),
        RecordsError::Forbidden(action) => {
            (StatusCode::FORBIDDEN, format!("You do not have permission to {}.", action.label()))
        }
        RecordsError::ConfirmSignIn => (StatusCode::FORBIDDEN, error.to_string()),
        RecordsError::Busy => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        RecordsError::SignInAgain => (StatusCode::FORBIDDEN, AppError::SignInAgain.to_string()),
        RecordsError::Refused(why)
        | RecordsError::Ledger(why)
        | RecordsError::Audit(why)
        | RecordsError::NotReady(why) => (StatusCode::CONFLICT, why.clone()),
        RecordsError::LimitReached(reached) => (StatusCode::CONFLICT, reached.to_string()),
        RecordsError::Stale => (StatusCode::CONFLICT, AppError::Stale.to_string()),
        RecordsError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, AppError::Unreadable.to_string()),
        RecordsError::Fault(_) | RecordsError::Database(_) | RecordsError::Corrupt(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, AppError::Internal(log_internal(error)).to_string())
        }
    };
    message_page(status, label).into_any()
}

fn message_page(status: StatusCode, label: String) -> impl IntoView {
    expect_context::<ResponseOptions>().set_status(status);
    let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "This page cannot be shown" };
    view! {
        <PageLayout title>
            <p>{label}</p>
            <p><a href="/">"Go to the start page"</a></p>
        </PageLayout>
    }
}
