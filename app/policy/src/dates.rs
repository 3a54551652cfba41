//! Parses and formats dates. These are dates in the library's time zone.

use crate::form::{FIRST_YEAR, LAST_YEAR, Problem};
use chrono::{Datelike as _, NaiveDate, NaiveTime, Timelike as _};
use std::fmt::Write as _;

/// Why a text isn't a usable date.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DateProblem {
    /// It isn't a date, or the calendar doesn't have it.
    NotADate,
    /// It lies outside [`FIRST_YEAR`] to [`LAST_YEAR`].
    OutOfRange,
    /// It has two meanings: `03/04/2018` is 3 April in one country and 4 March in another.
    Ambiguous {
        /// The date if the day comes first.
        day_first: NaiveDate,
        /// The date if the month comes first.
        month_first: NaiveDate,
    },
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Parses an unambiguous date: `2018-01-15`, `15 Jan 2018`, `January 15, 2018`, `15/01/2018`, `15.01.2018`.
///
/// A year has four digits. After a year, month and day have two, so that a truncated date isn't accepted.
pub fn parse_date(text: &str) -> Result<NaiveDate, DateProblem> {
    if let Some(date) = iso_date(text.trim()) {
        return in_range(date);
    }
    let parts = parts(text.trim()).ok_or(DateProblem::NotADate)?;
    let date = match parts {
        [Part::Year(year), Part::Padded(month), Part::Padded(day)] => calendar(year, month, day),
        [day, Part::Month(month), Part::Year(year)] | [Part::Month(month), day, Part::Year(year)] => {
            day.number().and_then(|day| calendar(year, month, day))
        }
        [first, second, Part::Year(year)] => {
            let (first, second) = first.number().zip(second.number()).ok_or(DateProblem::NotADate)?;
            match (calendar(year, second, first), calendar(year, first, second)) {
                (Some(day_first), Some(month_first)) if day_first != month_first => {
                    in_range(day_first)?;
                    return Err(DateProblem::Ambiguous { day_first, month_first });
                }
                (day_first, month_first) => day_first.or(month_first),
            }
        }
        _ => None,
    };
    in_range(date.ok_or(DateProblem::NotADate)?)
}

/// Returns a date of exactly ten characters, `2018-01-15`. Files have millions of them.
fn iso_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    calendar(number(bytes.get(..4)?)?, number(bytes.get(5..7)?)?, number(bytes.get(8..)?)?)
}

/// A part of a written date.
#[derive(Clone, Copy)]
enum Part {
    /// Four digits.
    Year(u32),
    /// One digit.
    Digit(u32),
    /// Two digits.
    Padded(u32),
    /// The name of a month or its abbreviation.
    Month(u32),
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse().ok()?;
            return match text.len() {
                1 => Some(Self::Digit(number)),
                2 => Some(Self::Padded(number)),
                4 => Some(Self::Year(number)),
                _ => None,
            };
        }
        let lower = text.to_ascii_lowercase();
        let is_named = |month: &&str| {
            **month == lower || month[..3] == lower || (*month == "september" && lower == "sept")
        };
        let place = MONTHS.iter().position(is_named)?;
        u32::try_from(place + 1).ok().map(Self::Month)
    }

    const fn number(self) -> Option<u32> {
        match self {
            Self::Digit(number) | Self::Padded(number) => Some(number),
            Self::Year(_) | Self::Month(_) => None,
        }
    }
}

/// Splits a date into three parts.
///
/// Numbers have the same separator: `-`, `/` or `.`. With a month name, spaces, commas and points are also
/// allowed.
fn parts(text: &str) -> Option<[Part; 3]> {
    let is_numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"-/.".contains(&byte));
    let words: Vec<&str> = if is_numeric {
        let separator = text.chars().find(|c| !c.is_ascii_digit())?;
        text.split(separator).collect()
    } else {
        text.split([' ', '-'])
            .map(|word| word.trim_end_matches([',', '.']))
            .filter(|word| !word.is_empty())
            .collect()
    };
    let [first, second, third] = words.as_slice() else { return None };
    Some([Part::parse(first)?, Part::parse(second)?, Part::parse(third)?])
}

fn calendar(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn in_range(date: NaiveDate) -> Result<NaiveDate, DateProblem> {
    if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) { Ok(date) } else { Err(DateProblem::OutOfRange) }
}

/// Parses a date. Returns `None` for an empty text.
pub fn optional_date(text: &str) -> Result<Option<NaiveDate>, Problem> {
    if text.trim().is_empty() { Ok(None) } else { Ok(Some(parse_date(text)?)) }
}

/// Parses the date of a past event. Returns `None` for an empty text and rejects a date after `today`.
pub fn optional_past_date(text: &str, today: NaiveDate) -> Result<Option<NaiveDate>, Problem> {
    let date = optional_date(text)?;
    if date.is_some_and(|date| date > today) { Err(Problem::FutureDate) } else { Ok(date) }
}

/// Returns a date in the format of the pages, or the text unchanged if it isn't a date.
pub fn as_shown(text: &str) -> String {
    parse_date(text).map_or_else(|_| text.to_owned(), shown)
}

impl From<DateProblem> for Problem {
    fn from(problem: DateProblem) -> Self {
        match problem {
            DateProblem::NotADate => Self::NotADate,
            DateProblem::OutOfRange => Self::DateOutOfRange,
            DateProblem::Ambiguous { day_first, month_first } => {
                Self::AmbiguousDate { day_first: shown(day_first), month_first: shown(month_first) }
            }
        }
    }
}

/// Parses a time of day in whole minutes, such as `02:30`.
pub fn parse_time(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    let time =
        NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"));
    // Pages show minutes only, so seconds would get lost.
    time.ok().filter(|time| time.second() == 0)
}

/// Formats a date as on the pages: `15 Jan 2018`.
pub fn shown(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

/// Formats a date of which only the month is kept: `Jan 2018`.
pub fn shown_month(date: NaiveDate) -> String {
    date.format("%b %Y").to_string()
}

/// Formats a date for machines and form fields: `2018-01-15`.
pub fn iso(date: NaiveDate) -> String {
    date.to_string()
}

/// Joins words as in a sentence: `a`, `a and b`, `a, b and c`.
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

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).expect("a date")
    }

    #[test]
    fn an_unambiguous_date_is_parsed() {
        let date = day(2018, 1, 15);
        for text in [
            "2018-01-15",
            "2018/01/15",
            "2018.01.15",
            " 15 Jan 2018 ",
            "15 january 2018",
            "15. Jan. 2018",
            "15-JAN-2018",
            "Jan 15, 2018",
            "January 15 2018",
            "15/01/2018",
            "15/1/2018",
            "15.01.2018",
            "15.1.2018",
            "15-01-2018",
            "01/15/2018",
            "1/15/2018",
        ] {
            assert_eq!(parse_date(text), Ok(date), "{text:?}");
            assert_eq!(as_shown(text), "15 Jan 2018", "{text:?}");
        }
        assert_eq!(parse_date("03/03/2018"), Ok(day(2018, 3, 3)));
        assert_eq!(parse_date("3 Sept 2018"), Ok(day(2018, 9, 3)));
    }

    #[test]
    fn an_ambiguous_date_is_rejected() {
        let (day_first, month_first) = (day(2018, 4, 3), day(2018, 3, 4));
        for text in ["03/04/2018", "3/4/2018", "03.04.2018", "03-04-2018"] {
            assert_eq!(parse_date(text), Err(DateProblem::Ambiguous { day_first, month_first }), "{text:?}");
            assert_eq!(as_shown(text), text);
        }
        let problem = Problem::from(DateProblem::Ambiguous { day_first, month_first }).to_string();
        assert!(problem.contains("3 Apr 2018") && problem.contains("4 Mar 2018"), "{problem}");
    }

    #[test]
    fn text_that_is_not_a_date_is_rejected() {
        for text in [
            "",
            "2018-02-30",
            "2018-01-15T00:00",
            "2018-1-5",
            "2020-12-3",
            "2018-15-01",
            "15/01/18",
            "15/13/2018",
            "32/01/2018",
            "31/02/2018",
            "15-01/2018",
            "15//2018",
            "+15/01/2018",
            "15 J 2018",
            "15 Janu 2018",
            "Jan 2018",
            "43115",
            "20180115",
            "١٥/٠١/٢٠١٨",
            "\u{0}",
            "15 Jan 2018 x",
        ] {
            assert_eq!(parse_date(text), Err(DateProblem::NotADate), "{text:?}");
        }
        for text in ["1899-12-31", "2101-01-01", "31/12/1899", "03/04/0018"] {
            assert_eq!(parse_date(text), Err(DateProblem::OutOfRange), "{text:?}");
        }
    }

    #[test]
    fn past_events_must_not_be_in_the_future() {
        let today = day(2018, 1, 21);
        assert_eq!(optional_past_date(" ", today), Ok(None));
        assert_eq!(optional_past_date("21 Jan 2018", today), Ok(Some(today)));
        assert_eq!(optional_past_date("22 Jan 2018", today), Err(Problem::FutureDate));
    }

    #[test]
    fn words_are_joined_like_a_sentence() {
        assert_eq!(joined::<&str>(&[], "and"), "");
        assert_eq!(joined(&["a", "b", "c"], "and"), "a, b and c");
    }
}
