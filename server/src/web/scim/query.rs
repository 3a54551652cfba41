//! The parameters of a list: from the address, or from the body of a search.

use super::ApiError;
use ::scim::{DEFAULT_RESULTS, MAX_RESULTS, Projection, SEARCH_REQUEST, ScimError, ScimType, parse_filter};
use percent_encoding::percent_decode_str;
use records::user::provision::UserCondition;
use serde_json::Value;

/// The query for a list of users.
#[derive(Debug)]
pub(super) struct ListQuery {
    pub(super) condition: UserCondition,
    pub(super) projection: Projection,
    /// The position of the first user, counted from 1.
    pub(super) start: u64,
    pub(super) count: u64,
}

/// The parameters as texts. Parameters for sorting are ignored: Lethe declares that it doesn't sort.
#[derive(Debug, Default)]
struct Parameters {
    filter: Option<String>,
    attributes: Option<String>,
    excluded: Option<String>,
    start: Option<String>,
    count: Option<String>,
}

impl Parameters {
    fn set(&mut self, name: &str, value: String) -> Result<(), ApiError> {
        let place = match name.to_ascii_lowercase().as_str() {
            "filter" => &mut self.filter,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.excluded,
            "startindex" => &mut self.start,
            "count" => &mut self.count,
            _ => return Ok(()),
        };
        if place.replace(value).is_some() {
            return Err(invalid(&format!("{name} is there twice")).into());
        }
        Ok(())
    }

    fn of_address(query: Option<&str>) -> Result<Self, ApiError> {
        let mut parameters = Self::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.set(&decoded(name)?, decoded(value)?)?;
        }
        Ok(parameters)
    }

    fn of_body(body: &Value) -> Result<Self, ApiError> {
        let Value::Object(body) = body else {
            return Err(ScimError::bad(ScimType::InvalidSyntax, "The body must be a JSON object").into());
        };
        let schemas = body.get("schemas").and_then(Value::as_array).into_iter().flatten();
        if !schemas.filter_map(Value::as_str).any(|schema| schema.eq_ignore_ascii_case(SEARCH_REQUEST)) {
            let detail = format!("schemas must contain {SEARCH_REQUEST}");
            return Err(ScimError::bad(ScimType::InvalidSyntax, detail).into());
        }
        let mut parameters = Self::default();
        for (name, value) in body {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Array(names) if names.iter().all(Value::is_string) => {
                    names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                Value::Null => continue,
                _ => return Err(invalid(&format!("{name}: the value has the wrong type")).into()),
            };
            parameters.set(name, text)?;
        }
        Ok(parameters)
    }

    fn projection(&self) -> Result<Projection, ApiError> {
        Ok(Projection::parse(self.attributes.as_deref(), self.excluded.as_deref())?)
    }

    fn query(self) -> Result<ListQuery, ApiError> {
        let projection = self.projection()?;
        let condition = match &self.filter {
            Some(filter) => parse_filter(filter)?,
            None => UserCondition::none(),
        };
        let number = |name: &str, text: Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
            let number = text.map(|text| {
                text.parse::<i64>().map_err(|_| ApiError::from(invalid(&format!("{name} must be a number"))))
            });
            number.transpose().map(|number| number.map(|number| u64::try_from(number).unwrap_or_default()))
        };
        let start = number("startIndex", self.start)?.unwrap_or(1).max(1);
        let count = number("count", self.count)?.unwrap_or(DEFAULT_RESULTS).min(MAX_RESULTS);
        Ok(ListQuery { condition, projection, start, count })
    }
}

fn invalid(detail: &str) -> ScimError {
    ScimError::bad(ScimType::InvalidValue, detail)
}

fn decoded(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    Ok(decoded.map_err(|_| invalid("The address is not UTF-8"))?.into_owned())
}

/// Reads the parameters of a list from the query of the address.
pub(super) fn of_address(query: Option<&str>) -> Result<ListQuery, ApiError> {
    Parameters::of_address(query)?.query()
}

/// Reads the parameters of a list from the body of a search.
pub(super) fn of_body(body: &Value) -> Result<ListQuery, ApiError> {
    Parameters::of_body(body)?.query()
}

/// Reads which attributes the answer has, from the query of the address.
pub(super) fn projection(query: Option<&str>) -> Result<Projection, ApiError> {
    Parameters::of_address(query)?.projection()
}
