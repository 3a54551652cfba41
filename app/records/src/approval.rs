//! Four eyes: what one person asks for and another one approves.
//!
//! An approval is bound to a seal: the fingerprint of a preview, or of a legal hold as it stands. It expires, serves
//! once, and is looked at again where it is used, inside the transaction of what it allows. People are told apart by
//! their user number, so another session of the same person is no second person. Whoever has the command line can
//! ask and start, and is never the one who approves.

mod ask;
mod decide;
mod matter;
mod read;
mod spend;
mod who;

pub use ask::{ask, ask_more_changes, ask_reapply, ask_staff_anonymising};
pub(crate) use ask::{ask_import, ask_within, close_within};
pub(crate) use decide::agree_within;
pub use decide::{approve, approve_confirmed, decline, withdraw};
pub(crate) use matter::Matter;
pub use matter::{Decision, Kind};
pub use read::{About, Approval, ApprovalQuery, Standing, list, of_preview, of_user, read};
pub(crate) use spend::{more_changes, of_run, spend, use_up, why_not_yet};
pub(crate) use who::{is_configured, is_new, is_on, others};

use crate::error::RecordsError;
use crate::run;
use crate::store::Store;
use policy::{Action, RunId, UserNumber, WhyTwo};

/// Whether a second person is needed here for what needs this action: the setting, and how many people could.
pub async fn four_eyes(store: &Store, action: Action) -> Result<bool, RecordsError> {
    is_on(&store.db, store, action).await
}

/// Why the run of a preview needs a second person; None when it does not.
pub async fn needed_for(store: &Store, preview: RunId) -> Result<Option<WhyTwo>, RecordsError> {
    run::why_two_of(store, preview).await
}

/// Why this actor cannot start the run of a preview yet, although the preview itself could be carried out, in words.
/// None when nothing is missing: no second person is needed, or one has approved.
pub async fn missing_for(
    store: &Store,
    actor: crate::Actor,
    preview: RunId,
) -> Result<Option<String>, RecordsError> {
    let Some(why) = needed_for(store, preview).await? else { return Ok(None) };
    let preview = run::preview_row(&store.db, preview).await?;
    why_not_yet(store, actor, &Matter::run_of(&preview)?, &of_run(store, why)).await
}

/// Why this actor cannot anonymise a member of staff yet, in words. None when a second person has approved.
pub async fn missing_for_staff(
    store: &Store,
    actor: crate::Actor,
    number: UserNumber,
) -> Result<Option<String>, RecordsError> {
    let roles = crate::staff::roles_of(&store.db, number).await?;
    why_not_yet(store, actor, &Matter::staff_anonymising_of(number, roles), run::WHY_STAFF).await
}
