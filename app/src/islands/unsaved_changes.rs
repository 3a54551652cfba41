//! Warns before the browser leaves a form (`data-guard`) with changes that were not saved.

use std::cell::Cell;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::js_sys::Reflect;
use web_sys::{Element, Event, Window};

/// The selector of the forms whose changes must be saved.
const GUARDED: &str = "form[data-guard]";
/// The selector of a rejected value in such a form: what was typed is not saved.
const REJECTED: &str = "form[data-guard] [aria-invalid=true]";
/// The beginning of the address of a page that a rejected form rendered again.
const REJECTED_PATH: &str = "/do/";

thread_local! {
    /// Whether a guarded form has changes that were not saved.
    static IS_CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// Watches the guarded forms of the page from now on.
pub fn watch() {
    let document = leptos::prelude::document();
    let window = leptos::prelude::window();
    let path = window.location().pathname().unwrap_or_default();
    let typed = if path.starts_with(REJECTED_PATH) { GUARDED } else { REJECTED };
    IS_CHANGED.set(document.query_selector(typed).ok().flatten().is_some());
    for (event, on_event) in
        [("input", record_change as fn(Event)), ("change", record_change), ("submit", record_submission)]
    {
        let on_event = Closure::<dyn FnMut(Event)>::new(on_event);
        let _ = document.add_event_listener_with_callback(event, on_event.as_ref().unchecked_ref());
        on_event.forget();
    }
    let warn = Closure::<dyn FnMut(Event)>::new(|event: Event| {
        // The browser asks in its own words, and only if the page was used.
        if IS_CHANGED.get() && was_used(&leptos::prelude::window()) {
            event.prevent_default();
        }
    });
    let _ = window.add_event_listener_with_callback("beforeunload", warn.as_ref().unchecked_ref());
    warn.forget();
}

/// Returns whether a key or a click has reached the page. True if the browser does not say.
fn was_used(window: &Window) -> bool {
    let of = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).ok();
    let activation = of(window, "navigator").and_then(|navigator| of(&navigator, "userActivation"));
    activation.and_then(|activation| of(&activation, "hasBeenActive")?.as_bool()).unwrap_or(true)
}

/// Forgets the changes. Called before the page closes because the session has ended: it must not stay on the screen.
pub(super) fn forget() {
    IS_CHANGED.set(false);
}

fn record_change(event: Event) {
    if form_of(&event).is_some() {
        IS_CHANGED.set(true);
    }
}

/// Forgets the changes of a form that is sent. A form that the page keeps, such as an invalid one, still has them.
fn record_submission(event: Event) {
    if form_of(&event).is_some() && !event.default_prevented() {
        IS_CHANGED.set(false);
    }
}

/// Returns the guarded form in which an event happened.
fn form_of(event: &Event) -> Option<Element> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(GUARDED).ok().flatten()
}
