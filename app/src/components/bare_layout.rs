//! The frame of the pages before and around the sign-in: no modules, nothing that leads further.

use crate::components::escaped;
use crate::components::page_layout::WarnBeforeEnd;
use leptos::prelude::*;
use leptos_meta::Title;

/// A page with a title and nothing around it.
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
