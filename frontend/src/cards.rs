//! Labels the cells of tables with their headers, so that the style sheet shows each row as a card on a narrow screen.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::{Document, Element, HtmlCollection, MutationObserver, MutationObserverInit, NodeList};

/// The selector of the tables that become cards.
const TABLES: &str = ".scroll > table:not(.matrix)";
/// The attribute with the header of a cell.
const LABEL: &str = "data-label";

/// Labels the cells of the page, and those of regions that are replaced later.
pub(crate) fn label() {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    label_tables(&document);
    let again = Closure::<dyn FnMut()>::new({
        let document = document.clone();
        move || label_tables(&document)
    });
    let (Ok(observer), Some(body)) = (MutationObserver::new(again.as_ref().unchecked_ref()), document.body())
    else {
        return;
    };
    again.forget();
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    options.set_subtree(true);
    let _ = observer.observe_with_options(&body, &options);
}

fn label_tables(document: &Document) {
    let Ok(tables) = document.query_selector_all(TABLES) else { return };
    for table in elements(&tables) {
        let Ok(headers) = table.query_selector_all("thead th") else { continue };
        let headers: Vec<String> =
            elements(&headers).map(|one| one.text_content().unwrap_or_default().trim().to_owned()).collect();
        let Ok(rows) = table.query_selector_all("tbody tr, tfoot tr") else { continue };
        for row in elements(&rows) {
            label_cells(&row.children(), &headers);
        }
    }
}

fn label_cells(cells: &HtmlCollection, headers: &[String]) {
    // A row with merged cells has no header for each of them.
    if cells.length() as usize != headers.len() {
        return;
    }
    for (place, header) in (0..).zip(headers) {
        let Some(cell) = cells.item(place) else { continue };
        if cell.get_attribute(LABEL).as_ref() != Some(header) {
            let _ = cell.set_attribute(LABEL, header);
        }
    }
}

fn elements(list: &NodeList) -> impl Iterator<Item = Element> + use<> {
    let list = list.clone();
    (0..list.length()).filter_map(move |place| list.item(place)?.dyn_into().ok())
}
