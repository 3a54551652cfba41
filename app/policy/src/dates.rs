//! Dates as people write and read them. Dates have no time zone here: they are days of the library.

use chrono::{NaiveDate, NaiveTime};
use std::fmt::Write as _;

/// The first year a date may lie in.
pub const FIRST_YEAR: i32 = 1900;
/// The last year a date may lie in.
pub const LAST_YEAR: i32 = 2100;

/// Why a text is not a date that can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DateProblem {
    /// No date at all, or one that the calendar does not have.
    NotADate,
    /// A date outside [`FIRST_YEAR`] to [`LAST_YEAR`].
    OutOfRange,
}

/// Reads `2018-01-15` or `15 Jan 2018`.
pub fn parse_date(text: &str) -> Result<NaiveDate, DateProblem> {
    use chrono::Datelike as _;
    let text = text.trim();
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(text, "%d %b %Y"))
        .map_err(|_| DateProblem::NotADate)?;
    if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) { Ok(date) } else { Err(DateProblem::OutOfRange) }
}

/// Reads a time of day, `02:30`.
pub fn parse_time(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok()
}

/// `15 Jan 2018`, as the pages print it.
pub fn shown(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

/// `Jan 2018`, for a date of which only the month is kept.
pub fn shown_month(date: NaiveDate) -> String {
    date.format("%b %Y").to_string()
}

/// `2018-01-15`, for machines and form fields.
pub fn iso(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// Joins words as a sentence does: `a`, `a and b`, `a, b and c`.
pub fn joined<S: AsRef<str>>(words: &[S], last: &str) -> String {
    let mut out = String::new();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            let glue = if place + 1 == words.len() { format!(" {last} ") } else { ", ".to_owned() };
            out.push_str(&glue);
        }
        let _ = write!(out, "{}", word.as_ref());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_both_forms_and_bounded() {
        let day = NaiveDate::from_ymd_opt(2018, 1, 15).expect("a date");
        assert_eq!(parse_date("2018-01-15"), Ok(day));
        assert_eq!(parse_date(" 15 Jan 2018 "), Ok(day));
        assert_eq!(shown(day), "15 Jan 2018");
        for text in ["", "15.1.2018", "2018-02-30", "2018-01-15T00:00", "\u{0}"] {
            assert_eq!(parse_date(text), Err(DateProblem::NotADate), "{text:?}");
        }
        for text in ["1899-12-31", "2101-01-01"] {
            assert_eq!(parse_date(text), Err(DateProblem::OutOfRange), "{text:?}");
        }
    }

    #[test]
    fn words_are_joined_like_a_sentence() {
        assert_eq!(joined::<&str>(&[], "and"), "");
        assert_eq!(joined(&["a", "b", "c"], "and"), "a, b and c");
    }
}
