//! The last checks of the audit and of the backups, and the check of the audit in the background.

use chrono::{DateTime, Utc};
use db::RecordsError;
use policy::Action;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trail::audit::{self, AuditAction};
use trail::{Actor, Store};

/// The state of the verification of the audit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuditCheck {
    /// The audit was never verified.
    Never,
    /// This process has been verifying it since this time.
    UnderWay(DateTime<Utc>),
    /// It was last verified at this time.
    Done {
        /// When.
        at: DateTime<Utc>,
        /// Whether it was intact.
        is_whole: bool,
    },
    /// The last verification ended at this time without a result, for example because the database did not answer.
    NotVerified(DateTime<Utc>),
}

impl AuditCheck {
    /// Returns when the verification ended.
    const fn ended_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Never | Self::UnderWay(_) => None,
            Self::Done { at, .. } | Self::NotVerified(at) => Some(at),
        }
    }
}

/// The evidence that the library's proofs and backups work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Evidence {
    /// The verification of the audit.
    pub audit: AuditCheck,
    /// When the last backup was made.
    pub backed_up_at: Option<DateTime<Utc>>,
    /// When the last restore drill ended, and whether it passed.
    pub drilled: Option<(DateTime<Utc>, bool)>,
}

/// The state of this process's verification. Only an intact audit gets an event, so other results are kept here.
#[derive(Default)]
struct KnownCheck(Mutex<Option<AuditCheck>>);

impl KnownCheck {
    fn state(&self) -> MutexGuard<'_, Option<AuditCheck>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A verification under way. If it panics, the audit counts as not verified.
struct Turn {
    known: Arc<KnownCheck>,
    /// The state at the end of the verification. None if the audit has an event of it.
    result: Option<AuditCheck>,
}

impl Turn {
    /// Begins a verification. Returns None if one is under way.
    fn begin(known: &Arc<KnownCheck>, at: DateTime<Utc>) -> Option<Self> {
        let mut state = known.state();
        if matches!(*state, Some(AuditCheck::UnderWay(_))) {
            return None;
        }
        *state = Some(AuditCheck::UnderWay(at));
        Some(Self { known: known.clone(), result: Some(AuditCheck::NotVerified(at)) })
    }

    fn end(mut self, result: Option<AuditCheck>) {
        self.result = result;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.known.state() = self.result;
    }
}

/// Reads the evidence.
pub async fn evidence(store: &Store, actor: Actor) -> Result<Evidence, RecordsError> {
    actor.require(Action::SeeAudit)?;
    // Read before the event: a verification that ends in between is then in one of the two.
    let known = *store.process_state::<KnownCheck>().state();
    let intact_at = audit::newest(store, AuditAction::AuditVerified).await?.map(|(at, _)| at);
    let audit = newer(known, intact_at);
    let backed_up_at = audit::newest(store, AuditAction::BackedUp).await?.map(|(at, _)| at);
    let drilled = audit::newest(store, AuditAction::BackupDrilled).await?;
    let drilled = drilled.map(|(at, detail)| (at, detail == crate::backup::PASSED));
    Ok(Evidence { audit, backed_up_at, drilled })
}

/// Returns what this process knows, unless the audit has been found intact since, perhaps by another process.
fn newer(known: Option<AuditCheck>, intact_at: Option<DateTime<Utc>>) -> AuditCheck {
    let is_outdated = |known: &AuditCheck| {
        known.ended_at().is_some_and(|ended| intact_at.is_some_and(|intact| intact > ended))
    };
    let intact = intact_at.map(|at| AuditCheck::Done { at, is_whole: true });
    known.filter(|known| !is_outdated(known)).or(intact).unwrap_or(AuditCheck::Never)
}

/// Verifies the audit in the background, unless this process already does.
pub fn start_audit_check(store: &Store, actor: Actor) -> Result<(), RecordsError> {
    actor.require(Action::SeeAudit)?;
    let Some(turn) = Turn::begin(&store.process_state(), store.clock.now()) else { return Ok(()) };
    let store = store.clone();
    tokio::spawn(async move {
        let result = match audit::verify_and_record(&store, actor).await {
            Ok(verdict) if verdict.is_whole() => None,
            Ok(_) => {
                tracing::error!("the audit was altered: run lethe audit verify");
                Some(AuditCheck::Done { at: store.clock.now(), is_whole: false })
            }
            Err(error) => {
                tracing::error!(code = error.code(), "the audit could not be verified");
                Some(AuditCheck::NotVerified(store.clock.now()))
            }
        };
        turn.end(result);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_without_a_result_is_not_under_way_any_more() {
        let known = Arc::new(KnownCheck::default());
        let at = DateTime::UNIX_EPOCH;
        let turn = Turn::begin(&known, at);
        assert_eq!(*known.state(), Some(AuditCheck::UnderWay(at)));
        assert!(turn.is_some() && Turn::begin(&known, at).is_none(), "one at a time");
        drop(turn);
        assert_eq!(*known.state(), Some(AuditCheck::NotVerified(at)));
        assert!(Turn::begin(&known, at).is_some(), "it can be tried again");
    }
}
