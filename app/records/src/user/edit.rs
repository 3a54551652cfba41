//! Classifies an edit: whether it overwrites what a legal hold protects, and whether it counts as anonymising.

use super::identity::{corrects, fates, is_eligible_earlier, overwrites};
use db::RecordsError;
use db::entity::{photos, sessions, users};
use identity::staff::set_aside;
use policy::erasure::{Erasure, Fate, REPLACED_FIELDS, is_placeholder};
use policy::user_form::UserDraft;
use policy::{Action, Channel, Counted, ManualChange, UserNumber};
use safeguards::{limits, manual_changes, protection};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::BTreeMap;
use trail::audit::AuditAction;
use trail::{Actor, Store};

/// The period in days over which replaced values of a member of staff are added up.
const STAFF_DAYS: i64 = 30;

/// The effect of an edit on the personal values of a record.
#[derive(Clone, Copy, Eq, PartialEq)]
enum FieldEffect {
    /// Keeps all of them.
    Keeps,
    /// Replaces some and removes none.
    Corrects,
    /// Removes some.
    Removes,
}

/// The classification of an edit.
pub(super) struct Edit {
    user: UserNumber,
    effect: FieldEffect,
    erasure: Erasure,
    /// Whether it removes the user's credentials.
    pub(super) removes_sign_in: bool,
    is_eligible_earlier: bool,
}

impl Edit {
    /// Compares a record with its new values.
    pub(super) async fn compare(
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
            FieldEffect::Removes
        } else if !overwrites(old, new) && lost().next().is_none() {
            FieldEffect::Keeps
        } else if corrects(old, new) && !lost().any(|(key, _)| removed(key)) {
            FieldEffect::Corrects
        } else {
            FieldEffect::Removes
        };
        Ok(Self {
            user,
            effect,
            erasure: Erasure::count(fates(old, new).chain(more)),
            removes_sign_in: sign_in,
            is_eligible_earlier: is_eligible_earlier(old, new),
        })
    }

    /// Returns whether it overwrites or removes a personal value.
    pub fn overwrites(&self) -> bool {
        self.effect != FieldEffect::Keeps
    }

    /// Returns an error if the edit changes what a legal hold protects.
    ///
    /// On the web, the data protection officer may correct such a value.
    pub(super) fn may_correct(&self, actor: Actor) -> Result<(), RecordsError> {
        if self.effect == FieldEffect::Corrects
            && actor.channel == Channel::Web
            && actor.may(Action::ReleaseLegalHolds)
        {
            return actor.require(Action::ReleaseLegalHolds);
        }
        Err(RecordsError::Refused(
            "This user is under a legal hold. No personal value can be removed or overwritten until it is released; \
             only the data protection officer can correct a value. Nothing was changed"
                .to_owned(),
        ))
    }

    /// Counts the edit towards the limits and returns its audit action.
    ///
    /// Removing identifying values is equivalent to anonymising, and requires the same permission and a fresh
    /// sign-in.
    pub(super) async fn count(
        &self,
        store: &Store,
        actor: Actor,
        tx: &DatabaseTransaction,
    ) -> Result<AuditAction, RecordsError> {
        let user = self.user;
        if actor.channel == Channel::Api {
            self.count_as_import(store, actor, tx).await?;
            return Ok(AuditAction::UserChanged);
        }
        if self.is_eligible_earlier {
            limits::claim(tx, store, actor, Counted::Marked, user).await?;
            manual_changes::record(tx, actor, ManualChange::Marked, [(user, 1)]).await?;
        }
        if self.erasure.is_none() {
            return Ok(AuditAction::UserChanged);
        }
        let fields = self.erasure.removed + self.erasure.replaced;
        if protection::is_staff(tx, user).await? {
            self.may_change_staff(tx).await?;
        }
        if !self.erasure.counts_as_anonymising(manual_changes::replaced_before(tx, user).await?) {
            limits::claim(tx, store, actor, Counted::Replaced, user).await?;
            manual_changes::record(tx, actor, ManualChange::Replaced, [(user, fields)]).await?;
            return Ok(AuditAction::UserChanged);
        }
        actor.require(Action::AnonymiseOne)?;
        limits::claim(tx, store, actor, Counted::Anonymised, user).await?;
        manual_changes::record(tx, actor, ManualChange::Removed, [(user, fields)]).await?;
        Ok(AuditAction::IdentityRemoved)
    }

    /// Counts a change by an identity system towards the limits of imports, as a line of a file.
    async fn count_as_import(
        &self,
        store: &Store,
        actor: Actor,
        tx: &DatabaseTransaction,
    ) -> Result<(), RecordsError> {
        let fields = self.erasure.removed + self.erasure.replaced;
        let before = manual_changes::replaced_before(tx, self.user).await?;
        if self.erasure.counts_in_an_import(before) || self.is_eligible_earlier {
            limits::claim_import(tx, store, actor, self.user, fields).await?;
        } else if !self.erasure.is_none() {
            manual_changes::record(tx, actor, ManualChange::ImportReplaced, [(self.user, fields)]).await?;
        }
        Ok(())
    }

    /// Returns an error if the edit removes the identity of a member of staff, at once or value by value.
    /// Corrections are allowed.
    async fn may_change_staff(&self, tx: &DatabaseTransaction) -> Result<(), RecordsError> {
        let why = if self.removes_sign_in {
            "This user is staff. Use “Disable sign-in” on the page Staff".to_owned()
        } else if self.erasure.removed > 0 {
            "This user is staff. Identifying fields cannot be removed here. Use “Anonymise this member of staff” on the \
             record"
                .to_owned()
        } else {
            let before = manual_changes::changed_before(tx, self.user, STAFF_DAYS).await?;
            if before + self.erasure.replaced < REPLACED_FIELDS {
                return Ok(());
            }
            format!(
                "This user is staff. At most {} identifying values can be replaced within {STAFF_DAYS} days. To remove \
                 all of them, use “Anonymise this member of staff” on the record",
                REPLACED_FIELDS - 1
            )
        };
        Err(RecordsError::Refused(format!("{why}. Nothing was changed")))
    }
}

/// Returns whether a user has a session, or a credential that isn't set aside.
pub(super) async fn can_sign_in(tx: &DatabaseTransaction, user: UserNumber) -> Result<bool, RecordsError> {
    let sessions = sessions::Entity::find().filter(sessions::Column::UserNumber.eq(user.0));
    Ok(set_aside::is_left(tx, user).await? || sessions.count(tx).await? > 0)
}
