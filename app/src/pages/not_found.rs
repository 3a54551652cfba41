//! The page for an unknown address.

use crate::components::PageLayout;
use leptos::prelude::*;

/// Shows that the page does not exist.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    expect_context::<leptos_axum::ResponseOptions>().set_status(http::StatusCode::NOT_FOUND);
    view! {
        <PageLayout title="Not found">
            <p>"There is no page at this address. Check the address for typing errors."</p>
            <p><a href="/">"Go to the overview"</a></p>
        </PageLayout>
    }
}
