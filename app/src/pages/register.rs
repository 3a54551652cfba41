//! What is personal here: the register of personal data, as the anonymiser reads it.

use crate::parts::Frame;
use leptos::prelude::*;
use policy::register::{Class, Column, Owner, PLACES, TABLES, Table};

/// The register of personal data, table by table, and the places outside the tables.
#[component]
pub fn RegisterPage() -> impl IntoView {
    let (people, others): (Vec<&Table>, Vec<&Table>) =
        TABLES.iter().partition(|table| table.owner != Owner::Nobody);
    view! {
        <Frame
            title="What is personal here"
            lead="Every column of the database: what it is, and what anonymising does to it. The anonymiser reads this same list."
        >
            <p>
                "A test compares this list with the database: a column that is missing here cannot be released. What \
                 a task does with the fields that it may decide about is told in the task."
            </p>
            <Classes />
            <h2>"About users and what hangs on them"</h2>
            {people.into_iter().map(|table| view! { <Columns table=*table /> }).collect_view()}
            <h2>"About nobody"</h2>
            <p>
                "These tables are not about users. Where one of them names a user, it holds the user number, and \
                 the pages show the name that the user has now."
            </p>
            {others.into_iter().map(|table| view! { <Columns table=*table /> }).collect_view()}
            <h2>"Outside the tables"</h2>
            <Places />
        </Frame>
    }
}

/// What each class means.
const CLASSES: [(Class, &str); 6] = [
    (Class::Identifier, "Names one person by itself."),
    (Class::QuasiIdentifier, "Says something that, with other things, can point to one person."),
    (Class::FreeText, "Anything may stand here, also about other people."),
    (Class::Credential, "Proves to be somebody."),
    (Class::Link, "Leads to a user or another record."),
    (Class::NotPersonal, "Says nothing about a person."),
];

#[component]
fn Classes() -> impl IntoView {
    let classes = CLASSES.map(|(class, meaning)| {
        view! {
            <dt>{class.words()}</dt>
            <dd>{meaning}</dd>
        }
    });
    view! { <dl class="facts">{classes.collect_view()}</dl> }
}

#[component]
fn Columns(table: Table) -> impl IntoView {
    let rows = table.columns.iter().map(|column| {
        view! {
            <tr>
                <th scope="row"><code>{column.name}</code></th>
                <td>{column.words}</td>
                <td class="nowrap">{column.class.words()}</td>
                <td>{done(&table, column)}</td>
            </tr>
        }
    });
    let id = format!("table-{}", table.name);
    view! {
        <h3 id=id>{table.words} " " <small><code>{table.name}</code></small></h3>
        <div class="scroll" role="region" tabindex="0" aria-label=table.words>
            <table>
                <caption class="hidden">{format!("Columns of {}", table.words)}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Column"</th>
                        <th scope="col">"What it holds"</th>
                        <th scope="col">"Class"</th>
                        <th scope="col">"Anonymising"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// What anonymising does to a column; a table about nobody is not touched.
fn done(table: &Table, column: &Column) -> String {
    if table.owner == Owner::Nobody { "not touched".to_owned() } else { column.action.words() }
}

#[component]
fn Places() -> impl IntoView {
    let rows = PLACES.map(|place| {
        view! {
            <tr>
                <th scope="row">{place.words}</th>
                <td class="nowrap">{place.class.words()}</td>
                <td>{place.rule}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="Places outside the tables">
            <table>
                <caption class="hidden">"Places outside the tables"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Place"</th>
                        <th scope="col">"What can stand there"</th>
                        <th scope="col">"What is done about it"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
