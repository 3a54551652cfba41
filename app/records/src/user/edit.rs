//! What an edit amounts to: whether it overwrites what a legal hold keeps, and whether it counts as anonymising.

use super::identity::{corrects, fates, is_eligible_earlier, overwrites};
use crate::actor::{Actor, Channel};
use crate::audit::Deed;
use crate::entity::{credentials, photos, users};
use crate::error::RecordsError;
use crate::limits::{self, Change};
use crate::staff::roles_of;
use crate::store::Store;
use policy::erasure::{Erasure, Fate, is_placeholder};
use policy::user_form::UserDraft;
use policy::{Action, Counted, UserNumber};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::BTreeMap;

/// What an edit of a record does.
pub(super) struct Edit {
    user: UserNumber,
    /// It overwrites or removes a personal value.
    pub(super) overwrites: bool,
    /// It removes none: what changes has another value.
    corrects: bool,
    erasure: Erasure,
    is_eligible_earlier: bool,
}

impl Edit {
    /// Compares a record with what it is to become.
    pub(super) async fn of(
        tx: &DatabaseTransaction,
        user: UserNumber,
        (old, new): (&users::Model, &users::Model),
        (custom, draft): (&BTreeMap<String, String>, &UserDraft),
    ) -> Result<Self, DbErr> {
        let lost = || custom.iter().filter(|(key, value)| draft.custom.get(*key) != Some(value));
        let removed = |key: &String| draft.custom.get(key).is_none_or(|value| is_placeholder(value));
        let photo = draft.remove_photo && photos::Entity::find_by_id(user.0).count(tx).await? > 0;
        let sign_in = draft.remove_sign_in && has_credentials(tx, user).await?;
        let more = [photo, sign_in].into_iter().filter(|removed| *removed).map(|_| Fate::Removed);
        Ok(Self {
            user,
            overwrites: overwrites(old, new) || lost().next().is_some() || photo || sign_in,
            corrects: corrects(old, new) && !lost().any(|(key, _)| removed(key)) && !photo && !sign_in,
            erasure: Erasure::of(fates(old, new).chain(more)),
            is_eligible_earlier: is_eligible_earlier(old, new),
        })
    }

    /// Refuses to change what a legal hold keeps, unless the data protection officer corrects it at the desk.
    pub(super) fn may_correct(&self, actor: Actor) -> Result<(), RecordsError> {
        if self.corrects && actor.channel == Channel::Desk && actor.may(Action::ReleaseHolds) {
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
        if !self.erasure.counts_as_anonymising(limits::replaced_before(tx, user).await?) {
            limits::record(tx, actor, Change::Replaced, [(user, fields)]).await?;
            return Ok(Deed::UserChanged);
        }
        actor.must(Action::AnonymiseOne)?;
        if fields > 1 && !roles_of(tx, user).await?.is_empty() {
            return Err(RecordsError::Refused(
                "This user is staff: what identifies them is not removed in the form. Use “Anonymise this member of \
                 staff” on the record. Nothing was changed"
                    .to_owned(),
            ));
        }
        limits::claim(tx, store, actor, Counted::Anonymised, user).await?;
        limits::record(tx, actor, Change::Removed, [(user, fields)]).await?;
        Ok(Deed::IdentityRemoved)
    }
}

async fn has_credentials(tx: &DatabaseTransaction, user: UserNumber) -> Result<bool, DbErr> {
    let theirs = credentials::Entity::find().filter(credentials::Column::UserNumber.eq(user.0));
    Ok(theirs.count(tx).await? > 0)
}
