//! Checks every user after a replay.

use super::receipt::Receipt;
use super::{groups, people};
use db::RecordsError;
use policy::numbers::counted;
use trail::Store;

/// Returns an error if any user named in the entries of `receipt` isn't anonymised.
pub async fn all_anonymised(store: &Store, receipt: &Receipt) -> Result<(), RecordsError> {
    let entries = receipt.from_sequence..=receipt.to_sequence;
    let mut groups = groups::read(store.settings.ledger.clone(), entries);
    let mut left = 0;
    while let Some(group) = groups.recv().await {
        let group = group?;
        for person in people::find(&store.db, &group.people).await? {
            if !person.anonymised || group.is_behind(&person) {
                left += 1;
            }
        }
    }
    if left == 0 {
        return Ok(());
    }
    Err(RecordsError::Ledger(format!(
        "The ledger was replayed, but {} named in it are still not anonymised: another program changed the database \
         meanwhile. Restore the backup again and restart Lethe",
        counted(left, "user", "users")
    )))
}
