//! The page for an address that leads nowhere.

use crate::parts::Frame;
use leptos::prelude::*;

/// Says that there is no such page.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    expect_context::<leptos_axum::ResponseOptions>().set_status(http::StatusCode::NOT_FOUND);
    view! {
        <Frame title="Not found">
            <p>"There is no page at this address. It may have been typed wrongly."</p>
            <p><a href="/">"Go to the start page"</a></p>
        </Frame>
    }
}
