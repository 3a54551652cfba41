//! Suggests the field of each column, from its name and from its content.

use crate::amounts;
use crate::dates::{DateRule, Evidence};
use chrono::{Months, NaiveDate};
use policy::import_profile::{DateFormat, DecimalFormat, FileKind, content_of, suggested_target};
use std::collections::HashSet;

/// Users are at least this old. A column of younger dates has other dates than birth dates.
const MIN_AGE_MONTHS: Months = Months::new(12 * 10);
/// The fewest values that show what a column has.
const MIN_VALUES: usize = 2;

/// Why a field is suggested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The name of the column.
    Name,
    /// The content of the first rows.
    Content,
}

/// The suggestion for a column.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Suggestion {
    /// The field and the reason, or `None` if neither name nor content means one.
    pub target: Option<(String, Reason)>,
    /// The notation of dates, if the column has dates of one notation.
    pub dates: Option<DateFormat>,
    /// Whether the column has dates.
    pub has_dates: bool,
    /// Whether a cell has several e-mail addresses.
    pub has_several: bool,
}

/// Suggests a field for each column of a file, from its name and from the first rows. A name counts before content, and
/// each field is suggested once.
///
/// `custom` has the keys and names of the custom fields.
pub fn suggest(
    kind: FileKind,
    (names, rows): (&[String], &[Vec<String>]),
    custom: &[(String, String)],
    today: NaiveDate,
) -> Vec<Suggestion> {
    let columns: Vec<Vec<&str>> = (0..names.len()).map(|index| values(rows, index)).collect();
    let mut suggestions: Vec<Suggestion> = columns.iter().map(|values| with_format(values)).collect();
    let mut taken = HashSet::new();
    for (name, suggestion) in names.iter().zip(&mut suggestions) {
        if let Some(target) = suggested_target(kind, name, custom)
            && taken.insert(target.clone())
        {
            suggestion.target = Some((target, Reason::Name));
        }
    }
    for (values, suggestion) in columns.iter().zip(&mut suggestions) {
        if suggestion.target.is_none()
            && let Some(target) = target_of_content(kind, values, suggestion.has_dates, today)
            && taken.insert(target.to_owned())
        {
            suggestion.target = Some((target.to_owned(), Reason::Content));
        }
    }
    suggestions
}

/// Returns whether a text is a value rather than the name of a column: an e-mail address, a date or a long number.
pub(crate) fn is_value(text: &str) -> bool {
    is_email(text) || evidence(&[text]).is_dates() || (text.len() >= MIN_BARCODE && is_digits(text))
}

/// Returns the values of a column.
fn values(rows: &[Vec<String>], index: usize) -> Vec<&str> {
    let cells = rows.iter().filter_map(|row| row.get(index));
    cells.map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect()
}

fn with_format(values: &[&str]) -> Suggestion {
    let evidence = evidence(values);
    let several = values.iter().filter(|value| value.matches('@').count() > 1).count();
    Suggestion {
        target: None,
        dates: evidence.format().filter(|_| evidence.is_dates()),
        has_dates: evidence.is_dates(),
        has_several: several > 0,
    }
}

fn evidence(values: &[&str]) -> Evidence {
    let mut evidence = Evidence::default();
    for value in values {
        evidence.add(value);
    }
    evidence
}

/// Returns the field that the values of a column mean.
fn target_of_content(
    kind: FileKind,
    values: &[&str],
    has_dates: bool,
    today: NaiveDate,
) -> Option<&'static str> {
    if values.len() < MIN_VALUES {
        return None;
    }
    let all = |is: fn(&str) -> bool| values.iter().all(|value| is(value));
    let target = if has_dates {
        target_of_dates(kind, values, today)?
    } else if all(is_email_list) {
        "email"
    } else if all(is_postcode) {
        "postcode"
    } else if all(is_phone) && values.iter().any(|value| !is_digits(value)) {
        "phone"
    } else if all(is_barcode) && are_distinct(values) && kind == FileKind::Users {
        "barcode"
    } else if all(is_amount) {
        "amount"
    } else {
        return None;
    };
    content_of(kind, target).map(|_| target)
}

/// Returns the field of a column of dates. Dates of which none is ahead can mean too much, unless all are long ago.
fn target_of_dates(kind: FileKind, values: &[&str], today: NaiveDate) -> Option<&'static str> {
    let rule = DateRule { format: evidence(values).format()?, is_detected: true, two_digit_days: false };
    let dates = values.iter().filter_map(|value| rule.read(value).ok()?.parse::<NaiveDate>().ok());
    let dates: Vec<NaiveDate> = dates.collect();
    let (first, last) = (dates.iter().min()?, dates.iter().max()?);
    let born = today.checked_sub_months(MIN_AGE_MONTHS)?;
    match kind {
        FileKind::Users if *last > today && *first > born => Some("leaving_on"),
        FileKind::Users if *last <= born => Some("birth_date"),
        FileKind::Loans if *last > today => Some("due_on"),
        _ => None,
    }
}

/// The fewest digits of a barcode.
const MIN_BARCODE: usize = 6;

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_email(text: &str) -> bool {
    let is_address = |(local, domain): (&str, &str)| {
        !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    };
    !text.contains([' ', ';', ','])
        && text.matches('@').count() == 1
        && text.split_once('@').is_some_and(is_address)
}

fn is_email_list(text: &str) -> bool {
    text.split([';', ',', ' ']).filter(|part| !part.is_empty()).all(is_email)
}

/// Returns whether a text is a postcode of the United States, Britain or Canada. Digits alone can be any number, such as
/// that of a student, which must not be kept as a postcode.
fn is_postcode(text: &str) -> bool {
    let short: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    let shape: String = short
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                '9'
            } else if c.is_ascii_uppercase() {
                'A'
            } else {
                c
            }
        })
        .collect();
    matches!(
        shape.as_str(),
        "99999-9999" | "A9A9A9" | "A99AA" | "A999AA" | "A9A9AA" | "AA99AA" | "AA999AA" | "AA9A9AA"
    )
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits)
        && text.starts_with(['+', '0', '('])
        && text.chars().all(|c| c.is_ascii_digit() || " +-/().".contains(c))
}

fn is_barcode(text: &str) -> bool {
    (MIN_BARCODE..=20).contains(&text.len()) && is_digits(text)
}

fn is_amount(text: &str) -> bool {
    text.contains(['.', ',']) && amounts::read(text, DecimalFormat::Detect).is_ok()
}

fn are_distinct(values: &[&str]) -> bool {
    values.iter().collect::<HashSet<_>>().len() == values.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2018, 1, 20).expect("a date")
    }

    /// Returns the suggestion for a column with this name and these values.
    fn one(kind: FileKind, name: &str, values: &[&str]) -> Suggestion {
        let rows: Vec<Vec<String>> = values.iter().map(|value| vec![(*value).to_owned()]).collect();
        suggest(kind, (&[name.to_owned()], &rows), &[], today()).remove(0)
    }

    fn by_content(kind: FileKind, values: &[&str]) -> Option<String> {
        let (target, reason) = one(kind, "x1", values).target?;
        assert_eq!(reason, Reason::Content);
        Some(target)
    }

    #[test]
    fn email_addresses_are_recognised() {
        assert_eq!(
            by_content(FileKind::Users, &["a@example.org", "b.c@d.example.org"]).as_deref(),
            Some("email")
        );
        assert_eq!(
            by_content(FileKind::Users, &["a@example.org; b@example.org", "c@d.org"]).as_deref(),
            Some("email")
        );
        assert!(one(FileKind::Users, "x", &["a@example.org; b@example.org"]).has_several);
        assert_eq!(by_content(FileKind::Users, &["a@example.org", "none"]), None);
        assert_eq!(by_content(FileKind::Loans, &["a@example.org", "b@example.org"]), None);
    }

    #[test]
    fn dates_are_recognised_by_their_years() {
        assert_eq!(by_content(FileKind::Users, &["31.03.1990", "02.11.1985"]).as_deref(), Some("birth_date"));
        assert_eq!(by_content(FileKind::Users, &["30.09.2019", "31.03.2017"]).as_deref(), Some("leaving_on"));
        assert_eq!(by_content(FileKind::Users, &["20171001", "20160401"]), None);
        assert_eq!(by_content(FileKind::Loans, &["2018-02-01", "2018-01-02"]).as_deref(), Some("due_on"));
    }

    #[test]
    fn the_notation_of_dates_is_suggested() {
        let dots = one(FileKind::Users, "Ende", &["31.03.2018", "01.04.2018"]);
        assert_eq!((dots.dates, dots.has_dates), (Some(DateFormat::DayMonthYearDots), true));
        let two_meanings = one(FileKind::Users, "Ende", &["01/02/2018", "03/04/2018"]);
        assert_eq!((two_meanings.dates, two_meanings.has_dates), (None, true));
        let none = one(FileKind::Users, "Ende", &["31.03.2018", "never"]);
        assert_eq!((none.dates, none.has_dates), (None, false));
    }

    #[test]
    fn barcodes_of_digits_are_recognised() {
        assert_eq!(by_content(FileKind::Users, &["2900123", "2900124"]).as_deref(), Some("barcode"));
        assert_eq!(by_content(FileKind::Users, &["2900123", "2900123"]), None, "not unique");
        assert_eq!(by_content(FileKind::Loans, &["2900123", "2900124"]), None, "of the user or the item");
    }

    #[test]
    fn phone_numbers_are_recognised() {
        assert_eq!(
            by_content(FileKind::Users, &["+49 30 901820", "030/123 45 67"]).as_deref(),
            Some("phone")
        );
        assert_eq!(by_content(FileKind::Users, &["0301234567", "+49 30 901820"]).as_deref(), Some("phone"));
    }

    #[test]
    fn postcodes_are_recognised() {
        assert_eq!(by_content(FileKind::Users, &["94105-1234", "10001-0001"]).as_deref(), Some("postcode"));
        assert_eq!(by_content(FileKind::Users, &["04109", "10115"]), None, "numbers of students");
        assert_eq!(by_content(FileKind::Users, &["SW1A 1AA", "M1 1AE"]).as_deref(), Some("postcode"));
    }

    #[test]
    fn amounts_are_recognised_in_files_of_charges() {
        assert_eq!(by_content(FileKind::Charges, &["2,50", "1.234,00"]).as_deref(), Some("amount"));
        assert_eq!(by_content(FileKind::Users, &["2,50", "1.234,00"]), None);
    }

    #[test]
    fn too_few_values_and_plain_text_mean_nothing() {
        assert_eq!(by_content(FileKind::Users, &["a@example.org"]), None);
        assert_eq!(by_content(FileKind::Users, &["Law", "Medicine"]), None);
    }

    #[test]
    fn a_name_counts_before_content_and_each_field_is_suggested_once() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let names = row(["x", "E-Mail", "Mail", "Spind"]);
        let rows = [
            row(["a@example.org", "b@example.org", "c@example.org", "1"]),
            row(["d@example.org", "e@example.org", "f@example.org", "2"]),
        ];
        let custom = [("locker".to_owned(), "Spind".to_owned())];
        let found = suggest(FileKind::Users, (&names, &rows), &custom, today());
        let found: Vec<_> = found.into_iter().map(|one| one.target).collect();
        let by_name = |target: &str| Some((target.to_owned(), Reason::Name));
        assert_eq!(found, [None, by_name("email"), None, by_name("custom.locker")]);
    }

    #[test]
    fn a_value_is_no_name_of_a_column() {
        for text in ["a@example.org", "31.12.1990", "2900123"] {
            assert!(is_value(text), "{text}");
        }
        for text in ["E-Mail", "Nachname", "2018", "", "Adresse 1"] {
            assert!(!is_value(text), "{text}");
        }
    }
}
