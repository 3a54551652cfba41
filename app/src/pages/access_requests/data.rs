//! Everything held about a user, as a page to print.

use crate::components::{
    Column, DataTable, PageAction, PageLayout, Timestamp, guarded_page, path_param, text_columns,
    user_address,
};
use crate::state::{actor, store};
use leptos::prelude::*;
use policy::UserNumber;
use policy::numbers::{counted, grouped};
use policy::personal_data::DataClass;
use policy::personal_data::STORAGE_LOCATIONS;
use records::access_request::{self, Mention, TableData, UserData};

/// Shows everything held about a user.
#[component]
pub fn UserDataPage() -> impl IntoView {
    let number = path_param::<UserNumber>("user");
    guarded_page(async move {
        let UserData { user, name, library, made_at, tables, mentions, .. } =
            access_request::user_data(&store(), actor(), number?).await?;
        let crumbs =
            vec![("Users".to_owned(), "/users".to_owned()), (format!("User {user}"), user_address(user))];
        let json = PageAction::Link {
            label: "Download as JSON".to_owned(),
            href: format!("{}/data.json", user_address(user)),
        };
        let library = library.map(|library| format!("{library} · "));
        let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
        let lead = format!(
            "Everything that the library holds about this user: {} in {}.",
            counted(i64::try_from(rows).unwrap_or(i64::MAX), "row", "rows"),
            counted(i64::try_from(tables.len()).unwrap_or(i64::MAX), "table", "tables")
        );
        let tables = tables.into_iter().map(|table| table_view(user, table)).collect_view();
        Ok(view! {
            <PageLayout title=format!("Data held about user {user}") name=Some(name) lead crumbs actions=vec![json]>
                <p>{library} "Read on " <Timestamp at=made_at /> ". The audit records this."</p>
                {tables}
                {mentions_view(mentions)}
                {elsewhere()}
            </PageLayout>
        })
    })
}

/// Renders the rows of a table: one list of facts for each. Empty cells are left out.
fn table_view(user: UserNumber, table: TableData) -> impl IntoView {
    let columns = table.columns;
    let is_photo = table.table == "photos";
    let label = |name: &str| {
        columns
            .iter()
            .find(|column| column.name == name)
            .map_or_else(|| name.to_owned(), |column| column.label.to_owned())
    };
    let rows: Vec<_> = table
        .rows
        .into_iter()
        .map(|row| {
            let cells: Vec<_> = row
                .0
                .into_iter()
                .filter(|(_, cell)| !cell.text().is_empty())
                .map(|(name, cell)| {
                    let value = if is_photo && name == "bytes" {
                        let picture = format!("/users/{user}/photo");
                        view! { <img src=picture alt="Photo of the user" width="96" /> }.into_any()
                    } else {
                        view! { <span class="lines">{cell.text()}</span> }.into_any()
                    };
                    view! { <dt>{label(name)}</dt><dd>{value}</dd> }
                })
                .collect();
            view! { <dl class="facts row">{cells}</dl> }
        })
        .collect();
    let count = counted(i64::try_from(rows.len()).unwrap_or(i64::MAX), "row", "rows");
    view! {
        <section class="held" aria-label=table.label>
            <h2>{table.label} " " <small>{count}</small></h2>
            {rows}
        </section>
    }
}

fn mentions_view(mentions: Vec<Mention>) -> Option<impl IntoView> {
    (!mentions.is_empty()).then(|| {
        let rows = mentions
            .into_iter()
            .map(|Mention { table, column, rows }| {
                view! {
                    <tr><th scope="row">{table}</th><td>{column}</td><td class="number">{grouped(rows)}</td></tr>
                }
            })
            .collect_view();
        view! {
            <h2>"Rows about others that refer to the user"</h2>
            <p>"These rows are about other users or things. They contain the user number only."</p>
            <DataTable label="Rows about others that refer to the user"
                caption="Rows about others that refer to the user"
                columns=vec![Column::text("Table"), Column::text("Column"), Column::number("Rows")]>
                {rows}
            </DataTable>
        }
    })
}

/// Renders where else data may be.
fn elsewhere() -> impl IntoView {
    let rows = STORAGE_LOCATIONS
        .iter()
        .filter(|location| location.class != DataClass::NotPersonal)
        .map(|location| view! { <tr><th scope="row">{location.label}</th><td>{location.rule}</td></tr> })
        .collect_view();
    view! {
        <h2>"Outside the database tables"</h2>
        <DataTable label="Outside the database tables" caption="Storage outside the database tables"
            columns=text_columns(["Storage", "Handling"])>
            {rows}
        </DataTable>
    }
}
