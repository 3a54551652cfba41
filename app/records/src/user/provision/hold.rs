//! Holds a new user of an identity system that would bring back an anonymised one, as a line of a file is held.

use super::super::save::key_values;
use db::RecordsError;
use policy::form::{FieldErrors, Problem};
use policy::suppression::{HeldDecision, HeldSource};
use policy::user_form::UserDraft;
use safeguards::suppression::arrival::{Arrival, LineFate, SeenLine};
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
    let Some(line) = SeenLine::of(&checker, &found, 0, &content) else { return Ok(Held::Not) };
    let fate = Arrival::of(HeldSource::Scim, None).see(tx, store, &[line]).await?.into_iter().next();
    if let Some(LineFate::Creates(decision)) = fate {
        return Ok(Held::Decided(decision));
    }
    let mut errors = FieldErrors::default();
    for kind in found.kinds {
        errors.add(kind.field(), Problem::Suppressed);
    }
    Ok(Held::Waits(errors))
}
