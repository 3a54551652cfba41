//! Buttons that need the browser: print the page (`data-print`), copy the text of an element (`data-copy`).

use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::js_sys::Reflect;
use web_sys::{Document, Element, Event, Window};

/// Listens to the buttons from now on.
pub(crate) fn listen(document: &Document) {
    let Some(window) = web_sys::window() else { return };
    let clicked = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(target) = target {
            use_tool(&window, &target);
        }
    });
    let _ = document.add_event_listener_with_callback("click", clicked.as_ref().unchecked_ref());
    clicked.forget();
}

fn use_tool(window: &Window, target: &Element) {
    if let Ok(Some(_)) = target.closest("[data-print]") {
        let _ = window.print();
    }
    if let Ok(Some(button)) = target.closest("[data-copy]") {
        let Some(text) = copied_text(window, &button) else { return };
        // A page without TLS has no clipboard.
        if !Reflect::has(&window.navigator(), &"clipboard".into()).unwrap_or(false) {
            return;
        }
        let done = Closure::once(move |_| button.set_text_content(Some("Copied")));
        // Without permission the button keeps its label.
        let refused = Closure::once(|_| {});
        let _ = window.navigator().clipboard().write_text(&text).then2(&done, &refused);
        done.forget();
        refused.forget();
    }
}

/// Returns the text that a button copies: one line for each child of the element that it names.
fn copied_text(window: &Window, button: &Element) -> Option<String> {
    let source = window.document()?.get_element_by_id(&button.get_attribute("data-copy")?)?;
    let children = source.children();
    let lines = (0..children.length()).filter_map(|place| children.item(place)?.text_content());
    Some(lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n"))
}
