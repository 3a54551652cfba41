//! A new ledger in the place of one that is lost for good.

use super::entry::Header;
use super::file::Damage;
use super::writer::{Opened, blocking};
use super::{Standing, mark, survey};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::error::RecordsError;
use crate::store::Store;
use policy::Action;
use policy::form::Problem;
use std::path::PathBuf;

/// What is typed to confirm.
const CONFIRMATION: &str = "LOST";

/// Begins a new ledger where the database stands, when the old one is lost for good; `typed` is the word `LOST`. What
/// stands in the file is kept beside it. People whom only the old ledger named are not anonymised again when a backup
/// is restored.
pub async fn start_over(store: &Store, actor: Actor, typed: &str) -> Result<Standing, RecordsError> {
    actor.must(Action::Administer)?;
    if typed.trim() != CONFIRMATION {
        let expected = CONFIRMATION.to_owned();
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let before = survey::standing(store).await?;
    if matches!(before, Standing::Level | Standing::Ahead { .. }) {
        return Err(RecordsError::Refused(format!(
            "The ledger is there and whole: nothing was changed. {}",
            before.words()
        )));
    }
    if let Standing::Unusable { why } = before {
        return Err(RecordsError::Ledger(why));
    }
    let tx = store.begin().await?;
    // Whoever waits for more than one thing takes the end of the audit before the ledger.
    let after = mark::read(&tx).await?.map_or(0, |mark| mark.place.sequence);
    let detail = format!("after={after}");
    audit::note(&tx, &store.clock, actor, Deed::LedgerStartedOver, Subject::Library, None, &detail).await?;
    audit::chain(store, &tx).await?;
    let opened = Opened::or_created(store).await?;
    let mark = mark::read_settled(&tx).await?;
    let (library, at) = if let Some(mark) = mark {
        (mark.library, mark.place)
    } else {
        let (library, begins) = Header::of_new_library();
        mark::begin(&tx, &library, &begins).await?;
        (library, begins)
    };
    begin(opened, Header::new(library, at), kept_beside(store)).await?;
    store.commit(tx).await?;
    survey::standing(store).await
}

/// Keeps what stands in the file, and writes the first line of the new ledger.
async fn begin(mut opened: Opened, header: Header, kept: PathBuf) -> Result<(), RecordsError> {
    let line = header.line().map_err(|_| RecordsError::Corrupt("ledger"))?;
    let begun = blocking(move || {
        if !opened.file.is_empty()? {
            opened.file.copy_to(&kept)?;
        }
        opened.file.start(&line)
    });
    Ok(begun.await?.map_err(Damage::from)?)
}

/// Where the old file is kept: `lethe.ledger.kept-20180121T120000Z`.
fn kept_beside(store: &Store) -> PathBuf {
    let mut path = store.settings.ledger.clone().into_os_string();
    path.push(Clock::real().format(".kept-%Y%m%dT%H%M%S%.3fZ").to_string());
    path.into()
}
