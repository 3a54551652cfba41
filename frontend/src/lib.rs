//! The WebAssembly entry point: wakes the islands of the page.

use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast as _, JsValue};

// The islands are exported from `app`; without this use the linker would leave them out.
pub use app::islands;

/// Called by the page when the module is loaded, before its islands are woken one by one.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    mark_as_awake();
    never_show_an_old_page();
    never_send_a_form_again();
}

/// The page that came back because of a form gets its own address: going back to it, or loading it again, asks for the
/// page. Otherwise the browser would ask whether to send the form again.
fn never_send_a_form_again() {
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let (Ok(path), Ok(search)) = (location.pathname(), location.search()) else { return };
    if !path.starts_with("/do/") {
        return;
    }
    let page = web_sys::UrlSearchParams::new_with_str(&search).ok().and_then(|values| values.get("page"));
    if let (Some(page), Ok(history)) = (page, window.history()) {
        // The browser refuses the address of another site.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&page));
    }
}

/// Going back must not bring up a page as it was before somebody was anonymised: a page that the browser kept is
/// loaded again.
fn never_show_an_old_page() {
    let Some(window) = web_sys::window() else { return };
    let reload =
        Closure::<dyn FnMut(web_sys::PageTransitionEvent)>::new(|event: web_sys::PageTransitionEvent| {
            if let Some(window) = web_sys::window().filter(|_| event.persisted()) {
                let _ = window.location().reload();
            }
        });
    let _ = window.add_event_listener_with_callback("pageshow", reload.as_ref().unchecked_ref());
    reload.forget();
}

/// Says on the document that the page is interactive, for style sheets and browser tests.
fn mark_as_awake() {
    let root =
        web_sys::window().and_then(|window| window.document()).and_then(|page| page.document_element());
    if let Some(root) = root {
        let _ = root.set_attribute("data-hydrated", "");
    }
}
