//! What a certificate says, counted where it stands.

use crate::checksum::sha256;
use crate::dialect;
use crate::entity::{run_counts, runs};
use crate::error::RecordsError;
use crate::ledger;
use crate::run::stored_policy;
use crate::store::Store;
use chrono::{DateTime, NaiveDate, Utc};
use policy::{Outcome, Policy, Reason, Residue, RunId, RunKind, RunState, TaskId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of a certificate. A later form gets another name.
const FORMAT: &str = "lethe-certificate-1";

/// What a certificate says. No field names a person, and none holds the number of a user.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The form.
    pub format: String,
    /// The random name of the installation.
    pub library: String,
    /// The run.
    pub run: RunId,
    /// Its kind.
    pub kind: RunKind,
    /// How it ended.
    pub state: RunState,
    /// By which way it was started.
    pub channel: String,
    /// Its task, and the version of that.
    pub task: Option<TaskId>,
    /// The version of the task.
    pub task_version: Option<i32>,
    /// The policy as it was.
    pub policy: Policy,
    /// The SHA-256 of the policy in its canonical form.
    pub policy_sha256: String,
    /// The version of the rules.
    pub rules_version: i32,
    /// The day of the library on which it assessed.
    pub day: NaiveDate,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How often it was cut off and taken up again.
    pub interruptions: i32,
    /// The seal of its preview.
    pub fingerprint: Option<String>,
    /// People of the preview who were eligible.
    pub previewed: i64,
    /// People who were anonymised.
    pub done: i64,
    /// People who were left alone, by reason.
    pub skipped: BTreeMap<String, i64>,
    /// People who could not be anonymised and are unchanged, by code.
    pub failed: BTreeMap<String, i64>,
    /// People to whom the run did not come.
    pub not_reached: i64,
    /// Rows that were changed or deleted, by table.
    pub rows: BTreeMap<String, i64>,
    /// What the search for residue found.
    pub residue: Found,
    /// What was done so that removed values vanish from the database files.
    pub maintenance: Option<String>,
    /// The entry of the ledger up to which the database went when this was made.
    pub ledger_sequence: i64,
    /// When this was made.
    pub made_at: DateTime<Utc>,
}

/// What the search for residue found of those who were anonymised.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// People of whom no old value stands anywhere.
    pub clean: i64,
    /// People of whom a value was found.
    pub hits: i64,
    /// People whose old values were gone before they could be searched for.
    pub undeterminable: i64,
    /// People who are still to be searched for.
    pub pending: i64,
    /// Places where something was found.
    pub places: i64,
    /// Places about which nobody had decided when this was made.
    pub open_places: i64,
}

impl Certificate {
    /// The one form in which it is signed.
    pub(super) fn canonical(&self) -> Result<String, RecordsError> {
        serde_json::to_string(self).map_err(|_| RecordsError::Corrupt("certificate"))
    }

    /// What the certificate of a run says now.
    pub(super) async fn of(
        db: &impl ConnectionTrait,
        store: &Store,
        id: RunId,
    ) -> Result<Self, RecordsError> {
        let run = runs::Entity::find_by_id(id.0).one(db).await?.ok_or(RecordsError::NotFound("run"))?;
        let kind = RunKind::from_code(&run.kind).ok_or(RecordsError::Corrupt("kind of the run"))?;
        let state = RunState::from_code(&run.state).ok_or(RecordsError::Corrupt("state of the run"))?;
        if kind == RunKind::Preview || !state.is_final() {
            return Err(RecordsError::NotFound("certificate"));
        }
        let people = People::of(db, id).await?;
        let policy = stored_policy(&run.policy)?;
        let policy_text = serde_json::to_string(&policy).map_err(|_| RecordsError::Corrupt("policy"))?;
        let (library, ledger_sequence) = ledger::mark_of(db).await?;
        Ok(Self {
            format: FORMAT.to_owned(),
            library,
            run: id,
            kind,
            state,
            channel: run.channel.clone(),
            task: run.task_id.map(TaskId),
            task_version: run.task_version,
            policy,
            policy_sha256: sha256(&[policy_text.as_bytes()]),
            rules_version: run.rules_version,
            day: run.today,
            created_at: run.created_at,
            finished_at: run.finished_at,
            interruptions: run.interruptions,
            fingerprint: fingerprint(db, &run).await?,
            previewed: run.previewed,
            done: people.done,
            not_reached: run.previewed - people.counted(),
            skipped: people.skipped,
            failed: people.failed,
            rows: rows(db, id).await?,
            residue: places(db, id, people.residue).await?,
            maintenance: run.maintenance,
            ledger_sequence,
            made_at: store.clock.now(),
        })
    }
}

/// The people of a run, counted one by one.
#[derive(Default)]
pub(super) struct People {
    pub(super) done: i64,
    pub(super) skipped: BTreeMap<String, i64>,
    pub(super) failed: BTreeMap<String, i64>,
    residue: Found,
}

impl People {
    async fn of(db: &impl ConnectionTrait, run: RunId) -> Result<Self, RecordsError> {
        let sql = "SELECT outcome, outcome_reason, failure, residue, COUNT(*) AS n FROM run_members \
                   WHERE run_id = ? AND outcome IS NOT NULL GROUP BY outcome, outcome_reason, failure, residue";
        let mut people = Self::default();
        let query = dialect::statement(db.get_database_backend(), sql, vec![run.0.into()]);
        for row in db.query_all_raw(query).await? {
            let n: i64 = row.try_get("", "n")?;
            let outcome: String = row.try_get("", "outcome")?;
            let outcome = Outcome::from_code(&outcome).ok_or(RecordsError::Corrupt("outcome"))?;
            match outcome {
                Outcome::Done => {
                    people.done += n;
                    let residue: Option<String> = row.try_get("", "residue")?;
                    *people.residue.of(residue.as_deref().and_then(Residue::from_code)) += n;
                }
                Outcome::Skipped => {
                    let reason: Option<i16> = row.try_get("", "outcome_reason")?;
                    let reason = reason.and_then(Reason::from_number);
                    let reason = reason.ok_or(RecordsError::Corrupt("reason"))?;
                    *people.skipped.entry(reason.code().to_owned()).or_default() += n;
                }
                Outcome::Failed => {
                    let code: Option<String> = row.try_get("", "failure")?;
                    *people.failed.entry(code.unwrap_or_else(|| "unknown".to_owned())).or_default() += n;
                }
            }
        }
        Ok(people)
    }

    fn counted(&self) -> i64 {
        self.done + self.skipped.values().sum::<i64>() + self.failed.values().sum::<i64>()
    }
}

impl Found {
    const fn of(&mut self, residue: Option<Residue>) -> &mut i64 {
        match residue {
            Some(Residue::Clean) => &mut self.clean,
            Some(Residue::Hits) => &mut self.hits,
            Some(Residue::Undeterminable) => &mut self.undeterminable,
            None => &mut self.pending,
        }
    }
}

/// The seal of the run or of the preview that it carries out.
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

async fn places(db: &impl ConnectionTrait, run: RunId, people: Found) -> Result<Found, DbErr> {
    let sql = "SELECT COUNT(*) AS n, COUNT(CASE WHEN decision IS NULL THEN 1 END) AS undecided \
               FROM residue_hits WHERE run_id = ?";
    let query = dialect::statement(db.get_database_backend(), sql, vec![run.0.into()]);
    let Some(row) = db.query_one_raw(query).await? else { return Ok(people) };
    Ok(Found { places: row.try_get("", "n")?, open_places: row.try_get("", "undecided")?, ..people })
}
