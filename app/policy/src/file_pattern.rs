//! Names of watched files: the folder below the folder of imports, and the pattern of the file names.

use crate::form::Problem;
use crate::text;

/// Maximum number of characters of a folder or a pattern.
const MAX_CHARS: usize = 200;

/// Parses the path of a folder below the folder of imports. Empty means that folder itself.
///
/// Rejects everything that could lead out of it. The runner also follows symbolic links, which only it can see.
pub fn folder(text: &str) -> Result<String, Problem> {
    let text = text::line(text, MAX_CHARS)?;
    if text.is_empty() {
        return Ok(text);
    }
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    if text.strip_suffix('/').unwrap_or(&text).split('/').all(is_plain) {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(Problem::NotASubfolder)
    }
}

/// Parses a pattern of file names: `*` matches any characters, `?` exactly one.
pub fn pattern(text: &str) -> Result<String, Problem> {
    let text = text::line(text, MAX_CHARS)?;
    if text.is_empty() {
        return Err(Problem::required("a file name, such as *.csv"));
    }
    if text.contains(['/', '\\']) || matches!(text.as_str(), "." | "..") {
        return Err(Problem::NotAFileName);
    }
    Ok(text)
}

/// Returns whether a file name matches a pattern. A hidden file only matches a pattern that begins with a dot, because
/// programs that copy files hide them until they are complete.
pub fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut next) = (0, 0);
    // The last asterisk, and the number of characters that it matches so far.
    let mut asterisk: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(next) {
            Some('*') => {
                asterisk = Some((next, at));
                next += 1;
            }
            Some(one) if *one == '?' || *one == name[at] => (at, next) = (at + 1, next + 1),
            _ => {
                let Some((place, so_far)) = asterisk else { return false };
                asterisk = Some((place, so_far + 1));
                (at, next) = (so_far + 1, place + 1);
            }
        }
    }
    pattern[next..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_below_the_folder_of_imports() {
        for (typed, read) in [("", ""), (" hr ", "hr"), ("hr/students/", "hr/students"), ("a b/ü", "a b/ü")]
        {
            assert_eq!(folder(typed).as_deref(), Ok(read), "{typed}");
        }
        for wrong in [
            "/etc",
            "..",
            "a/..",
            "a/../../b",
            "../a",
            ".",
            "a//b",
            "/",
            "//",
            "C:\\files",
            "a\\..\\b",
            "~/..",
            "c:",
        ] {
            assert_eq!(folder(wrong), Err(Problem::NotASubfolder), "{wrong}");
        }
        assert_eq!(folder("a\0b"), Err(Problem::ControlCharacter));
    }

    #[test]
    fn a_pattern_is_the_name_of_files_in_one_folder() {
        assert_eq!(pattern(" *.csv ").as_deref(), Ok("*.csv"));
        for wrong in ["*/x.csv", "..", ".", "a\\b", "/etc/passwd"] {
            assert_eq!(pattern(wrong), Err(Problem::NotAFileName), "{wrong}");
        }
        assert!(matches!(pattern(" "), Err(Problem::Required { .. })));
    }

    #[test]
    fn asterisk_and_question_mark_stand_for_characters() {
        for (one, name, is_match) in [
            ("*.csv", "students.csv", true),
            ("*.csv", "students.csv.part", false),
            ("*.csv", "STUDENTS.CSV", false),
            ("*.csv", ".students.csv", false),
            (".*.csv", ".students.csv", true),
            ("users-????-??.csv", "users-2018-01.csv", true),
            ("users-????-??.csv", "users-2018-1.csv", false),
            ("*", "anything", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXb", false),
            ("exact.csv", "exact.csv", true),
            ("?.csv", "ü.csv", true),
            ("**", "", true),
            ("?", "", false),
        ] {
            assert_eq!(matches(one, name), is_match, "{one} {name}");
        }
    }
}
