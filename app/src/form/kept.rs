//! Short forms, encrypted into the address of their page for their member of staff. They survive a sign-in, and a
//! redirect with them replaces an answer to a form, so that Back never asks to send it again.

use super::FailedSubmission;
use crate::error::AppError;
use crate::private_search;
use crate::state::session;
use axum::body::Bytes;
use db::Clock;
use identity::Session;
use percent_encoding::percent_decode;
use policy::form::FieldErrors;
use serde::{Deserialize, Serialize};

/// The query parameter that contains a form.
const NAME: &str = "kept";
/// The prefix of the encrypted text: no other encrypted text of a member of staff is accepted.
const PREFIX: &str = "kept ";
/// The maximum size of a kept form, in bytes. Encrypted it is more than twice as long, and proxies limit addresses.
const MAX_BYTES: usize = 1_500;
/// The lifetime of a kept form, in minutes.
const KEPT_TIMEOUT_MINUTES: i64 = 15;
/// The fields with which staff confirm an irreversible action: the typed number, the reason and the case reference.
const CONFIRMATION: [&str; 3] = ["confirm", "erasure_reason", "case_reference"];
/// Fields that are never kept, because they prove an identity.
const SECRETS: [&str; 5] = ["password", "repeated", "code", "old", "key"];

#[derive(Deserialize, Serialize)]
struct KeptForm {
    path: String,
    body: String,
    error: AppError,
    /// Seconds since 1970.
    at: i64,
}

/// Returns whether only fields of the confirmation are invalid.
pub(crate) fn is_wrong_confirmation(error: &AppError) -> bool {
    matches!(error, AppError::Invalid(FieldErrors(errors)) if !errors.is_empty()
        && errors.iter().all(|error| CONFIRMATION.contains(&error.field.as_str())))
}

/// Returns the address of the page with the encrypted form. None if the form is long or secret, or without a session.
pub(crate) fn address(page: &str, form: &FailedSubmission, session: Option<&Session>) -> Option<String> {
    if form.body.len() > MAX_BYTES || is_secret(&form.body) {
        return None;
    }
    let body = String::from_utf8(form.body.to_vec()).ok()?;
    let kept = KeptForm {
        path: form.path.clone(),
        body,
        error: form.error.clone(),
        at: Clock::system_now().timestamp(),
    };
    let sealed = session?.seal(&format!("{PREFIX}{}", serde_json::to_string(&kept).ok()?)).ok()?;
    let page = without(page);
    let mark = if page.contains('?') { '&' } else { '?' };
    Some(format!("{page}{mark}{NAME}={sealed}"))
}

/// Returns the form in the address of the page.
pub(super) fn from_address() -> Option<FailedSubmission> {
    let text = session()?.open(&private_search::value(NAME)?)?;
    let KeptForm { path, body, error, at } = serde_json::from_str(text.strip_prefix(PREFIX)?).ok()?;
    let age = Clock::system_now().timestamp() - at;
    (0..KEPT_TIMEOUT_MINUTES * 60).contains(&age).then(|| FailedSubmission {
        path,
        body: Bytes::from(body),
        error,
    })
}

/// Removes an earlier form from an address.
fn without(page: &str) -> String {
    let Some((path, values)) = page.split_once('?') else { return page.to_owned() };
    let is_other = |value: &&str| value.split('=').next() != Some(NAME);
    let rest: Vec<&str> = values.split('&').filter(is_other).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

/// Returns whether a form contains a field that is never kept.
fn is_secret(body: &[u8]) -> bool {
    body.split(|byte| *byte == b'&').any(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = percent_decode(name).decode_utf8_lossy();
        let field = name.strip_prefix("form[").and_then(|rest| rest.strip_suffix(']'));
        // A short form has no nested fields.
        field.is_none_or(|field| SECRETS.contains(&field)) && !name.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::form::Problem;

    #[test]
    fn an_address_carries_one_form_only() {
        for (page, is) in [
            ("/users/7", "/users/7"),
            ("/users/7?kept=ab", "/users/7"),
            ("/users/7?tab=loans&kept=ab&after=3", "/users/7?tab=loans&after=3"),
        ] {
            assert_eq!(without(page), is, "{page}");
        }
    }

    #[test]
    fn proofs_of_identity_are_not_kept() {
        for body in
            ["form[password]=x", "form%5Bcode%5D=1", "form[a]=1&form[repeated]=2", "form[%70assword]=x"]
        {
            assert!(is_secret(body.as_bytes()), "{body}");
        }
        assert!(!is_secret(b"form[user]=7&form%5Bconfirm%5D=7") && !is_secret(b""));
    }

    #[test]
    fn a_wrong_confirmation_is_the_only_problem() {
        let differs = || Problem::ConfirmationDiffers { expected: "7".to_owned() };
        let one = FieldErrors::one("confirm", differs());
        assert!(is_wrong_confirmation(&AppError::Invalid(one.clone())));
        let reason = FieldErrors::one("erasure_reason", Problem::not_chosen("a reason"));
        assert!(is_wrong_confirmation(&AppError::Invalid(reason)));
        let other = FieldErrors::one("email", differs());
        let both = FieldErrors(one.0.into_iter().chain(other.0).collect());
        assert!(!is_wrong_confirmation(&AppError::Invalid(both)));
        assert!(!is_wrong_confirmation(&AppError::Stale));
    }
}
