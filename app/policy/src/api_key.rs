//! API keys: what a key may do, and the form that creates one.

use crate::form::{FieldErrors, Problem};
use crate::permission::Action;
use crate::stored::{Coded, Stored, coded_enum};
use crate::text;
use serde::{Deserialize, Serialize};

/// The number of days for which a key is valid, if the form doesn't set it.
pub const DEFAULT_DAYS: i64 = 365;
/// Maximum number of days for which a key is valid.
pub const MAX_DAYS: i64 = 730;

coded_enum! {
    /// A part of what an API key may do.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum ApiScope: "scope of the API key" {
        /// Read users.
        ReadUsers = "read_users",
        /// Create and change users.
        WriteUsers = "write_users",
    }
}

impl ApiScope {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReadUsers => "Read users",
            Self::WriteUsers => "Create and change users",
        }
    }

    /// Returns the action that the scope permits. A key permits no other action.
    const fn action(self) -> Action {
        match self {
            Self::ReadUsers => Action::SeeUsers,
            Self::WriteUsers => Action::EditUsers,
        }
    }
}

/// The scopes of an API key. Stored as their codes, separated by a comma.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_code", to_str = "crate::stored::to_code")
)]
pub struct ApiScopes {
    read_users: bool,
    write_users: bool,
}

impl ApiScopes {
    /// No scope.
    pub const NONE: Self = Self { read_users: false, write_users: false };

    /// Returns whether this scope is among them.
    pub const fn has(self, scope: ApiScope) -> bool {
        match scope {
            ApiScope::ReadUsers => self.read_users,
            ApiScope::WriteUsers => self.write_users,
        }
    }

    /// Returns whether one of them permits an action.
    pub fn may(self, action: Action) -> bool {
        self.iter().any(|scope| scope.action() == action)
    }

    /// Returns the scopes.
    pub fn iter(self) -> impl Iterator<Item = ApiScope> {
        ApiScope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<ApiScope> for ApiScopes {
    fn from_iter<I: IntoIterator<Item = ApiScope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::default(), |all, scope| match scope {
            ApiScope::ReadUsers => Self { read_users: true, ..all },
            ApiScope::WriteUsers => Self { write_users: true, ..all },
        })
    }
}

impl Stored for ApiScopes {
    const NAME: &'static str = "scopes of the API key";
}

impl Coded for ApiScopes {
    fn code(self) -> &'static str {
        match (self.read_users, self.write_users) {
            (false, false) => "",
            (true, false) => "read_users",
            (false, true) => "write_users",
            (true, true) => "read_users,write_users",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        code.split(',').filter(|code| !code.is_empty()).map(ApiScope::from_code).collect()
    }
}

/// The form that creates an API key.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKeyForm {
    /// The name, which says what uses the key.
    pub name: String,
    /// Whether the key may read users.
    pub read_users: bool,
    /// Whether the key may create and change users.
    pub write_users: bool,
    /// The number of days for which the key is valid.
    pub days: String,
}

/// A validated form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKeyDraft {
    /// The name.
    pub name: String,
    /// The scopes.
    pub scopes: ApiScopes,
    /// The number of days for which the key is valid.
    pub days: i64,
}

/// Validates the form. An empty number of days is [`DEFAULT_DAYS`].
pub fn validate(form: &ApiKeyForm) -> Result<ApiKeyDraft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", text::line(&form.name, text::MAX_SHORT_CHARS)).unwrap_or_default();
    if name.is_empty() && errors.is_empty() {
        errors.add("name", Problem::required("a name, such as the identity system that uses the key"));
    }
    let scopes = ApiScope::ALL.into_iter().filter(|scope| match scope {
        ApiScope::ReadUsers => form.read_users,
        ApiScope::WriteUsers => form.write_users,
    });
    let scopes: ApiScopes = scopes.collect();
    if scopes == ApiScopes::default() {
        errors.add("read_users", Problem::not_chosen("what the key may do"));
    }
    let days = match form.days.trim() {
        "" => Some(DEFAULT_DAYS),
        typed => typed.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days)),
    };
    if days.is_none() {
        errors.add("days", Problem::NotDays { min: 1, max: MAX_DAYS });
    }
    match days {
        Some(days) if errors.is_empty() => Ok(ApiKeyDraft { name, scopes, days }),
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_back() {
        for scopes in [
            ApiScopes::default(),
            ApiScopes::from_iter([ApiScope::ReadUsers]),
            ApiScopes::from_iter([ApiScope::WriteUsers]),
            ApiScopes::from_iter(ApiScope::ALL),
        ] {
            assert_eq!(ApiScopes::from_code(scopes.code()), Some(scopes));
        }
        assert_eq!(ApiScopes::from_code("read_users,administer"), None);
    }

    #[test]
    fn a_key_permits_what_its_scopes_name_and_nothing_else() {
        let both = ApiScopes::from_iter(ApiScope::ALL);
        for action in Action::ALL {
            let named = matches!(action, Action::SeeUsers | Action::EditUsers);
            assert_eq!(both.may(action), named, "{action:?}");
            assert!(!ApiScopes::default().may(action));
        }
        assert!(!ApiScopes::from_iter([ApiScope::ReadUsers]).may(Action::EditUsers));
    }

    #[test]
    fn a_form_without_a_name_or_a_scope_is_rejected() {
        let form = ApiKeyForm { days: "731".to_owned(), ..ApiKeyForm::default() };
        let fields: Vec<String> =
            validate(&form).expect_err("invalid").0.into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "read_users", "days"]);
        let form = ApiKeyForm { name: " Entra ".to_owned(), read_users: true, ..ApiKeyForm::default() };
        let draft = validate(&form).expect("a valid form");
        assert_eq!((draft.name.as_str(), draft.days), ("Entra", DEFAULT_DAYS));
    }
}
