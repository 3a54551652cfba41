//! Errors in the form that identity systems read.

use policy::form::{FieldError, FieldErrors, Problem};
use serde_json::{Value, json};
use thiserror::Error;

/// The schema of an error.
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The problem of a user who would bring back an anonymised one.
const SUPPRESSED: &str = "An anonymised user had this value. Lethe created no user. Staff decide on the page Held lines \
                          of Lethe; send the request again after that";

/// The detail error code of RFC 7644, section 3.12.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScimType {
    /// The filter is not one, or uses an attribute or operator that can't be filtered by.
    InvalidFilter,
    /// The path is not one, or names no attribute.
    InvalidPath,
    /// The body has another structure than the operation requires.
    InvalidSyntax,
    /// A value is missing, of the wrong type or not allowed.
    InvalidValue,
    /// The attribute can't be changed or removed.
    Mutability,
    /// The path selects nothing.
    NoTarget,
    /// Another user has the value.
    Uniqueness,
}

impl ScimType {
    const fn code(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidPath => "invalidPath",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidValue => "invalidValue",
            Self::Mutability => "mutability",
            Self::NoTarget => "noTarget",
            Self::Uniqueness => "uniqueness",
        }
    }
}

/// An error. Its detail names attributes, never values.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{detail}")]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// The detail error code, if there is one for the status.
    pub kind: Option<ScimType>,
    /// The problem and its remedy.
    pub detail: String,
}

impl ScimError {
    /// Returns an error without a detail error code.
    pub fn of_status(status: u16, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into() }
    }

    /// Returns an error about the request.
    pub fn bad(kind: ScimType, detail: impl Into<String>) -> Self {
        let status = if kind == ScimType::Uniqueness { 409 } else { 400 };
        Self { status, kind: Some(kind), detail: detail.into() }
    }

    /// Returns the error for invalid fields of the user form, named as SCIM attributes.
    pub fn of_fields(errors: &FieldErrors) -> Self {
        let is_key = |problem: &Problem| matches!(problem, Problem::Taken | Problem::Suppressed);
        let only_keys = !errors.is_empty() && errors.0.iter().all(|error| is_key(&error.problem));
        let detail = |error: &FieldError| {
            let attribute = attribute_of(&error.field);
            match &error.problem {
                Problem::Suppressed => format!("{attribute}: {SUPPRESSED}"),
                problem => format!("{attribute}: {problem}"),
            }
        };
        let details: Vec<String> = errors.0.iter().map(detail).collect();
        let kind = if only_keys { ScimType::Uniqueness } else { ScimType::InvalidValue };
        Self::bad(kind, details.join("; "))
    }

    /// Returns the JSON of the error.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "schemas": [ERROR],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            json["scimType"] = kind.code().into();
        }
        json
    }
}

/// Returns the SCIM name of a field of the user form.
fn attribute_of(field: &str) -> &str {
    match field {
        "user_id" => "userName",
        "external_id" => "externalId",
        "last_name" => "name.familyName",
        "first_name" => "name.givenName",
        "middle_name" => "name.middleName",
        "preferred_name" => "nickName",
        "email" => "emails.value",
        "phone" | "mobile" => "phoneNumbers.value",
        "street" => "addresses.streetAddress",
        "postcode" => "addresses.postalCode",
        "city" => "addresses.locality",
        "country" => "addresses.country",
        "language" => "preferredLanguage",
        field => field,
    }
}
