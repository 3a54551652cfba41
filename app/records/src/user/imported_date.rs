//! Corrects the last activity and the creation date of a record. An import or an older system can have delivered them
//! wrongly, and the form of a user doesn't have them.

use super::identity::is_eligible_earlier;
use chrono::NaiveDate;
use db::RecordsError;
use db::entity::users;
use policy::dates::optional_past_date;
use policy::form::Problem;
use policy::{Action, Counted, ManualChange, UserNumber};
use safeguards::{limits, manual_changes};
use sea_orm::{ActiveModelTrait, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::person::{anonymised, lock};
use trail::{Actor, Store};

/// A date that imports deliver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportedDate {
    /// The day of the last activity.
    LastActivity,
    /// The day on which the record was created.
    Created,
}

impl ImportedDate {
    /// Returns the name of the column and of the field in forms.
    const fn field(self) -> &'static str {
        match self {
            Self::LastActivity => "last_activity_on",
            Self::Created => "created_on",
        }
    }

    const fn required(self) -> &'static str {
        match self {
            Self::LastActivity => "the date of the last activity",
            Self::Created => "the date on which the record was created",
        }
    }

    const fn value(self, user: &users::Model) -> Option<NaiveDate> {
        match self {
            Self::LastActivity => user.last_activity_on,
            Self::Created => user.created_on,
        }
    }
}

/// Sets a date that imports deliver. Returns whether it changed.
///
/// An import only moves the last activity forward; those who may import may correct the dates in both directions. An
/// earlier date can make the user eligible earlier, so that it counts towards the safety limits.
pub async fn correct_date(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    which: ImportedDate,
    date: &str,
) -> Result<bool, RecordsError> {
    let corrected = correct_within_limits(store, actor, number, which, date).await;
    limits::record_limit(store, actor, corrected).await
}

async fn correct_within_limits(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    which: ImportedDate,
    date: &str,
) -> Result<bool, RecordsError> {
    actor.require(Action::Import)?;
    let wrong = |problem| RecordsError::field(which.field(), problem);
    let date = optional_past_date(date, store.clock.today()).map_err(wrong)?;
    let date = date.ok_or_else(|| wrong(Problem::required(which.required())))?;
    let tx = store.begin().await?;
    let user = lock(&tx, number).await?;
    if user.anonymised_on.is_some() {
        return Err(anonymised(number));
    }
    if which.value(&user) == Some(date) {
        return Ok(false);
    }
    let mut corrected = user.clone();
    let mut change =
        users::ActiveModel { number: Set(number.0), version: Set(user.version + 1), ..Default::default() };
    match which {
        ImportedDate::LastActivity => {
            corrected.last_activity_on = Some(date);
            change.last_activity_on = Set(Some(date));
        }
        ImportedDate::Created => {
            corrected.created_on = Some(date);
            change.created_on = Set(Some(date));
        }
    }
    if is_eligible_earlier(&user, &corrected) {
        limits::claim(&tx, store, actor, Counted::Marked, number).await?;
        manual_changes::record(&tx, actor, ManualChange::Marked, [(number, 1)]).await?;
    }
    change.update(&tx).await?;
    let (subject, action) = (Subject::User(number.0), AuditAction::UserChanged);
    audit::record_event(&tx, &store.clock, actor, action, subject, None, which.field()).await?;
    store.commit(tx).await?;
    Ok(true)
}
