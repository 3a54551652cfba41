//! Validates text from forms and imports.

use crate::form::Problem;

/// Maximum length of names, e-mail addresses, codes and similar, in characters.
pub const MAX_SHORT_CHARS: usize = 200;
/// Maximum length of free text, in characters.
pub const MAX_LONG_CHARS: usize = 4_000;

/// Returns a label for the middle of a sentence: `E-mail` becomes `e-mail`. A word with inner capitals such as `UserID`
/// stays.
pub fn inside_sentence(label: &str) -> String {
    let mut letters = label.chars();
    match letters.next() {
        Some(first) if !letters.clone().any(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label.to_owned(),
    }
}

/// Returns whether a character is invisible or changes the text direction. Such characters make different names
/// look the same.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Validates a line of text: trims it, and rejects control characters and more than `max` characters.
pub fn line(text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(Problem::ControlCharacter);
    }
    within(text, max)
}

/// Validates text of several lines. Allows line breaks and tabs, and converts line ends to `\n`.
pub fn lines(text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_invisible(c)) {
        return Err(Problem::ControlCharacter);
    }
    within(&text, max)
}

fn within(text: &str, max: usize) -> Result<String, Problem> {
    if text.chars().count() > max { Err(Problem::TooLong { max }) } else { Ok(text.to_owned()) }
}

/// Validates an e-mail address: one `@` with text on both sides and no spaces. It doesn't check whether mail can
/// be delivered.
pub fn email(text: &str) -> Result<String, Problem> {
    let text = line(text, MAX_SHORT_CHARS)?;
    let fits = match text.split_once('@') {
        Some((name, host)) => {
            !name.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !text.chars().any(char::is_whitespace)
        }
        None => text.is_empty(),
    };
    if fits { Ok(text) } else { Err(Problem::NotAnEmail) }
}

/// Parses a line of text that must not be empty.
pub(crate) fn required_line(text: &str, what: &str) -> Result<String, Problem> {
    let text = line(text, MAX_SHORT_CHARS)?;
    if text.is_empty() { Err(Problem::required(what)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_limited_and_visible() {
        assert_eq!(line("  Müller ", MAX_SHORT_CHARS), Ok("Müller".to_owned()));
        assert_eq!(line(&"x".repeat(201), MAX_SHORT_CHARS), Err(Problem::TooLong { max: 200 }));
        for text in ["a\0b", "a\nb", "a\u{202E}b", "a\u{200B}b", "\u{7}"] {
            assert_eq!(line(text, MAX_SHORT_CHARS), Err(Problem::ControlCharacter), "{text:?}");
        }
        assert_eq!(lines("a\r\nb\tc", MAX_LONG_CHARS), Ok("a\nb\tc".to_owned()));
        assert_eq!(lines("a\0", MAX_LONG_CHARS), Err(Problem::ControlCharacter));
    }

    #[test]
    fn an_email_has_two_sides() {
        assert_eq!(email(""), Ok(String::new()));
        assert_eq!(email(" a@b.example "), Ok("a@b.example".to_owned()));
        for text in ["a", "@b", "a@", "a@b@c", "a b@c"] {
            assert_eq!(email(text), Err(Problem::NotAnEmail), "{text}");
        }
    }
}
