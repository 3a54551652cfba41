//! Recording one event for each anonymised user, with position and MAC, in a single statement.

use super::AuditAction;
use crate::actor::Actor;
use crate::chain::{self, ChainHead, Chained, Event};
use crate::store::Store;
use chrono::SubsecRound as _;
use db::{RecordsError, dialect};
use policy::{RunId, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;

/// The kind of subject of these events.
const KIND: &str = "user";

/// An event, as passed to the statement.
#[derive(Serialize)]
struct Row {
    subject: String,
    #[serde(flatten)]
    chained: Chained,
}

/// Records that these users were anonymised. `codes` are added to the detail of each event. It locks the end of the chain until the commit, so it must be the
/// last change of the transaction.
pub async fn note_people(
    store: &Store,
    tx: &DatabaseTransaction,
    (actor, run): (Actor, RunId),
    done: &[UserNumber],
    codes: &str,
) -> Result<(), RecordsError> {
    if done.is_empty() {
        return Ok(());
    }
    let backend = tx.get_database_backend();
    // No finer than both databases store, so that the MAC can be verified from the stored value.
    let at = store.clock.now().trunc_subsecs(6);
    let (number, channel) = (actor.staff.map(|staff| staff.0), actor.channel.code());
    let more = if codes.is_empty() { String::new() } else { format!(",{codes}") };
    let (action, detail) =
        (AuditAction::UserAnonymised.code(), format!("rules={}{more}", policy::RULES_VERSION));
    let mut end = ChainHead::lock(&store.chain_key, tx).await?;
    let ids = dialect::next_ids(tx, "audit_events", done.len()).await?;
    let rows: Vec<Row> = std::iter::zip(ids, done)
        .map(|(id, user)| {
            let subject = user.0.to_string();
            let event = Event::new(
                id,
                [
                    Some(at.timestamp_micros().to_string()),
                    number.map(|number| number.to_string()),
                    Some(channel.to_owned()),
                    Some(action.to_owned()),
                    Some(KIND.to_owned()),
                    Some(subject.clone()),
                    Some(run.0.to_string()),
                    Some(detail.clone()),
                ],
            );
            Row { subject, chained: end.add(&event) }
        })
        .collect();
    // Raw SQL: one statement for many events, whose rows `dialect::json_rows` provides.
    let sql = format!(
        "INSERT INTO audit_events (id, at, actor_number, channel, action, subject_kind, subject_id, run_id, detail, \
         sequence, mac) SELECT number, CAST(? AS {}), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), '{KIND}', \
         CAST(subject AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(place AS BIGINT), code FROM {}",
        dialect::instant_type(backend),
        dialect::json_rows(backend, "events", &["subject", "place", "code"])
    );
    let json = serde_json::to_string(&rows).map_err(|_| RecordsError::Corrupt("audit"))?;
    let values: Vec<Value> = vec![
        at.into(),
        number.into(),
        channel.into(),
        action.into(),
        run.0.into(),
        detail.into(),
        json.into(),
    ];
    let written = tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    if written.rows_affected() != done.len() as u64 {
        return Err(chain::broken());
    }
    end.unlock(tx).await
}
