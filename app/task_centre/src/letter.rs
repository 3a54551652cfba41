//! The letter before erasure of a task: its text, and who gets it.

use crate::run::{self, MemberQuery};
use crate::task::{row_for, row_to_change};
use chrono::{Days, NaiveDate};
use db::entity::{tasks, users};
use db::pagination::{Page, Paging};
use db::{RecordsError, checksum};
use erasure::eligibility;
use policy::letter::{self, Placeholder};
use policy::{
    Action, RunId, RunKind, RunMode, TaskId, TaskType, UserNumber, Verdict, VerdictKind, assess, dates, text,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::library::Library;
use trail::person::display_name;
use trail::task_name::TaskName;
use trail::{Actor, Store, library};

/// The text of the letters of a task.
#[derive(Clone, Debug)]
pub struct LetterText {
    /// The task.
    pub task: (TaskId, TaskName),
    /// Its own text. None: the standard text applies.
    pub own: Option<String>,
    /// The version of the task.
    pub version: i32,
}

impl LetterText {
    /// Returns the digest of the text.
    pub fn digest(&self) -> String {
        digest(self.own.as_deref())
    }
}

fn digest(own: Option<&str>) -> String {
    checksum::sha256(&[own.unwrap_or_default().as_bytes()])
}

/// A letter to one user.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The user.
    pub number: UserNumber,
    /// The text, with all placeholders filled.
    pub text: String,
}

/// Returns the text of the letters of a task. Rejects a task of another type.
pub async fn read(store: &Store, actor: Actor, id: TaskId) -> Result<LetterText, RecordsError> {
    actor.require_permission_to_see(Action::SeeTasks)?;
    let row = row_for(&store.db, actor, id).await?;
    of_type(&row)?;
    Ok(LetterText { task: (id, TaskName::new(&row)), own: row.letter, version: row.version })
}

fn of_type(row: &tasks::Model) -> Result<(), RecordsError> {
    if row.task_type == TaskType::AnonymiseUserData { Ok(()) } else { Err(RecordsError::NotFound("letter")) }
}

/// Saves the text of the letters of a task. An empty text restores the standard text. The settings of the task are
/// unchanged, so a confirmed task stays confirmed.
///
/// `based_on` is [`LetterText::digest`] of the text that the page showed; `None` replaces any text. Rejects if it has
/// changed since.
pub async fn save(
    store: &Store,
    actor: Actor,
    id: TaskId,
    (typed, based_on): (&str, Option<&str>),
) -> Result<(), RecordsError> {
    actor.require(Action::EditTasks)?;
    let text = letter::validate(typed).map_err(|problem| RecordsError::field("text", problem))?;
    let tx = store.begin().await?;
    let row = row_to_change(&tx, actor, id).await?;
    of_type(&row)?;
    if based_on.is_some_and(|based_on| based_on != digest(row.letter.as_deref())) {
        return Err(RecordsError::Stale);
    }
    if row.letter == text {
        return Err(RecordsError::Refused("Nothing was changed. Enter another text".to_owned()));
    }
    tasks::ActiveModel { id: Set(id.0), letter: Set(text), ..Default::default() }.update(&tx).await?;
    let (action, subject) = (AuditAction::LetterChanged, Subject::Task(id.0));
    audit::record_event(&tx, &store.clock, actor, action, subject, None, "").await?;
    store.commit(tx).await
}

/// Returns the tasks whose letters can be printed for a user: those that the actor sees.
pub async fn tasks_with_letters(
    store: &Store,
    actor: Actor,
) -> Result<Vec<(TaskId, TaskName)>, RecordsError> {
    let rows = tasks::Entity::find()
        .filter(tasks::Column::TaskType.eq(TaskType::AnonymiseUserData))
        .filter(tasks::Column::DeletedAt.is_null())
        .order_by_desc(tasks::Column::SingleDefault)
        .order_by_asc(tasks::Column::Id)
        .all(&store.db)
        .await?;
    let named = rows.iter().map(|row| (TaskId(row.id), TaskName::new(row)));
    Ok(named.filter(|(_, name)| name.is_shown_to(actor)).collect())
}

/// Returns the letter of a task to one user. Rejects a user who stays or is blocked: the day of their erasure is unknown.
pub async fn to_user(
    store: &Store,
    actor: Actor,
    task: TaskId,
    number: UserNumber,
) -> Result<Letter, RecordsError> {
    actor.require_permission_to_see(Action::AnonymiseOne)?;
    let row = row_for(&store.db, actor, task).await?;
    of_type(&row)?;
    let user = users::Entity::find_by_id(number.0).one(&store.db).await?;
    let user = user.ok_or(RecordsError::NotFound("user"))?;
    let facts = eligibility::facts(&store.db, &[number]).await?;
    let (_, facts) = facts.first().ok_or(RecordsError::NotFound("user"))?;
    let policy = row.settings.policy().cloned().unwrap_or_default();
    let today = store.clock.today();
    let due = match assess(facts, &policy, today, RunMode::Bulk) {
        Verdict::NotYetUntil(day) => Some(day),
        Verdict::Eligible => tomorrow(today),
        verdict => {
            let why = text::inside_sentence(verdict.reason().label());
            let why = format!("This task does not anonymise this user ({why}), so there is no letter");
            return Err(RecordsError::Refused(why));
        }
    };
    let library = library::read(&store.db).await?;
    let text = row.letter.as_deref().unwrap_or(letter::STANDARD);
    Ok(filled(text, &library, (number, display_name(&user)), today, due))
}

/// Returns the day after that of the letter. The next run of the task anonymises the user.
fn tomorrow(today: NaiveDate) -> Option<NaiveDate> {
    today.checked_add_days(Days::new(1))
}

/// Returns one page of the letters to the eligible users of a preview. Rejects a preview that can no longer be run: its
/// users may have been anonymised, or stay.
pub async fn of_preview(
    store: &Store,
    actor: Actor,
    preview: RunId,
    paging: &Paging,
) -> Result<Page<Letter>, RecordsError> {
    actor.require_permission_to_see(Action::Preview)?;
    actor.require_permission_to_see(Action::SeeUsers)?;
    let run = run::read(store, preview).await?;
    let Some((task, _)) = run.task.clone().filter(|_| run.kind == RunKind::Preview) else {
        return Err(RecordsError::NotFound("preview"));
    };
    let row = row_for(&store.db, actor, task).await?;
    of_type(&row)?;
    if !run::is_current(store, preview).await? {
        let why = "This preview is no longer current, so there are no letters. Create a new preview";
        return Err(RecordsError::Refused(why.to_owned()));
    }
    let query = MemberQuery { verdict: Some(VerdictKind::Eligible), ..MemberQuery::default() };
    let members = run::members(store, &run, &query, paging).await?;
    let library = library::read(&store.db).await?;
    let today = store.clock.today();
    let due = tomorrow(today);
    let text = row.letter.as_deref().unwrap_or(letter::STANDARD);
    Ok(members.map(|member| filled(text, &library, (member.number, member.name), today, due)))
}

fn filled(
    text: &str,
    library: &Library,
    (number, name): (UserNumber, String),
    today: NaiveDate,
    due: Option<NaiveDate>,
) -> Letter {
    let or_blank = |value: &Option<String>| value.clone().unwrap_or_default();
    let text = letter::filled(text, |placeholder| match placeholder {
        Placeholder::Name => name.clone(),
        Placeholder::Date => dates::shown(today),
        Placeholder::Due => due.map(dates::shown).unwrap_or_default(),
        Placeholder::Library => library.name.clone().unwrap_or_else(|| "the library".to_owned()),
        Placeholder::Address => or_blank(&library.address),
        Placeholder::Contact => or_blank(&library.contact),
    });
    Letter { number, text }
}
