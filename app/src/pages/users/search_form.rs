//! The search of users as it stands in the address of the page.

use crate::parts::{percent_encoded, query};
use policy::form::FieldErrors;
use policy::user_form::optional_date;
use policy::{Role, text};
use records::user::{Having, RoleFilter, Sort, UserQuery};

/// Names of the fields, as in the address. The first one is the box; the others are the advanced form.
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

/// What was typed and chosen.
#[derive(Clone, Debug)]
pub(super) struct SearchForm {
    values: [String; 10],
    pub(super) sort: Sort,
    pub(super) descending: bool,
}

impl SearchForm {
    /// Reads the address of the page.
    pub(super) fn of_address() -> Self {
        Self {
            values: NAMES.map(query),
            sort: Sort::from_code(&query("sort")).unwrap_or_default(),
            descending: query("order") == "desc",
        }
    }

    /// What was typed into a field.
    pub(super) fn value(&self, name: &str) -> &str {
        NAMES.iter().position(|field| *field == name).map_or("", |place| self.values[place].trim())
    }

    /// Whether anything is looked for.
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|value| value.trim().is_empty())
    }

    /// Whether the advanced form is used.
    pub(super) fn is_advanced(&self) -> bool {
        NAMES[1..].iter().any(|name| !self.value(name).is_empty())
    }

    /// The address of this search in some order.
    pub(super) fn address(&self, sort: Sort, descending: bool) -> String {
        let mut parts: Vec<String> = NAMES
            .iter()
            .filter(|name| !self.value(name).is_empty())
            .map(|name| format!("{name}={}", percent_encoded(self.value(name))))
            .collect();
        if sort != Sort::default() || descending {
            parts.push(format!("sort={}", sort.code()));
            parts.push(format!("order={}", if descending { "desc" } else { "asc" }));
        }
        if parts.is_empty() { "/users".to_owned() } else { format!("/users?{}", parts.join("&")) }
    }

    /// What is to be found, or which fields are wrong.
    pub(super) fn read(&self) -> Result<UserQuery, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut line =
            |name: &str| errors.take(name, text::line(self.value(name), text::SHORT)).unwrap_or_default();
        let some = |text: String| (!text.is_empty()).then_some(text);
        let query = UserQuery {
            text: line("q"),
            category: some(line("category")),
            department: some(line("department")),
            branch: some(line("branch")),
            imported: having(self.value("imported")),
            role: role(self.value("role")),
            marked: having(self.value("marked")),
            anonymised: having(self.value("anonymised")),
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
