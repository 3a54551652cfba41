//! The WebAssembly entry point: hydrates the islands of the page.

mod shortcuts;
mod tools;

use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast as _, JsValue};

// The islands are exported from `app`; without this use the linker would leave them out.
pub use app::islands;

/// Hydrates the islands. The page calls it when the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    mark_hydrated();
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        islands::cards::label(&document);
        shortcuts::listen(&document);
        tools::listen(&document);
    }
    islands::unsaved_changes::watch();
    reload_cached_pages();
    replace_form_address();
}

/// Gives a page that a form rendered again its own address, so that Back and Reload load the page. Otherwise the browser
/// would ask whether to send the form again.
fn replace_form_address() {
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let (Ok(path), Ok(search)) = (location.pathname(), location.search()) else { return };
    if !path.starts_with("/do/") {
        return;
    }
    let page = web_sys::UrlSearchParams::new_with_str(&search).ok().and_then(|values| values.get("page"));
    if let (Some(page), Ok(history)) = (page, window.history()) {
        // The browser rejects the address of another site.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&page));
    }
}

/// Reloads a page that the browser shows from its back/forward cache: it could show a user from before the anonymisation.
fn reload_cached_pages() {
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

/// Marks the document as hydrated, for style sheets and browser tests.
fn mark_hydrated() {
    let root =
        web_sys::window().and_then(|window| window.document()).and_then(|page| page.document_element());
    if let Some(root) = root {
        let _ = root.set_attribute("data-hydrated", "");
    }
}
