//! Replaces a ledger that is lost for good.

use super::entry::Header;
use super::file::Damage;
use super::writer::{Opened, blocking};
use super::{LedgerStatus, survey, watermark};
use db::{Clock, RecordsError};
use policy::Action;
use policy::form::Problem;
use std::path::PathBuf;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store, chain};

/// The word to type as confirmation.
const CONFIRMATION: &str = "LOST";

/// Starts a new ledger at the watermark, when the old one is lost for good. `typed` must be `LOST`.
///
/// Keeps a copy of the old file beside the new one. Users named only in the old ledger are not anonymised again
/// after a restore.
///
/// Rejects the request if the ledger is intact or only unreadable at the moment.
pub async fn reset(store: &Store, actor: Actor, typed: &str) -> Result<LedgerStatus, RecordsError> {
    actor.require(Action::Administer)?;
    if typed.trim() != CONFIRMATION {
        let expected = CONFIRMATION.to_owned();
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let before = survey::status(store).await?;
    if matches!(before, LedgerStatus::Level | LedgerStatus::Ahead { .. }) {
        return Err(RecordsError::Refused(format!(
            "The ledger file is intact. Nothing was changed. {}",
            before.label()
        )));
    }
    if let LedgerStatus::Unusable { why } = before {
        return Err(RecordsError::Ledger(why));
    }
    let tx = store.begin().await?;
    // Lock order: the head of the audit chain first, then the ledger file.
    let after = watermark::read(&tx).await?.map_or(0, |mark| mark.position.sequence);
    let detail = format!("after={after}");
    audit::record_event(&tx, &store.clock, actor, AuditAction::LedgerReset, Subject::Library, None, &detail)
        .await?;
    chain::chain(&store.chain_key, &tx).await?;
    let opened = Opened::or_created(store).await?;
    let mark = watermark::read_settled(&tx).await?;
    let (library, at) = if let Some(mark) = mark {
        (mark.library, mark.position)
    } else {
        let (library, begins) = Header::of_new_library();
        watermark::begin(&tx, &library, &begins).await?;
        (library, begins)
    };
    begin(opened, Header::new(library, at), kept_beside(store)).await?;
    store.commit(tx).await?;
    survey::status(store).await
}

/// Copies the old file and writes the first line of the new ledger.
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

/// Returns the path of the copy: `lethe.ledger.kept-20180121T120000.000Z`.
fn kept_beside(store: &Store) -> PathBuf {
    let mut path = store.settings.ledger.clone().into_os_string();
    path.push(Clock::system_now().format(".kept-%Y%m%dT%H%M%S%.3fZ").to_string());
    path.into()
}
