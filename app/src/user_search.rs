//! The search for users: the posted form, and the address of the page.

use crate::error::AppError;
use crate::form::failed_submission;
use crate::private_search;
use crate::state::store;
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::dates::optional_date;
use policy::form::{FieldErrors, Problem};
use policy::user_search::cleaned;
use policy::{Role, text};
use records::user::{Having, RoleFilter, Sort, UserQuery, exact_match};
use std::collections::BTreeMap;

/// The names of the fields in form and address. The first one is the search text; the others are the advanced form.
const NAMES: [&str; 10] = [
    "q",
    "category",
    "department",
    "branch",
    "imported",
    "role",
    "left_before",
    "active_before",
    "marked",
    "anonymised",
];

/// The names of the order.
const ORDER: [&str; 2] = ["sort", "order"];

/// The address of the list.
pub(crate) const USERS: &str = "/users";

/// Searches users. The form is plain, so that it works without WebAssembly.
///
/// A text that is a key of one user opens the record at once; the record links to the list.
#[server(prefix = "/do", endpoint = "find_users", input = PostUrl)]
pub(crate) async fn find_users(form: BTreeMap<String, String>) -> Result<(), AppError> {
    let values = known_values(form)?;
    let text = values.get("q").map_or("", String::as_str);
    let is_text_alone = values.iter().all(|(name, value)| *name == "q" || value.trim().is_empty());
    if is_text_alone
        && !text.trim().is_empty()
        && let Some(user) = exact_match(&store(), text).await?
    {
        return private_search::redirect_to_search(&format!("{USERS}/{user}"), &[("q", text.to_owned())]);
    }
    let values: Vec<_> = values.into_iter().collect();
    private_search::redirect_to_search(USERS, &values)
}

/// Returns the values of a posted search. The text of the search box stays as it was typed.
pub(crate) fn known_values(
    mut form: BTreeMap<String, String>,
) -> Result<BTreeMap<&'static str, String>, AppError> {
    let mut errors = FieldErrors::default();
    for (name, value) in &form {
        let read = if name == "q" { cleaned(value) } else { value.clone() };
        errors.take(name, text::line(&read, text::MAX_SHORT_CHARS));
    }
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let known = NAMES.into_iter().chain(ORDER);
    let values: BTreeMap<_, _> = known.filter_map(|name| Some((name, form.remove(name)?))).collect();
    if form.is_empty() { Ok(values) } else { Err(AppError::Unreadable) }
}

/// The typed and chosen values.
#[derive(Clone, Debug)]
pub(crate) struct SearchForm {
    values: [String; 10],
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
}

impl SearchForm {
    /// Reads the page's address, or the rejected form.
    pub(crate) fn from_page() -> Self {
        let typed = failed_submission::<BTreeMap<String, String>>(FindUsers::PATH).map(|(form, _)| form);
        let value = |name: &str| match &typed {
            Some(form) => form.get(name).cloned().unwrap_or_default(),
            None => private_search::value(name).unwrap_or_default(),
        };
        Self {
            values: NAMES.map(value),
            sort: Sort::from_code(&value("sort")).unwrap_or_default(),
            descending: value("order") == "desc",
        }
    }

    /// Returns the search with these values, in the order of numbers.
    pub(crate) fn new(mut given: BTreeMap<&'static str, String>) -> Self {
        let mut value = |name: &str| given.remove(name).unwrap_or_default();
        Self { values: NAMES.map(&mut value), sort: Sort::default(), descending: false }
    }

    /// Returns the text of a field.
    pub(crate) fn value(&self, name: &str) -> &str {
        NAMES.iter().position(|field| *field == name).map_or("", |index| self.values[index].trim())
    }

    /// Returns whether all fields are empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(|value| value.trim().is_empty())
    }

    /// Returns whether a field of the advanced form is used.
    pub(crate) fn is_advanced(&self) -> bool {
        NAMES[1..].iter().any(|name| !self.value(name).is_empty())
    }

    /// Returns the address of this search in this order.
    pub(crate) fn address(&self, sort: Sort, descending: bool) -> Result<String, RecordsError> {
        private_search::address(USERS, &self.values(sort, descending))
    }

    /// Returns the address of the page of this search that begins after `key` (`after`) or ends before it (`before`).
    pub(crate) fn address_beside(&self, place: &'static str, key: String) -> Result<String, RecordsError> {
        let mut values = self.values(self.sort, self.descending);
        values.push((place, key));
        private_search::address(USERS, &values)
    }

    /// Returns the address of the search with another text. `keeps_filters` tells whether it keeps the filters.
    pub(crate) fn address_with(&self, text: &str, keeps_filters: bool) -> Result<String, RecordsError> {
        let mut values = self.values(self.sort, self.descending);
        values.retain(|(name, _)| *name != "q" && (keeps_filters || ORDER.contains(name)));
        values.push(("q", text.to_owned()));
        private_search::address(USERS, &values)
    }

    /// Returns the names and values of this search, without empty ones.
    pub(crate) fn given(&self) -> Vec<(&'static str, String)> {
        let mut values = self.values(self.sort, self.descending);
        values.retain(|(_, value)| !value.is_empty());
        values
    }

    fn values(&self, sort: Sort, descending: bool) -> Vec<(&'static str, String)> {
        let mut values: Vec<_> = NAMES.iter().map(|name| (*name, self.value(name).to_owned())).collect();
        if sort != Sort::default() || descending {
            values.push(("sort", sort.code().to_owned()));
            values.push(("order", if descending { "desc" } else { "asc" }.to_owned()));
        }
        values
    }

    /// Reads a filter with fixed choices. An unknown choice is an error, not a wider search.
    fn choice<T>(
        &self,
        errors: &mut FieldErrors,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let code = self.value(name);
        if code.is_empty() {
            return None;
        }
        errors.take(name, read(code).ok_or(Problem::UnknownChoice))
    }

    /// Returns the query, or the errors of the fields.
    pub(crate) fn read(&self) -> Result<UserQuery, FieldErrors> {
        let mut errors = FieldErrors::default();
        let q = cleaned(self.value("q"));
        let mut line = |name: &str| {
            let value = if name == "q" { &q } else { self.value(name) };
            errors.take(name, text::line(value, text::MAX_SHORT_CHARS)).unwrap_or_default()
        };
        let some = |text: String| (!text.is_empty()).then_some(text);
        let query = UserQuery {
            text: line("q"),
            category: some(line("category")),
            department: some(line("department")),
            branch: some(line("branch")),
            imported: self.choice(&mut errors, "imported", having),
            role: self.choice(&mut errors, "role", role),
            marked: self.choice(&mut errors, "marked", having),
            anonymised: self.choice(&mut errors, "anonymised", having),
            left_before: errors.take("left_before", optional_date(self.value("left_before"))).flatten(),
            active_before: errors.take("active_before", optional_date(self.value("active_before"))).flatten(),
            sort: self.sort,
            descending: self.descending,
        };
        if errors.is_empty() { Ok(query) } else { Err(errors) }
    }
}

fn having(code: &str) -> Having {
    match code {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn role(code: &str) -> Option<RoleFilter> {
    match code {
        "any" => Some(RoleFilter::Any),
        "none" => Some(RoleFilter::None),
        code => Role::from_code(code).map(RoleFilter::One),
    }
}
