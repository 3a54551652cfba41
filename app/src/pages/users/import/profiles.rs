//! The list of import profiles, with the form that uploads a file for a new one.

use super::import_crumbs;
use super::profile_actions::{DeleteImportProfile, PROFILES};
use crate::components::{AskFirst, Column, DataTable, PageLayout, ProblemSummary, guarded_page, task_links};
use crate::form::{self, error_for};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::import_profile::{FileKind, ImportProfile, built_in_profiles};
use transfer::custom_profile::{self, CustomProfile};
use transfer::profile::NEW_PROFILE;

/// Shows the import profiles, and the form that uploads a file for a new one.
#[component]
pub fn ImportProfilesPage() -> impl IntoView {
    guarded_page(async move {
        let custom = custom_profile::list(&store(), actor()).await?;
        let list = if custom.is_empty() {
            view! { <p class="empty">"There are no custom profiles. Create one below from a file."</p> }
                .into_any()
        } else {
            let columns =
                ["Name", "Lines of the file", "Code", "Used by", "Actions"].map(Column::text).into();
            let rows = custom.into_iter().map(row).collect_view();
            view! { <DataTable label="Custom profiles" columns>{rows}</DataTable> }.into_any()
        };
        let rows = built_in_profiles().into_iter().map(built_in_row).collect_view();
        let columns = ["Name", "Lines of the file", "Code"].map(Column::text).into();
        Ok(view! {
            <PageLayout title="Import profiles" crumbs=import_crumbs()
                lead="An import profile says which column of a file fills which field, and how dates are written.">
                <ProblemSummary error=error_for(DeleteImportProfile::PATH) />
                <h2 id="own">"Custom profiles"</h2>
                {list}
                <h2 id="create">"Create import profile"</h2>
                <SampleForm />
                <h2 id="built-in">"Built-in profiles"</h2>
                <DataTable label="Built-in profiles" columns>{rows}</DataTable>
            </PageLayout>
        })
    })
}

fn row(custom: CustomProfile) -> impl IntoView {
    let CustomProfile { id, profile, used_by, .. } = custom;
    let delete = used_by.is_empty().then(|| {
        let values = vec![("profile", id.to_string())];
        view! {
            <AskFirst function=DeleteImportProfile::PATH page=PROFILES values label="Delete profile"
                about=format!("“{}”", profile.name)
                consequence="Files can no longer be imported with this profile. Past imports keep their copy of it." />
        }
    });
    let tasks = task_links(&used_by);
    view! {
        <tr>
            <th scope="row">{profile.name.clone()}</th>
            <td>{profile.kind.label()}</td>
            <td><code>{profile.code}</code></td>
            <td>{tasks}</td>
            <td>
                <a href=format!("{PROFILES}/{id}")>
                    "Change profile" <span class="hidden">" “"{profile.name}"”"</span>
                </a>
                {delete}
            </td>
        </tr>
    }
}

fn built_in_row(profile: ImportProfile) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{profile.name}</th>
            <td>{profile.kind.label()}</td>
            <td><code>{profile.code}</code></td>
        </tr>
    }
}

/// The form that uploads the file from which a profile is made.
#[component]
fn SampleForm() -> impl IntoView {
    let kinds = FileKind::ALL
        .map(|kind| view! { <option value=format!("{}/{NEW_PROFILE}", kind.code())>{kind.label()}</option> });
    view! {
        <form class="stacked" method="post" action="/users/import/upload" enctype="multipart/form-data">
            <form::Token />
            <div class="field">
                <label for="profile">"Lines of the file"</label>
                <select id="profile" name="profile">{kinds.collect_view()}</select>
            </div>
            <div class="field">
                <label for="file">"File"</label>
                <input id="file" name="file" type="file" required aria-describedby="file-hint" />
                <p class="hint" id="file-hint">
                    "A file of the other system, as CSV, with the names of the columns. You then choose the field of each \
                     column. Nothing is imported yet."
                </p>
            </div>
            <button type="submit">"Upload file"</button>
        </form>
    }
}
