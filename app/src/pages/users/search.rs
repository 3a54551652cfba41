//! User search.

mod empty;
mod form;
mod layout;
mod list;

use super::crumbs;
use super::preview_found::PreviewTasks;
use super::saved_searches::{self, SavedSearches};
use crate::components::{PageAction, PageLayout, ProblemSummary, filter_error, guarded_page, paging};
use crate::error::field_errors;
use crate::form::error_for;
use crate::private_search;
use crate::state::{actor, store};
use crate::user_search::{FindUsers, SearchForm};
use db::RecordsError;
use db::pagination::Paging;
use form::{Choices, search_form};
pub(crate) use layout::ArrangeUserList;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::form::FieldErrors;
use policy::text::inside_sentence;
use policy::user_search::UserSearch;
use records::saved_search;
use records::user::{self, UserQuery};

/// The number up to which users are counted. No library has a list that needs an exact number beyond.
const MAX_COUNTED: u64 = 100_000;

/// Shows the search with its filters and results.
#[component]
pub fn UserSearchPage() -> impl IntoView {
    let form = SearchForm::from_page();
    let refused = error_for(FindUsers::PATH).or_else(private_search::problem);
    let paging = paging();
    guarded_page(async move {
        let choices = Choices::read().await?;
        let link =
            |label: &str, href: &str| PageAction::Link { label: label.to_owned(), href: href.to_owned() };
        let actions = vec![
            PageAction::Create { label: "Create user".to_owned(), href: "/users/new".to_owned() },
            link("Import file", "/users/import"),
            link("Review held lines", "/users/held-lines"),
        ];
        let (results, errors) = match form.read() {
            _ if refused.is_some() => (().into_any(), field_errors(refused.as_ref())),
            Err(errors) => (().into_any(), errors),
            Ok(query) => (results(&form, &query, paging).await?, FieldErrors::default()),
        };
        let saved = saved_searches::linked().await?;
        let error = filter_error(&errors).or(refused).or_else(|| error_for(ArrangeUserList::PATH));
        Ok(view! {
            <PageLayout title="User search" crumbs=crumbs([]) actions
                lead="Paste or scan anything that identifies a user. The beginning of each word is enough; a number, \
                      barcode, UserID or e-mail address of one user opens the record.">
                <ProblemSummary error />
                {search_form(&form, choices, &errors)}
                <SavedSearches saved given=form.given() />
                {results}
            </PageLayout>
        })
    })
}

/// Reads and renders the users found, or what to try if there are none.
async fn results(form: &SearchForm, query: &UserQuery, paging: Paging) -> Result<AnyView, RecordsError> {
    let store = store();
    let layout = saved_search::layout(&store, actor()).await?;
    let paging = Paging { rows: Some(layout.rows), ..paging };
    let found = user::find(&store, query, &paging).await?;
    let ignored = ignored(&query.text);
    if found.rows.is_empty() && paging.after.is_none() && paging.before.is_none() {
        let empty = empty::empty_list(form, query).await?;
        return Ok(view! { {ignored} {empty} }.into_any());
    }
    let count = user::count(&store, query, MAX_COUNTED + 1).await?;
    let preview = PreviewTasks::read(&store, actor()).await?;
    let list = list::list(form, found, count, &layout, preview)?;
    Ok(view! { {ignored} {list} {layout::chooser(&layout)} }.into_any())
}

/// Says which words of the text are not searched for.
fn ignored(text: &str) -> impl IntoView + use<> {
    let ignored = UserSearch::parse(text).ignored;
    (!ignored.is_empty()).then(|| {
        let words = ignored.iter().map(|word| format!("“{word}”")).collect::<Vec<_>>().join(", ");
        let why = if text.contains('@') {
            "the e-mail address decides"
        } else {
            "forms of address are not part of a name"
        };
        view! { <p class="hint">"Not searched for: " {words} " (" {inside_sentence(why)} ")."</p> }
    })
}
