//! The library's settings: the form that changes name, currency, address and contact, and the rules for its logo.

use crate::currency::Currency;
use crate::form::{FieldErrors, Problem};
use crate::text;
use serde::{Deserialize, Serialize};

/// Maximum size of a logo, in bytes.
pub const MAX_LOGO_BYTES: usize = 200_000;
/// Maximum width and height of a logo, in pixels. A small file can contain a picture that fills the memory.
pub const MAX_LOGO_PIXELS: usize = 2_000;
/// Maximum length of the address and of the contact, in characters.
const MAX_LINES: usize = 500;

/// The form of the library's settings.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LibraryForm {
    /// The name.
    pub name: String,
    /// The ISO 4217 code of the currency.
    pub currency: String,
    /// The postal address, in several lines.
    pub address: String,
    /// The contact for users: telephone, e-mail address, opening hours.
    pub contact: String,
    /// The digest of the settings that the page showed. `None` replaces any settings.
    pub based_on: Option<String>,
}

/// A validated form. An empty text is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LibraryDraft {
    /// The name.
    pub name: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// The postal address.
    pub address: Option<String>,
    /// The contact for users.
    pub contact: Option<String>,
}

impl LibraryForm {
    /// Validates the form.
    pub fn validate(&self) -> Result<LibraryDraft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", text::line(&self.name, text::MAX_SHORT_CHARS));
        let address = errors.take("address", text::lines(&self.address, MAX_LINES));
        let contact = errors.take("contact", text::lines(&self.contact, MAX_LINES));
        let currency = Currency::from_code(self.currency.trim());
        if currency.is_none() {
            errors.add("currency", Problem::not_chosen("a currency"));
        }
        match (name, address, contact, currency) {
            (Some(name), Some(address), Some(contact), Some(currency)) if errors.is_empty() => {
                let filled = |text: String| Some(text).filter(|text| !text.is_empty());
                let (name, address, contact) = (filled(name), filled(address), filled(contact));
                Ok(LibraryDraft { name, currency, address, contact })
            }
            _ => Err(errors),
        }
    }
}

/// Why a file can't be the logo. Its message is a sentence that the page shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogoProblem {
    /// No file was chosen, or it is empty.
    NoFile,
    /// The file is too large.
    TooLarge,
    /// The file isn't a PNG, JPEG or WebP picture. SVG can contain scripts.
    NotAPicture,
    /// The picture has too many pixels.
    TooManyPixels,
}

impl LogoProblem {
    /// All problems.
    pub const ALL: [Self; 4] = [Self::NoFile, Self::TooLarge, Self::NotAPicture, Self::TooManyPixels];

    /// Returns the code in the address of the page.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoFile => "no-file",
            Self::TooLarge => "too-large",
            Self::NotAPicture => "not-a-picture",
            Self::TooManyPixels => "too-many-pixels",
        }
    }

    /// Returns the problem with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }

    /// Returns what to do instead.
    pub fn label(self) -> String {
        match self {
            Self::NoFile => "Choose a picture.".to_owned(),
            Self::TooLarge => format!("Choose a picture of at most {} KB.", MAX_LOGO_BYTES / 1_000),
            Self::NotAPicture => "Choose a PNG, JPEG or WebP picture.".to_owned(),
            Self::TooManyPixels => {
                format!("Choose a picture of at most {MAX_LOGO_PIXELS} pixels on each side.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(name: &str, currency: &str, address: &str) -> LibraryForm {
        let [name, currency, address] = [name, currency, address].map(str::to_owned);
        LibraryForm { name, currency, address, ..LibraryForm::default() }
    }

    #[test]
    fn everything_but_the_currency_is_optional() {
        let draft = form(" Town Library ", "EUR", "1 High Street\r\nTown").validate().expect("valid");
        assert_eq!(draft.name.as_deref(), Some("Town Library"));
        assert_eq!(draft.address.as_deref(), Some("1 High Street\nTown"));
        assert_eq!((draft.currency.code(), draft.contact), ("EUR", None));
        let draft = form(" ", "GBP", "").validate().expect("valid");
        assert_eq!((draft.name, draft.address), (None, None));
    }

    #[test]
    fn each_problem_is_at_its_field() {
        for (wrong, field) in [
            (form("a\u{202e}b", "EUR", ""), "name"),
            (form(&"x".repeat(201), "EUR", ""), "name"),
            (form("a", "", ""), "currency"),
            (form("a", "XAU", ""), "currency"),
            (form("a", "EUR", &"x".repeat(501)), "address"),
        ] {
            let errors = wrong.validate().expect_err("an error");
            assert_eq!(errors.0.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn problems_of_a_logo_are_read_back() {
        for problem in LogoProblem::ALL {
            assert_eq!(LogoProblem::from_code(problem.code()), Some(problem));
        }
        assert_eq!(LogoProblem::from_code("other"), None);
    }
}
