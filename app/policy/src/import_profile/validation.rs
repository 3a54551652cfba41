//! The validation of import profiles, shared by pages, tasks and the command line.

use super::{
    CUSTOM, Content, Delimited, FileFormat, ImportProfile, MAX_COLUMNS, MAX_HEADER_LINE, MAX_NEVER,
    content_of, keys_of, label_of, required_of,
};
use crate::dates::joined;
use crate::form::{FieldErrors, Problem};
use crate::text::required_line;
use std::collections::BTreeMap;

impl ImportProfile {
    /// Validates the profile. `custom` returns whether a custom field has this key.
    pub fn validate(&self, custom: impl Fn(&str) -> bool) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        errors.take("name", required_line(&self.name, "a name"));
        if !is_code(&self.code) {
            errors.add("code", Problem::NotACode);
        }
        if self.format.kind().is_some_and(|kind| kind != self.kind) {
            errors.add("kind", Problem::UnknownChoice);
        }
        if let FileFormat::Delimited(Delimited { header_line: Some(line), .. }) = self.format
            && !(1..=MAX_HEADER_LINE).contains(&line)
        {
            errors.add("header_line", Problem::NotALine { max: MAX_HEADER_LINE });
        }
        self.validate_columns(custom, &mut errors);
        if self.never.len() > MAX_NEVER {
            errors.add("never", Problem::TooMany { max: MAX_NEVER });
        }
        for value in &self.never {
            errors.take("never", required_line(value, "a value that means never"));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn validate_columns(&self, custom: impl Fn(&str) -> bool, errors: &mut FieldErrors) {
        if self.columns.len() > MAX_COLUMNS {
            return errors.add("columns", Problem::TooMany { max: MAX_COLUMNS });
        }
        let mut sources = BTreeMap::new();
        let mut filled = BTreeMap::new();
        for (place, column) in self.columns.iter().enumerate() {
            let field = |part: &str| format!("columns.{place}.{part}");
            errors.take(&field("source"), required_line(&column.source, "the name of the column"));
            if sources.insert(column.source.as_str(), place).is_some() {
                errors.add(&field("source"), Problem::SameColumn);
            }
            let Some(target) = column.target.as_deref() else { continue };
            let Some(content) =
                content_of(self.kind, target).filter(|_| target.strip_prefix(CUSTOM).is_none_or(&custom))
            else {
                errors.add(&field("target"), Problem::UnknownChoice);
                continue;
            };
            if filled.insert(target, place).is_some() && !content.joins() {
                errors.add(&field("target"), Problem::SameTarget);
            }
            if column.dates.is_some() && content != Content::Date {
                errors.add(&field("dates"), Problem::UnknownChoice);
            }
        }
        if self.columns.is_empty() {
            return;
        }
        for needed in required_of(self.kind) {
            if !filled.contains_key(needed) {
                let what = format!("a column for the field {}", label_of(self.kind, needed));
                errors.add("columns", Problem::not_chosen(&what));
            }
        }
        if !keys_of(self.kind).iter().any(|key| filled.contains_key(key)) {
            let keys: Vec<String> = keys_of(self.kind).iter().map(|key| label_of(self.kind, key)).collect();
            let what = format!("a column for one of these fields: {}", joined(&keys, "or"));
            errors.add("columns", Problem::not_chosen(&what));
        }
    }
}

/// Returns whether a text can be the code of a profile: lower-case letters, digits, hyphens and underscores.
fn is_code(code: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=40).contains(&code.len()) && code.bytes().all(fits)
}
