//! Failed proofs of identity.

use db::RecordsError;
use policy::UserNumber;
use policy::form::Problem;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Returns the problem of a field that proves nothing.
pub(super) fn not_proven(what: &str) -> Problem {
    Problem::NotProven { what: what.to_owned() }
}

/// Records a failed sign-in. Only the audit shows whether the user exists, the response doesn't.
pub(crate) async fn record_failed_sign_in(
    store: &Store,
    user: Option<UserNumber>,
    what: &'static str,
) -> Result<(), RecordsError> {
    let subject = user.map_or(Subject::Library, Subject::from);
    audit::note_repeated(store, Actor::without_session(), AuditAction::SignInFailed, subject, what).await
}
