//! What the pages and server functions find in their context.

use axum::extract::FromRef;
use http::request::Parts;
use leptos::config::LeptosOptions;
use leptos::prelude::{expect_context, use_context};
use records::{Actor, Store};

/// Everything that one server process shares.
#[derive(Clone, Debug, FromRef)]
pub struct AppState {
    /// Where the compiled assets are.
    pub options: LeptosOptions,
    /// The records.
    pub store: Store,
}

/// The records, in a page or server function.
pub(crate) fn store() -> Store {
    expect_context::<AppState>().store
}

/// Who is at the page, or asks a server function: whom the web server found by the cookie of the request.
pub(crate) fn actor() -> Actor {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Actor>().copied())
        // As long as there is no sign-in the desk is open to whoever sits at this computer.
        .unwrap_or(Actor::COMMAND_LINE)
}
