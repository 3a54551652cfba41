//! Safety limits of manual changes. A *manual change* is a change by staff or an import that removes or replaces
//! identifying values, or makes a user eligible earlier. All servers count them in one table.
//!
//! A change beyond a limit is rejected, unless a second person has approved more changes by this member of staff.
//! The first rejection of an hour is recorded for banner, health and audit. Changes since the last confirmed run
//! also count towards the limits of the next run (`policy::safety_limit`).

mod confirm;
mod count;
mod import;
mod note;

pub(crate) use confirm::{confirm, manual};
pub use count::{Reached, reached};
pub(crate) use count::{changed_before, claim, replaced_before};
pub(crate) use import::{confirm_import, record_import, replaced_before_of, too_many};
pub(crate) use note::{note_change, note_change_as};

use crate::actor::Actor;
use crate::bulk_insert;
use crate::clock::Clock;
use crate::entity::manual_changes;
use policy::{Counted, UserNumber};
use sea_orm::{ConnectionTrait, DbErr, NotSet, Set};

/// The kind of a manual change, as stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// The user was anonymised from the record or the command line.
    Anonymised,
    /// An edit removed identifying fields.
    Removed,
    /// An edit replaced too few identifying fields to count as removing them.
    Replaced,
    /// The user was marked for deletion, or a date changed so that conditions are met earlier.
    Marked,
    /// An import removed or replaced identifying fields, or made the user eligible earlier.
    Imported,
    /// A confirmed import beyond the limits did the same.
    ImportConfirmed,
    /// An import replaced an identifying field, but too few to count.
    ImportReplaced,
    /// The user got a role or an invitation on a page, and could become a second person.
    MadeStaff,
    /// The user lost the last role.
    LastRoleTaken,
}

impl Change {
    /// The changes that replaced identifying fields.
    pub(crate) const REPLACED: [Self; 2] = [Self::Replaced, Self::ImportReplaced];

    /// Returns the stable code that is stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Anonymised => "anonymised",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Marked => "marked",
            Self::Imported => "imported",
            Self::ImportConfirmed => "import_confirmed",
            Self::ImportReplaced => "import_replaced",
            Self::MadeStaff => "made_staff",
            Self::LastRoleTaken => "last_role_taken",
        }
    }

    /// Returns the changes that a limit counts.
    const fn of(counted: Counted) -> &'static [Self] {
        match counted {
            Counted::Anonymised => &[Self::Anonymised, Self::Removed],
            Counted::Marked => &[Self::Marked],
            Counted::Replaced => &[Self::Replaced],
        }
    }
}

/// Stores changes of users with their number of fields, in the transaction of the changes.
pub(crate) async fn record(
    db: &impl ConnectionTrait,
    actor: Actor,
    change: Change,
    users: impl IntoIterator<Item = (UserNumber, usize)>,
) -> Result<(), DbErr> {
    let rows = users.into_iter().map(|(user, fields)| manual_changes::ActiveModel {
        id: NotSet,
        at: Set(Clock::real()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        kind: Set(change.code().to_owned()),
        user_number: Set(Some(user.0)),
        fields: Set(i32::try_from(fields).unwrap_or(i32::MAX)),
        confirmed_by: Set(None),
    });
    bulk_insert::insert(db, rows).await
}
