//! Making a value coarser, so that it says something about a group and nothing about a person.

use chrono::{Datelike, NaiveDate};

/// The year of a birth date: `1987`.
pub fn year(date: NaiveDate) -> String {
    date.year().to_string()
}

/// The decade of a birth date: `1980s`.
pub fn decade(date: NaiveDate) -> String {
    format!("{}s", date.year() - date.year().rem_euclid(10))
}

/// The first day of the month of a date.
pub fn month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

/// The district of a postcode: the outward part where it is written in two parts (`SW1A 1AA` → `SW1A`),
/// else the first two characters (`10117` → `10`). Nothing is left of a postcode of two characters or less.
pub fn district(postcode: &str) -> Option<String> {
    let postcode = postcode.trim();
    let parts: Vec<&str> = postcode.split_whitespace().collect();
    match parts.as_slice() {
        [outward, _inward] if outward.chars().any(|c| c.is_ascii_alphabetic()) => Some((*outward).to_owned()),
        _ => {
            let compact: Vec<char> = postcode.chars().filter(|c| !c.is_whitespace()).collect();
            (compact.len() > 2).then(|| compact[..2].iter().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_coarser() {
        let day = NaiveDate::from_ymd_opt(1987, 6, 23).expect("a date");
        assert_eq!(year(day), "1987");
        assert_eq!(decade(day), "1980s");
        assert_eq!(month(day).to_string(), "1987-06-01");
        for (postcode, kept) in [
            ("SW1A 1AA", Some("SW1A")),
            ("10117", Some("10")),
            ("123 45", Some("12")),
            ("D02 AF30", Some("D02")),
            ("12", None),
            ("", None),
        ] {
            assert_eq!(district(postcode).as_deref(), kept, "{postcode}");
        }
    }
}
