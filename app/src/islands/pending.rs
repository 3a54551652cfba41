//! Something on the page is under way, and the page is brought up to date when it has come to its end.

#[cfg(feature = "hydrate")]
use super::in_place;
use leptos::prelude::*;

/// Stands in a region of the page (`data-live`) that is under way. Without WebAssembly a link shows how it stands.
#[island]
pub fn Pending(
    /// The address of the page.
    here: String,
) -> impl IntoView {
    let is_awake = RwSignal::new(false);
    Effect::new(move || {
        is_awake.set(true);
        #[cfg(feature = "hydrate")]
        in_place::bring_up_to_date();
    });
    view! {
        <span data-pending="">
            <a href=here hidden=move || is_awake.get()>"Show current state"</a>
        </span>
    }
}
