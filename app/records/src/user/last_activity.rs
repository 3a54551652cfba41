//! Corrects the date of the last activity, which an import or an older system can have delivered wrongly.

use super::identity::is_eligible_earlier;
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

/// Sets the date of the last activity. Returns whether it changed.
///
/// An import only moves the date forward; those who may import may correct it in both directions. An earlier date can
/// make the user eligible earlier, so that it counts towards the safety limits.
pub async fn correct_last_activity(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    date: &str,
) -> Result<bool, RecordsError> {
    let corrected = correct_within_limits(store, actor, number, date).await;
    limits::record_limit(store, actor, corrected).await
}

async fn correct_within_limits(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    date: &str,
) -> Result<bool, RecordsError> {
    actor.require(Action::Import)?;
    let wrong = |problem| RecordsError::field("last_activity_on", problem);
    let date = optional_past_date(date, store.clock.today()).map_err(wrong)?;
    let date = date.ok_or_else(|| wrong(Problem::required("the date of the last activity")))?;
    let tx = store.begin().await?;
    let user = lock(&tx, number).await?;
    if user.anonymised_on.is_some() {
        return Err(anonymised(number));
    }
    if user.last_activity_on == Some(date) {
        return Ok(false);
    }
    let corrected = users::Model { last_activity_on: Some(date), ..user.clone() };
    if is_eligible_earlier(&user, &corrected) {
        limits::claim(&tx, store, actor, Counted::Marked, number).await?;
        manual_changes::record(&tx, actor, ManualChange::Marked, [(number, 1)]).await?;
    }
    users::ActiveModel {
        number: Set(number.0),
        last_activity_on: Set(Some(date)),
        version: Set(user.version + 1),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let subject = Subject::User(number.0);
    audit::record_event(
        &tx,
        &store.clock,
        actor,
        AuditAction::UserChanged,
        subject,
        None,
        "last_activity_on",
    )
    .await?;
    store.commit(tx).await?;
    Ok(true)
}
