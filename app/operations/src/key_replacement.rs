//! Replacing the key of the installation when it is lost or may be known to others.

use crate::startup::open_store;
use db::{Clock, RecordsError, Settings, dialect, opening};
use policy::Action;
use policy::form::Problem;
use serde::Serialize;
use std::path::PathBuf;
use trail::audit::{self, AuditAction, Subject};
use trail::key::{self, Key, file};
use trail::{Actor, chain};

/// The word to type as confirmation.
pub const CONFIRMATION: &str = "REPLACE";

/// The result of replacing the key.
#[derive(Debug, Serialize)]
pub struct Replaced {
    /// The fingerprint of the new key.
    pub fingerprint: String,
    /// The path to which the old file was renamed. None if there was none.
    pub kept: Option<PathBuf>,
}

/// Creates a new key, renames the old file and records the new fingerprint. `typed` must be `REPLACE`. Earlier
/// events and certificates match the old key only, and authenticator apps must be set up again.
pub async fn replace(
    url: &str,
    clock: Clock,
    settings: Settings,
    actor: Actor,
    typed: &str,
) -> Result<Replaced, RecordsError> {
    actor.require(Action::Administer)?;
    if typed.trim() != CONFIRMATION {
        let expected = CONFIRMATION.to_owned();
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let db = opening::open_database(url).await?;
    let path = settings.key.clone();
    let kept = path.exists().then(|| {
        let mut kept = path.clone().into_os_string();
        kept.push(Clock::system_now().format(".kept-%Y%m%dT%H%M%S%.3fZ").to_string());
        PathBuf::from(kept)
    });
    let beside = kept.clone();
    let made = tokio::task::spawn_blocking(move || {
        if let Some(kept) = beside {
            file::keep_beside(&path, &kept)?;
        }
        file::make(&path)
    });
    let made = made.await.unwrap_or_else(|_| Err(std::io::Error::other("broken off").into()));
    made.map_err(|error| key::unusable(&settings.key, &error))?;
    let fingerprint = Key::read(&settings.key).await?.fingerprint();
    if !key::is_current(&db, &fingerprint).await? {
        record(&db, &fingerprint).await?;
    }
    db.close().await?;
    let store = open_store(url, clock, settings).await?;
    let tx = store.begin().await?;
    let detail = format!("fingerprint={fingerprint}");
    audit::record_event(&tx, &store.clock, actor, AuditAction::KeyReplaced, Subject::Library, None, &detail)
        .await?;
    store.commit(tx).await?;
    Ok(Replaced { fingerprint, kept })
}

#[allow(clippy::disallowed_methods, reason = "no event can be chained before the new key is recorded")]
async fn record(db: &sea_orm::DatabaseConnection, fingerprint: &str) -> Result<(), RecordsError> {
    let tx = dialect::begin(db).await?;
    chain::lock_head(&tx).await?;
    key::retire(&tx).await?;
    key::record(&tx, fingerprint).await?;
    Ok(tx.commit().await?)
}
