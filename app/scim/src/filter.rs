//! Filters (RFC 7644, section 3.4.2.2), as conditions on users.

use crate::error::{ScimError, ScimType};
use crate::schema::{Attribute, Found, Kind, find_of_user};
use records::user::provision::{TextTest, UserCondition};
use scim_v2::filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter, ValFilter};

/// Maximum length of a filter in bytes.
const MAX_FILTER: usize = 8_000;
/// Maximum number of comparisons in a filter.
const MAX_TERMS: usize = 100;

/// Parses a filter.
pub fn parse(text: &str) -> Result<UserCondition, ScimError> {
    if text.len() > MAX_FILTER {
        return Err(invalid(format!("A filter can have {MAX_FILTER} bytes")));
    }
    // The message of the parser contains the text of the filter, and so personal values.
    let filter: Filter = text.parse().map_err(|_| invalid("The filter cannot be read"))?;
    let mut terms = 0;
    condition(&filter, &mut terms)
}

fn invalid(detail: impl Into<String>) -> ScimError {
    ScimError::bad(ScimType::InvalidFilter, detail)
}

fn condition(filter: &Filter, terms: &mut usize) -> Result<UserCondition, ScimError> {
    Ok(match filter {
        Filter::Attr(expression) => {
            count(terms)?;
            of_attribute(expression)?
        }
        Filter::ValuePath(path) => {
            let found = find_path(&path.attr)?;
            let values = values(found.attribute).filter(|_| path.attr.sub_attr.is_none());
            let values = values.ok_or_else(|| unusable(found.attribute))?;
            let mut any = Vec::new();
            for value in values {
                any.push(UserCondition::All(vec![value.present(), of_value(*value, &path.filter, terms)?]));
            }
            UserCondition::Any(any)
        }
        Filter::Not(inner) => UserCondition::Not(Box::new(condition(inner, terms)?)),
        Filter::And(parts) => {
            UserCondition::All(parts.iter().map(|part| condition(part, terms)).collect::<Result<_, _>>()?)
        }
        Filter::Or(parts) => {
            UserCondition::Any(parts.iter().map(|part| condition(part, terms)).collect::<Result<_, _>>()?)
        }
    })
}

fn count(terms: &mut usize) -> Result<(), ScimError> {
    *terms += 1;
    if *terms > MAX_TERMS {
        return Err(invalid(format!("A filter can have {MAX_TERMS} comparisons")));
    }
    Ok(())
}

fn find_path(path: &AttrPath) -> Result<Found, ScimError> {
    let name = match &path.uri {
        Some(urn) => format!("{urn}:{}", path.name),
        None => path.name.clone(),
    };
    find_of_user(&name).ok_or_else(|| invalid("The filter names no attribute of a user. /Schemas lists them"))
}

fn unusable(attribute: &Attribute) -> ScimError {
    invalid(format!("{} cannot be filtered by", attribute.name))
}

/// A value of a list, as Lethe stores it: its type, and the fields of its parts.
#[derive(Clone, Copy)]
struct ListValue {
    kind: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

impl ListValue {
    /// Returns the condition that a user has the value.
    fn present(self) -> UserCondition {
        UserCondition::Any(self.fields.iter().map(|(_, field)| UserCondition::Present(field)).collect())
    }
}

/// Returns the values that a list can have, or `None` for another attribute.
fn values(attribute: &Attribute) -> Option<&'static [ListValue]> {
    Some(match attribute.name {
        "emails" => &[ListValue { kind: "work", fields: &[("value", "email")] }],
        "phoneNumbers" => &[
            ListValue { kind: "work", fields: &[("value", "phone")] },
            ListValue { kind: "mobile", fields: &[("value", "mobile")] },
        ],
        "addresses" => &[ListValue {
            kind: "work",
            fields: &[
                ("streetAddress", "street"),
                ("locality", "city"),
                ("postalCode", "postcode"),
                ("country", "country"),
            ],
        }],
        _ => return None,
    })
}

/// Returns the condition of one comparison.
fn of_attribute(expression: &AttrExp) -> Result<UserCondition, ScimError> {
    let path = match expression {
        AttrExp::Present(path) | AttrExp::Comparison(path, ..) => path,
    };
    let Found { attribute, .. } = find_path(path)?;
    if let Some(values) = values(attribute) {
        let part = path.sub_attr.as_deref();
        let any = values.iter().map(|value| {
            let has = of_part(*value, part, expression)?;
            Ok(UserCondition::All(vec![value.present(), has]))
        });
        return Ok(UserCondition::Any(any.collect::<Result<_, ScimError>>()?));
    }
    let attribute = match &path.sub_attr {
        None => attribute,
        Some(sub) => attribute.sub(sub).ok_or_else(|| unusable(attribute))?,
    };
    match (attribute.name, attribute.kind, attribute.field) {
        ("active", ..) => of_active(expression),
        ("id", ..) => of_id(expression),
        (_, Kind::Text, Some(field)) => of_text(field, attribute.is_case_exact, expression),
        _ => Err(unusable(attribute)),
    }
}

/// Returns the condition of a comparison within a list value. Without a part, its `value` is compared.
fn of_part(value: ListValue, part: Option<&str>, expression: &AttrExp) -> Result<UserCondition, ScimError> {
    let part = part.unwrap_or("value");
    if part.eq_ignore_ascii_case("type") {
        return of_constant(value.kind, expression);
    }
    if part.eq_ignore_ascii_case("primary") {
        return of_constant("true", expression);
    }
    match value.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(part)) {
        Some((_, field)) => of_text(field, false, expression),
        // `addresses pr` asks whether there is one.
        None if matches!(expression, AttrExp::Present(_)) && part == "value" => Ok(UserCondition::none()),
        None => Err(invalid("The filter names no part of the attribute")),
    }
}

fn of_value(value: ListValue, filter: &ValFilter, terms: &mut usize) -> Result<UserCondition, ScimError> {
    Ok(match filter {
        ValFilter::Attr(expression) => {
            count(terms)?;
            let path = match expression {
                AttrExp::Present(path) | AttrExp::Comparison(path, ..) => path,
            };
            if path.uri.is_some() || path.sub_attr.is_some() {
                return Err(invalid("The filter names no part of the attribute"));
            }
            of_part(value, Some(&path.name), expression)?
        }
        ValFilter::Not(inner) => UserCondition::Not(Box::new(of_value(value, inner, terms)?)),
        ValFilter::And(parts) => UserCondition::All(
            parts.iter().map(|part| of_value(value, part, terms)).collect::<Result<_, _>>()?,
        ),
        ValFilter::Or(parts) => UserCondition::Any(
            parts.iter().map(|part| of_value(value, part, terms)).collect::<Result<_, _>>()?,
        ),
    })
}

fn not(condition: UserCondition) -> UserCondition {
    UserCondition::Not(Box::new(condition))
}

/// Compares a text that is the same for all users.
fn of_constant(constant: &str, expression: &AttrExp) -> Result<UserCondition, ScimError> {
    let AttrExp::Comparison(_, op, wanted) = expression else { return Ok(UserCondition::none()) };
    let wanted = match wanted {
        CompValue::Str(text) => text.to_lowercase(),
        CompValue::True => "true".to_owned(),
        CompValue::False => "false".to_owned(),
        CompValue::Null | CompValue::Number(_) => return Err(invalid("Compare with a text")),
    };
    let is = match op {
        CompareOp::Eq => constant == wanted,
        CompareOp::Ne => constant != wanted,
        CompareOp::Co => constant.contains(&wanted),
        CompareOp::Sw => constant.starts_with(&wanted),
        CompareOp::Ew => constant.ends_with(&wanted),
        CompareOp::Gt | CompareOp::Lt | CompareOp::Ge | CompareOp::Le => return Err(operator()),
    };
    Ok(if is { UserCondition::none() } else { UserCondition::Any(Vec::new()) })
}

fn operator() -> ScimError {
    invalid("Use eq, ne, co, sw, ew or pr")
}

fn of_text(
    field: &'static str,
    is_case_exact: bool,
    expression: &AttrExp,
) -> Result<UserCondition, ScimError> {
    let AttrExp::Comparison(_, op, wanted) = expression else { return Ok(UserCondition::Present(field)) };
    let text = match wanted {
        CompValue::Str(text) => text.clone(),
        CompValue::Null => {
            return match op {
                CompareOp::Eq => Ok(not(UserCondition::Present(field))),
                CompareOp::Ne => Ok(UserCondition::Present(field)),
                _ => Err(operator()),
            };
        }
        CompValue::True | CompValue::False | CompValue::Number(_) => {
            return Err(invalid("Compare with a text in quotation marks"));
        }
    };
    // PostgreSQL stores no NUL, so no value has one.
    if text.contains('\0') {
        return Err(invalid("The text has a control character"));
    }
    let is = if is_case_exact { TextTest::IsExactly } else { TextTest::Is };
    Ok(match op {
        CompareOp::Eq => UserCondition::Text(field, is, text),
        CompareOp::Ne => not(UserCondition::Text(field, is, text)),
        CompareOp::Co => UserCondition::Text(field, TextTest::Contains, text),
        CompareOp::Sw => UserCondition::Text(field, TextTest::StartsWith, text),
        CompareOp::Ew => UserCondition::Text(field, TextTest::EndsWith, text),
        CompareOp::Gt | CompareOp::Lt | CompareOp::Ge | CompareOp::Le => return Err(operator()),
    })
}

fn of_active(expression: &AttrExp) -> Result<UserCondition, ScimError> {
    let AttrExp::Comparison(_, op, wanted) = expression else { return Ok(UserCondition::none()) };
    let wanted = match wanted {
        CompValue::True => true,
        CompValue::False => false,
        CompValue::Str(word) if word.eq_ignore_ascii_case("true") => true,
        CompValue::Str(word) if word.eq_ignore_ascii_case("false") => false,
        _ => return Err(invalid("Compare active with true or false")),
    };
    let is_active = match op {
        CompareOp::Eq => wanted,
        CompareOp::Ne => !wanted,
        _ => return Err(invalid("Compare active with eq or ne")),
    };
    Ok(if is_active { UserCondition::Active } else { not(UserCondition::Active) })
}

fn of_id(expression: &AttrExp) -> Result<UserCondition, ScimError> {
    let AttrExp::Comparison(_, op, wanted) = expression else { return Ok(UserCondition::none()) };
    let CompValue::Str(id) = wanted else {
        return Err(invalid("Compare with a text in quotation marks"));
    };
    if id.contains('\0') {
        return Err(invalid("The text has a control character"));
    }
    match op {
        CompareOp::Eq => Ok(UserCondition::Id(id.clone())),
        CompareOp::Ne => Ok(not(UserCondition::Id(id.clone()))),
        _ => Err(invalid("Compare id with eq or ne")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{CORE, ENTERPRISE};

    fn text(field: &'static str, test: TextTest, value: &str) -> UserCondition {
        UserCondition::Text(field, test, value.to_owned())
    }

    #[test]
    fn filters_become_conditions() {
        use TextTest::{Contains, EndsWith, Is, IsExactly, StartsWith};
        for (filter, expected) in [
            ("userName eq \"ng\"", text("user_id", Is, "ng")),
            ("USERNAME EQ \"ng\"", text("user_id", Is, "ng")),
            ("externalId eq \"E 1\"", text("external_id", IsExactly, "E 1")),
            ("id eq \"u\"", UserCondition::Id("u".to_owned())),
            ("name.familyName co \"N\"", text("last_name", Contains, "N")),
            ("name.givenName sw \"A\"", text("first_name", StartsWith, "A")),
            ("userName ew \"g\"", text("user_id", EndsWith, "g")),
            ("active eq true", UserCondition::Active),
            ("active eq false", not(UserCondition::Active)),
            ("nickName pr", UserCondition::Present("preferred_name")),
            ("not (title eq null)", not(not(UserCondition::Present("title")))),
            (&format!("{CORE}:userName eq \"ng\""), text("user_id", Is, "ng")),
            (&format!("{ENTERPRISE}:department eq \"LAW\""), text("department", Is, "LAW")),
            (
                "active eq true and (userName eq \"a\" or userName eq \"b\")",
                UserCondition::All(vec![
                    UserCondition::Active,
                    UserCondition::Any(vec![text("user_id", Is, "a"), text("user_id", Is, "b")]),
                ]),
            ),
        ] {
            assert_eq!(parse(filter), Ok(expected), "{filter}");
        }
        for filter in [
            "emails.value eq \"a@b\"",
            "emails eq \"a@b\"",
            "emails[value eq \"a@b\"]",
            "emails[type eq \"work\" and value eq \"a@b\"]",
            "phoneNumbers[type eq \"mobile\"]",
            "addresses.locality eq \"Leeds\"",
            "addresses pr",
        ] {
            assert!(parse(filter).is_ok(), "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_rejected_without_repeating_it() {
        let deep = format!("{}userName eq \"secret\"{}", "(".repeat(2_000), ")".repeat(2_000));
        let many = vec!["id eq \"secret\""; 101].join(" or ");
        for filter in [
            "",
            "secret",
            "userName",
            "userName eq",
            "userName eq secret",
            "userName eq \"secret",
            "userName is \"secret\"",
            "userName eq 7",
            "userName gt \"secret\"",
            "userName eq \"secret\" and",
            "userName eq \"secret\" xor id eq \"x\"",
            "shoeSize eq \"secret\"",
            "name eq \"secret\"",
            "name.shoe eq \"secret\"",
            "displayName eq \"secret\"",
            "meta.lastModified gt \"2018-01-15T00:00:00Z\"",
            "schemas eq \"secret\"",
            "active eq \"secret\"",
            "active gt true",
            "emails[shoe eq \"secret\"]",
            "emails[type eq \"work\"",
            "userName[value eq \"secret\"]",
            "userName eq \"sec\\u0000ret\"",
            "id eq \"sec\\u0000ret\"",
            "id sw \"secret\"",
            &deep,
            &many,
            &"x".repeat(10_000_000),
        ] {
            let error = parse(filter).expect_err(filter.get(..100).unwrap_or(filter));
            assert_eq!((error.status, error.kind), (400, Some(ScimType::InvalidFilter)), "{error}");
            assert!(!error.detail.contains("secret"), "{error}");
        }
    }
}
