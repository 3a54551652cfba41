//! The form of the user search.

use crate::components::{DateInput, FieldProblem, FilterProblem};
use crate::form::{self, action};
use crate::state::store;
use crate::user_search::{FindUsers, SearchForm};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::form::FieldErrors;
use policy::{Role, TermKind};
use records::user::Sort;
use trail::terms::{self, Term};

/// The choices of the filters.
pub(super) struct Choices {
    categories: Vec<Term>,
    departments: Vec<Term>,
    branches: Vec<Term>,
}

impl Choices {
    /// Reads the choices.
    pub(super) async fn read() -> Result<Self, RecordsError> {
        let store = store();
        Ok(Self {
            categories: terms::choices(&store, TermKind::Category).await?,
            departments: terms::choices(&store, TermKind::Department).await?,
            branches: terms::choices(&store, TermKind::Branch).await?,
        })
    }
}

pub(super) fn search_form(
    form: &SearchForm,
    choices: Choices,
    errors: &FieldErrors,
) -> impl IntoView + use<> {
    let open = form.is_advanced();
    let is_used = !form.is_empty();
    let typed = form.value("q").to_owned();
    let order = (form.sort != Sort::default() || form.descending).then(|| {
        let direction = if form.descending { "desc" } else { "asc" };
        view! {
            <input type="hidden" name="form[sort]" value=form.sort.code() />
            <input type="hidden" name="form[order]" value=direction />
        }
    });
    let roles = Role::ALL.map(|role| (role.code(), role.label()));
    let roles = [("any", "Any role"), ("none", "No role")].into_iter().chain(roles);
    view! {
        <form method="post" action=action(FindUsers::PATH, "/users") role="search" aria-label="Users">
            <form::Token />
            {order}
            <div class="filters">
                <div class="field">
                    <label for="q">"Name, number, e-mail, barcode or phone"</label>
                    <input id="q" name="form[q]" type="search" value=typed autocomplete="off"
                        aria-describedby=errors.message("q").is_some().then_some("q-problem") />
                </div>
                <button class="primary" type="submit">"Find users"</button>
                {is_used.then(|| view! { <a class="button" href="/users">"Clear search"</a> })}
            </div>
            {errors.message("q").is_some().then(|| view! { <FieldProblem field="q" errors=errors.clone() /> })}
            <details class="more" open=open>
                <summary>"Advanced search"</summary>
                <div class="filters aligned">
                    {term("category", "User category", form, choices.categories, errors)}
                    {term("department", "Department", form, choices.departments, errors)}
                    {term("branch", "Branch", form, choices.branches, errors)}
                    {select("imported", "Imported", form, [("yes", "Imported"), ("no", "Not imported")], errors)}
                    {select("role", "Roles", form, roles, errors)}
                    {select("marked", "Marked for deletion", form, [("yes", "Marked"), ("no", "Not marked")], errors)}
                    {select("anonymised", "Anonymised", form, [("yes", "Anonymised"), ("no", "Not anonymised")], errors)}
                    {date("left_before", "Left before", form, errors)}
                    {date("active_before", "Last active before", form, errors)}
                </div>
            </details>
        </form>
    }
}

fn select(
    name: &'static str,
    label: &'static str,
    form: &SearchForm,
    choices: impl IntoIterator<Item = (&'static str, &'static str)>,
    errors: &FieldErrors,
) -> AnyView {
    let chosen = form.value(name).to_owned();
    let options = choices
        .into_iter()
        .map(|(code, label)| view! { <option value=code selected=chosen == code>{label}</option> })
        .collect_view();
    dropdown(name, label, options, errors)
}

fn dropdown(
    name: &'static str,
    label: &'static str,
    options: impl IntoView + 'static,
    errors: &FieldErrors,
) -> AnyView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=format!("form[{name}]") aria-describedby=format!("{name}-problem")>
                <option value="">"Any"</option>
                {options}
            </select>
            <FilterProblem field=name errors=errors.clone() />
        </div>
    }
    .into_any()
}

fn term(
    name: &'static str,
    label: &'static str,
    form: &SearchForm,
    terms: Vec<Term>,
    errors: &FieldErrors,
) -> AnyView {
    let chosen = form.value(name).to_owned();
    if terms.is_empty() {
        return view! {
            <div class="field">
                <label for=name>{label}</label>
                <input id=name name=format!("form[{name}]") value=chosen autocomplete="off"
                    aria-describedby=format!("{name}-problem") />
                <FilterProblem field=name errors=errors.clone() />
            </div>
        }
        .into_any();
    }
    let unknown = (!chosen.is_empty() && terms.iter().all(|term| term.code != chosen))
        .then(|| view! { <option value=chosen.clone() selected>{chosen.clone()}</option> });
    let options = terms
        .into_iter()
        .map(|term| view! { <option value=term.code.clone() selected=chosen == term.code>{term.name}</option> })
        .collect_view();
    dropdown(name, label, view! { {unknown} {options} }, errors)
}

fn date(
    name: &'static str,
    label: &'static str,
    form: &SearchForm,
    errors: &FieldErrors,
) -> impl IntoView + use<> {
    let value = form.value(name).to_owned();
    let wrong = errors.message(name).is_some();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <DateInput id=name name=format!("form[{name}]") value wrong described=format!("{name}-problem") />
            <FieldProblem field=name errors=errors.clone() />
        </div>
    }
}
