//! The columns and the page length of the list, as each member of staff chooses them.

use crate::components::own_address;
use crate::error::AppError;
use crate::form::{Token, action};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::user_list::{PAGE_SIZES, UserColumn, UserListLayout};
use records::saved_search;
use std::collections::BTreeMap;

/// The field with the page length.
const ROWS: &str = "rows";

/// Saves the columns and the page length for the signed-in member of staff, and returns to the list.
#[server(prefix = "/do", endpoint = "arrange_user_list", input = PostUrl)]
pub(crate) async fn arrange_user_list(form: BTreeMap<String, String>) -> Result<(), AppError> {
    let mut form = form;
    let rows = form.remove(ROWS).and_then(|rows| rows.parse().ok()).filter(|rows| PAGE_SIZES.contains(rows));
    let columns = UserColumn::ALL.into_iter().filter(|column| form.remove(column.code()).is_some()).collect();
    let (Some(rows), true) = (rows, form.is_empty()) else { return Err(AppError::Unreadable) };
    saved_search::choose_layout(&store(), actor(), &UserListLayout { columns, rows }).await?;
    // Without a redirect, the answer is the page of the form.
    Ok(())
}

/// Renders the form that arranges the list.
pub(super) fn chooser(layout: &UserListLayout) -> impl IntoView + use<> {
    let columns = UserColumn::ALL
        .into_iter()
        .map(|column| {
            let id = format!("column-{}", column.code());
            let is_shown = layout.columns.contains(&column);
            view! {
                <span class="choice">
                    <input type="checkbox" id=id.clone() name=format!("form[{}]", column.code()) value="on" checked=is_shown />
                    <label for=id>{column.label()}</label>
                </span>
            }
        })
        .collect_view();
    let rows = layout.rows;
    let sizes = PAGE_SIZES
        .into_iter()
        .map(
            |size| view! { <option value=size.to_string() selected=size == rows>{size.to_string()}</option> },
        )
        .collect_view();
    view! {
        <details class="more">
            <summary>"Columns and page length"</summary>
            <form method="post" action=action(ArrangeUserList::PATH, &own_address())>
                <Token />
                <fieldset>
                    <legend>"Columns besides number and name"</legend>
                    <div class="choices across">{columns}</div>
                </fieldset>
                <div class="filters">
                    <div class="field">
                        <label for="rows">"Users on a page"</label>
                        <select id="rows" name="form[rows]">{sizes}</select>
                    </div>
                    <button type="submit">"Save columns"</button>
                </div>
            </form>
        </details>
    }
}
