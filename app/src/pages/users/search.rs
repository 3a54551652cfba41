//! User search.

use super::crumbs;
use crate::components::{
    Column, DataTable, DateInput, FieldProblem, FilterProblem, PageAction, PageLayout, Pages, ProblemSummary,
    RecordDay, filter_error, guarded_page, paging, user_address,
};
use crate::error::field_errors;
use crate::form::{self, action};
use crate::private_search;
use crate::state::store;
use crate::user_search::{FindUsers, SearchForm};
use db::RecordsError;
use db::pagination::Page;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::form::FieldErrors;
use policy::numbers::{counted, grouped};
use policy::{Role, TermKind};
use records::user::{self, Sort, UserRow};
use trail::terms::{self, Term};

/// The number up to which results are counted.
const MAX_COUNTED: u64 = 1_000;

/// The choices of the filters.
struct Choices {
    categories: Vec<Term>,
    departments: Vec<Term>,
    branches: Vec<Term>,
}

/// Shows the search with its filters and results.
#[component]
pub fn UserSearchPage() -> impl IntoView {
    let form = SearchForm::from_page();
    let refused = form::error_for(FindUsers::PATH).or_else(private_search::problem);
    let paging = paging();
    guarded_page(async move {
        let store = store();
        let choices = Choices {
            categories: terms::choices(&store, TermKind::Category).await?,
            departments: terms::choices(&store, TermKind::Department).await?,
            branches: terms::choices(&store, TermKind::Branch).await?,
        };
        let link =
            |label: &str, href: &str| PageAction::Link { label: label.to_owned(), href: href.to_owned() };
        let actions = vec![
            link("Create user", "/users/new"),
            link("Import file", "/users/import"),
            link("Decide about held lines", "/users/held-lines"),
        ];
        let (results, errors) = match form.read() {
            _ if refused.is_some() => (().into_any(), field_errors(refused.as_ref())),
            Err(errors) => (().into_any(), errors),
            Ok(query) => {
                let paged = paging.after.is_some();
                let found = user::find(&store, &query, &paging).await?;
                let count = user::count(&store, &query, MAX_COUNTED + 1).await?;
                (results(&form, found, count, paged)?, FieldErrors::default())
            }
        };
        let error = filter_error(&errors).or(refused);
        Ok(view! {
            <PageLayout title="User search" crumbs=crumbs([]) actions
                lead="Search by user number, UserID, any name, e-mail or barcode. The beginning of each word \
                      is enough.">
                <ProblemSummary error />
                {search_form(&form, choices, &errors)}
                {results}
            </PageLayout>
        })
    })
}

fn search_form(form: &SearchForm, choices: Choices, errors: &FieldErrors) -> impl IntoView + use<> {
    let open = form.is_advanced();
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
                    <label for="q">"Find users"</label>
                    <input id="q" name="form[q]" type="search" value=typed autocomplete="off"
                        aria-describedby=errors.of("q").is_some().then_some("q-problem") />
                </div>
                <button class="primary" type="submit">"Find users"</button>
            </div>
            {errors.of("q").is_some().then(|| view! { <FieldProblem field="q" errors=errors.clone() /> })}
            <details class="more" open=open>
                <summary>"Advanced search"</summary>
                <div class="filters">
                    {terms("category", "User category", form, choices.categories, errors)}
                    {terms("department", "Department", form, choices.departments, errors)}
                    {terms("branch", "Branch", form, choices.branches, errors)}
                    {select("imported", "Imported", form, [("yes", "Imported"), ("no", "Not imported")], errors)}
                    {select("role", "Roles", form, roles, errors)}
                    {select("marked", "Marked for deletion", form, [("yes", "Marked"), ("no", "Not marked")], errors)}
                    {select("anonymised", "Anonymised", form, [("yes", "Anonymised"), ("no", "Not anonymised")], errors)}
                    {date("left_before", "Left before", form, errors)}
                    {date("active_before", "Last active before", form, errors)}
                    <button type="submit">"Find users"</button>
                    <a class="button" href="/users">"Clear search"</a>
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

fn terms(
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
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=format!("form[{name}]") aria-describedby=format!("{name}-problem")>
                <option value="">"Any"</option>
                {unknown}
                {options}
            </select>
            <FilterProblem field=name errors=errors.clone() />
        </div>
    }
    .into_any()
}

fn date(
    name: &'static str,
    label: &'static str,
    form: &SearchForm,
    errors: &FieldErrors,
) -> impl IntoView + use<> {
    let value = form.value(name).to_owned();
    let wrong = errors.of(name).is_some();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <DateInput id=name name=format!("form[{name}]") value wrong described=format!("{name}-problem") />
            <FieldProblem field=name errors=errors.clone() />
        </div>
    }
}

fn results(
    form: &SearchForm,
    found: Page<UserRow>,
    count: i64,
    paged: bool,
) -> Result<AnyView, RecordsError> {
    let Page { rows, next } = found;
    if rows.is_empty() && !paged {
        return Ok(empty_list(form).into_any());
    }
    let most = i64::try_from(MAX_COUNTED).unwrap_or(i64::MAX);
    let count = if count > most {
        format!("More than {} users", grouped(most))
    } else {
        counted(count, "user", "users")
    };
    let columns = vec![
        sortable(form, Sort::Number, "Number")?,
        sortable(form, Sort::Name, "Name")?,
        Column::text("UserID, e-mail"),
        Column::text("Category, department"),
        sortable(form, Sort::Leaving, "Leaving date")?,
        sortable(form, Sort::Activity, "Last activity")?,
        Column::text("State"),
    ];
    let list = form.address(form.sort, form.descending)?;
    let next = next.map(|key| form.address_after(key)).transpose()?;
    Ok(view! {
        <DataTable label="Users found" caption=count shows_caption=true columns>
            {rows.into_iter().map(row).collect_view()}
        </DataTable>
        <Pages first=paged.then_some(list) next />
    }
    .into_any())
}

/// Returns a column that sorts the list. Its link reverses the direction if the list is sorted by it already.
fn sortable(form: &SearchForm, sort: Sort, label: &'static str) -> Result<Column, RecordsError> {
    let is_current = form.sort == sort;
    let direction = is_current.then_some(if form.descending { "descending" } else { "ascending" });
    let href = form.address(sort, is_current && !form.descending)?;
    Ok(Column::sortable(label, href, direction))
}

fn row(user: UserRow) -> impl IntoView {
    let by_month = user.dates_by_month;
    let two = |first: Option<String>, second: Option<String>| {
        let between = (first.is_some() && second.is_some()).then(|| view! { <br /> });
        view! { {first} {between} {second.map(|text| view! { <small>{text}</small> })} }
    };
    view! {
        <tr>
            <td class="number">{user.number.to_string()}</td>
            <th scope="row"><a href=user_address(user.number)>{user.name.clone()}</a></th>
            <td>{two(user.user_id.clone(), user.email.clone())}</td>
            <td>{two(user.category.clone(), user.department.clone())}</td>
            <td class="nowrap"><RecordDay date=user.leaving_on by_month /></td>
            <td class="nowrap"><RecordDay date=user.last_activity_on by_month /></td>
            <td>{tags(&user)}</td>
        </tr>
    }
}

fn tags(user: &UserRow) -> impl IntoView + use<> {
    let tag = |shown: bool, class: &'static str, label: &'static str| {
        shown.then(|| view! { <span class=format!("tag {class}")>{label}</span> " " })
    };
    view! {
        {tag(user.anonymised_on.is_some(), "proven", "Anonymised")}
        {tag(user.marked_on.is_some() && user.anonymised_on.is_none(), "due", "Marked for deletion")}
        {tag(user.staff, "ready", "Staff")}
        {tag(user.fictitious, "quiet", "Fictitious")}
        {tag(!user.imported, "quiet", "Not imported")}
    }
}

fn empty_list(form: &SearchForm) -> impl IntoView + use<> {
    if form.is_empty() {
        view! {
            <div class="empty">
                <p>
                    <b>"There are no users yet. "</b>
                    "Import them from a file of another system (lethe import users), or create them here one \
                     by one."
                </p>
                <p><a class="button" href="/users/new">"Create user"</a></p>
            </div>
        }
        .into_any()
    } else {
        view! {
            <p class="empty">
                <b>"No users found. "</b>
                "All words must match, each by its beginning. Anonymised users are found only by their \
                 number. "
                <a href="/users">"Clear search"</a>
            </p>
        }
        .into_any()
    }
}
