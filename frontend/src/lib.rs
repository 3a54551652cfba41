//! The WebAssembly entry point: wakes the islands of the page.

use wasm_bindgen::prelude::wasm_bindgen;

// The islands are exported from `app`; without this use the linker would leave them out.
pub use app::islands;

/// Called by the page when the module is loaded, before its islands are woken one by one.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    mark_as_awake();
}

/// Says on the document that the page is interactive, for style sheets and browser tests.
fn mark_as_awake() {
    let root =
        web_sys::window().and_then(|window| window.document()).and_then(|page| page.document_element());
    if let Some(root) = root {
        let _ = root.set_attribute("data-hydrated", "");
    }
}
