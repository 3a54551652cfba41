//! Labels the cells of tables with their headers, so that the style sheet shows each row as a card on a narrow screen.

use super::dom::elements;
use web_sys::{Document, Element};

/// The selector of the tables that become cards.
const TABLES: &str = ".scroll > table";
/// The attribute with the header of a cell.
const LABEL: &str = "data-label";

/// Labels the cells of a page. A page that was fetched again is labelled before it is compared with the current one.
pub fn label(page: &Document) {
    for table in elements(&page.query_selector_all(TABLES)) {
        let headers = elements(&table.query_selector_all("thead th"));
        let headers: Vec<String> =
            headers.iter().map(|one| one.text_content().unwrap_or_default().trim().to_owned()).collect();
        for row in elements(&table.query_selector_all("tbody tr, tfoot tr")) {
            label_cells(&row, &headers);
        }
    }
}

fn label_cells(row: &Element, headers: &[String]) {
    let cells = elements(&row.query_selector_all(":scope > *"));
    // A row with merged cells has no header for each of them.
    if cells.len() == headers.len() {
        for (cell, header) in cells.iter().zip(headers) {
            let _ = cell.set_attribute(LABEL, header);
        }
    }
}
