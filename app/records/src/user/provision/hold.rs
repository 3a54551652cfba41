//! Holds a request of an identity system that would bring back an anonymised user, as a line of a file is held.

use super::super::save::key_values;
use db::RecordsError;
use db::entity::users;
use policy::form::{FieldErrors, Problem};
use policy::key_form::normal;
use policy::suppression::{HeldDecision, HeldSource};
use policy::user_form::UserDraft;
use safeguards::suppression::arrival::{self, Arrival, LineFate, SeenLine};
use safeguards::suppression::check::Checker;
use sea_orm::DatabaseTransaction;
use trail::Store;

/// Whether a new user is held.
pub(super) enum Held {
    /// No: no anonymised user had the keys, or only keys that other people get.
    Not,
    /// No longer: staff decided so.
    Decided(HeldDecision),
    /// Yes, because of these fields.
    Waits(FieldErrors),
}

/// Compares the keys of a new user with the suppression list, and records a held line.
pub(super) async fn check(
    store: &Store,
    tx: &DatabaseTransaction,
    draft: &UserDraft,
) -> Result<Held, RecordsError> {
    let checker = Checker::open(tx, store).await?;
    let found = checker.check(tx, &[key_values(draft)]).await?.into_iter().next().unwrap_or_default();
    // The leaving date of a user who is not active is the day of the request.
    let content = format!("{:?}", UserDraft { leaving_on: None, ..draft.clone() });
    // A request has no line number.
    let Some(line) = SeenLine::new(&checker, &found, 0, &content) else { return Ok(Held::Not) };
    let fate =
        Arrival::new(HeldSource::Scim, None).record_lines(tx, store, &[line]).await?.into_iter().next();
    if let Some(LineFate::Creates(decision, line)) = fate {
        arrival::spend(tx, &[line]).await?;
        return Ok(Held::Decided(decision));
    }
    let mut errors = FieldErrors::default();
    for kind in found.kinds {
        errors.add(kind.field(), Problem::Suppressed);
    }
    Ok(Held::Waits(errors))
}

/// Like [`check`], for a change that gives a user other keys: by two requests, an identity system could otherwise create
/// any user.
pub(super) async fn check_change(
    store: &Store,
    tx: &DatabaseTransaction,
    user: &users::Model,
    draft: &UserDraft,
) -> Result<Held, RecordsError> {
    check(store, tx, &with_new_keys(user, draft)).await
}

/// Returns the draft with those of its keys that the user doesn't have. With an external identifier, the other keys
/// don't matter.
fn with_new_keys(user: &users::Model, draft: &UserDraft) -> UserDraft {
    let new = |value: &Option<String>, current: &Option<String>| {
        let is_other = |value: &&String| current.as_deref().map(normal) != Some(normal(value));
        value.as_ref().filter(is_other).cloned()
    };
    let weak = |value: &Option<String>, current: &Option<String>| {
        if draft.external_id.is_some() { None } else { new(value, current) }
    };
    UserDraft {
        external_id: new(&draft.external_id, &user.external_id),
        user_id: weak(&draft.user_id, &user.user_id),
        barcode: weak(&draft.barcode, &user.barcode),
        email: weak(&draft.email, &user.email),
        ..draft.clone()
    }
}
