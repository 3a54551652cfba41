//! Why a single user is anonymised: a coded reason and the reference of a case in the library's own files.
//!
//! Both stay after anonymising, on the run, its certificate and the audit. The reason is therefore a code, and the
//! reference must not identify the user.

use crate::form::{FieldErrors, Problem};
use crate::ids::UserNumber;
use crate::stored::coded_enum;
use crate::text;
use serde::{Deserialize, Serialize};

/// Maximum length of a case reference, in characters.
pub const MAX_CASE_REFERENCE: usize = 40;

/// Number of characters from which an identifier is also found inside a longer word.
const MIN_INSIDE: usize = 4;

coded_enum! {
    /// The reason for anonymising a single user.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ErasureReason: "reason for anonymising" {
        /// The person has requested it (article 17 of the GDPR).
        PersonRequest = "person_request",
        /// The person has left.
        Left = "left",
        /// The record is an error or a duplicate.
        Error = "error",
        /// Any other reason.
        Other = "other",
    }
}

impl ErasureReason {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PersonRequest => "Requested by the person (GDPR Art. 17)",
            Self::Left => "The person has left",
            Self::Error => "Error or duplicate record",
            Self::Other => "Other reason",
        }
    }
}

/// Why a single user is anonymised.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Grounds {
    /// The reason.
    pub reason: ErasureReason,
    /// The reference of a case in the library's own files.
    pub case_reference: Option<String>,
    /// The other record of the same person, if the two were merged.
    pub merged_into: Option<UserNumber>,
}

impl Grounds {
    /// Returns the grounds without a case reference.
    pub const fn without_case(reason: ErasureReason) -> Self {
        Self { reason, case_reference: None, merged_into: None }
    }

    /// Returns the codes for the audit: `reason=left,case=2026-118`.
    pub fn codes(&self) -> String {
        let case = self.case_reference.as_ref().map(|case| format!(",case={case}")).unwrap_or_default();
        let into = self.merged_into.map(|into| format!(",merged_into={into}")).unwrap_or_default();
        format!("reason={}{case}{into}", self.reason.code())
    }
}

/// Validates reason and case reference as entered. `personal` are the names and identifiers of the user, which the
/// reference must not contain.
pub fn validate<'a>(
    reason: &str,
    case_reference: &str,
    personal: impl IntoIterator<Item = &'a str>,
) -> Result<Grounds, FieldErrors> {
    let mut errors = FieldErrors::default();
    let chosen = ErasureReason::from_code(reason.trim()).ok_or_else(|| Problem::not_chosen("a reason"));
    let reason = errors.take("erasure_reason", chosen);
    let case_reference = errors.take("case_reference", reference(case_reference, personal));
    match (reason, case_reference) {
        (Some(reason), Some(case_reference)) => {
            Ok(Grounds { case_reference, ..Grounds::without_case(reason) })
        }
        _ => Err(errors),
    }
}

fn reference<'a>(text: &str, personal: impl IntoIterator<Item = &'a str>) -> Result<Option<String>, Problem> {
    let text = text::line(text, MAX_CASE_REFERENCE)?;
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains('@') || personal.into_iter().any(|value| names(&text, value)) {
        return Err(Problem::PersonalCaseReference);
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-/._".contains(c)) {
        return Err(Problem::NotACaseReference);
    }
    Ok(Some(text))
}

/// Returns whether a reference contains a personal value: the whole value, or one of its words as a word.
fn names(reference: &str, value: &str) -> bool {
    let whole = letters(value);
    if whole.chars().count() >= MIN_INSIDE && letters(reference).contains(&whole) {
        return true;
    }
    // A number in a value, such as a house number, is in many references. A word of one letter is an initial.
    let is_word = |word: &String| word.chars().count() > 1 && word.chars().any(char::is_alphabetic);
    let of_value: Vec<String> =
        words(value).filter(is_word).chain((!whole.is_empty()).then_some(whole)).collect();
    words(reference).any(|word| {
        of_value.contains(&word)
            || of_value.iter().any(|part| {
                part.chars().count() >= MIN_INSIDE
                    && part.chars().any(char::is_alphabetic)
                    && word.contains(part.as_str())
            })
    })
}

/// Returns the letters and digits of a text, in lower case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIAMH: [&str; 5] = ["Niamh", "O'Brien", "nobrien7", "29000071", "niamh@example.org"];

    fn case(text: &str) -> Result<Option<String>, String> {
        let valid = validate("left", text, NIAMH).map(|grounds| grounds.case_reference);
        valid.map_err(|errors| errors.message("case_reference").unwrap_or_default())
    }

    #[test]
    fn a_reason_is_required_and_a_case_reference_is_not() {
        assert_eq!(validate("left", " ", NIAMH), Ok(Grounds::without_case(ErasureReason::Left)));
        for reason in ["", "because"] {
            let errors = validate(reason, "", NIAMH).expect_err("no reason");
            assert_eq!(errors.message("erasure_reason").as_deref(), Some("Choose a reason"));
        }
        let grounds = validate("person_request", " DS/2026-118 ", NIAMH).expect("valid");
        assert_eq!(grounds.codes(), "reason=person_request,case=DS/2026-118");
        for reason in ErasureReason::ALL {
            assert_eq!(ErasureReason::from_code(reason.code()), Some(reason));
        }
    }

    #[test]
    fn a_case_reference_is_short_and_does_not_identify_the_user() {
        for fits in ["2026-118", "DSB_4.7/12", "71", "n-7", "x".repeat(MAX_CASE_REFERENCE).as_str()] {
            assert_eq!(case(fits), Ok(Some(fits.to_owned())));
        }
        let personal = Problem::PersonalCaseReference.to_string();
        for names in [
            "niamh",
            "2026-NIAMH-1",
            "NiamhBrien",
            "case_o.brien",
            "OBRIEN-1",
            "nobrien7",
            "2026/29000071",
            "2900-0071",
            "niamh@example.org",
            "x@y",
        ] {
            assert_eq!(case(names), Err(personal.clone()), "{names}");
        }
        let characters = Problem::NotACaseReference.to_string();
        for other in ["2026 118", "a,b", "Fall-Nr. ä", "a;b", "<b>"] {
            assert_eq!(case(other), Err(characters.clone()), "{other}");
        }
        assert!(case(&"x".repeat(MAX_CASE_REFERENCE + 1)).is_err());
        assert!(case("a\u{202E}b").is_err());
    }
}
