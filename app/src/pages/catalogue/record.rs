//! One catalogue record: creator, last editor and items.

use crate::components::{
    DataTable, Day, PageLayout, Pager, guarded_page, paging, path_param, person_link, text_columns,
};
use crate::state::{actor, store};
use db::pagination::Page;
use leptos::prelude::*;
use policy::CatalogueRecordId;
use records::catalogue::{self, Item};

/// Shows a catalogue record.
#[component]
pub fn CatalogueRecordPage() -> impl IntoView {
    let id = path_param::<CatalogueRecordId>("catalogue record");
    guarded_page(async move {
        let store = store();
        let record = catalogue::read(&store, id?).await?;
        let paging = paging();
        let paged = paging.after.is_some();
        let Page { rows, next, .. } = catalogue::items(&store, actor(), record.id, &paging).await?;
        let list = format!("/catalogue/{}", record.id);
        let crumbs = vec![("Catalogue".to_owned(), "/catalogue".to_owned())];
        let items = if rows.is_empty() {
            view! { <p class="empty">"This record has no items."</p> }.into_any()
        } else {
            items(rows).into_any()
        };
        Ok(view! {
            <PageLayout title=record.title.clone() crumbs>
                <dl class="facts">
                    <dt>"Author"</dt><dd>{record.author.clone()}</dd>
                    <dt>"Year"</dt><dd>{record.year.map(|year| year.to_string())}</dd>
                    <dt>"Created by"</dt><dd>{record.created_by.as_ref().map(person_link)}</dd>
                    <dt>"Created"</dt><dd><Day date=record.created_on /></dd>
                    <dt>"Last changed by"</dt><dd>{record.changed_by.as_ref().map(person_link)}</dd>
                    <dt>"Last changed"</dt><dd><Day date=record.changed_on /></dd>
                </dl>
                <h2>"Items"</h2>
                {items}
                <Pager list paged next />
            </PageLayout>
        })
    })
}

fn items(items: Vec<Item>) -> impl IntoView {
    let rows = items
        .into_iter()
        .map(|item| {
            let state = match item.on_loan {
                None => view! { <span class="tag quiet">"On the shelf"</span> }.into_any(),
                Some(loan) => view! {
                    <span class="tag ready">"On loan"</span>
                    {loan.borrower.as_ref().map(|borrower| view! { " to " {person_link(borrower)} })} ", due "
                    <Day date=loan.due_on />
                }
                .into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{item.barcode}</th>
                    <td>{item.branch}</td>
                    <td>{item.shelf_mark}</td>
                    <td>{state}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Items" caption="Items" columns=text_columns(["Barcode", "Branch", "Shelf mark", "State"])>
            {rows}
        </DataTable>
    }
}
