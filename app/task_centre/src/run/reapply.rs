//! Reapplies newer rules to users who were anonymised under older ones.
//!
//! This is a run whose users are already anonymised. Each is processed with the policy of the run that anonymised
//! the user, so that values kept on purpose remain.

use super::preview_digest;
use super::preview_digest::PreviewDigest;
use crate::new_run::{self, Basis};
use db::RecordsError;
use db::entity::{run_members, runs, users};
use policy::form::Problem;
use policy::numbers::grouped;
use policy::{
    Action, ApprovalReason, Outcome, Policy, RULES_VERSION, Reason, RunId, RunKind, RunState, TaskSettings,
    UserNumber,
};
use safeguards::approval::{self, ApprovalSubject};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use std::collections::BTreeMap;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Returns the condition that a user was anonymised under older rules.
fn is_under_older_rules() -> Expr {
    let rules = users::Column::RulesVersion.if_null(0);
    users::Column::AnonymisedOn.is_not_null().and(rules.lt(RULES_VERSION))
}

/// Returns the number of users anonymised under older rules.
pub async fn under_older_rules(store: &Store) -> Result<i64, RecordsError> {
    Ok(count(&store.db).await?)
}

async fn count(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let count = users::Entity::find().filter(is_under_older_rules()).count(db).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
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
    let more = runs::ActiveModel { users: Set(people), previewed: Set(people), ..Default::default() };
    let (state, basis) = ((RunKind::Reapply, RunState::Queued), Basis::Policy(policy.clone()));
    let run = new_run::insert(&tx, (store, actor), state, basis, more).await?;
    let id = RunId(run.id);
    insert_members(&tx, id).await?;
    let fingerprint = preview_digest::fingerprint(&tx, id, &run.settings, RULES_VERSION, today).await?;
    let approval = match approval_reason(&tx, store).await? {
        Some(why) => {
            let approval_subject = ApprovalSubject::reapply_of(fingerprint.clone());
            Some(approval::consume(&tx, actor, &approval_subject, &approval::of_run(store, why)).await?)
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

/// Inserts all users anonymised under older rules into the run.
async fn insert_members(tx: &DatabaseTransaction, run: RunId) -> Result<(), DbErr> {
    let people = Query::select()
        .expr(Expr::val(run.0))
        .column(users::Column::Number)
        .expr(Expr::val(Reason::Eligible.number()))
        .expr(Expr::val(0_i16))
        .from(users::Entity)
        .and_where(is_under_older_rules())
        .take();
    let columns = [
        run_members::Column::RunId,
        run_members::Column::UserNumber,
        run_members::Column::Reason,
        run_members::Column::Blockers,
    ];
    let mut insert = Query::insert().into_table(run_members::Entity).columns(columns).take();
    insert.select_from(people).map_err(|error| DbErr::Custom(error.to_string()))?;
    tx.execute(&insert).await?;
    Ok(())
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
    Ok(store.settings.safety_limits.exceeded_by(count(db).await?, all, &[]).map(ApprovalReason::SafetyLimit))
}

/// Returns the fingerprint of the users that the current rules would affect today.
pub(super) async fn fingerprint(db: &impl ConnectionTrait, store: &Store) -> Result<String, RecordsError> {
    let numbers: Vec<i64> = users::Entity::find()
        .select_only()
        .column(users::Column::Number)
        .filter(is_under_older_rules())
        .order_by_asc(users::Column::Number)
        .into_tuple()
        .all(db)
        .await?;
    let mut digest = PreviewDigest::new(&Policy::default(), RULES_VERSION, store.clock.today());
    digest.add(&numbers);
    Ok(digest.fingerprint())
}

/// Returns the policy with which the first of these users was anonymised, and all of them with the same policy.
///
/// The others follow in a later batch. The default policy applies if no run contains the user.
pub(super) async fn of_one_policy(
    tx: &DatabaseTransaction,
    numbers: &[UserNumber],
) -> Result<(Policy, Vec<UserNumber>), RecordsError> {
    let Some(first) = numbers.first() else { return Ok((Policy::default(), Vec::new())) };
    let run =
        run_members::Entity::belongs_to(runs::Entity).from(run_members::Column::RunId).to(runs::Column::Id);
    let rows: Vec<(i64, TaskSettings)> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::UserNumber)
        .column(runs::Column::Settings)
        .join(JoinType::InnerJoin, run.into())
        .filter(run_members::Column::Outcome.eq(Outcome::Done))
        .filter(runs::Column::Kind.ne(RunKind::Reapply))
        .filter(run_members::Column::UserNumber.is_in(numbers.iter().map(|number| number.0)))
        .order_by_asc(runs::Column::Id)
        .into_tuple()
        .all(tx)
        .await?;
    // The last run of a user decides.
    let policies: BTreeMap<i64, Policy> = rows
        .into_iter()
        .filter_map(|(number, settings)| Some((number, settings.policy()?.clone())))
        .collect();
    let of_first = policies.get(&first.0);
    let alike = numbers.iter().filter(|number| policies.get(&number.0) == of_first).copied().collect();
    Ok((of_first.cloned().unwrap_or_default(), alike))
}
