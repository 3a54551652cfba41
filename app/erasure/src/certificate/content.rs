//! The content of a certificate, computed from the records.

use super::people::UserCounts;
use super::residue::ResidueCounts;
use crate::ledger;
use chrono::{DateTime, NaiveDate, Utc};
use db::RecordsError;
use db::checksum::sha256;
use db::entity::{approvals, run_counts, runs};
use policy::stored::to_json;
use policy::{ErasureReason, Policy, RunId, RunKind, RunState, TaskId, TreatedFields, UserNumber};
use safeguards::approval::ApprovalKind;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trail::{Store, library};

/// The format of a certificate. A later format gets another name.
const FORMAT: &str = "lethe-certificate-1";

/// The content of a certificate. It names no person; the only user numbers are those of the staff who started and
/// approved the run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The format.
    pub format: String,
    /// The name of the library. None if it was not configured.
    pub library: Option<String>,
    /// The random name of the installation.
    pub installation: String,
    /// The program with its version.
    pub program: String,
    /// The run.
    pub run: RunId,
    /// The version of this certificate, from 1.
    pub version: i32,
    /// The version that this one supersedes.
    pub supersedes: Option<Superseded>,
    /// The kind of the run.
    pub kind: RunKind,
    /// The final state of the run.
    pub state: RunState,
    /// The channel that started the run.
    pub channel: String,
    /// The member of staff who started the run. None for the command line, the schedule and the replay.
    pub started_by: Option<UserNumber>,
    /// The member of staff who approved the run. None if it needed no second person.
    pub approved_by: Option<UserNumber>,
    /// The reason for anonymising a single user.
    pub reason: Option<ErasureReason>,
    /// The reference of a case in the library's own files.
    pub case_reference: Option<String>,
    /// The record into which the anonymised one was merged.
    pub merged_into: Option<UserNumber>,
    /// The task.
    pub task: Option<TaskId>,
    /// The version of the task.
    pub task_version: Option<i32>,
    /// The policy at the time of the run.
    pub policy: Policy,
    /// The SHA-256 of the policy in canonical form.
    pub policy_sha256: String,
    /// The names of the fields that were removed, generalised and kept.
    pub fields: TreatedFields,
    /// The version of the rules.
    pub rules_version: i32,
    /// The day that verdicts were computed for.
    pub day: NaiveDate,
    /// The instant at which the run was created.
    pub created_at: DateTime<Utc>,
    /// The instant at which the run ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The number of times the run was interrupted and resumed.
    pub interruptions: i32,
    /// The fingerprint of the preview.
    pub fingerprint: Option<String>,
    /// The number of users on the list to which the run was limited. None for a run for all users.
    pub listed: Option<i64>,
    /// The number of eligible users that staff excluded.
    pub excluded: i64,
    /// The number of eligible users in the preview.
    pub previewed: i64,
    /// The number of users who were anonymised.
    pub done: i64,
    /// The number of users who were skipped, by reason.
    pub skipped: BTreeMap<String, i64>,
    /// The number of users who could not be anonymised and are unchanged, by code.
    pub failed: BTreeMap<String, i64>,
    /// The number of users that the run did not reach.
    pub not_reached: i64,
    /// The SHA-256 of the list of these users with their outcomes.
    pub users_sha256: String,
    /// The number of rows changed or deleted, by table.
    pub rows: BTreeMap<String, i64>,
    /// The result of the residue search, with the decisions about findings.
    pub residue: ResidueCounts,
    /// The result of cleaning the database files.
    pub maintenance: Option<String>,
    /// The last ledger entry that the database contained at signing.
    pub ledger_sequence: i64,
    /// The instant of signing.
    pub made_at: DateTime<Utc>,
}

/// The earlier version that a certificate supersedes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Superseded {
    /// The earlier version.
    pub version: i32,
    /// The SHA-256 of its canonical form.
    pub sha256: String,
}

impl Certificate {
    /// The program that makes certificates, with its version.
    pub(super) const PROGRAM: &str = concat!("Lethe ", env!("CARGO_PKG_VERSION"));

    /// Returns the canonical form, which is signed.
    pub(super) fn canonical(&self) -> Result<String, RecordsError> {
        serde_json::to_string(self).map_err(|_| RecordsError::Corrupt("certificate"))
    }

    /// Returns the content of the first certificate of a run, computed from the current records.
    pub(super) async fn compute(
        db: &impl ConnectionTrait,
        store: &Store,
        id: RunId,
    ) -> Result<Self, RecordsError> {
        let run = runs::Entity::find_by_id(id.0).one(db).await?.ok_or(RecordsError::NotFound("run"))?;
        let (kind, state) = (run.kind, run.state);
        if kind == RunKind::Preview || !state.is_final() {
            return Err(RecordsError::NotFound("certificate"));
        }
        let people = UserCounts::count(db, id).await?;
        let (installation, ledger_sequence) = ledger::mark_of(db).await?;
        let approval = approval(db, &run).await?;
        let is_of_staff =
            approval.as_ref().is_some_and(|approval| approval.kind == ApprovalKind::StaffAnonymising);
        let policy = run.settings.policy().cloned().ok_or(RecordsError::NotFound("certificate"))?;
        let fields = match kind {
            RunKind::Reapply | RunKind::Replay => TreatedFields::of_earlier_runs(),
            _ if is_of_staff => TreatedFields::from_policy(&policy).with_roles(),
            _ => TreatedFields::from_policy(&policy),
        };
        Ok(Self {
            format: FORMAT.to_owned(),
            library: library::read(db).await?.name,
            installation,
            program: Self::PROGRAM.to_owned(),
            run: id,
            version: 1,
            supersedes: None,
            kind,
            state,
            channel: run.channel.code().to_owned(),
            started_by: run.actor_number.map(UserNumber),
            approved_by: approval.and_then(|approval| approval.decided_by).map(UserNumber),
            reason: run.erasure_reason,
            case_reference: run.case_reference.clone(),
            merged_into: run.merged_into.map(UserNumber),
            task: run.task_id.map(TaskId),
            task_version: run.task_version,
            policy_sha256: sha256(&[to_json(&policy).as_bytes()]),
            fields,
            rules_version: run.rules_version,
            day: run.today,
            created_at: run.created_at,
            finished_at: run.finished_at,
            interruptions: run.interruptions,
            fingerprint: fingerprint(db, &run).await?,
            listed: run.listed,
            excluded: run.excluded,
            previewed: run.previewed,
            done: people.done,
            not_reached: run.previewed - people.counted(),
            skipped: people.skipped,
            failed: people.failed,
            users_sha256: people.sha256,
            rows: rows(db, id).await?,
            residue: people.residue.with_finding_counts(db, id).await?,
            maintenance: run.maintenance.map(|done| done.code().to_owned()),
            policy,
            ledger_sequence,
            made_at: store.clock.now(),
        })
    }
}

/// Returns the approval that the run consumed.
async fn approval(db: &impl ConnectionTrait, run: &runs::Model) -> Result<Option<approvals::Model>, DbErr> {
    let Some(approval) = run.approval_id else { return Ok(None) };
    approvals::Entity::find_by_id(approval).one(db).await
}

/// Returns the fingerprint of the run, or of the preview that it executes.
async fn fingerprint(db: &impl ConnectionTrait, run: &runs::Model) -> Result<Option<String>, DbErr> {
    if let (None, Some(preview)) = (&run.fingerprint, run.preview_id) {
        let preview = runs::Entity::find_by_id(preview).one(db).await?;
        return Ok(preview.and_then(|preview| preview.fingerprint));
    }
    Ok(run.fingerprint.clone())
}

async fn rows(db: &impl ConnectionTrait, run: RunId) -> Result<BTreeMap<String, i64>, DbErr> {
    let counts = run_counts::Entity::find()
        .filter(run_counts::Column::RunId.eq(run.0))
        .filter(run_counts::Column::Kind.eq("table"))
        .all(db)
        .await?;
    Ok(counts.into_iter().map(|count| (count.code, count.count)).collect())
}
