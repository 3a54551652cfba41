//! Events that follow from the calendar: a legal hold that is due for review.

use db::RecordsError;
use policy::notification::Event;
use safeguards::legal_hold;
use trail::Store;
use trail::outbox::{self, About};

/// Writes an event for each legal hold whose review date has come. A later review date makes another event.
pub(crate) async fn post(store: &Store) -> Result<(), RecordsError> {
    let due = legal_hold::due(&store.db, store.clock.today()).await?;
    if due.is_empty() {
        return Ok(());
    }
    let tx = store.begin().await?;
    for (hold, review_on) in due {
        let about = About { legal_hold: Some(hold), ..About::default() };
        let once = format!("legal_hold/{hold}/{review_on}");
        outbox::post(&tx, &store.clock, Event::LegalHoldDue, about, Some(once)).await?;
    }
    store.commit(tx).await
}
