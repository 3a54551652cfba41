//! Excludes users from the run of a preview, and includes them again.
//!
//! An excluded user gets another reason, so that counts, fingerprint and the users of the run follow. An approval that
//! was given before holds for the other fingerprint, and is not valid any more.

use super::{approval_gate, preview_digest, start, verdict_counts};
use crate::task;
use db::entity::runs;
use db::{RecordsError, dialect};
use policy::form::Problem;
use policy::listed_users::MAX_LISTED;
use policy::{Action, ExclusionReason, Reason, RunId, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, Set};
use std::collections::BTreeSet;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Excludes eligible users from the run of a preview, all or none.
pub async fn exclude(
    store: &Store,
    actor: Actor,
    preview: RunId,
    users: &BTreeSet<UserNumber>,
    reason: ExclusionReason,
) -> Result<(), RecordsError> {
    let change = Change {
        from: Reason::Eligible,
        to: Reason::ExcludedByStaff,
        exclusion: Some(reason),
        action: AuditAction::UserExcluded,
    };
    change.apply(store, actor, preview, users).await
}

/// Includes excluded users again, all or none.
pub async fn include(
    store: &Store,
    actor: Actor,
    preview: RunId,
    users: &BTreeSet<UserNumber>,
) -> Result<(), RecordsError> {
    let change = Change {
        from: Reason::ExcludedByStaff,
        to: Reason::Eligible,
        exclusion: None,
        action: AuditAction::UserIncluded,
    };
    change.apply(store, actor, preview, users).await
}

/// A change of the selection of a preview.
struct Change {
    from: Reason,
    to: Reason,
    exclusion: Option<ExclusionReason>,
    action: AuditAction,
}

impl Change {
    async fn apply(
        &self,
        store: &Store,
        actor: Actor,
        preview: RunId,
        users: &BTreeSet<UserNumber>,
    ) -> Result<(), RecordsError> {
        actor.require(Action::Preview)?;
        if users.is_empty() {
            return Err(RecordsError::field(
                "users",
                Problem::NotChosen { what: "at least one user".to_owned() },
            ));
        }
        if users.len() > MAX_LISTED {
            return Err(RecordsError::field("users", Problem::TooMany { max: MAX_LISTED }));
        }
        let tx = store.begin().await?;
        approval_gate::lock_preview(&tx, preview).await?;
        let preview = start::current_preview(&tx, store, preview).await?;
        task::may_use(actor, &preview.settings)?;
        self.move_members(&tx, actor, &preview, users).await?;
        update_fingerprint(&tx, &preview).await?;
        let detail = self.exclusion.map(|reason| format!("reason={}", reason.code())).unwrap_or_default();
        let run = Some(RunId(preview.id));
        let events: Vec<_> = users.iter().map(|user| (Subject::User(user.0), run, detail.clone())).collect();
        audit::note_each(&tx, &store.clock, actor, self.action, &events).await?;
        store.commit(tx).await?;
        Ok(())
    }

    /// Gives the users the other reason. Rejects users who have not the expected one.
    async fn move_members(
        &self,
        tx: &DatabaseTransaction,
        actor: Actor,
        preview: &runs::Model,
        users: &BTreeSet<UserNumber>,
    ) -> Result<(), RecordsError> {
        let backend = tx.get_database_backend();
        let by = actor.staff.filter(|_| self.exclusion.is_some()).map(|staff| staff.0);
        // Raw SQL: one UPDATE for all users, which `dialect::in_list` takes as one value.
        let sql = format!(
            "UPDATE run_members SET reason = ?, exclusion = ?, excluded_by = ? WHERE run_id = ? AND reason = ? AND {}",
            dialect::in_list(backend, "user_number")
        );
        let values: Vec<Value> = vec![
            self.to.number().into(),
            self.exclusion.into(),
            by.into(),
            preview.id.into(),
            self.from.number().into(),
            dialect::id_list(backend, users.iter().map(|user| user.0)),
        ];
        let moved = tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
        if usize::try_from(moved.rows_affected()) == Ok(users.len()) {
            return Ok(());
        }
        let why = match self.from {
            Reason::Eligible => {
                "Only eligible users of this preview can be excluded. Open the preview again and choose \
                 among the users that it shows"
            }
            _ => "Not all of these users are excluded from this preview. Open it again",
        };
        Err(RecordsError::Refused(why.to_owned()))
    }
}

/// Counts the users of a changed preview again and computes its new fingerprint.
async fn update_fingerprint(tx: &DatabaseTransaction, preview: &runs::Model) -> Result<(), RecordsError> {
    let before = preview.previewed + preview.excluded;
    let [_, previewed] = verdict_counts::count(tx, preview).await?;
    let id = RunId(preview.id);
    let fingerprint =
        preview_digest::fingerprint(tx, id, &preview.settings, preview.rules_version, preview.today).await?;
    runs::ActiveModel {
        id: Set(preview.id),
        previewed: Set(previewed),
        excluded: Set(before - previewed),
        fingerprint: Set(Some(fingerprint)),
        ..Default::default()
    }
    .update(tx)
    .await?;
    Ok(())
}
