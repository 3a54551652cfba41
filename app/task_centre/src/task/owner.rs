//! The owner of a task: a member of staff who may see tasks. A private task always has an owner, or no page would
//! list it.

use db::entity::tasks;
use db::{Clock, RecordsError, dialect};
use identity::staff::CredentialKind;
use policy::form::Problem;
use policy::task_form::{TaskDraft, Visibility};
use policy::{Action, Role, Schedule, TaskId, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryResult, QuerySelect, Set,
};
use serde::Serialize;
use trail::audit::{self, AuditAction, Subject};
use trail::person::{self, Name, Person};
use trail::roles::roles_of;
use trail::task_name::TaskName;
use trail::{Actor, Store};

/// Maximum number of tasks in the list.
const MAX_TASKS: i64 = 1_000;

/// Maximum number of members of staff offered as owners.
const MAX_OWNERS: i64 = 1_000;

/// Returns the owner of a saved task: the given one, or for a private task without one, the actor.
pub(super) async fn owner(
    tx: &DatabaseTransaction,
    actor: Actor,
    draft: &TaskDraft,
) -> Result<Option<UserNumber>, RecordsError> {
    let is_private = draft.visibility == Visibility::Private;
    let Some(owner) = draft.owner.or_else(|| actor.staff.filter(|_| is_private)) else {
        if is_private {
            let problem = Problem::required("the user number of the owner, which a private task needs");
            return Err(RecordsError::field("owner", problem));
        }
        return Ok(None);
    };
    may_own(tx, owner).await?;
    Ok(Some(owner))
}

/// Returns an error at the field `owner` unless the user is a member of staff who may see tasks and can sign in.
async fn may_own(tx: &DatabaseTransaction, owner: UserNumber) -> Result<(), RecordsError> {
    let user = match person::lock(tx, owner).await {
        Err(RecordsError::NotFound(_)) => return Err(RecordsError::field("owner", Problem::NoSuchUser)),
        user => user?,
    };
    let sees_tasks = user.anonymised_on.is_none() && roles_of(tx, owner).await?.may(Action::SeeTasks);
    if !sees_tasks {
        return Err(RecordsError::field("owner", Problem::NotTaskStaff));
    }
    // Raw SQL: the condition is a fragment shared with the query for the owners of all tasks.
    let sql = format!("SELECT 1 AS one WHERE {}", CAN_SIGN_IN.replace("OWNER", "?"));
    let values = std::iter::once(owner.0.into()).chain(sign_ins()).collect();
    let can_sign_in = tx.query_one_raw(dialect::bind(tx.get_database_backend(), &sql, values)).await?;
    if can_sign_in.is_some() { Ok(()) } else { Err(RecordsError::field("owner", Problem::OwnerCannotSignIn)) }
}

/// Returns the members of staff who may own a task, by name.
pub async fn possible_owners(store: &Store) -> Result<Vec<Person>, RecordsError> {
    let mut values: Vec<Value> = task_roles().map(Value::from).collect();
    let roles = dialect::placeholders(values.len());
    values.extend(sign_ins());
    // Raw SQL: the condition is a fragment shared with the query for the owners of all tasks.
    let sql = format!(
        "SELECT u.number, {} FROM users u \
         WHERE u.number IN (SELECT user_number FROM user_roles WHERE role IN ({roles})) \
         AND u.anonymised_on IS NULL AND {} ORDER BY u.name_order, u.number LIMIT {MAX_OWNERS}",
        Name::select_list("u"),
        CAN_SIGN_IN.replace("OWNER", "u.number")
    );
    let rows = store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    let person = |row: &QueryResult| {
        let number = UserNumber(row.try_get("", "number")?);
        Ok(Person { number, name: Name::from_row(row, "u")?.shown() })
    };
    rows.iter().map(person).collect()
}

/// Returns the roles that may see tasks.
fn task_roles() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| role.may(Action::SeeTasks))
}

/// Why a task is without an active owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyUnowned {
    /// The task is private and has no owner.
    NoOwner,
    /// The owner is anonymised.
    Anonymised,
    /// No role of the owner may see tasks.
    MayNotSeeTasks,
    /// The owner has no way to sign in.
    CannotSignIn,
}

impl WhyUnowned {
    /// Returns the reason as text.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoOwner => "The task is private and has no owner",
            Self::Anonymised => "The owner has been anonymised",
            Self::MayNotSeeTasks => "The owner has no access to tasks",
            Self::CannotSignIn => "The owner cannot sign in",
        }
    }
}

/// A task without an active owner.
#[derive(Clone, Debug, Serialize)]
pub struct UnownedTask {
    /// The task.
    pub id: TaskId,
    /// Its description, shown only to staff who see the task.
    pub name: TaskName,
    /// Its owner.
    pub owner: Option<UserNumber>,
    /// The reason.
    pub why: WhyUnowned,
    /// Whether the task runs by its schedule.
    pub active: bool,
    /// The schedule.
    pub schedule: Schedule,
}

/// SQL condition that a user has a way to sign in, including an invitation that hasn't expired.
const CAN_SIGN_IN: &str = "EXISTS (SELECT 1 FROM credentials c WHERE c.user_number = OWNER AND c.kind IN (?, ?, ?) \
     AND (c.expires_at IS NULL OR c.expires_at > ?))";

/// Returns the values of [`CAN_SIGN_IN`] after the owner.
fn sign_ins() -> [Value; 4] {
    let [password, provider, invitation] =
        [CredentialKind::Password, CredentialKind::Provider, CredentialKind::Invitation]
            .map(|kind| Value::from(kind.code()));
    [password, provider, invitation, Clock::system_now().into()]
}

/// SQL query for the state of the owners of all tasks.
///
/// Raw SQL: one CASE over four tables gives the first reason that applies, in one statement.
const OWNERS: &str = "SELECT t.id AS task_id, t.description, t.visibility, t.owner_number, t.active, t.schedule, \
     CASE WHEN t.owner_number IS NULL THEN 'none' WHEN u.anonymised_on IS NOT NULL THEN 'anonymised' \
     WHEN NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = t.owner_number AND r.role IN (ROLES)) THEN 'role' \
     WHEN NOT CAN_SIGN_IN THEN 'sign_in' ELSE 'well' END AS status \
     FROM tasks t LEFT JOIN users u ON u.number = t.owner_number WHERE t.deleted_at IS NULL";

/// Returns the tasks whose owner is anonymised, may not see tasks or can't sign in.
pub async fn unowned(store: &Store, actor: Actor) -> Result<Vec<UnownedTask>, RecordsError> {
    actor.require_permission_to_see(Action::ManageStaff)?;
    found(&store.db, None).await
}

/// Like [`unowned`], for one task or all, without a permission check.
pub async fn found(
    db: &impl ConnectionTrait,
    task: Option<TaskId>,
) -> Result<Vec<UnownedTask>, RecordsError> {
    let mut values: Vec<Value> = task_roles().map(Value::from).collect();
    let roles = dialect::placeholders(values.len());
    values.extend(sign_ins());
    let can_sign_in = CAN_SIGN_IN.replace("OWNER", "t.owner_number");
    let owners = OWNERS.replace("ROLES", &roles).replace("CAN_SIGN_IN", &can_sign_in);
    let one = if task.is_some() { " WHERE w.task_id = ?" } else { " WHERE TRUE" };
    values.extend(task.map(|task| Value::from(task.0)));
    let sql = format!(
        "SELECT * FROM ({owners}) w{one} AND w.status <> 'well' AND (w.status <> 'none' OR w.visibility = ?) \
         ORDER BY w.task_id LIMIT {MAX_TASKS}"
    );
    values.push(Visibility::Private.into());
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<UnownedTask, RecordsError> {
    let status: String = row.try_get("", "status")?;
    let why = match status.as_str() {
        "none" => WhyUnowned::NoOwner,
        "anonymised" => WhyUnowned::Anonymised,
        "role" => WhyUnowned::MayNotSeeTasks,
        _ => WhyUnowned::CannotSignIn,
    };
    let owner: Option<i64> = row.try_get("", "owner_number")?;
    let (words, visibility) = (row.try_get("", "description")?, row.try_get("", "visibility")?);
    Ok(UnownedTask {
        id: TaskId(row.try_get("", "task_id").map_err(RecordsError::from)?),
        name: TaskName::stored(words, visibility, owner),
        owner: owner.map(UserNumber),
        why,
        active: row.try_get::<bool>("", "active")?,
        schedule: row.try_get("", "schedule")?,
    })
}

/// Assigns a task to another owner.
///
/// On the web, only a task without an active owner can be reassigned, because a private task of an active owner is
/// the owner's own. The command line can reassign any task.
pub async fn reassign(
    store: &Store,
    actor: Actor,
    id: TaskId,
    owner: UserNumber,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    write_owner(&tx, store, actor, id, owner).await?;
    store.commit(tx).await?;
    Ok(())
}

/// Checks whether [`reassign`] would succeed, without changing anything.
pub async fn check_reassign(
    store: &Store,
    actor: Actor,
    id: TaskId,
    owner: UserNumber,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    write_owner(&tx, store, actor, id, owner).await?;
    tx.rollback().await?;
    Ok(())
}

async fn write_owner(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    id: TaskId,
    owner: UserNumber,
) -> Result<(), RecordsError> {
    actor.require(Action::ManageStaff)?;
    may_own(tx, owner).await?;
    let task = locked(tx, id).await?.ok_or(RecordsError::NotFound("task"))?;
    if task.owner_number == Some(owner.0) {
        return Ok(());
    }
    if actor.staff.is_some() && found(tx, Some(id)).await?.is_empty() {
        return Err(RecordsError::Refused(
            "Nothing was changed. The owner of this task can sign in and see tasks, so the owner must reassign it"
                .to_owned(),
        ));
    }
    tasks::ActiveModel {
        id: Set(id.0),
        owner_number: Set(Some(owner.0)),
        version: Set(task.version + 1),
        changed_at: Set(store.clock.now()),
        ..Default::default()
    }
    .update(tx)
    .await?;
    let detail = format!("owner={owner}");
    Ok(audit::record_event(
        tx,
        &store.clock,
        actor,
        AuditAction::TaskReassigned,
        Subject::Task(id.0),
        None,
        &detail,
    )
    .await?)
}

async fn locked(tx: &DatabaseTransaction, id: TaskId) -> Result<Option<tasks::Model>, DbErr> {
    let task = tasks::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
    Ok(task.filter(|task| task.deleted_at.is_none()))
}
