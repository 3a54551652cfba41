//! Flash messages: the page after an executed form reports the action (`?done=code`).
//!
//! The address contains a proof: the code, the path and the time, encrypted for the member of staff. An address
//! without a valid proof shows no message, because anyone could have written it.

use crate::components::query;
use crate::private_search;
use crate::state::session;
use db::Clock;
use identity::Session;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use trail::undoable::UNDO_TIMEOUT;

/// The query parameter with the code.
const CODE: &str = "done";
/// The query parameter with the proof.
const PROOF: &str = "proof";
/// The prefix of the encrypted text: no other encrypted text of a member of staff is accepted.
const PREFIX: &str = "done ";

/// Redirects to a page of which the address contains the code of a message.
pub(crate) fn redirect(page: &str) {
    match session() {
        Some(session) => leptos_axum::redirect(&with_proof(page, &session)),
        None => leptos_axum::redirect(page),
    }
}

/// Adds the proof to the address of a page with a message.
pub fn with_proof(page: &str, session: &Session) -> String {
    let (path, values) = page.split_once('?').unwrap_or((page, ""));
    let code = values.split('&').find_map(|value| value.strip_prefix(CODE)?.strip_prefix('='));
    let proof =
        code.and_then(|code| session.seal(&proof_text(code, path, Clock::system_now().timestamp())).ok());
    // Without a proof the page shows no message; the action was executed all the same.
    proof.map_or_else(|| page.to_owned(), |proof| format!("{page}&{PROOF}={proof}"))
}

fn proof_text(code: &str, path: &str, at: i64) -> String {
    format!("{PREFIX}{at} {code} {path}")
}

/// Returns the code in the address of the page if its proof is valid.
pub(crate) fn code() -> Option<String> {
    let code = query(CODE);
    let text = session()?.open(&private_search::value(PROOF)?)?;
    let path = use_location().pathname.get_untracked();
    is_valid(&text, &code, &path, Clock::system_now().timestamp()).then_some(code)
}

/// Returns whether a proof is for this code and path, and as recent as an action that can be undone.
fn is_valid(text: &str, code: &str, path: &str, now: i64) -> bool {
    let at = text.strip_prefix(PREFIX).and_then(|rest| rest.split(' ').next()?.parse().ok());
    at.is_some_and(|at| {
        (0..UNDO_TIMEOUT.num_seconds()).contains(&(now - at)) && text == proof_text(code, path, at)
    })
}

/// Returns the message of a code. None if the code is unknown.
pub(crate) fn message(code: &str) -> Option<&'static str> {
    Some(match code {
        "task-created" => "Task created.",
        "task-saved" => "Task saved.",
        "task-saved-for-owner" => "Task saved. It is private: only its owner can see it.",
        "task-reassigned" => "Task reassigned. It has a new owner.",
        "task-copied" => "Task copied. This copy is inactive until you activate it.",
        "task-activated" => "Task activated. It runs on schedule from now on.",
        "task-deactivated" => "Task deactivated. It no longer runs on schedule.",
        "task-default" => "Task set as default. Its field settings now apply to single users.",
        "task-deleted" => "Task deleted. Its runs stay in the list of runs.",
        "users-excluded" => {
            "Users excluded. The run of this preview leaves them out; an earlier approval does not count."
        }
        "user-included" => "User included again. The run of this preview would anonymise this user.",
        "preview-discarded" => "Preview discarded. It cannot be run.",
        "search-saved" => "Search saved. It is listed above every search for users.",
        "search-changed" => "Saved search changed.",
        "search-deleted" => "Saved search deleted.",
        "user-created" => "User created.",
        "user-saved" => "User saved.",
        "user-sign-in-removed" => "User saved. The user can no longer sign in.",
        "held-lines-created-later" => "Decision saved. The next import creates the users of these lines.",
        "held-lines-ignored" => "Decision saved. Imports skip these lines.",
        "suppression-key-destroyed" => "Key destroyed. The suppression list is empty and has a new key.",
        "created-corrected" => "Creation date corrected.",
        "last-activity-corrected" => "Last activity corrected.",
        "users-merged" => "Users merged. The duplicate has been anonymised.",
        "user-marked" => "User marked for deletion.",
        "user-unmarked" => "Deletion mark removed.",
        "loan-returned" => "Loan returned.",
        "request-cancelled" => "Request cancelled.",
        "residue-removed" => "Residue removed.",
        "residue-kept" => "Residue kept.",
        "residue-reopened" => "Decision reopened. The finding is waiting for a decision again.",
        "loan-reopened" => "Return undone. The loan is open again.",
        "request-reopened" => "Cancellation undone. The request is open again.",
        "charge-reopened" => "Settlement undone. The charge is open again.",
        "mark-restored" => "Undone. The user is marked for deletion again.",
        "mark-removed" => "Undone. The user is not marked for deletion.",
        "role-restored" => "Undone. The member of staff has the role again and must sign in again.",
        "user-sign-in-restored" => "Undone. The user can sign in as before.",
        "sign-in-restored" => "Undone. The member of staff can sign in as before.",
        "residue-gone" => "Recorded as gone. The finding is closed.",
        "audit-verification-started" => "Verification started. The result appears below.",
        "files-cleaned" => "Database files cleaned. They no longer contain old rows.",
        "access-request-recorded" => "Access request recorded. Answer it by the date below.",
        "access-request-closed" => "Access request closed.",
        "legal-hold-placed" => "Legal hold placed. It is in force.",
        "legal-hold-reviewed" => "Review date saved. The legal hold stays in force.",
        "release-requested" => "Release requested. Another member of staff must now release the legal hold.",
        "legal-hold-released" => "Legal hold released.",
        "approval-requested" => "Approval requested. Another member of staff must now decide.",
        "approved" => "Approval request approved. Another member of staff can use it once, within 24 hours.",
        "declined" => "Approval request declined.",
        "withdrawn" => "Approval request withdrawn.",
        "charge-settled" => "Charge settled.",
        "password-changed" => "Password set. Your other sessions have ended.",
        "provider-connected" => "Single sign-on is connected. You can now sign in with it.",
        "provider-disconnected" => "Single sign-on is disconnected.",
        "notices-read" => "Notices marked as read. They stay listed below for three months.",
        "session-ended" => "Session ended.",
        "sessions-ended" => "All sessions of this member of staff have ended.",
        "staff-added" => "Member of staff added.",
        "staff-disabled" => "Sign-in disabled. This member of staff can no longer sign in.",
        "api-key-revoked" => "API key revoked. Programs that use it are rejected from now on.",
        "custom-field-added" => "Custom field added. It is now on the form of every user.",
        "custom-field-changed" => "Custom field changed.",
        "custom-field-removed" => "Custom field removed.",
        "webhook-disabled" => "Webhook disabled. Lethe sends nothing more to it.",
        "test-sent" => "Test message sent. The list below shows in a few seconds whether it arrived.",
        "delivery-retried" => "Delivery will be tried again in a few seconds.",
        "delivery-discarded" => "Delivery discarded.",
        "notifications-chosen" => "Notifications saved.",
        "letter-saved" => "Letter text saved. It applies to the next letters.",
        "library-saved" => "Library settings saved.",
        "logo-saved" => "Logo saved. It is on every page from now on.",
        "logo-removed" => "Logo removed.",
        "import-profile-created" => "Import profile created. The uploaded file uses it. Check the file next.",
        "import-profile-changed" => "Import profile saved.",
        "import-profile-deleted" => "Import profile deleted. Past imports keep their copy of it.",
        "role-added" => "Role added. The user must sign in again.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validity_of_an_approval_is_the_configured_one() {
        let text = message("approved").expect("a text");
        assert!(text.contains(&format!("within {} hours", policy::four_eyes::APPROVAL_HOURS)), "{text}");
    }

    #[test]
    fn a_proof_is_for_one_code_and_one_page_and_expires() {
        let text = proof_text("hold-released", "/legal-holds/2", 1_000);
        assert!(is_valid(&text, "hold-released", "/legal-holds/2", 1_010));
        for (code, path, now) in [
            ("hold-placed", "/legal-holds/2", 1_010),
            ("hold-released", "/legal-holds/21", 1_010),
            ("hold-released", "/legal-holds/2", 999),
            ("hold-released", "/legal-holds/2", 1_000 + UNDO_TIMEOUT.num_seconds()),
        ] {
            assert!(!is_valid(&text, code, path, now), "{code} {path} {now}");
        }
        assert!(!is_valid(
            "undo 1000 hold-released /legal-holds/2",
            "hold-released",
            "/legal-holds/2",
            1_010
        ));
    }
}
