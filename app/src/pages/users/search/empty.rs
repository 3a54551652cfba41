//! Advice for a search that finds no user.

use crate::state::store;
use crate::user_search::SearchForm;
use db::RecordsError;
use leptos::prelude::*;
use policy::numbers::counted;
use records::user::{self, MAX_SIMILAR_COUNTED, Similar, UserQuery};

/// Renders what the list will have, or searches that find users.
pub(super) async fn empty_list(form: &SearchForm, query: &UserQuery) -> Result<AnyView, RecordsError> {
    if form.is_empty() {
        return Ok(view! {
            <div class="empty">
                <p>
                    <b>"There are no users yet. "</b>
                    "Import them from a file of another system, or create them one by one."
                </p>
                <p>
                    <a class="button" href="/users/import">"Import file"</a> " "
                    <a class="button" href="/users/new">"Create user"</a>
                </p>
            </div>
        }
        .into_any());
    }
    let store = store();
    let mut proposals = Vec::new();
    if form.is_advanced() && !query.text.is_empty() {
        let everywhere = UserQuery { text: query.text.clone(), ..UserQuery::default() };
        let users = user::count(&store, &everywhere, MAX_SIMILAR_COUNTED).await?;
        if users > 0 {
            proposals.push(proposal(
                form.address_with(&query.text, false)?,
                "Search without the filters".to_owned(),
                users,
            ));
        }
    }
    for one in user::similar(&store, query).await? {
        let Similar { text, users, without } = one;
        let label = match without {
            Some(word) => format!("Without “{word}”: {text}"),
            None => text.clone(),
        };
        proposals.push(proposal(form.address_with(&text, true)?, label, users));
    }
    let proposed = (!proposals.is_empty()).then(|| {
        view! {
            <p>"Did you mean:"</p>
            <ul class="proposals">{proposals}</ul>
        }
    });
    Ok(view! {
        <div class="empty" role="status">
            <p><b>"No users found. "</b> "All words must match, each by its beginning."</p>
            {proposed}
            <p>
                "Try fewer words, another spelling, or the number on the card. Anonymised users are found only by their \
                 number or their random name."
            </p>
            <p><a href="/users">"Clear search"</a></p>
        </div>
    }
    .into_any())
}

fn proposal(href: String, label: String, users: i64) -> AnyView {
    let users = match u64::try_from(users) {
        Ok(users) if users >= MAX_SIMILAR_COUNTED => format!("{users} users or more"),
        _ => counted(users, "user", "users"),
    };
    view! { <li><a href=href>{label}</a> " (" {users} ")"</li> }.into_any()
}
