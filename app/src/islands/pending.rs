//! Updates the page when something on it that is under way has ended.

#[cfg(feature = "hydrate")]
use super::in_place;
use leptos::prelude::*;

/// Marks its region of the page (`data-live`) as under way. Without WebAssembly a link shows the current state.
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
