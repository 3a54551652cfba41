//! The fields of a posted form. Bytes that no text may contain are rejected here, before a server function reads
//! them.

use crate::picked;
use crate::url::percent_encoded;
use axum::body::Bytes;
use percent_encoding::percent_decode;
use policy::form::{FieldErrors, Problem};
use std::borrow::Cow;

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body. A field with invalid UTF-8, or with a control character other than a tab or line break, has a
    /// problem. Such characters are removed, so that the form can be rendered again.
    pub(super) fn read(body: &[u8]) -> (Self, FieldErrors) {
        let mut errors = FieldErrors::default();
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        let fields = pairs.map(|pair| {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[] as &[u8]),
            };
            let ((name, named), (value, written)) = (text(name), text(value));
            if !(named && written) {
                errors.add(&field_of(&name), Problem::ControlCharacter);
            }
            (name, value)
        });
        let fields = Self(fields.collect());
        (fields, errors)
    }

    /// Removes a field that does not belong to the server function and returns its value.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let mut taken = None;
        self.0.retain_mut(|(field, value)| {
            let is_it = field == name;
            if is_it {
                taken = Some(std::mem::take(value));
            }
            !is_it
        });
        taken
    }

    /// Copies picked dates into their text fields.
    pub(super) fn put_picked_dates(&mut self) {
        let all = std::mem::take(&mut self.0);
        let (pickers, mut fields): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(name, _)| picked::parse_picker_name(name).is_some());
        for (name, date) in &pickers {
            let Some((at_first, field)) = picked::parse_picker_name(name) else { continue };
            match fields.iter_mut().find(|(name, _)| name == field) {
                Some((_, text)) => *text = picked::merge_picked(text, date, at_first),
                None => fields.push((field.to_owned(), date.clone())),
            }
        }
        self.0 = fields;
    }

    /// Returns whether every field belongs to the form. Other fields are rejected, not ignored.
    pub(super) fn are_of_form(&self) -> bool {
        self.0.iter().all(|(name, _)| name.starts_with("form["))
    }

    /// Returns the form as the server function reads it.
    pub(super) fn body(&self) -> Bytes {
        let pairs = self.0.iter().map(|(name, value)| {
            // Brackets structure a name.
            let name = percent_encoded(name).replace("%5B", "[").replace("%5D", "]");
            format!("{name}={}", percent_encoded(value))
        });
        pairs.collect::<Vec<_>>().join("&").into()
    }
}

/// Decodes a percent-encoded text. Returns it without forbidden characters, and whether it contained none.
fn text(encoded: &[u8]) -> (String, bool) {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8_lossy().into_owned();
    let is_text = matches!(percent_decode(&spaced).decode_utf8(), Ok(Cow::Borrowed(_) | Cow::Owned(_)));
    let kept: String = decoded.chars().filter(|c| !is_refused(*c)).collect();
    let is_whole = is_text && kept.len() == decoded.len();
    (kept, is_whole)
}

fn is_refused(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// Returns the name of a field in errors: `fields.phone` for `form[fields][phone]`.
fn field_of(name: &str) -> String {
    let parts: Vec<&str> = name.split(['[', ']']).filter(|part| !part.is_empty()).collect();
    parts.strip_prefix(&["form"]).unwrap_or(&parts).join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::is_text;

    fn problems(body: &str) -> Vec<String> {
        let (_, FieldErrors(errors)) = Fields::read(body.as_bytes());
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn invalid_text_is_a_problem_of_its_field() {
        for bad in [
            "%00",
            "a%00b",
            "%01",
            "%1B",
            "%7F",
            "%C2%85",
            "%FF",
            "%C0%80",
            "%ED%A0%80",
            "%E0%80%80",
            "%F4%90%80%80",
        ] {
            assert_eq!(
                problems(&format!("form[a]=x&form%5Bfields%5D%5Bphone%5D={bad}")),
                ["fields.phone"],
                "{bad}"
            );
            assert_eq!(problems(&format!("form[a{bad}]=x")).len(), 1, "{bad}");
            assert!(!is_text(&format!("/users?q={bad}")) && !is_text(&format!("/users/{bad}")), "{bad}");
        }
        assert_eq!(problems("form[notes]=a%0D%0Ab%09c&form[b]=%F0%9F%98%80+%2B%25&form[c]=%zz"), [""; 0]);
        assert!(is_text("/users?q=M%C3%BCller%20%F0%9F%98%80&x=%zz"));
        assert!(!is_text("/users?q=%0A"));
    }

    #[test]
    fn a_form_survives_reading_and_writing() {
        let (mut fields, errors) =
            Fields::read(b"form%5Ba%5D=1+2&form_token=77&form[b][c]=%26%3D%5B&form[d]");
        assert!(errors.is_empty());
        assert_eq!(fields.take("form_token").as_deref(), Some("77"));
        assert_eq!(fields.take("form_token"), None);
        assert!(fields.are_of_form());
        assert_eq!(fields.body(), "form[a]=1%202&form[b][c]=%26%3D%5B&form[d]=");
        for other in ["dry_run=1", "form[a]=1&anonymised_on=1", "formal[a]=1"] {
            assert!(!Fields::read(other.as_bytes()).0.are_of_form(), "{other}");
        }
        let (mut fields, _) = Fields::read(b"form[on]=&picked[]form[on]=2018-01-15&form_key=");
        assert_eq!(fields.take("form_key").as_deref(), Some(""));
        fields.put_picked_dates();
        assert_eq!(fields.body(), "form[on]=15%20Jan%202018");
    }
}
