//! The layout of the pages before and around the sign-in: no modules and no links to other pages.

use crate::components::escaped;
use crate::components::page_layout::WarnBeforeEnd;
use leptos::prelude::*;
use leptos_meta::Title;

/// Renders a page with a title and no navigation.
#[component]
pub(crate) fn BareLayout(
    /// The title.
    title: &'static str,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=escaped(&format!("{title} – Lethe")) />
        <WarnBeforeEnd />
        <main id="content" class="alone" tabindex="-1">
            <p class="product">"Lethe"</p>
            <h1>{title}</h1>
            {children()}
        </main>
    }
}
