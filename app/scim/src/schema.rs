//! The attributes of a user: one table from which everything else derives.

use serde_json::{Value, json};

/// The URN of the core schema.
pub const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the enterprise extension.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The name of the department in the extension.
pub(crate) const DEPARTMENT: &str = "department";

/// The type of an attribute.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// Yes or no.
    Flag,
    /// An object with these attributes.
    Complex(&'static [Attribute]),
}

/// An attribute.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "these are independent facts of an attribute")]
pub struct Attribute {
    /// The name.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// Whether it is a list of values.
    pub is_list: bool,
    /// Whether it can't be removed.
    pub is_required: bool,
    /// Whether an identity system can't change it.
    pub is_read_only: bool,
    /// Whether upper and lower case differ.
    pub is_case_exact: bool,
    /// Whether no two users have the same value.
    pub is_unique: bool,
    /// Whether it is read from a body and published in no schema.
    pub is_hidden: bool,
    /// The values, if only these are stored.
    pub canonical: &'static [&'static str],
    /// The field of the user record with the value, as `policy::user_field` names it. Filters use it.
    pub field: Option<&'static str>,
    /// The description.
    pub description: &'static str,
}

const TEXT: Attribute = Attribute {
    name: "",
    kind: Kind::Text,
    is_list: false,
    is_required: false,
    is_read_only: false,
    is_case_exact: false,
    is_unique: false,
    is_hidden: false,
    canonical: &[],
    field: None,
    description: "",
};

const fn text(name: &'static str, field: &'static str, description: &'static str) -> Attribute {
    Attribute { name, field: Some(field), description, ..TEXT }
}

/// Which of several values is preferred. Lethe stores one value of each type, so it isn't returned.
const PRIMARY: Attribute = Attribute { name: "primary", kind: Kind::Flag, is_hidden: true, ..TEXT };

const NAME: &[Attribute] = &[
    Attribute { is_required: true, ..text("familyName", "last_name", "Last name") },
    text("givenName", "first_name", "First name"),
    text("middleName", "middle_name", "Middle name"),
];

const EMAIL: &[Attribute] = &[
    text("value", "email", "E-mail address"),
    Attribute { name: "type", canonical: &["work"], description: "Always work", ..TEXT },
    PRIMARY,
];

const PHONE: &[Attribute] = &[
    Attribute { name: "value", description: "Phone number", ..TEXT },
    Attribute {
        name: "type",
        canonical: &["work", "mobile"],
        description: "work for the phone, mobile for the mobile",
        ..TEXT
    },
    PRIMARY,
];

const ADDRESS: &[Attribute] = &[
    text("streetAddress", "street", "Street address"),
    text("locality", "city", "City"),
    text("postalCode", "postcode", "Postcode"),
    text("country", "country", "Country"),
    Attribute { name: "type", canonical: &["work"], description: "Always work", ..TEXT },
    PRIMARY,
];

/// The attributes of the core schema.
pub const USER: &[Attribute] = &[
    Attribute { is_required: true, is_unique: true, ..text("userName", "user_id", "UserID, the login name") },
    Attribute {
        name: "name",
        kind: Kind::Complex(NAME),
        is_required: true,
        description: "Names of the user",
        ..TEXT
    },
    Attribute {
        name: "displayName",
        is_read_only: true,
        description: "The name that pages of Lethe show",
        ..TEXT
    },
    text("nickName", "preferred_name", "Preferred name"),
    text("title", "title", "Title"),
    text("preferredLanguage", "language", "Language"),
    text("locale", "language", "Language, as in preferredLanguage"),
    Attribute {
        name: "active",
        kind: Kind::Flag,
        is_required: true,
        description: "Whether the user has no leaving date, or one in the future",
        ..TEXT
    },
    Attribute {
        name: "emails",
        kind: Kind::Complex(EMAIL),
        is_list: true,
        description: "The e-mail address",
        ..TEXT
    },
    Attribute {
        name: "phoneNumbers",
        kind: Kind::Complex(PHONE),
        is_list: true,
        description: "Phone and mobile",
        ..TEXT
    },
    Attribute {
        name: "addresses",
        kind: Kind::Complex(ADDRESS),
        is_list: true,
        description: "The postal address",
        ..TEXT
    },
];

/// The attributes that every resource has. No schema publishes them.
pub const COMMON: &[Attribute] = &[
    Attribute { name: "id", is_read_only: true, is_case_exact: true, is_unique: true, ..TEXT },
    Attribute { is_case_exact: true, ..text("externalId", "external_id", "External identifier") },
    Attribute { name: "meta", kind: Kind::Complex(&[]), is_read_only: true, ..TEXT },
    Attribute { name: "schemas", is_list: true, is_read_only: true, ..TEXT },
];

/// The attributes of the enterprise extension.
pub const ENTERPRISE_USER: &[Attribute] =
    &[text(DEPARTMENT, "department", "Code of the department, as Lethe lists it")];

/// An attribute, and the schema to which it belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) is_of_extension: bool,
    pub(crate) attribute: &'static Attribute,
}

/// Returns the attribute with this name, in any case.
pub(crate) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// Returns the attribute of a user with this name, which may have the URN of its schema in front.
pub(crate) fn find_of_user(name: &str) -> Option<Found> {
    if let Some(name) = after_urn(name, ENTERPRISE) {
        return find(ENTERPRISE_USER, name).map(|attribute| Found { is_of_extension: true, attribute });
    }
    let name = after_urn(name, CORE).unwrap_or(name);
    let attribute = find(USER, name).or_else(|| find(COMMON, name))?;
    Some(Found { is_of_extension: false, attribute })
}

/// Returns what follows a URN and its colon.
pub(crate) fn after_urn<'a>(text: &'a str, urn: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(urn.len())?;
    if start.eq_ignore_ascii_case(urn) { rest.strip_prefix(':') } else { None }
}

impl Attribute {
    /// Returns the attribute within a complex one.
    pub(crate) fn sub(&self, name: &str) -> Option<&'static Self> {
        match self.kind {
            Kind::Complex(parts) => find(parts, name),
            Kind::Text | Kind::Flag => None,
        }
    }

    /// Returns the JSON for `/Schemas`.
    fn to_json(self) -> Value {
        let mut json = json!({
            "name": self.name,
            "type": match self.kind {
                Kind::Text => "string",
                Kind::Flag => "boolean",
                Kind::Complex(_) => "complex",
            },
            "multiValued": self.is_list,
            "description": self.description,
            "required": self.is_required,
            "mutability": if self.is_read_only { "readOnly" } else { "readWrite" },
            "returned": "default",
        });
        match self.kind {
            Kind::Text => {
                json["caseExact"] = self.is_case_exact.into();
                json["uniqueness"] = if self.is_unique { "server" } else { "none" }.into();
            }
            Kind::Flag => {}
            Kind::Complex(parts) => {
                json["subAttributes"] =
                    parts.iter().filter(|part| !part.is_hidden).map(|part| part.to_json()).collect();
            }
        }
        if !self.canonical.is_empty() {
            json["canonicalValues"] = self.canonical.into();
        }
        json
    }
}

/// Returns the JSON of attributes for `/Schemas`.
pub(crate) fn attributes_json(attributes: &[Attribute]) -> Value {
    attributes.iter().map(|one| one.to_json()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::user_field::USER_FIELDS;

    #[test]
    fn every_attribute_names_a_field_of_the_user() {
        let mut all: Vec<&Attribute> = USER.iter().chain(COMMON).chain(ENTERPRISE_USER).collect();
        while let Some(attribute) = all.pop() {
            if let Some(field) = attribute.field {
                assert!(USER_FIELDS.iter().any(|known| known.name == field), "{field}");
            }
            if let Kind::Complex(parts) = attribute.kind {
                all.extend(parts);
            }
        }
    }

    #[test]
    fn attributes_are_found_in_any_case_and_with_their_schema() {
        for name in ["username", "USERNAME", "urn:ietf:params:scim:schemas:core:2.0:User:userName"] {
            assert_eq!(find_of_user(name).expect("an attribute").attribute.name, "userName");
        }
        let found = find_of_user(&format!("{ENTERPRISE}:Department")).expect("an attribute");
        assert!(found.is_of_extension);
        assert!(find_of_user("department").is_none() && find_of_user("").is_none());
        assert!(find_of_user("urn:ietf:params:scim:schemas:core:2.0:Ü").is_none());
    }
}
