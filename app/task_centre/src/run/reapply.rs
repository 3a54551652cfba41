//! Reapplies newer rules to users who were anonymised under older ones.
//!
//! This is a run whose users are already anonymised. Each is processed with the policy of the run that anonymised
//! the user, so that values kept on purpose remain.

use super::preview_digest;
use super::preview_digest::Seal;
use db::dialect;
use db::entity::{runs, users};
use db::error::RecordsError;
use policy::form::Problem;
use policy::numbers::grouped;
use policy::{
    Action, ApprovalReason, Policy, RULES_VERSION, Reason, RunId, RunKind, RunState, TaskSettings, UserNumber,
};
use safeguards::approval::{self, ApprovalSubject};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, Set,
};
use std::collections::BTreeMap;
use trail::actor::Actor;
use trail::audit::{self, AuditAction, Subject};
use trail::store::Store;

const UNDER_OLDER_RULES: &str = "anonymised_on IS NOT NULL AND COALESCE(rules_version, 0) < ?";

/// Returns the number of users anonymised under older rules.
pub async fn under_older_rules(store: &Store) -> Result<i64, RecordsError> {
    Ok(count(&store.db).await?)
}

async fn count(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let sql = format!("SELECT COUNT(*) AS n FROM users WHERE {UNDER_OLDER_RULES}");
    let statement = dialect::bind(db.get_database_backend(), &sql, vec![RULES_VERSION.into()]);
    db.query_one_raw(statement).await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

/// Starts a run that applies the current rules to these users. `typed` must be their number.
pub async fn start_reapply(store: &Store, actor: Actor, typed: &str) -> Result<RunId, RecordsError> {
    actor.require(Action::Run)?;
    let tx = store.begin().await?;
    let people = count(&tx).await?;
    if people == 0 {
        return Err(RecordsError::Refused(format!(
            "All anonymised users already meet the current rules (version {RULES_VERSION}). There is nothing to do"
        )));
    }
    if super::confirmation::typed_number(typed) != Some(people) {
        let expected = grouped(people);
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let policy = Policy::default();
    let today = store.clock.today();
    let run = runs::ActiveModel {
        kind: Set(RunKind::Reapply),
        state: Set(RunState::Queued),
        today: Set(today),
        settings: Set(TaskSettings::AnonymiseUserData(policy.clone())),
        rules_version: Set(RULES_VERSION),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel),
        created_at: Set(store.clock.now()),
        users: Set(people),
        previewed: Set(people),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    let id = RunId(run.id);
    let members = format!(
        "INSERT INTO run_members (run_id, user_number, reason, blockers) \
         SELECT CAST(? AS BIGINT), number, {}, 0 FROM users WHERE {UNDER_OLDER_RULES}",
        Reason::Eligible.number()
    );
    let values = vec![run.id.into(), RULES_VERSION.into()];
    tx.execute_raw(dialect::bind(tx.get_database_backend(), &members, values)).await?;
    let fingerprint = preview_digest::fingerprint(&tx, id, &policy, RULES_VERSION, today).await?;
    let approval = match approval_reason(&tx, store).await? {
        Some(why) => {
            let matter = ApprovalSubject::reapply_of(fingerprint.clone());
            Some(approval::consume(&tx, actor, &matter, &approval::of_run(store, why)).await?)
        }
        None => None,
    };
    runs::ActiveModel {
        id: Set(run.id),
        fingerprint: Set(Some(fingerprint)),
        approval_id: Set(approval.map(|approval| approval.0)),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let detail = approval.map(|approval| format!("approval={approval}")).unwrap_or_default();
    audit::record_event(
        &tx,
        &store.clock,
        actor,
        AuditAction::RunStarted,
        Subject::Run(run.id),
        Some(id),
        &detail,
    )
    .await?;
    store.commit(tx).await?;
    Ok(id)
}

/// Returns why the run needs a second person, or `None`.
///
/// It needs one if the number of users exceeds a safety limit.
pub(super) async fn approval_reason(
    db: &impl ConnectionTrait,
    store: &Store,
) -> Result<Option<ApprovalReason>, RecordsError> {
    if !approval::is_on(db, store, Action::Approve).await? {
        return Ok(None);
    }
    let all = i64::try_from(users::Entity::find().count(db).await?).unwrap_or(i64::MAX);
    Ok(store.settings.safety_limits.of(count(db).await?, all, &[]).map(ApprovalReason::SafetyLimit))
}

/// Returns the fingerprint of the users that the current rules would affect today.
pub(super) async fn fingerprint(db: &impl ConnectionTrait, store: &Store) -> Result<String, RecordsError> {
    let sql = format!("SELECT number FROM users WHERE {UNDER_OLDER_RULES} ORDER BY number");
    let statement = dialect::bind(db.get_database_backend(), &sql, vec![RULES_VERSION.into()]);
    let rows = db.query_all_raw(statement).await?;
    let numbers = rows.iter().map(|row| row.try_get("", "number")).collect::<Result<Vec<i64>, DbErr>>()?;
    let mut seal = Seal::new(&Policy::default(), RULES_VERSION, store.clock.today());
    seal.add(&numbers);
    Ok(seal.fingerprint())
}

/// Returns the policy with which the first of these users was anonymised, and all of them with the same policy.
///
/// The others follow in a later batch. The default policy applies if no run contains the user.
pub(super) async fn of_one_policy(
    tx: &DatabaseTransaction,
    numbers: &[UserNumber],
) -> Result<(Policy, Vec<UserNumber>), RecordsError> {
    let Some(first) = numbers.first() else { return Ok((Policy::default(), Vec::new())) };
    let sql = format!(
        "SELECT m.user_number, r.settings FROM run_members m JOIN runs r ON r.id = m.run_id \
         WHERE m.outcome = 'done' AND r.kind <> 'reapply' AND m.user_number IN ({}) ORDER BY r.id",
        dialect::placeholders(numbers.len())
    );
    let values = numbers.iter().map(|number| number.0.into()).collect();
    let mut policies: BTreeMap<i64, Policy> = BTreeMap::new();
    for row in tx.query_all_raw(dialect::bind(tx.get_database_backend(), &sql, values)).await? {
        let TaskSettings::AnonymiseUserData(policy) = row.try_get("", "settings")?;
        policies.insert(row.try_get("", "user_number")?, policy);
    }
    let of_first = policies.get(&first.0);
    let alike = numbers.iter().filter(|number| policies.get(&number.0) == of_first).copied().collect();
    Ok((of_first.cloned().unwrap_or_default(), alike))
}
