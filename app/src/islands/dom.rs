//! Access to the document, for several modules.

use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, NodeList};

/// Returns the elements that a selector has found. None if the selector is invalid.
pub(super) fn elements(found: &Result<NodeList, JsValue>) -> Vec<Element> {
    let Ok(list) = found else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.item(at)?.dyn_into().ok()).collect()
}
