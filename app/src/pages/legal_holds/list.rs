//! The list of legal holds.

use super::form::place_form;
use super::table::hold_table;
use crate::components::{
    FilterProblem, PageLayout, ProblemSummary, choice, filtered_list, guarded_page, paging, query,
};
use crate::state::{actor, store};
use crate::url::percent_encoded;
use leptos::prelude::*;
use policy::form::FieldErrors;
use policy::{Action, LegalHoldTarget, TermKind, UserNumber};
use safeguards::legal_hold::{self, LegalHoldQuery, Show};
use trail::terms::{self, Term};

/// Shows the legal holds.
#[component]
pub fn LegalHoldListPage() -> impl IntoView {
    let user = query("user");
    let category = query("category");
    let mut errors = FieldErrors::default();
    let show = choice(&mut errors, "show", Show::from_code);
    let of_user = choice(&mut errors, "user", |number| number.parse().ok().map(UserNumber));
    guarded_page(async move {
        let find = LegalHoldQuery {
            show: show.unwrap_or_default(),
            user: of_user,
            category: (!category.is_empty()).then(|| category.clone()),
        };
        let store = store();
        let paging = paging();
        let categories = terms::choices(&store, TermKind::Category).await?;
        let address = format!(
            "/legal-holds?show={}&user={}&category={}",
            find.show.code(),
            percent_encoded(&user),
            percent_encoded(&category)
        );
        let load = legal_hold::list(&store, &find, &paging);
        let list = filtered_list(&errors, address, &paging, load, |rows| {
            if rows.is_empty() {
                return view! {
                    <p class="empty">
                        "No legal holds match. A legal hold on one user is placed on the user's record: "
                        <a href="/users">"find the user"</a> "."
                    </p>
                }
                .into_any();
            }
            hold_table(rows, store.clock.today(), true).into_any()
        })
        .await?;
        let filters = filters(find.show, user, &category, &categories, &errors);
        let place = actor()
            .may(Action::PlaceLegalHolds)
            .then(|| place_form(LegalHoldTarget::Category(categories), "/legal-holds"));
        Ok(view! {
            <PageLayout title="Legal holds"
                lead="Reasons not to anonymise a user or a user category. A legal hold ends only when it is released.">
                <ProblemSummary error=list.error />
                {filters}
                {list.content}
                {place}
            </PageLayout>
        })
    })
}

fn filters(
    show: Show,
    user: String,
    category: &str,
    categories: &[Term],
    errors: &FieldErrors,
) -> impl IntoView + use<> {
    let shown =
        Show::ALL.map(|one| view! { <option value=one.code() selected=one == show>{one.label()}</option> });
    let categories = categories
        .iter()
        .map(|term| {
            let selected = term.code == category;
            view! { <option value=term.code.clone() selected=selected>{term.name.clone()}</option> }
        })
        .collect_view();
    view! {
        <form class="filters" method="get" action="/legal-holds" role="search" aria-label="Filter legal holds">
            <div class="field">
                <label for="show">"Show"</label>
                <select id="show" name="show" aria-describedby="show-problem">{shown}</select>
                <FilterProblem field="show" errors=errors.clone() />
            </div>
            <div class="field">
                <label for="of-category">"Category under legal hold"</label>
                <select id="of-category" name="category">
                    <option value="">"All"</option>
                    {categories}
                </select>
            </div>
            <div class="field">
                <label for="of-user">"User number"</label>
                <input id="of-user" name="user" type="text" inputmode="numeric" autocomplete="off" value=user
                    aria-invalid=errors.message("user").map(|_| "true") aria-describedby="user-problem" />
                <FilterProblem field="user" errors=errors.clone() />
            </div>
            <button type="submit">"Filter legal holds"</button>
        </form>
    }
}
