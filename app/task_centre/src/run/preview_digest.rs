//! The preview fingerprint: a digest of policy, rules, day and users.

use super::announced_users;
use chrono::NaiveDate;
use db::entity::{run_members, runs};
use db::{RecordsError, dialect};
use policy::stored::to_json;
use policy::{Policy, Reason, RunId, TaskSettings};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sha2::{Digest as _, Sha256};

/// Number of users read at a time.
const USERS_PER_READ: u64 = 20_000;

/// Returns the fingerprint of the eligible users of a run or preview.
pub(super) async fn fingerprint(
    db: &impl ConnectionTrait,
    run: RunId,
    settings: &TaskSettings,
    rules: i32,
    today: NaiveDate,
) -> Result<String, RecordsError> {
    let mut digest = match settings {
        TaskSettings::AnonymiseUserData(policy) => PreviewDigest::new(policy, rules, today),
        TaskSettings::AnnounceAnonymising(announcement) => {
            let policy = announced_users::policy_of(db, announcement).await?;
            PreviewDigest::of(&format!("{}\n{}", to_json(settings), to_json(&policy)), rules, today)
        }
        TaskSettings::ImportUsers(_) => return Err(RecordsError::Corrupt("settings of the run")),
    };
    let mut after = i64::MIN;
    loop {
        let numbers: Vec<i64> = run_members::Entity::find()
            .select_only()
            .column(run_members::Column::UserNumber)
            .filter(run_members::Column::RunId.eq(run.0))
            .filter(run_members::Column::Reason.eq(Reason::Eligible.number()))
            .filter(run_members::Column::UserNumber.gt(after))
            .order_by_asc(run_members::Column::UserNumber)
            .limit(USERS_PER_READ)
            .into_tuple()
            .all(db)
            .await?;
        let Some(last) = numbers.last() else { break };
        after = *last;
        digest.add(&numbers);
    }
    Ok(digest.fingerprint())
}

/// Computes a fingerprint: policy, rules and day, then the user numbers in order.
pub(super) struct PreviewDigest(Sha256);

impl PreviewDigest {
    pub(super) fn new(policy: &Policy, rules: i32, today: NaiveDate) -> Self {
        Self::of(&to_json(policy), rules, today)
    }

    fn of(settings: &str, rules: i32, today: NaiveDate) -> Self {
        Self(Sha256::new_with_prefix(format!("lethe-preview-1\n{settings}\n{rules}\n{today}\n")))
    }

    pub(super) fn add(&mut self, numbers: &[i64]) {
        for number in numbers {
            self.0.update(number.to_be_bytes());
        }
    }

    pub(super) fn fingerprint(self) -> String {
        base16ct::lower::encode_string(&self.0.finalize())
    }
}

/// Copies the eligible users of a preview into its run and compares the fingerprint.
pub(super) async fn copy_members(
    tx: &DatabaseTransaction,
    preview: &runs::Model,
    run: RunId,
) -> Result<(), RecordsError> {
    // Raw SQL: one INSERT … SELECT copies all users, without reading them into memory.
    let sql = "INSERT INTO run_members (run_id, user_number, reason, blockers) \
               SELECT CAST(? AS BIGINT), user_number, reason, blockers FROM run_members \
               WHERE run_id = ? AND reason = ?";
    let values = vec![run.0.into(), preview.id.into(), Reason::Eligible.number().into()];
    let members = tx.execute_raw(dialect::bind(tx.get_database_backend(), sql, values)).await?;
    dialect::analyze(tx, "run_members").await?;
    let found = fingerprint(tx, run, &preview.settings, preview.rules_version, preview.today).await?;
    let as_many = i64::try_from(members.rows_affected()) == Ok(preview.previewed);
    if !as_many || preview.fingerprint.as_deref() != Some(found.as_str()) {
        return Err(stale("The users of this preview no longer match its fingerprint"));
    }
    Ok(())
}

pub(super) fn stale(why: &str) -> RecordsError {
    RecordsError::Refused(format!("{why}. Create a new preview, check it and run that"))
}
