//! The letter before erasure: a text with placeholders such as `{name}`, which each task can have.

use crate::form::Problem;
use crate::placeholders::{self, Placeholders};
use crate::text;

/// Maximum length of a text, in characters.
const MAX_TEXT: usize = text::MAX_LONG_CHARS;

/// The text of tasks without their own.
pub const STANDARD: &str = "Dear {name},\n\n\
    you have not used {library} for some time. We will therefore remove your personal data from our records from \
    {due} on. This cannot be undone.\n\n\
    If you want to stay a member, please contact us before that day:\n\
    {contact}\n\n\
    You do not need to do anything if you agree.\n\n\
    {library}";

/// A placeholder in the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placeholder {
    /// The name of the user.
    Name,
    /// The day of the letter.
    Date,
    /// The first day on which the user can be anonymised.
    Due,
    /// The name of the library.
    Library,
    /// The postal address of the library.
    Address,
    /// The contact for users.
    Contact,
}

impl Placeholder {
    /// All placeholders, in the order of the page.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Date, Self::Due, Self::Library, Self::Address, Self::Contact];

    /// Returns the word between the braces.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Date => "date",
            Self::Due => "due",
            Self::Library => "library",
            Self::Address => "address",
            Self::Contact => "contact",
        }
    }

    /// Returns what it becomes.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "the name of the user",
            Self::Date => "the day on which the letter is printed",
            Self::Due => "the first day on which the task can anonymise the user",
            Self::Library => "the name of the library",
            Self::Address => "the postal address of the library",
            Self::Contact => "the contact of the library",
        }
    }
}

impl Placeholders for Placeholder {
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placeholder| placeholder.word() == word)
    }
}

/// Validates a text. `None` if it is empty: the standard text applies.
pub fn validate(typed: &str) -> Result<Option<String>, Problem> {
    let text = text::lines(typed, MAX_TEXT)?;
    placeholders::in_text::<Placeholder>(&text)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Fills the placeholders of a validated text. A placeholder in a value stays text.
pub fn filled(text: &str, value: impl Fn(Placeholder) -> String) -> String {
    placeholders::filled(text, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_placeholders_are_filled_once() {
        let value = |placeholder| match placeholder {
            Placeholder::Name => "{date} O’Brien".to_owned(),
            other => other.word().to_uppercase(),
        };
        assert_eq!(filled("Dear {name}, {due}{library}.", value), "Dear {date} O’Brien, DUELIBRARY.");
        assert_eq!(filled("No placeholder", value), "No placeholder");
        assert!(validate(STANDARD).is_ok());
        for placeholder in Placeholder::ALL {
            assert!(validate(&format!("{{{}}}", placeholder.word())).is_ok());
        }
    }

    #[test]
    fn an_unknown_placeholder_is_a_problem() {
        for (text, word) in [
            ("Dear {nmae}", "nmae"),
            ("{ name }", " name "),
            ("{Name}", "Name"),
            ("{}", ""),
            ("{name", "name"),
            ("{{name}}", "{name"),
            ("name}", ""),
            ("{email}", "email"),
        ] {
            let word = word.to_owned();
            assert_eq!(validate(text), Err(Problem::UnknownPlaceholder { word }), "{text}");
        }
        assert_eq!(validate(" \n"), Ok(None));
        assert!(matches!(validate(&"x".repeat(4_001)), Err(Problem::TooLong { .. })));
        assert!(matches!(validate("a\u{202e}b"), Err(Problem::ControlCharacter)));
    }
}
