//! Lists of user numbers, pasted or from a file.

use crate::UserNumber;
use crate::form::Problem;
use std::collections::BTreeSet;

/// The maximum number of users in a list.
pub const MAX_LISTED: usize = 10_000;

/// Headings that the first line of a list may have.
const HEADINGS: [&str; 4] = ["user number", "user_number", "number", "user"];

/// Reads a list of user numbers, separated by line ends, spaces, commas or semicolons. A number that comes twice counts
/// once. Anything else than a number is a problem of its line.
pub fn read(text: &str) -> Result<BTreeSet<UserNumber>, Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let mut users = BTreeSet::new();
    for (line, content) in (1_u32..).zip(text.lines()) {
        if line == 1 && is_heading(content) {
            continue;
        }
        for word in content.split(|sign: char| sign.is_whitespace() || matches!(sign, ',' | ';')) {
            let word = word.trim_matches('"');
            if word.is_empty() {
                continue;
            }
            let number = word.parse().ok().filter(|number: &UserNumber| number.0 > 0);
            users.insert(number.ok_or(Problem::NoNumberInLine { line })?);
            if users.len() > MAX_LISTED {
                return Err(Problem::TooMany { max: MAX_LISTED });
            }
        }
    }
    if users.is_empty() { Err(Problem::required("at least one user number")) } else { Ok(users) }
}

fn is_heading(line: &str) -> bool {
    let line = line.trim().trim_matches('"').to_lowercase();
    HEADINGS.contains(&line.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<i64> {
        read(text).expect("a list").into_iter().map(|number| number.0).collect()
    }

    #[test]
    fn numbers_are_read_in_every_usual_form() {
        for text in [
            "3\n7\n12",
            "12, 7;3",
            " 3 7\t12 \r\n\r\n",
            "\u{feff}User number\r\n\"3\"\r\n\"7\"\r\n\"12\"\r\n",
            "3 3 7 12 12",
            "user_number\n3;7;12",
        ] {
            assert_eq!(numbers(text), [3, 7, 12], "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_a_problem_of_its_line() {
        for (text, line) in [
            ("3\nNg\n7", 2),
            ("3\n7\n-1", 3),
            ("0", 1),
            ("3\nuser number", 2),
            ("1.5", 1),
            ("99999999999999999999", 1),
        ] {
            assert_eq!(read(text), Err(Problem::NoNumberInLine { line }), "{text:?}");
        }
        assert!(matches!(read(" \n,"), Err(Problem::Required { .. })));
        assert!(matches!(read("user number"), Err(Problem::Required { .. })));
    }

    #[test]
    fn a_list_has_a_maximum_length() {
        let many = |count: usize| (1..=count).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(numbers(&many(MAX_LISTED)).len(), MAX_LISTED);
        assert_eq!(read(&many(MAX_LISTED + 1)), Err(Problem::TooMany { max: MAX_LISTED }));
    }
}
