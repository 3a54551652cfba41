//! Keyboard shortcuts: one key, or two keys one after the other. The page marks the element that a shortcut activates
//! with `data-shortcut`.

use std::cell::Cell;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::js_sys::Date;
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, Storage};

/// The key that begins the shortcuts of two keys.
const FIRST_KEY: &str = "g";
/// Time limit for the second key, in milliseconds.
const SECOND_KEY_TIMEOUT_MS: f64 = 1_500.0;
/// The selector of fields that take the keys themselves, and of open dialogs.
const TAKES_KEYS: &str = "input:not([type=checkbox], [type=radio], [type=submit]), textarea, select, dialog";
/// The key that opens and closes the list of shortcuts.
const LIST_KEY: &str = "?";
/// The selector of the open list. The keys would change the page behind it.
const OPEN_LIST: &str = ":popover-open";
/// The id of the switch in the list of shortcuts.
const SWITCH: &str = "use-shortcuts";
/// The key in the storage of the browser. Its value is `off` if shortcuts are off.
const SETTING: &str = "shortcuts";

thread_local! {
    /// The time at which the first key of a shortcut was pressed.
    static FIRST_AT: Cell<Option<f64>> = const { Cell::new(None) };
}

/// Listens to the keyboard from now on.
pub(crate) fn listen(document: &Document) {
    let switch =
        document.get_element_by_id(SWITCH).and_then(|switch| switch.dyn_into::<HtmlInputElement>().ok());
    if let Some(switch) = switch {
        switch.set_checked(are_on());
    }
    let page = document.clone();
    let pressed =
        Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| pressed(&page, &event));
    let _ = document.add_event_listener_with_callback("keydown", pressed.as_ref().unchecked_ref());
    pressed.forget();
    let changed = Closure::<dyn FnMut(Event)>::new(|event: Event| store_choice(&event));
    let _ = document.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
    changed.forget();
}

/// Activates the element of the shortcut that this key completes.
fn pressed(document: &Document, event: &KeyboardEvent) {
    let is_combined = event.ctrl_key() || event.alt_key() || event.meta_key();
    if is_combined || event.repeat() || event.is_composing() || event.default_prevented() {
        return;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let is_list_open = document.query_selector(OPEN_LIST).ok().flatten().is_some();
    if is_list_open && event.key() != LIST_KEY {
        return;
    }
    if !are_on() || target.is_some_and(|target| target.closest(TAKES_KEYS).ok().flatten().is_some()) {
        return;
    }
    let first_at = FIRST_AT.take();
    let is_second = first_at.is_some_and(|at| Date::now() - at < SECOND_KEY_TIMEOUT_MS);
    let key = event.key();
    if key == FIRST_KEY && !is_second {
        FIRST_AT.set(Some(Date::now()));
        return;
    }
    let shortcut = if is_second { format!("{FIRST_KEY} {key}") } else { key };
    if let Some(element) = element_of(document, &shortcut) {
        event.prevent_default();
        activate(&element);
    }
}

fn element_of(document: &Document, shortcut: &str) -> Option<HtmlElement> {
    // A key that is no letter, such as a quotation mark, can be an invalid selector: it has no element.
    let element = document.query_selector(&format!("[data-shortcut=\"{shortcut}\"]")).ok().flatten()?;
    element.dyn_into().ok()
}

/// Focuses a field, and clicks anything else.
fn activate(element: &HtmlElement) {
    if matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") {
        let _ = element.focus();
    } else {
        element.click();
    }
}

/// Stores whether shortcuts are used. Single keys must be possible to switch off (WCAG 2.1.4).
fn store_choice(event: &Event) {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    let Some(switch) = target.filter(|target| target.id() == SWITCH) else { return };
    if let Some(storage) = storage() {
        let _ = storage.set_item(SETTING, if switch.checked() { "on" } else { "off" });
    }
}

fn are_on() -> bool {
    storage().and_then(|storage| storage.get_item(SETTING).ok().flatten()).as_deref() != Some("off")
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
