//! The attributes that a caller wants: `attributes` and `excludedAttributes`.

use crate::error::{ScimError, ScimType};
use crate::schema::{CORE, ENTERPRISE, after_urn};
use serde_json::{Map, Value};

/// The attributes that every answer has.
const ALWAYS: [&str; 2] = ["id", "schemas"];
/// Maximum length of a list of attributes in bytes.
const MAX_NAMES: usize = 8_000;

/// Selects the attributes of an answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Projection {
    /// All attributes.
    #[default]
    All,
    /// These attributes.
    Only(Vec<Name>),
    /// All attributes except these.
    Without(Vec<Name>),
}

/// An attribute, and its part if one is named. Both in lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Name {
    attribute: String,
    part: Option<String>,
}

impl Name {
    fn parse(text: &str) -> Self {
        let lower = |text: &str| text.to_ascii_lowercase();
        if text.eq_ignore_ascii_case(ENTERPRISE) {
            return Self { attribute: lower(ENTERPRISE), part: None };
        }
        if let Some(part) = after_urn(text, ENTERPRISE) {
            return Self { attribute: lower(ENTERPRISE), part: Some(lower(part)) };
        }
        match after_urn(text, CORE).unwrap_or(text).split_once('.') {
            Some((attribute, part)) => Self { attribute: lower(attribute), part: Some(lower(part)) },
            None => Self { attribute: lower(after_urn(text, CORE).unwrap_or(text)), part: None },
        }
    }
}

fn names<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Name> {
    texts.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(Name::parse).collect()
}

impl Projection {
    /// Parses the two lists, whose names are separated by commas.
    pub fn parse(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let given =
            |text: Option<&str>| text.map(|text| names(text.split(','))).filter(|names| !names.is_empty());
        if attributes.into_iter().chain(excluded).any(|text| text.len() > MAX_NAMES) {
            return Err(ScimError::bad(ScimType::InvalidValue, "The list of attributes is too long"));
        }
        match (given(attributes), given(excluded)) {
            (None, None) => Ok(Self::All),
            (Some(only), None) => Ok(Self::Only(only)),
            (None, Some(without)) => Ok(Self::Without(without)),
            (Some(_), Some(_)) => {
                Err(ScimError::bad(ScimType::InvalidValue, "Use either attributes or excludedAttributes"))
            }
        }
    }

    /// Returns the selected attributes of a resource.
    pub fn apply(&self, resource: Value) -> Value {
        let Value::Object(resource) = resource else { return resource };
        let selected = resource.into_iter().filter_map(|(name, value)| {
            if ALWAYS.contains(&name.as_str()) {
                return Some((name, value));
            }
            let lower = name.to_ascii_lowercase();
            let value = match self {
                Self::All => Some(value),
                Self::Only(names) => {
                    let mut chosen = names.iter().filter(|one| one.attribute == lower).peekable();
                    chosen.peek()?;
                    let parts: Option<Vec<&str>> = chosen.map(|one| one.part.as_deref()).collect();
                    match parts {
                        None => Some(value),
                        Some(parts) => with_parts(value, |part| parts.contains(&part)),
                    }
                }
                Self::Without(names) => {
                    let excluded: Vec<&Name> = names.iter().filter(|one| one.attribute == lower).collect();
                    if excluded.iter().any(|one| one.part.is_none()) {
                        return None;
                    }
                    let gone: Vec<&str> = excluded.iter().filter_map(|one| one.part.as_deref()).collect();
                    if gone.is_empty() {
                        Some(value)
                    } else {
                        with_parts(value, |part| !gone.contains(&part))
                    }
                }
            };
            value.map(|value| (name, value))
        });
        Value::Object(selected.collect())
    }
}

/// Returns the parts of a value that pass a test, or `None` if none does. Parts are named in lower case.
fn with_parts(value: Value, keep: impl Fn(&str) -> bool + Copy) -> Option<Value> {
    match value {
        Value::Array(values) => {
            let values: Vec<Value> = values.into_iter().filter_map(|value| with_parts(value, keep)).collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
        Value::Object(parts) => {
            let parts: Map<String, Value> =
                parts.into_iter().filter(|(name, _)| keep(&name.to_ascii_lowercase())).collect();
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_named_attributes_are_returned() {
        let user = json!({
            "schemas": [CORE],
            "id": "u",
            "userName": "ng",
            "name": { "familyName": "Ng", "givenName": "Ana" },
            "emails": [{ "value": "a@b", "type": "work" }],
            ENTERPRISE: { "department": "LAW" },
        });
        let department = format!("{ENTERPRISE}:department");
        for (attributes, excluded, expected) in [
            (Some("USERNAME"), None, json!({"schemas":[CORE],"id":"u","userName":"ng"})),
            (
                Some("name.familyName, emails.value"),
                None,
                json!({"schemas":[CORE],"id":"u","name":{"familyName":"Ng"},"emails":[{"value":"a@b"}]}),
            ),
            (
                Some(department.as_str()),
                None,
                json!({"schemas":[CORE],"id":"u",ENTERPRISE:{"department":"LAW"}}),
            ),
            (Some("shoeSize"), None, json!({"schemas":[CORE],"id":"u"})),
            (
                None,
                Some("id,name,emails.type,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
                json!({"schemas":[CORE],"id":"u","userName":"ng","emails":[{"value":"a@b"}]}),
            ),
            (Some(""), None, user.clone()),
        ] {
            let projection = Projection::parse(attributes, excluded).expect("a projection");
            assert_eq!(projection.apply(user.clone()), expected, "{attributes:?} {excluded:?}");
        }
        assert!(Projection::parse(Some("id"), Some("name")).is_err());
    }
}
