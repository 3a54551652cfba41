//! A user as JSON, and the user form that a body asks for.

use crate::error::{ScimError, ScimType};
use crate::schema::{Attribute, CORE, DEPARTMENT, ENTERPRISE, ENTERPRISE_USER, Kind, find, find_of_user};
use crate::{BASE, schema};
use policy::user_form::UserForm;
use records::user::provision::ProvisionedUser;
use serde_json::{Map, Value, json};

/// Maximum number of values in a list, such as e-mail addresses.
const MAX_VALUES: usize = 100;

/// The attributes of a user that an identity system can change, by the names of the schema. Lists are arrays of objects;
/// those of the extension are under its URN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document(pub(crate) Map<String, Value>);

/// The changes that a document requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// The user form.
    pub form: UserForm,
    /// Whether the user shall be active, if the document says so.
    pub active: Option<bool>,
}

/// Returns the address of a user.
pub fn location(user: &ProvisionedUser, host: &str) -> String {
    format!("{host}{BASE}/Users/{}", user.id)
}

/// Returns the JSON of a user. `host` is the address of the server, such as `https://lethe.example.org`.
pub fn to_json(user: &ProvisionedUser, host: &str) -> Value {
    let Document(mut json) = Document::for_user(user);
    let mut schemas = vec![CORE];
    if json.contains_key(ENTERPRISE) {
        schemas.push(ENTERPRISE);
    }
    json.insert("schemas".to_owned(), schemas.into());
    json.insert("id".to_owned(), user.id.clone().into());
    json.insert("displayName".to_owned(), user.display_name.clone().into());
    let mut meta = json!({
        "resourceType": "User",
        "location": location(user, host),
        "version": format!("W/\"{}\"", user.version),
    });
    if let Some(day) = user.created_on {
        meta["created"] = format!("{}T00:00:00Z", policy::dates::iso(day)).into();
    }
    json.insert("meta".to_owned(), meta);
    Value::Object(json)
}

/// Returns an object of the texts that aren't empty.
fn object<'a>(texts: impl IntoIterator<Item = (&'static str, &'a str)>) -> Map<String, Value> {
    let filled = texts.into_iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(name, text)| (name.to_owned(), text.into())).collect()
}

/// Returns an object of a type.
fn typed(mut object: Map<String, Value>, kind: &str) -> Option<Value> {
    if object.is_empty() {
        return None;
    }
    object.insert("type".to_owned(), kind.into());
    Some(Value::Object(object))
}

impl Document {
    /// Returns the document of a user.
    pub fn for_user(user: &ProvisionedUser) -> Self {
        let form = &user.form;
        let mut json = object([
            ("userName", form.user_id.as_str()),
            ("externalId", &form.external_id),
            ("nickName", &form.preferred_name),
            ("title", &form.title),
            ("preferredLanguage", &form.language),
            ("locale", &form.language),
        ]);
        let name = object([
            ("familyName", form.last_name.as_str()),
            ("givenName", &form.first_name),
            ("middleName", &form.middle_name),
        ]);
        let value = |text: &'static str, of: &str| object([(text, of)]);
        let emails = typed(value("value", &form.email), "work");
        let phones =
            [typed(value("value", &form.phone), "work"), typed(value("value", &form.mobile), "mobile")];
        let address = object([
            ("streetAddress", form.street.as_str()),
            ("locality", &form.city),
            ("postalCode", &form.postcode),
            ("country", &form.country),
        ]);
        let lists: [(&str, Vec<Value>); 3] = [
            ("emails", emails.into_iter().collect()),
            ("phoneNumbers", phones.into_iter().flatten().collect()),
            ("addresses", typed(address, "work").into_iter().collect()),
        ];
        for (list, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            json.insert(list.to_owned(), values.into());
        }
        if !name.is_empty() {
            json.insert("name".to_owned(), name.into());
        }
        if !form.department.is_empty() {
            let extension = object([(DEPARTMENT, form.department.as_str())]);
            json.insert(ENTERPRISE.to_owned(), extension.into());
        }
        json.insert("active".to_owned(), user.active.into());
        Self(json)
    }

    /// Takes over the attributes of a posted or put body. Attributes that the body lacks stay; empty ones are removed.
    pub fn take_over(&mut self, body: &Value) -> Result<(), ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::bad(ScimType::InvalidSyntax, "The body must be a JSON object"));
        };
        require_schema(body, CORE)?;
        for (name, value) in body {
            if name.eq_ignore_ascii_case(ENTERPRISE) {
                self.take_over_extension(value)?;
                continue;
            }
            let Some(found) = find_of_user(name).filter(|found| !found.attribute.is_read_only) else {
                continue;
            };
            let value = read(found.attribute, value)?;
            self.put(found.is_of_extension, found.attribute, value);
        }
        Ok(())
    }

    /// Takes over the attributes of the extension.
    fn take_over_extension(&mut self, value: &Value) -> Result<(), ScimError> {
        match value {
            Value::Null => _ = self.0.remove(ENTERPRISE),
            Value::Object(parts) => {
                for (name, value) in parts {
                    if let Some(attribute) = find(ENTERPRISE_USER, name) {
                        let value = read(attribute, value)?;
                        self.put(true, attribute, value);
                    }
                }
            }
            _ => return Err(wrong_type(ENTERPRISE, "an object")),
        }
        Ok(())
    }

    /// Returns the attributes of the core schema or of the extension.
    pub(crate) fn container(&mut self, is_of_extension: bool) -> &mut Map<String, Value> {
        if !is_of_extension {
            return &mut self.0;
        }
        let extension = self.0.entry(ENTERPRISE).or_insert_with(|| Value::Object(Map::new()));
        if !extension.is_object() {
            *extension = Value::Object(Map::new());
        }
        match extension {
            Value::Object(parts) => parts,
            _ => unreachable!("the extension is an object"),
        }
    }

    /// Sets or removes an attribute.
    pub(crate) fn put(&mut self, is_of_extension: bool, attribute: &Attribute, value: Option<Value>) {
        let container = self.container(is_of_extension);
        match value {
            Some(value) => _ = container.insert(attribute.name.to_owned(), value),
            None => _ = container.remove(attribute.name),
        }
    }

    fn text(&self, name: &str) -> String {
        text_in(&self.0, name)
    }

    /// Returns the user form that the document asks for. Fields that SCIM doesn't know come from `old`.
    pub fn wanted(&self, old: &UserForm) -> Result<Wanted, ScimError> {
        let empty = Map::new();
        let name = self.0.get("name").and_then(Value::as_object).unwrap_or(&empty);
        let extension = self.0.get(ENTERPRISE).and_then(Value::as_object).unwrap_or(&empty);
        let email = self.one_of("emails", "work", AnyType::IfAlone)?;
        let phone = self.one_of("phoneNumbers", "work", AnyType::Never)?;
        let mobile = self.one_of("phoneNumbers", "mobile", AnyType::Never)?;
        let address = self.one_of("addresses", "work", AnyType::IfAlone)?.unwrap_or(&empty);
        let value = |object: Option<&Map<String, Value>>| {
            object.map(|object| text_in(object, "value")).unwrap_or_default()
        };
        // Both attributes hold the language, so the one that differs is the one that was changed.
        let languages = [self.text("preferredLanguage"), self.text("locale")];
        let language = languages.into_iter().find(|language| *language != old.language);
        Ok(Wanted {
            form: UserForm {
                user_id: self.text("userName"),
                external_id: self.text("externalId"),
                last_name: text_in(name, "familyName"),
                first_name: text_in(name, "givenName"),
                middle_name: text_in(name, "middleName"),
                preferred_name: self.text("nickName"),
                title: self.text("title"),
                language: language.unwrap_or_else(|| old.language.clone()),
                email: value(email),
                phone: value(phone),
                mobile: value(mobile),
                street: text_in(address, "streetAddress"),
                city: text_in(address, "locality"),
                postcode: text_in(address, "postalCode"),
                country: text_in(address, "country"),
                department: text_in(extension, DEPARTMENT),
                ..old.clone()
            },
            active: self.0.get("active").and_then(Value::as_bool),
        })
    }

    /// Returns the value of this type in a list. A value without a type counts as of the type `work`. Of several values,
    /// the primary one counts.
    fn one_of(
        &self,
        list: &'static str,
        kind: &str,
        any_type: AnyType,
    ) -> Result<Option<&Map<String, Value>>, ScimError> {
        let all = self.0.get(list).and_then(Value::as_array).into_iter().flatten();
        let all: Vec<&Map<String, Value>> =
            all.filter_map(Value::as_object).filter(|one| says_something(one)).collect();
        let mut fitting: Vec<&Map<String, Value>> = all
            .iter()
            .copied()
            .filter(|one| match text_in(one, "type") {
                none if none.is_empty() => kind == "work",
                own => own.eq_ignore_ascii_case(kind),
            })
            .collect();
        if fitting.is_empty() && any_type == AnyType::IfAlone && all.len() == 1 {
            fitting = all;
        }
        let primary = |one: &&Map<String, Value>| one.get("primary") == Some(&Value::Bool(true));
        if fitting.len() > 1 && fitting.iter().copied().filter(|one| primary(one)).count() == 1 {
            fitting.retain(primary);
        }
        match fitting.as_slice() {
            [] => Ok(None),
            [one, rest @ ..] if rest.iter().all(|other| other == one) => Ok(Some(one)),
            _ => Err(ScimError::bad(
                ScimType::InvalidValue,
                format!(
                    "{list}: Lethe stores one value of the type {kind}. Send one, or mark one as primary"
                ),
            )),
        }
    }
}

/// Whether a single value of another type is used.
#[derive(Clone, Copy, Eq, PartialEq)]
enum AnyType {
    Never,
    IfAlone,
}

/// Returns whether a value of a list has more than a type.
fn says_something(value: &Map<String, Value>) -> bool {
    value.keys().any(|key| key != "type" && key != "primary")
}

fn text_in(object: &Map<String, Value>, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Rejects a body that doesn't name this schema.
pub(crate) fn require_schema(body: &Map<String, Value>, schema: &str) -> Result<(), ScimError> {
    let named = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas"));
    let named = named.and_then(|(_, value)| value.as_array()).into_iter().flatten();
    if named.filter_map(Value::as_str).any(|named| named.eq_ignore_ascii_case(schema)) {
        return Ok(());
    }
    Err(ScimError::bad(ScimType::InvalidSyntax, format!("schemas must contain {schema}")))
}

fn wrong_type(name: &str, wanted: &str) -> ScimError {
    ScimError::bad(ScimType::InvalidValue, format!("{name}: the value must be {wanted}"))
}

/// Reads the value of an attribute. Returns `None` if it is empty. Ignores unknown and read-only parts.
pub(crate) fn read(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    if !attribute.is_list {
        return read_one(attribute, value);
    }
    let values: Vec<&Value> = match value {
        Value::Null => return Ok(None),
        Value::Array(values) if values.len() > MAX_VALUES => {
            let many = format!("{}: send at most {MAX_VALUES} values", attribute.name);
            return Err(ScimError::bad(ScimType::InvalidValue, many));
        }
        Value::Array(values) => values.iter().collect(),
        one => vec![one],
    };
    let values = values.into_iter().map(|value| read_one(attribute, value)).collect::<Result<Vec<_>, _>>()?;
    let values: Vec<Value> = values.into_iter().flatten().collect();
    Ok((!values.is_empty()).then_some(Value::Array(values)))
}

/// Reads one value of an attribute.
pub(crate) fn read_one(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    Ok(match (attribute.kind, value) {
        (_, Value::Null) => None,
        (Kind::Text, Value::String(text)) => (!text.trim().is_empty()).then(|| value.clone()),
        (Kind::Text, _) => return Err(wrong_type(attribute.name, "a text")),
        (Kind::Flag, Value::Bool(_)) => Some(value.clone()),
        // Some identity systems send the words.
        (Kind::Flag, Value::String(word)) if word.eq_ignore_ascii_case("true") => Some(true.into()),
        (Kind::Flag, Value::String(word)) if word.eq_ignore_ascii_case("false") => Some(false.into()),
        (Kind::Flag, _) => return Err(wrong_type(attribute.name, "true or false")),
        (Kind::Complex(parts), Value::Object(object)) => {
            let mut read_parts = Map::new();
            for (name, value) in object {
                let Some(part) = schema::find(parts, name).filter(|part| !part.is_read_only) else {
                    continue;
                };
                let value = read_one(part, value).map_err(|error| ScimError {
                    detail: format!("{}.{}", attribute.name, error.detail),
                    ..error
                })?;
                if let Some(value) = value {
                    read_parts.insert(part.name.to_owned(), value);
                }
            }
            (!read_parts.is_empty()).then_some(Value::Object(read_parts))
        }
        (Kind::Complex(_), _) => return Err(wrong_type(attribute.name, "an object")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(body: &Value) -> Result<Wanted, ScimError> {
        let mut document = Document::default();
        document.take_over(body)?;
        document.wanted(&UserForm::default())
    }

    fn with(more: &str) -> Value {
        serde_json::from_str(&format!(r#"{{"schemas":["{CORE}"],{more}}}"#)).expect("JSON")
    }

    #[test]
    fn a_user_is_read_from_its_own_json() {
        let form = UserForm {
            user_id: "ng".to_owned(),
            external_id: "E1".to_owned(),
            last_name: "Ng".to_owned(),
            first_name: "Ana".to_owned(),
            middle_name: "M".to_owned(),
            preferred_name: "An".to_owned(),
            title: "Dr".to_owned(),
            language: "en".to_owned(),
            email: "a@example.org".to_owned(),
            phone: "1".to_owned(),
            mobile: "2".to_owned(),
            street: "Road 1".to_owned(),
            city: "Leeds".to_owned(),
            postcode: "LS1".to_owned(),
            country: "GB".to_owned(),
            department: "LAW".to_owned(),
            ..UserForm::default()
        };
        let user = ProvisionedUser {
            id: "u".to_owned(),
            version: 3,
            display_name: "Ana Ng".to_owned(),
            created_on: None,
            active: true,
            form: form.clone(),
        };
        let json = to_json(&user, "https://lethe.example.org");
        assert_eq!(json["meta"]["location"], "https://lethe.example.org/scim/v2/Users/u");
        assert_eq!(json["meta"]["version"], "W/\"3\"");
        assert_eq!(wanted(&json), Ok(Wanted { form, active: Some(true) }));
    }

    #[test]
    fn names_are_read_in_any_case_and_unknown_ones_are_ignored() {
        let body = with(
            r#""USERNAME":"ng","Name":{"FAMILYNAME":"Ng","formatted":"x"},"active":"False","photos":[1],
            "displayName":7,"id":"x""#,
        );
        let read = wanted(&body).expect("a user");
        assert_eq!((read.form.user_id.as_str(), read.form.last_name.as_str()), ("ng", "Ng"));
        assert_eq!(read.active, Some(false));
    }

    #[test]
    fn the_value_of_the_right_type_is_stored() {
        let email =
            |list: &str| wanted(&with(&format!(r#""emails":{list}"#))).map(|wanted| wanted.form.email);
        for (list, stored) in [
            (r#"[{"value":"a@b"}]"#, "a@b"),
            (r#"{"value":"a@b"}"#, "a@b"),
            (r#"[{"value":"h@b","type":"home"},{"value":"a@b","type":"Work"}]"#, "a@b"),
            (r#"[{"value":"h@b","type":"home"}]"#, "h@b"),
            (r#"[{"value":"a@b","type":"work"},{"value":"c@b","type":"work","primary":true}]"#, "c@b"),
            (r#"[{"value":"a@b"},{"value":"a@b"}]"#, "a@b"),
            (r#"[{"type":"work"}]"#, ""),
            ("[]", ""),
            ("null", ""),
        ] {
            assert_eq!(email(list), Ok(stored.to_owned()), "{list}");
        }
        let two = email(r#"[{"value":"a@b"},{"value":"c@b"}]"#).expect_err("two values");
        assert_eq!(two.kind, Some(ScimType::InvalidValue));
        let body = with(r#""phoneNumbers":[{"value":"1","type":"fax"},{"value":"2","type":"mobile"}]"#);
        let phones = wanted(&body).expect("a user").form;
        assert_eq!((phones.phone.as_str(), phones.mobile.as_str()), ("", "2"));
    }

    #[test]
    fn values_of_a_wrong_type_are_rejected_without_repeating_them() {
        for more in [
            r#""userName":7"#,
            r#""userName":["secret"]"#,
            r#""name":"secret""#,
            r#""name":{"familyName":{"a":"secret"}}"#,
            r#""active":"secret""#,
            r#""active":1"#,
            r#""emails":["secret"]"#,
            r#""emails":[{"value":["secret"]}]"#,
            r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":"secret""#,
        ] {
            let error = wanted(&with(more)).expect_err(more);
            assert_eq!((error.status, error.kind), (400, Some(ScimType::InvalidValue)), "{more}");
            assert!(!error.detail.contains("secret"), "{more}: {error}");
        }
        for body in [json!([]), json!("x"), json!({}), json!({ "schemas": ["urn:other"] })] {
            assert_eq!(wanted(&body).expect_err("a body").kind, Some(ScimType::InvalidSyntax), "{body}");
        }
    }

    #[test]
    fn the_language_that_changed_counts() {
        let old = UserForm { language: "en".to_owned(), ..UserForm::default() };
        for (language, locale, stored) in
            [("en", "de", "de"), ("fr", "en", "fr"), ("en", "en", "en"), ("", "en", ""), ("fr", "de", "fr")]
        {
            let texts = object([("preferredLanguage", language), ("locale", locale)]);
            let wanted = Document(texts).wanted(&old).expect("a user");
            assert_eq!(wanted.form.language, stored, "{language} {locale}");
        }
    }
}
