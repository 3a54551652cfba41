//! The start page.

use crate::parts::Frame;
use leptos::prelude::*;

/// The modules.
#[component]
pub fn HomePage() -> impl IntoView {
    view! {
        <Frame title="Modules" lead="Forget people, keep what the library learned.">
            <p>"Choose a module."</p>
        </Frame>
    }
}
