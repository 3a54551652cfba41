//! Loading what a page shows, and the page to show when that does not work.

use crate::error::{AppError, reference};
use crate::parts::Frame;
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use records::RecordsError;
use std::future::Future;

/// A page of what `load` finds.
pub(crate) fn page<V: IntoView + 'static>(
    load: impl Future<Output = Result<V, RecordsError>> + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        match load.await {
            Ok(view) => view.into_any(),
            Err(error) => problem(&error).into_any(),
        }
    })
}

fn problem(error: &RecordsError) -> impl IntoView + use<> {
    let (status, words) = match error {
        RecordsError::NotFound(what) => (StatusCode::NOT_FOUND, format!("There is no such {what}.")),
        RecordsError::Refused(why) => (StatusCode::CONFLICT, why.clone()),
        RecordsError::Stale => (StatusCode::CONFLICT, AppError::Stale.to_string()),
        RecordsError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, AppError::Unreadable.to_string()),
        RecordsError::Database(_) | RecordsError::Corrupt(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, AppError::Internal(reference(error)).to_string())
        }
    };
    expect_context::<ResponseOptions>().set_status(status);
    let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "This page cannot be shown" };
    view! {
        <Frame title>
            <p>{words}</p>
            <p><a href="/">"Go to the start page"</a></p>
        </Frame>
    }
}
