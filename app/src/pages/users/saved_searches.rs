//! Saved searches: on the page of the user search, and on a page of their own.

use super::crumbs;
use crate::components::{
    AskFirst, Column, DataTable, FieldProblem, PageLayout, Pager, ProblemSummary, flash, guarded_page,
    paging, person_link,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::private_search;
use crate::state::{actor, store};
use crate::user_search::{self, USERS};
use db::RecordsError;
use db::pagination::{Page, Paging};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::FieldErrors;
use policy::user_search::cleaned;
use records::saved_search::{self, SavedSearch, SearchDraft};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The page of the saved searches.
const HERE: &str = "/users/searches";
/// The fields of the form besides those of the search.
const NAME: &str = "name";
const SHARED: &str = "shared";

/// A change of a saved search.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchChange {
    search: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    shared: String,
}

/// Saves the current search for the signed-in member of staff.
#[server(prefix = "/do", endpoint = "save_search", input = PostUrl)]
pub(super) async fn save_search(form: BTreeMap<String, String>) -> Result<(), AppError> {
    let mut form = form;
    let name = form.remove(NAME).unwrap_or_default();
    let shared = form.remove(SHARED).is_some();
    let mut values = user_search::known_values(form)?;
    let text = cleaned(&values.remove("q").unwrap_or_default());
    let values: Vec<(&str, String)> = values.into_iter().collect();
    let draft = SearchDraft { name, shared, text, filters: private_search::encoded(&values) };
    saved_search::save(&store(), actor(), &draft).await?;
    flash::redirect("/users/searches?done=search-saved");
    Ok(())
}

/// Renames a saved search, and shares it or not.
#[server(prefix = "/do", endpoint = "change_search", input = PostUrl)]
pub(super) async fn change_search(form: SearchChange) -> Result<(), AppError> {
    let id = form.search.parse().map_err(|_| RecordsError::NotFound("saved search"))?;
    let draft = SearchDraft { name: form.name, shared: form.shared == "on", ..SearchDraft::default() };
    saved_search::change(&store(), actor(), id, &draft).await?;
    flash::redirect("/users/searches?done=search-changed");
    Ok(())
}

/// Deletes a saved search.
#[server(prefix = "/do", endpoint = "delete_search", input = PostUrl)]
pub(super) async fn delete_search(form: SearchChange) -> Result<(), AppError> {
    let id = form.search.parse().map_err(|_| RecordsError::NotFound("saved search"))?;
    saved_search::delete(&store(), actor(), id).await?;
    flash::redirect("/users/searches?done=search-deleted");
    Ok(())
}

/// Returns the address that runs a saved search.
fn address(search: &SavedSearch) -> Result<String, RecordsError> {
    // Without its filters, the search would be wider.
    let filters: BTreeMap<String, String> =
        serde_qs::from_str(&search.filters).map_err(|_| RecordsError::Corrupt("saved search"))?;
    let mut values: Vec<(&str, String)> =
        filters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    values.push(("q", search.text.clone()));
    private_search::address(USERS, &values)
}

/// The number of searches of others to which the page of the user search links.
const MAX_SHARED_LINKS: u64 = 10;

/// Returns the searches to which the page of the user search links: one's own, and some that others share.
pub(super) async fn linked() -> Result<Vec<SavedSearch>, RecordsError> {
    let some = Paging { rows: Some(MAX_SHARED_LINKS), ..Paging::default() };
    let mut searches = saved_search::own(&store(), actor()).await?;
    searches.extend(saved_search::shared(&store(), actor(), &some).await?.rows);
    Ok(searches)
}

/// Links to saved searches, and the form that saves the current one.
#[component]
pub(super) fn SavedSearches(
    /// The searches to link to.
    saved: Vec<SavedSearch>,
    /// The names and values of the current search.
    given: Vec<(&'static str, String)>,
) -> impl IntoView {
    let links = saved
        .iter()
        .filter_map(|search| Some(view! { <li><a href=address(search).ok()?>{search.name.clone()}</a></li> }))
        .collect_view();
    let list = (!saved.is_empty()).then(|| {
        view! {
            <nav class="saved" aria-label="Saved searches">
                <span>"Saved searches:"</span>
                <ul>{links} <li><a href=HERE>"All saved searches"</a></li></ul>
            </nav>
        }
    });
    let is_rejected = error_for(SaveSearch::PATH).is_some();
    let save = (is_rejected || !given.is_empty()).then(|| save_form(given));
    view! { {list} {save} }
}

fn save_form(given: Vec<(&'static str, String)>) -> impl IntoView {
    let failed = failed_submission::<BTreeMap<String, String>>(SaveSearch::PATH);
    let (typed, error) = failed.unzip();
    let typed = typed.unwrap_or_default();
    let given: Vec<(String, String)> = if typed.is_empty() {
        given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    } else {
        let of_search = |(name, _): &(&String, &String)| *name != NAME && *name != SHARED;
        typed.iter().filter(of_search).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let hidden = given
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> })
        .collect_view();
    let (errors, is_open) = (field_errors(error.as_ref()), error.is_some());
    let (name, shared) = (typed.get(NAME).cloned().unwrap_or_default(), typed.contains_key(SHARED));
    view! {
        <details class="more" open=is_open>
            <summary>"Save this search"</summary>
            <ProblemSummary error />
            <form method="post" action=action(SaveSearch::PATH, USERS)>
                <Token />
                {hidden}
                {name_and_share("", &name, shared, &errors)}
                <div class="buttons"><button type="submit">"Save search"</button></div>
            </form>
        </details>
    }
}

/// Renders the fields of a saved search. `suffix` makes their ids unique.
fn name_and_share(suffix: &str, name: &str, shared: bool, errors: &FieldErrors) -> impl IntoView + use<> {
    let (name_id, share_id) = (format!("{NAME}{suffix}"), format!("{SHARED}{suffix}"));
    let problem = suffix.is_empty().then(|| view! { <FieldProblem field=NAME errors=errors.clone() /> });
    let described = suffix.is_empty().then_some("name-problem");
    view! {
        <div class="field">
            <label for=name_id.clone()>"Name of the search"</label>
            <input id=name_id name="form[name]" value=name.to_owned() autocomplete="off" required aria-describedby=described />
            {problem}
        </div>
        <div class="choice">
            <input type="checkbox" id=share_id.clone() name="form[shared]" value="on" checked=shared />
            <label for=share_id>"Share with all staff who may see users"</label>
        </div>
    }
}

/// Shows the saved searches. Their owner can rename, share and delete them.
#[component]
pub fn SavedSearchesPage() -> impl IntoView {
    let paging = paging();
    guarded_page(async move {
        let (store, actor) = (store(), actor());
        let Page { rows: shared, next, .. } = saved_search::shared(&store, actor, &paging).await?;
        let own = if paging.after.is_none() { saved_search::own(&store, actor).await? } else { Vec::new() };
        let error = error_for(ChangeSearch::PATH).or_else(|| error_for(DeleteSearch::PATH));
        let error = error.or_else(|| error_for(SaveSearch::PATH));
        let rows: Vec<AnyView> = own.iter().chain(&shared).map(row).collect::<Result<_, _>>()?;
        let list = if rows.is_empty() {
            view! {
                <p class="empty">
                    <b>"There are no saved searches. "</b>
                    "Search for users, then choose “Save this search”. " <a href=USERS>"User search"</a>
                </p>
            }
            .into_any()
        } else {
            let columns = vec![Column::text("Search"), Column::text("Saved by"), Column::text("Actions")];
            view! { <DataTable label="Saved searches" columns>{rows}</DataTable> }.into_any()
        };
        Ok(view! {
            <PageLayout title="Saved searches" crumbs=crumbs([])
                lead="Searches for users that you saved, and those that others share.">
                <ProblemSummary error />
                {list}
                <Pager list=HERE paged=paging.after.is_some() next />
            </PageLayout>
        })
    })
}

fn row(search: &SavedSearch) -> Result<AnyView, RecordsError> {
    let shared = search.shared.then(|| view! { " " <span class="tag ready">"Shared"</span> });
    let owner = match &search.owner {
        Some(person) => person_link(person).into_any(),
        None => "You".into_any(),
    };
    let actions = search.owner.is_none().then(|| own_actions(search));
    Ok(view! {
        <tr>
            <th scope="row"><a href=address(search)?>{search.name.clone()}</a> {shared}</th>
            <td>{owner}</td>
            <td>{actions}</td>
        </tr>
    }
    .into_any())
}

fn own_actions(search: &SavedSearch) -> impl IntoView + use<> {
    let id = search.id.to_string();
    let failed = failed_submission::<SearchChange>(ChangeSearch::PATH).filter(|(form, _)| form.search == id);
    let is_open = failed.is_some();
    // The rejected form has the ids to which the summary of problems links.
    let fields = if let Some((typed, error)) = failed {
        let errors = field_errors(Some(&error));
        name_and_share("", &typed.name, typed.shared == "on", &errors).into_any()
    } else {
        let suffix = format!("-{id}");
        name_and_share(&suffix, &search.name, search.shared, &FieldErrors::default()).into_any()
    };
    let about = format!("“{}”", search.name);
    view! {
        <details class="more" open=is_open>
            <summary>"Rename or share" <span class="hidden">" "{about.clone()}</span></summary>
            <form method="post" action=action(ChangeSearch::PATH, HERE)>
                <Token />
                <input type="hidden" name="form[search]" value=id.clone() />
                {fields}
                <div class="buttons"><button type="submit">"Save search"</button></div>
            </form>
        </details>
        <AskFirst function=DeleteSearch::PATH page=HERE values=vec![("search", id)] label="Delete search" about
            consequence="The search is deleted for everyone who uses it. No user changes." />
    }
}
