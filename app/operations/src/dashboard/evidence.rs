//! The last checks of the audit and of the backups, and the check of the audit in the background.

use chrono::{DateTime, Utc};
use db::entity::audit_events;
use db::{Clock, RecordsError};
use policy::Action;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::sync::{Arc, Mutex, PoisonError};
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

/// What this process knows about its verification. An altered audit gets no event, so its result is kept here.
#[derive(Default)]
struct KnownCheck(Mutex<Option<AuditCheck>>);

impl KnownCheck {
    fn get(&self) -> Option<AuditCheck> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a verification. Returns false if one is under way.
    fn begin(&self, at: DateTime<Utc>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = !matches!(*known, Some(AuditCheck::UnderWay(_)));
        if is_free {
            *known = Some(AuditCheck::UnderWay(at));
        }
        is_free
    }

    fn end(&self, altered_at: Option<DateTime<Utc>>) {
        let known = altered_at.map(|at| AuditCheck::Done { at, is_whole: false });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// Reads the evidence.
pub async fn evidence(store: &Store, actor: Actor) -> Result<Evidence, RecordsError> {
    actor.require(Action::SeeAudit)?;
    let verified = last(store, AuditAction::AuditVerified).await?;
    let verified = verified.map(|(at, _)| AuditCheck::Done { at, is_whole: true });
    let known = store.process_state::<KnownCheck>().get();
    let audit = known.or(verified).unwrap_or(AuditCheck::Never);
    let backed_up_at = last(store, AuditAction::BackedUp).await?.map(|(at, _)| at);
    let drilled = last(store, AuditAction::BackupDrilled).await?;
    let drilled = drilled.map(|(at, detail)| (at, detail == crate::backup::PASSED));
    Ok(Evidence { audit, backed_up_at, drilled })
}

/// Returns time and detail of the newest event of a rare action.
async fn last(store: &Store, action: AuditAction) -> Result<Option<(DateTime<Utc>, String)>, RecordsError> {
    let newest = audit_events::Entity::find()
        .select_only()
        .columns([audit_events::Column::At, audit_events::Column::Detail])
        .filter(audit_events::Column::Action.eq(action.code()))
        .filter(audit_events::Column::Action.ne(AuditAction::UserAnonymised.code()))
        .order_by_desc(audit_events::Column::Id)
        .limit(1)
        .into_tuple()
        .one(&store.db);
    Ok(newest.await?)
}

/// Verifies the audit in the background, unless this process already does.
pub fn start_audit_check(store: &Store, actor: Actor) -> Result<(), RecordsError> {
    actor.require(Action::SeeAudit)?;
    let known: Arc<KnownCheck> = store.process_state();
    if !known.begin(Clock::system_now()) {
        return Ok(());
    }
    let store = store.clone();
    tokio::spawn(async move {
        let altered_at = match audit::verify_and_record(&store, actor).await {
            Ok(verdict) if !verdict.is_whole() => {
                tracing::error!("the audit was altered: run lethe audit verify");
                Some(store.clock.now())
            }
            Ok(_) => None,
            Err(error) => {
                tracing::error!(code = error.code(), "the audit could not be verified");
                None
            }
        };
        known.end(altered_at);
    });
    Ok(())
}
