//! Legal holds that are due for review.

use super::{Condition, ConditionKind, query};
use chrono::{NaiveDate, NaiveTime};
use db::RecordsError;
use policy::timezone;
use safeguards::legal_hold::DUE;
use trail::Store;

/// Returns a single condition for all of them. They stay in force until they are released.
pub(super) async fn due(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    // Raw SQL: the condition is a fragment shared with the list of legal holds.
    let sql = format!(
        "SELECT COUNT(*) AS n, MIN(x.review_on) AS since FROM legal_holds x \
         WHERE x.released_on IS NULL AND {DUE}"
    );
    let today = store.clock.today();
    let rows = query(store, &sql, vec![today.into()]).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let holds: i64 = row.try_get("", "n")?;
    if holds == 0 {
        return Ok(Vec::new());
    }
    let since: Option<NaiveDate> = row.try_get("", "since")?;
    let morning = since.unwrap_or(today).and_time(NaiveTime::MIN);
    let since = timezone::at_wall_time(store.clock.zone(), morning).at;
    Ok(vec![Condition { what: ConditionKind::LegalHoldsDue { holds }, task: None, run: None, since }])
}
