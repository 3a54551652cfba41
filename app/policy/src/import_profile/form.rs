//! The form of a custom import profile.

use super::spelling::plain;
use super::{ColumnMapping, DateFormat, Delimited, FileFormat, FileKind, ImportProfile, MAX_HEADER_LINE};
use crate::form::{FieldErrors, Problem};
use crate::stored::Coded;
use serde::{Deserialize, Serialize};

/// The longest code made from a name. A number may follow it.
const MAX_CODE_OF_NAME: usize = 30;

/// A column of the form.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnForm {
    /// The name of the column in the file.
    pub source: String,
    /// The name of the field, or empty if the column is ignored.
    pub target: String,
    /// Code of [`DateFormat`], or empty for the format of the profile.
    pub dates: String,
    /// Whether a cell can contain several values.
    pub several: bool,
}

/// The form of a custom import profile, as it is typed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileForm {
    /// The import whose file is the sample of a new profile, or empty.
    pub import: String,
    /// The profile that is changed, or empty.
    pub id: String,
    /// The version that was opened, or empty for a new profile.
    pub version: String,
    /// The name.
    pub name: String,
    /// The columns.
    pub columns: Vec<ColumnForm>,
    /// Code of [`OtherColumns`](super::OtherColumns).
    pub other_columns: String,
    /// Code of [`DateFormat`].
    pub dates: String,
    /// Code of [`DecimalFormat`](super::DecimalFormat).
    pub decimals: String,
    /// The dates that mean "never", one on each line.
    pub never: String,
    /// Code of [`TextEncoding`](super::TextEncoding).
    pub encoding: String,
    /// Code of [`Delimiter`](super::Delimiter).
    pub delimiter: String,
    /// The line with the names of the columns, or empty if the import detects it.
    pub header_line: String,
}

impl ProfileForm {
    /// Returns the form of a profile.
    pub fn from_profile(profile: &ImportProfile) -> Self {
        let format = match profile.format {
            FileFormat::Delimited(format) => format,
            _ => Delimited::default(),
        };
        let columns = profile.columns.iter().map(|column| ColumnForm {
            source: column.source.clone(),
            target: column.target.clone().unwrap_or_default(),
            dates: column.dates.map(DateFormat::code).unwrap_or_default().to_owned(),
            several: column.first_of_several,
        });
        Self {
            name: profile.name.clone(),
            columns: columns.collect(),
            other_columns: profile.other_columns.code().to_owned(),
            dates: profile.dates.code().to_owned(),
            decimals: profile.decimals.code().to_owned(),
            never: profile.never.join("\n"),
            encoding: format.encoding.code().to_owned(),
            delimiter: format.delimiter.code().to_owned(),
            header_line: format.header_line.map(|line| line.to_string()).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Validates the form and returns its profile. `custom` returns whether a custom field has this key.
    pub fn validate(
        &self,
        kind: FileKind,
        code: &str,
        custom: impl Fn(&str) -> bool,
    ) -> Result<ImportProfile, FieldErrors> {
        let mut errors = FieldErrors::default();
        let other_columns = errors.take("other_columns", choice(&self.other_columns));
        let dates = errors.take("dates", choice(&self.dates));
        let decimals = errors.take("decimals", choice(&self.decimals));
        let encoding = errors.take("encoding", choice(&self.encoding));
        let delimiter = errors.take("delimiter", choice(&self.delimiter));
        let header_line = errors.take("header_line", header_line(&self.header_line)).flatten();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (place, column) in self.columns.iter().enumerate() {
            let format = match column.dates.trim() {
                "" => Ok(None),
                code => choice(code).map(Some),
            };
            columns.push(ColumnMapping {
                source: column.source.trim().to_owned(),
                target: Some(column.target.trim().to_owned()).filter(|target| !target.is_empty()),
                dates: errors.take(&format!("columns.{place}.dates"), format).flatten(),
                first_of_several: column.several,
            });
        }
        if columns.is_empty() {
            errors.add("columns", Problem::not_chosen("the columns of the file"));
        }
        let profile = ImportProfile {
            code: code.to_owned(),
            name: self.name.trim().to_owned(),
            kind,
            format: FileFormat::Delimited(Delimited {
                encoding: encoding.unwrap_or_default(),
                delimiter: delimiter.unwrap_or_default(),
                header_line,
            }),
            columns,
            other_columns: other_columns.unwrap_or_default(),
            dates: dates.unwrap_or_default(),
            two_digit_days: false,
            decimals: decimals.unwrap_or_default(),
            never: self
                .never
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            attributes: None,
        };
        if let Err(FieldErrors(found)) = profile.validate(custom) {
            errors.0.extend(found);
        }
        if errors.is_empty() { Ok(profile) } else { Err(errors) }
    }
}

fn choice<T: Coded>(code: &str) -> Result<T, Problem> {
    T::from_code(code).ok_or(Problem::UnknownChoice)
}

fn header_line(typed: &str) -> Result<Option<u32>, Problem> {
    match typed.trim() {
        "" => Ok(None),
        typed => typed.parse().map(Some).map_err(|_| Problem::NotALine { max: MAX_HEADER_LINE }),
    }
}

/// Returns the code for a name: `Students (HR)` becomes `students-hr`.
pub fn code_of_name(name: &str) -> String {
    let mut code = String::new();
    for letter in name.chars().flat_map(char::to_lowercase).map(plain) {
        if letter.is_ascii_alphanumeric() {
            code.push(letter);
        } else if !code.is_empty() && !code.ends_with('-') {
            code.push('-');
        }
        if code.len() >= MAX_CODE_OF_NAME {
            break;
        }
    }
    let code = code.trim_end_matches('-');
    if code.is_empty() { "profile".to_owned() } else { code.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(source: &str, target: &str) -> ColumnForm {
        ColumnForm { source: source.to_owned(), target: target.to_owned(), ..ColumnForm::default() }
    }

    fn form() -> ProfileForm {
        ProfileForm {
            name: " Students ".to_owned(),
            columns: vec![
                column("Matrikel", "external_id"),
                column("Nachname", "last_name"),
                ColumnForm { dates: "iso".to_owned(), ..column("Ende", "leaving_on") },
                column("Fach", ""),
            ],
            never: "31.12.9999\n\n 9999-12-31 ".to_owned(),
            dates: "day_month_year_dots".to_owned(),
            header_line: "2".to_owned(),
            ..ProfileForm::from_profile(&ImportProfile::own_format(FileKind::Users))
        }
    }

    #[test]
    fn a_form_becomes_a_profile_and_back() {
        let profile = form().validate(FileKind::Users, "students", |_| false).expect("a profile");
        assert_eq!((profile.name.as_str(), profile.dates), ("Students", DateFormat::DayMonthYearDots));
        assert_eq!(profile.never, ["31.12.9999", "9999-12-31"]);
        assert_eq!(
            (profile.columns[2].dates, profile.columns[3].target.as_deref()),
            (Some(DateFormat::Iso), None)
        );
        let again = ProfileForm::from_profile(&profile).validate(FileKind::Users, "students", |_| false);
        assert_eq!(again.as_ref(), Ok(&profile));
    }

    #[test]
    fn an_invalid_form_is_explained_at_its_fields() {
        let mut wrong = form();
        wrong.name = " ".to_owned();
        wrong.columns[1].target = "external_id".to_owned();
        wrong.columns[2].dates = "roman".to_owned();
        wrong.header_line = "first".to_owned();
        wrong.decimals = String::new();
        let errors = wrong.validate(FileKind::Users, "students", |_| false).expect_err("errors");
        let fields: Vec<&str> = errors.0.iter().map(|error| error.field.as_str()).collect();
        let expected = ["decimals", "header_line", "columns.2.dates", "name", "columns.1.target", "columns"];
        assert_eq!(fields, expected, "{errors:?}");
        assert_eq!(errors.message("columns").as_deref(), Some("Choose a column for the field Last name"));
        let none = ProfileForm { columns: Vec::new(), ..form() };
        let errors = none.validate(FileKind::Users, "students", |_| false).expect_err("errors");
        assert!(errors.message("columns").is_some());
    }

    #[test]
    fn a_code_is_made_from_the_name() {
        for (name, code) in [
            ("Students (HR)", "students-hr"),
            ("  Müller & Söhne", "muller-sohne"),
            ("Студенты", "profile"),
            ("An extraordinarily long name of a file", "an-extraordinarily-long-name-o"),
        ] {
            assert_eq!(code_of_name(name), code);
        }
    }
}
