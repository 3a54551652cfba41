//! What the pages and server functions find in their context.

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use leptos::prelude::expect_context;
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

/// Who is at the page.
pub(crate) const fn actor() -> Actor {
    Actor::DESK
}
