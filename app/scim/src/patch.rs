//! PATCH (RFC 7644, section 3.5.2): add, replace and remove attributes of a document.

use crate::error::{ScimError, ScimType};
use crate::resource::{Document, read, read_one, require_schema};
use crate::schema::{
    Attribute, CORE, ENTERPRISE, ENTERPRISE_USER, Found, Kind, after_urn, find, find_of_user,
};
use scim_v2::filter::{AttrExp, CompValue, CompareOp, PatchPath, ValFilter};
use serde_json::{Map, Value};

/// The schema of a patch.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Maximum number of operations in one request.
const MAX_OPERATIONS: usize = 100;
/// Maximum length of a path in bytes.
const MAX_PATH: usize = 1_000;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// The place that a path names.
struct Target {
    is_of_extension: bool,
    attribute: &'static Attribute,
    filter: Option<ValFilter>,
    sub: Option<&'static Attribute>,
}

/// Applies a patch. Fails as a whole if one operation fails.
pub fn apply(document: &mut Document, body: &Value) -> Result<(), ScimError> {
    let syntax = |detail: &str| ScimError::bad(ScimType::InvalidSyntax, detail);
    let Value::Object(body) = body else { return Err(syntax("The body must be a JSON object")) };
    require_schema(body, PATCH_OP)?;
    let operations = member(body, "Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| syntax("Operations must be an array"))?;
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return Err(syntax(&format!("Send 1 to {MAX_OPERATIONS} operations")));
    }
    for operation in operations {
        let Value::Object(operation) = operation else {
            return Err(syntax("An operation must be an object"));
        };
        let op = member(operation, "op").and_then(Value::as_str).unwrap_or_default();
        let op = match op.to_ascii_lowercase().as_str() {
            "add" => Op::Add,
            "replace" => Op::Replace,
            "remove" => Op::Remove,
            _ => return Err(syntax("op must be add, replace or remove")),
        };
        let value = member(operation, "value");
        match member(operation, "path") {
            None | Some(Value::Null) => without_path(document, op, value)?,
            Some(Value::String(path)) if path.trim().is_empty() => without_path(document, op, value)?,
            Some(Value::String(path)) => at_path(document, op, path.trim(), value)?,
            Some(_) => return Err(ScimError::bad(ScimType::InvalidPath, "path must be a text")),
        }
    }
    Ok(())
}

/// Returns a member of a message, named in any case.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Applies an operation whose value names the attributes. Ignores unknown and read-only ones, as in a put body.
fn without_path(document: &mut Document, op: Op, value: Option<&Value>) -> Result<(), ScimError> {
    if op == Op::Remove {
        return Err(ScimError::bad(ScimType::NoTarget, "remove requires a path"));
    }
    let Some(Value::Object(values)) = value else {
        let detail = "Without a path, the value must be an object of attributes";
        return Err(ScimError::bad(ScimType::InvalidValue, detail));
    };
    for (name, value) in values {
        match at_path(document, op, name, Some(value)) {
            Err(ScimError { kind: Some(ScimType::InvalidPath | ScimType::Mutability), .. })
                if is_ignored(name) => {}
            applied => applied?,
        }
    }
    Ok(())
}

/// Returns whether an attribute is unknown or read-only.
fn is_ignored(name: &str) -> bool {
    !name.eq_ignore_ascii_case(ENTERPRISE) && parse(name).is_none_or(|target| target.attribute.is_read_only)
}

/// Returns the place that a path names.
fn parse(path: &str) -> Option<Target> {
    if path.len() > MAX_PATH {
        return None;
    }
    // The parser of the library would take the end of a URN for an attribute.
    let (urn, rest) = match (after_urn(path, ENTERPRISE), after_urn(path, CORE)) {
        (Some(rest), _) => (ENTERPRISE, rest),
        (None, Some(rest)) => (CORE, rest),
        (None, None) => ("", path),
    };
    let (attr, filter, sub) = match rest.parse::<PatchPath>().ok()? {
        PatchPath::Attr(attr) => {
            let sub = attr.sub_attr.clone();
            (attr, None, sub)
        }
        PatchPath::Value(value) => (value.attr, Some(value.filter), value.sub_attr),
    };
    let is_nested = filter.is_some() && attr.sub_attr.is_some();
    if attr.uri.is_some() || is_nested {
        return None;
    }
    let name = if urn.is_empty() { attr.name } else { format!("{urn}:{}", attr.name) };
    let Found { is_of_extension, attribute } = find_of_user(&name)?;
    let sub = match sub {
        None => None,
        Some(sub) => Some(attribute.sub(&sub)?),
    };
    if filter.is_some() && !attribute.is_list {
        return None;
    }
    Some(Target { is_of_extension, attribute, filter, sub })
}

/// Applies an operation at a path.
fn at_path(document: &mut Document, op: Op, path: &str, value: Option<&Value>) -> Result<(), ScimError> {
    if path.eq_ignore_ascii_case(ENTERPRISE) {
        return at_extension(document, op, value);
    }
    let target = parse(path).ok_or_else(|| {
        ScimError::bad(ScimType::InvalidPath, "path names no attribute of a user. /Schemas lists them")
    })?;
    if target.attribute.is_read_only {
        return Err(mutability(target.attribute));
    }
    let value = if op == Op::Remove { value } else { Some(required(value)?) };
    let container = document.container(target.is_of_extension);
    match (&target.filter, target.sub) {
        (None, None) => at_attribute(container, op, target.attribute, value),
        (None, Some(sub)) if target.attribute.is_list => {
            at_elements(container, op, (target.attribute, None, Some(sub)), value)
        }
        (None, Some(sub)) => at_part(container, op, target.attribute, sub, value),
        (Some(filter), sub) => at_elements(container, op, (target.attribute, Some(filter), sub), value),
    }
}

fn required(value: Option<&Value>) -> Result<&Value, ScimError> {
    value.ok_or_else(|| ScimError::bad(ScimType::InvalidValue, "add and replace require a value"))
}

fn mutability(attribute: &Attribute) -> ScimError {
    let what = if attribute.is_read_only { "cannot be changed" } else { "is required and cannot be removed" };
    ScimError::bad(ScimType::Mutability, format!("{} {what}", attribute.name))
}

/// Applies an operation to the whole extension.
fn at_extension(document: &mut Document, op: Op, value: Option<&Value>) -> Result<(), ScimError> {
    if op == Op::Remove {
        document.0.remove(ENTERPRISE);
        return Ok(());
    }
    let Value::Object(parts) = required(value)? else {
        return Err(ScimError::bad(ScimType::InvalidValue, "The value of the extension must be an object"));
    };
    for (name, value) in parts {
        if let Some(attribute) = find(ENTERPRISE_USER, name) {
            at_attribute(document.container(true), op, attribute, Some(value))?;
        }
    }
    Ok(())
}

/// Applies an operation to a whole attribute.
fn at_attribute(
    container: &mut Map<String, Value>,
    op: Op,
    attribute: &Attribute,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let given = value.map(|value| read(attribute, value)).transpose()?.flatten();
    match (op, given) {
        (Op::Add, None) => {}
        (Op::Remove, Some(Value::Array(gone))) if attribute.is_list => {
            elements(container, attribute).retain(|one| !gone.iter().any(|gone| has_all_of(one, gone)));
            drop_empty(container, attribute);
        }
        (Op::Remove, _) | (Op::Replace, None) => {
            if attribute.is_required {
                return Err(mutability(attribute));
            }
            container.remove(attribute.name);
        }
        (Op::Add, Some(Value::Array(more))) => {
            for one in more {
                add_element(elements(container, attribute), one);
            }
        }
        (Op::Add, Some(Value::Object(more))) => match container.get_mut(attribute.name) {
            Some(Value::Object(parts)) => parts.extend(more),
            _ => _ = container.insert(attribute.name.to_owned(), Value::Object(more)),
        },
        (Op::Add | Op::Replace, Some(value)) => {
            container.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(())
}

/// Applies an operation to a part of a complex attribute, such as `name.familyName`.
fn at_part(
    container: &mut Map<String, Value>,
    op: Op,
    attribute: &Attribute,
    sub: &Attribute,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let place = container.entry(attribute.name).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(parts) = place else { return Ok(()) };
    set_part(parts, op, sub, value)
}

fn set_part(
    parts: &mut Map<String, Value>,
    op: Op,
    sub: &Attribute,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let value = match value {
        Some(value) if op != Op::Remove => read_one(sub, value)?,
        _ => None,
    };
    match value {
        Some(value) => _ = parts.insert(sub.name.to_owned(), value),
        None if op == Op::Add => {}
        None if sub.is_required => return Err(mutability(sub)),
        None => _ = parts.remove(sub.name),
    }
    Ok(())
}

/// Applies an operation to the values of a list that a filter selects; without a filter to all of them.
fn at_elements(
    container: &mut Map<String, Value>,
    op: Op,
    (attribute, filter, sub): (&'static Attribute, Option<&ValFilter>, Option<&'static Attribute>),
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let list = elements(container, attribute);
    let is_alone = list.len() == 1;
    let mut selected = Vec::new();
    for (at, one) in list.iter().enumerate() {
        if filter.map_or(Ok(true), |filter| matches(attribute, filter, one, is_alone))? {
            selected.push(at);
        }
    }
    if selected.is_empty() && op == Op::Replace && filter.is_some() {
        return Err(ScimError::bad(ScimType::NoTarget, format!("{}: no value matches", attribute.name)));
    }
    if selected.is_empty() && op != Op::Remove {
        let mut fresh = filter.map_or_else(|| Some(Map::new()), |filter| described(attribute, filter));
        let fresh = fresh.as_mut().ok_or_else(|| {
            ScimError::bad(ScimType::NoTarget, format!("{}: no value matches", attribute.name))
        })?;
        set_element(fresh, op, attribute, sub, value)?;
        list.push(Value::Object(fresh.clone()));
    } else if op == Op::Remove && sub.is_none() {
        let mut at = 0;
        list.retain(|_| {
            at += 1;
            !selected.contains(&(at - 1))
        });
    } else {
        for at in selected {
            if let Some(Value::Object(parts)) = list.get_mut(at) {
                set_element(parts, op, attribute, sub, value)?;
            }
        }
    }
    drop_empty(container, attribute);
    Ok(())
}

/// Sets a part of a value in a list, or the whole value, which keeps its type.
fn set_element(
    parts: &mut Map<String, Value>,
    op: Op,
    attribute: &Attribute,
    sub: Option<&Attribute>,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    if let Some(sub) = sub {
        return set_part(parts, op, sub, value);
    }
    let Some(Value::Object(given)) = value.map(|value| read_one(attribute, value)).transpose()?.flatten()
    else {
        return Ok(());
    };
    if op == Op::Replace {
        parts.retain(|name, _| name == "type");
    }
    parts.extend(given);
    Ok(())
}

/// Returns the values of a list.
fn elements<'a>(container: &'a mut Map<String, Value>, attribute: &Attribute) -> &'a mut Vec<Value> {
    let list = container.entry(attribute.name).or_insert_with(|| Value::Array(Vec::new()));
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    match list {
        Value::Array(values) => values,
        _ => unreachable!("the list is an array"),
    }
}

fn drop_empty(container: &mut Map<String, Value>, attribute: &Attribute) {
    if elements(container, attribute).is_empty() {
        container.remove(attribute.name);
    }
}

/// Adds a value to a list. It replaces the value of the same type, because Lethe stores one of each.
fn add_element(list: &mut Vec<Value>, value: Value) {
    let kind = |value: &Value| {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or("work");
        kind.to_ascii_lowercase()
    };
    let own = kind(&value);
    list.retain(|other| kind(other) != own);
    list.push(value);
}

/// Returns whether a value has all parts of another one.
fn has_all_of(value: &Value, parts: &Value) -> bool {
    parts.as_object().is_some_and(|parts| parts.iter().all(|(name, part)| value.get(name) == Some(part)))
}

/// Returns whether a filter selects a value of a list. A value alone in its list is primary.
fn matches(
    attribute: &Attribute,
    filter: &ValFilter,
    value: &Value,
    is_alone: bool,
) -> Result<bool, ScimError> {
    let part = |path: &scim_v2::filter::AttrPath| {
        let sub = attribute.sub(&path.name).filter(|_| path.uri.is_none() && path.sub_attr.is_none());
        let sub = sub.ok_or_else(|| {
            ScimError::bad(
                ScimType::InvalidFilter,
                format!("{}: the filter names no part of it", attribute.name),
            )
        })?;
        Ok::<_, ScimError>(match value.get(sub.name) {
            None if sub.name == "primary" => Some(Value::Bool(is_alone)),
            part => part.cloned(),
        })
    };
    Ok(match filter {
        ValFilter::Attr(AttrExp::Present(path)) => part(path)?.is_some(),
        ValFilter::Attr(AttrExp::Comparison(path, op, wanted)) => compare(part(path)?.as_ref(), op, wanted)?,
        ValFilter::Not(inner) => !matches(attribute, inner, value, is_alone)?,
        ValFilter::And(parts) => {
            let parts: Result<Vec<bool>, _> =
                parts.iter().map(|part| matches(attribute, part, value, is_alone)).collect();
            parts?.into_iter().all(|part| part)
        }
        ValFilter::Or(parts) => {
            let parts: Result<Vec<bool>, _> =
                parts.iter().map(|part| matches(attribute, part, value, is_alone)).collect();
            parts?.into_iter().any(|part| part)
        }
    })
}

fn compare(value: Option<&Value>, op: &CompareOp, wanted: &CompValue) -> Result<bool, ScimError> {
    let wanted = match wanted {
        CompValue::Str(text) => text.to_lowercase(),
        CompValue::True => "true".to_owned(),
        CompValue::False => "false".to_owned(),
        CompValue::Number(number) => number.to_string(),
        CompValue::Null => {
            return match op {
                CompareOp::Eq => Ok(value.is_none()),
                CompareOp::Ne => Ok(value.is_some()),
                _ => Err(operator()),
            };
        }
    };
    let value = match value {
        None => return Ok(matches!(op, CompareOp::Ne)),
        Some(Value::String(text)) => text.to_lowercase(),
        Some(other) => other.to_string(),
    };
    Ok(match op {
        CompareOp::Eq => value == wanted,
        CompareOp::Ne => value != wanted,
        CompareOp::Co => value.contains(&wanted),
        CompareOp::Sw => value.starts_with(&wanted),
        CompareOp::Ew => value.ends_with(&wanted),
        CompareOp::Gt | CompareOp::Lt | CompareOp::Ge | CompareOp::Le => return Err(operator()),
    })
}

fn operator() -> ScimError {
    ScimError::bad(ScimType::InvalidFilter, "Use eq, ne, co, sw, ew or pr")
}

/// Returns the value that a filter of equations describes, or `None` for another filter.
fn described(attribute: &Attribute, filter: &ValFilter) -> Option<Map<String, Value>> {
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, wanted)) => {
            let sub = attribute.sub(&path.name)?;
            let value = match (sub.kind, wanted) {
                (Kind::Text, CompValue::Str(text)) => Value::from(text.as_str()),
                (Kind::Flag, CompValue::True) => true.into(),
                (Kind::Flag, CompValue::False) => false.into(),
                _ => return None,
            };
            Some(Map::from_iter([(sub.name.to_owned(), value)]))
        }
        ValFilter::And(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| described(attribute, part)).collect();
            Some(parts?.into_iter().flatten().collect())
        }
        ValFilter::Attr(_) | ValFilter::Not(_) | ValFilter::Or(_) => None,
    }
}

#[cfg(test)]
mod tests;
