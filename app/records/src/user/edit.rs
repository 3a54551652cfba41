//! What an edit amounts to: whether it overwrites what a legal hold keeps, and whether it counts as anonymising.

use super::identity::{corrects, fates, is_eligible_earlier, overwrites};
use crate::actor::{Actor, Channel};
use crate::audit::Deed;
use crate::entity::{photos, sessions, users};
use crate::error::RecordsError;
use crate::limits::{self, Change};
use crate::protection;
use crate::staff::set_aside;
use crate::store::Store;
use policy::erasure::{Erasure, Fate, REPLACED_FIELDS, is_placeholder};
use policy::user_form::UserDraft;
use policy::{Action, Counted, UserNumber};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::BTreeMap;

/// For how many days the replaced values of a member of staff add up.
const STAFF_DAYS: i64 = 30;

/// What an edit does to the personal values of a record.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Effect {
    /// It keeps all of them.
    Keeps,
    /// It gives some of them other values, and removes none.
    Corrects,
    /// It removes some of them.
    Removes,
}

/// What an edit of a record does.
pub(super) struct Edit {
    user: UserNumber,
    effect: Effect,
    erasure: Erasure,
    /// It removes what the user signs in with.
    pub(super) removes_sign_in: bool,
    is_eligible_earlier: bool,
}

impl Edit {
    /// Compares a record with what it is to become.
    pub(super) async fn of(
        tx: &DatabaseTransaction,
        user: UserNumber,
        (old, new): (&users::Model, &users::Model),
        (custom, draft): (&BTreeMap<String, String>, &UserDraft),
    ) -> Result<Self, RecordsError> {
        let lost = || custom.iter().filter(|(key, value)| draft.custom.get(*key) != Some(value));
        let removed = |key: &String| draft.custom.get(key).is_none_or(|value| is_placeholder(value));
        let photo = draft.remove_photo && photos::Entity::find_by_id(user.0).count(tx).await? > 0;
        let sign_in = draft.remove_sign_in && can_sign_in(tx, user).await?;
        let more = [photo, sign_in].into_iter().filter(|removed| *removed).map(|_| Fate::Removed);
        let effect = if photo || sign_in {
            Effect::Removes
        } else if !overwrites(old, new) && lost().next().is_none() {
            Effect::Keeps
        } else if corrects(old, new) && !lost().any(|(key, _)| removed(key)) {
            Effect::Corrects
        } else {
            Effect::Removes
        };
        Ok(Self {
            user,
            effect,
            erasure: Erasure::of(fates(old, new).chain(more)),
            removes_sign_in: sign_in,
            is_eligible_earlier: is_eligible_earlier(old, new),
        })
    }

    /// Tells whether it overwrites or removes a personal value.
    pub(super) fn overwrites(&self) -> bool {
        self.effect != Effect::Keeps
    }

    /// Refuses to change what a legal hold keeps, unless the data protection officer corrects it at the desk.
    pub(super) fn may_correct(&self, actor: Actor) -> Result<(), RecordsError> {
        if self.effect == Effect::Corrects
            && actor.channel == Channel::Desk
            && actor.may(Action::ReleaseHolds)
        {
            return actor.must(Action::ReleaseHolds);
        }
        Err(RecordsError::Refused(
            "A legal hold is in force: no personal value can be emptied, removed or overwritten until it is \
             released. Only the data protection officer can correct a value. Nothing was changed"
                .to_owned(),
        ))
    }

    /// Counts the edit against the limits, and gives the deed that it is. An edit that removes what identifies the user
    /// is the same act as anonymising: it needs the same permission and a young sign-in.
    pub(super) async fn count(
        &self,
        store: &Store,
        actor: Actor,
        tx: &DatabaseTransaction,
    ) -> Result<Deed, RecordsError> {
        let user = self.user;
        if self.is_eligible_earlier {
            limits::claim(tx, store, actor, Counted::Marked, user).await?;
            limits::record(tx, actor, Change::Marked, [(user, 1)]).await?;
        }
        if self.erasure.is_none() {
            return Ok(Deed::UserChanged);
        }
        let fields = self.erasure.removed + self.erasure.replaced;
        if protection::is_staff(tx, user).await? {
            self.may_change_staff(tx).await?;
        }
        if !self.erasure.counts_as_anonymising(limits::replaced_before(tx, user).await?) {
            limits::claim(tx, store, actor, Counted::Replaced, user).await?;
            limits::record(tx, actor, Change::Replaced, [(user, fields)]).await?;
            return Ok(Deed::UserChanged);
        }
        actor.must(Action::AnonymiseOne)?;
        limits::claim(tx, store, actor, Counted::Anonymised, user).await?;
        limits::record(tx, actor, Change::Removed, [(user, fields)]).await?;
        Ok(Deed::IdentityRemoved)
    }

    /// Refuses to remove what identifies a member of staff, at once or one value after the other. A correction stays
    /// possible.
    async fn may_change_staff(&self, tx: &DatabaseTransaction) -> Result<(), RecordsError> {
        let why = if self.removes_sign_in {
            "This user is staff: use “Disable sign-in” on the page Staff".to_owned()
        } else if self.erasure.removed > 0 {
            "This user is staff: the form removes nothing that identifies them. Use “Anonymise this member of staff” on \
             the record"
                .to_owned()
        } else {
            let before = limits::changed_before(tx, self.user, STAFF_DAYS).await?;
            if before + self.erasure.replaced < REPLACED_FIELDS {
                return Ok(());
            }
            format!(
                "This user is staff: the form replaces at most {} identifying values within {STAFF_DAYS} days. To remove \
                 what identifies them, use “Anonymise this member of staff” on the record",
                REPLACED_FIELDS - 1
            )
        };
        Err(RecordsError::Refused(format!("{why}. Nothing was changed")))
    }
}

/// Whether a user has something to sign in with that was not set aside, or a session.
async fn can_sign_in(tx: &DatabaseTransaction, user: UserNumber) -> Result<bool, RecordsError> {
    let sessions = sessions::Entity::find().filter(sessions::Column::UserNumber.eq(user.0));
    Ok(set_aside::is_left(tx, user).await? || sessions.count(tx).await? > 0)
}
