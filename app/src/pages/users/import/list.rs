//! The list of imports, with the form that uploads a file.

use super::{LIST, state_tag};
use crate::components::{
    Column, DataTable, PageLayout, Timestamp, filtered_list, guarded_page, paging, person_link, query,
};
use crate::form;
use crate::pages::users::crumbs;
use crate::state::{actor, store};
use leptos::prelude::*;
use policy::form::FieldErrors;
use policy::import_profile::ImportProfile;
use policy::numbers::grouped;
use transfer::import_history::{self, Import};
use transfer::profile;

/// Shows the form that uploads a file, and all imports.
#[component]
pub fn ImportListPage() -> impl IntoView {
    let failed = query("failed");
    guarded_page(async move {
        let (store, paging) = (store(), paging());
        let load = import_history::list(&store, actor(), &paging);
        let list = filtered_list(&FieldErrors::default(), LIST.to_owned(), &paging, load, |rows| {
            if rows.is_empty() {
                view! { <p class="empty">"Nothing has been imported yet. Choose a file above."</p> }
                    .into_any()
            } else {
                import_table(rows).into_any()
            }
        })
        .await?;
        let profiles = profile::all(&store.db).await?;
        let max_megabytes = store.settings.max_upload / 1_000_000;
        Ok(view! {
            <PageLayout title="Import" crumbs=crumbs([])
                lead="Upload a file from the student, HR or library system. Lethe checks it first and shows what \
                      would change.">
                {problem(&failed, max_megabytes).map(|text| view! {
                    <div class="notice danger" role="alert" id="problems" tabindex="-1" autofocus><p>{text}</p></div>
                })}
                <UploadForm profiles max_megabytes />
                <h2 id="imports">"Imports"</h2>
                {list.content}
            </PageLayout>
        })
    })
}

/// Returns why the last upload failed, and what to do.
fn problem(code: &str, max_megabytes: u64) -> Option<String> {
    let text = match code {
        "other-session" => "The form was opened in another session. Choose the file again.",
        "no-file" => "No file was chosen. Choose a file, then upload it.",
        "empty" => "The file is empty. Export it again from the other system.",
        "too-large" => {
            return Some(format!(
                "The file is larger than {} MB. Split it, or import it on the command line: lethe import.",
                grouped(i64::try_from(max_megabytes).unwrap_or(i64::MAX))
            ));
        }
        "unknown-profile" => "There is no such import profile. Choose one from the list.",
        "unknown-table" => {
            "An additional file is no table of this export. Keep the names of the tables, such as card.csv, and \
             choose each table once."
        }
        "cut-off" => "The connection ended before the file was complete. Upload the file again.",
        "not-stored" => "The server could not store the file. Its log says why.",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The form that uploads a file. It works without WebAssembly.
#[component]
fn UploadForm(profiles: Vec<ImportProfile>, max_megabytes: u64) -> impl IntoView {
    let options = profiles
        .iter()
        .map(|profile| {
            let value = format!("{}/{}", profile.kind.code(), profile.code);
            view! { <option value=value>{profile.label()}</option> }
        })
        .collect_view();
    let tables = profiles
        .iter()
        .filter(|profile| !profile.format.tables().is_empty())
        .map(|profile| {
            let name = |(name, is_required): &(&str, bool)| {
                format!("{name}{}", if *is_required { " (required)" } else { "" })
            };
            let names: Vec<String> = profile.format.tables().iter().map(name).collect();
            view! { <br/> {format!("{}: {}.", profile.label(), names.join(", "))} }
        })
        .collect_view();
    view! {
        <form class="stacked" method="post" action="/users/import/upload" enctype="multipart/form-data">
            <form::Token />
            <div class="field">
                <label for="profile">"Import profile"</label>
                <select id="profile" name="profile" aria-describedby="profile-hint">{options}</select>
                <p class="hint" id="profile-hint">
                    "What the lines of the file are, and the system that wrote it. Encoding, delimiter and dates are detected. "
                    "For the file of another system, "
                    <a href="/users/import/profiles">"create an import profile"</a>"."
                </p>
            </div>
            <div class="field">
                <label for="file">"File"</label>
                <input id="file" name="file" type="file" required aria-describedby="file-hint" />
                <p class="hint" id="file-hint">
                    "Up to "{grouped(i64::try_from(max_megabytes).unwrap_or(i64::MAX))}
                    " MB. The server deletes the file after the import, at the latest after 24 hours."
                </p>
            </div>
            <div class="field">
                <label for="tables">"Additional tables"</label>
                <input id="tables" name="tables" type="file" multiple aria-describedby="tables-hint" />
                <p class="hint" id="tables-hint">
                    "Only for an export of several files. Each file has the name of its table, such as card.csv."
                    {tables}
                </p>
            </div>
            <button type="submit">"Upload file"</button>
        </form>
    }
}

fn import_table(rows: Vec<Import>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|import| {
            let count = |of: fn(&transfer::ImportSummary) -> u64| {
                let counted = import.counts.as_ref().map(of);
                counted.map_or("–".to_owned(), |count| grouped(i64::try_from(count).unwrap_or(i64::MAX)))
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("{LIST}/{}", import.id)>"Import "{import.id.to_string()}</a></th>
                    <td>{import.profile.label()}</td>
                    <td>{import.origin.label()}</td>
                    <td>{import.started_by.as_ref().map(person_link)}</td>
                    <td><Timestamp at=import.created_at /></td>
                    <td>{state_tag(import.state)}</td>
                    <td class="number">{count(|counts| counts.lines)}</td>
                    <td class="number">{count(|counts| counts.created)}</td>
                    <td class="number">{count(|counts| counts.changed)}</td>
                    <td class="number">{count(|counts| counts.rejected)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Imports" caption="Imports, newest first"
            columns=vec![
                Column::text("Import"), Column::text("Import profile"), Column::text("Origin"), Column::text("Started by"),
                Column::text("Started"), Column::text("State"), Column::number("Lines"), Column::number("New"),
                Column::number("Changed"), Column::number("Rejected"),
            ]>
            {rows}
        </DataTable>
    }
}
