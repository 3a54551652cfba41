//! After a replay: looking everybody up once more.

use super::groups;
use super::people;
use super::receipt::Receipt;
use crate::error::RecordsError;
use crate::store::Store;
use policy::numbers::counted;

/// Looks up everybody whom the entries of a receipt name; refuses when somebody is not anonymised.
pub(super) async fn everybody(store: &Store, receipt: &Receipt) -> Result<(), RecordsError> {
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
        "The ledger was replayed, but {} of those whom it names are not anonymised: something else changed the \
         database meanwhile. Restore the backup once more and start again",
        counted(left, "person", "people")
    )))
}
