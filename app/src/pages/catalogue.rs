//! The catalogue: records, and their creators.

mod list;
mod record;

pub use list::CatalogueListPage;
pub use record::CatalogueRecordPage;

use crate::components::{Column, DataTable, Day, person_link};
use leptos::prelude::*;
use records::catalogue::CatalogueRecord;

/// Renders a table of catalogue records.
pub(super) fn record_table(caption: &'static str, records: Vec<CatalogueRecord>) -> impl IntoView {
    let rows = records
        .into_iter()
        .map(|record| {
            view! {
                <tr>
                    <th scope="row"><a href=format!("/catalogue/{}", record.id)>{record.title.clone()}</a></th>
                    <td>{record.author.clone()}</td>
                    <td class="number">{record.year.map(|year| year.to_string())}</td>
                    <td>{record.created_by.as_ref().map(person_link)}</td>
                    <td class="nowrap"><Day date=record.created_on /></td>
                    <td>{record.changed_by.as_ref().map(person_link)}</td>
                    <td class="nowrap"><Day date=record.changed_on /></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label=caption caption=caption
            columns=vec![
                Column::text("Title"), Column::text("Author"), Column::number("Year"),
                Column::text("Created by"), Column::text("Created"), Column::text("Last changed by"),
                Column::text("Last changed"),
            ]>
            {rows}
        </DataTable>
    }
}
