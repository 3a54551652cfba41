//! The register of personal data, as the anonymiser reads it.

use crate::components::{DataTable, PageLayout, guarded_page, text_columns};
use crate::state::store;
use db::entity::custom_fields;
use leptos::prelude::*;
use policy::personal_data::{Column, DataClass, RowOwner, STORAGE_LOCATIONS, TABLES, Table};
use records::custom_field;

/// Shows the register table by table, the custom fields, and the storage outside the tables.
#[component]
pub fn PersonalDataPage() -> impl IntoView {
    guarded_page(async move {
        let custom = custom_field::definitions(&store().db).await?;
        Ok(register(custom))
    })
}

fn register(custom: Vec<custom_fields::Model>) -> impl IntoView {
    let (people, others): (Vec<&Table>, Vec<&Table>) =
        TABLES.iter().partition(|table| table.owner != RowOwner::NoUser);
    view! {
        <PageLayout
            title="Register of personal data"
            lead="Every column of the database: what it contains, and what anonymising does to it. Lethe \
                  uses this list to anonymise."
        >
            <p>
                "Some fields are removed, generalised or kept as set in the task. For these, see the task."
            </p>
            <Classes />
            <h2>"Tables about users"</h2>
            {people.into_iter().map(|table| view! { <Columns table=*table /> }).collect_view()}
            {custom_fields_of_library(custom)}
            <h2>"Other tables"</h2>
            <p>
                "These tables are not about users. Where they refer to a user, they contain the user number, \
                 and the pages show the user's current name."
            </p>
            {others.into_iter().map(|table| view! { <Columns table=*table /> }).collect_view()}
            <h2>"Outside the database tables"</h2>
            <StorageLocations />
        </PageLayout>
    }
}

/// The meaning of each class.
const CLASSES: [(DataClass, &str); 6] = [
    (DataClass::Identifier, "Identifies one person on its own."),
    (DataClass::QuasiIdentifier, "Can identify a person in combination with other data."),
    (DataClass::FreeText, "May contain anything, including about other people."),
    (DataClass::Credential, "Used to sign in (password, token)."),
    (DataClass::Link, "Refers to a user or another record."),
    (DataClass::NotPersonal, "Contains nothing about a person."),
];

#[component]
fn Classes() -> impl IntoView {
    let classes = CLASSES.map(|(class, meaning)| {
        view! {
            <dt>{class.label()}</dt>
            <dd>{meaning}</dd>
        }
    });
    view! { <dl class="facts">{classes.collect_view()}</dl> }
}

#[component]
fn Columns(table: Table) -> impl IntoView {
    let rows = table
        .columns
        .iter()
        .map(|column| {
            view! {
                <tr>
                    <th scope="row"><code>{column.name}</code></th>
                    <td>{column.label}</td>
                    <td class="nowrap">{column.class.label()}</td>
                    <td>{done(&table, column)}</td>
                </tr>
            }
        })
        .collect_view();
    let id = format!("table-{}", table.name);
    view! {
        <h3 id=id>{table.label} " " <small><code>{table.name}</code></small></h3>
        <DataTable label=table.label caption=format!("Columns of {}", table.label)
            columns=text_columns(["Column", "Content", "Class", "Anonymising"])>
            {rows}
        </DataTable>
    }
}

/// Renders the custom fields, whose values are rows of the table `custom_values`. Without one, there is nothing to show.
fn custom_fields_of_library(fields: Vec<custom_fields::Model>) -> impl IntoView {
    let rows = fields.into_iter().map(|field| {
        let done =
            if field.class.can_be_kept() { "as set in the task; removed unless kept" } else { "removed" };
        view! {
            <tr>
                <th scope="row">{field.label}</th>
                <td><code>{field.key}</code></td>
                <td class="nowrap">{field.class.label()}</td>
                <td>{done}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    (!rows.is_empty()).then(|| {
        view! {
            <h2 id="custom-fields">"Custom fields of this library"</h2>
            <p>"Their values are in the table " <a href="#table-custom_values"><code>"custom_values"</code></a> "."</p>
            <DataTable label="Custom fields of this library" caption="Custom fields and their classes"
                columns=text_columns(["Name", "Key", "Class", "Anonymising"])>
                {rows}
            </DataTable>
        }
    })
}

/// Returns what anonymising does to a column. Tables that are not about users are unchanged.
fn done(table: &Table, column: &Column) -> String {
    if table.owner == RowOwner::NoUser { "unchanged".to_owned() } else { column.action.label() }
}

#[component]
fn StorageLocations() -> impl IntoView {
    let rows = STORAGE_LOCATIONS
        .map(|location| {
            view! {
                <tr>
                    <th scope="row">{location.label}</th>
                    <td class="nowrap">{location.class.label()}</td>
                    <td>{location.rule}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Storage outside the database tables" caption="Storage outside the database tables"
            columns=text_columns(["Storage", "Possible content", "Handling"])>
            {rows}
        </DataTable>
    }
}
