//! The announcements of anonymising: the link by which a user keeps the account, its text, bounces.

mod bounce;

pub use bounce::{Received, receive};

use chrono::{Days, NaiveDate};
use db::entity::announcements::{ActiveModel, Column, Entity, Model};
use db::entity::{tasks, users};
use db::{RecordsError, dialect};
use erasure::eligibility;
use identity::session::{Token, digest};
use policy::announcement::{AnnouncementState, LINK_DAYS, Placeholder};
use policy::assess::{first_eligible_day, inactive_since};
use policy::{AnnouncementSettings, RunId, UserNumber, dates};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::Serialize;
use trail::audit::{self, AuditAction, Subject};
use trail::library::{self, Library};
use trail::person;
use trail::{Actor, Store};

/// Distinguishes the digests of links from those of other tokens.
const PURPOSE: &str = "announcement";
/// The beginning of the id of a message, by which a bounce is recognised.
const MESSAGE_PREFIX: &str = "announcement-";

/// What a link leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkState {
    /// The user can keep the account.
    Open,
    /// The user has kept it. It is not anonymised before this day, if the task still has conditions that are met.
    Kept(Option<NaiveDate>),
    /// The link is unknown or has expired, or the user has been anonymised.
    Invalid,
}

/// A new link: its token is in the e-mail only, and its digest in the database.
pub(crate) fn new_link() -> (Token, String) {
    let token = Token::random();
    let stored = digest(PURPOSE, token.reveal());
    (token, stored)
}

/// Returns a random id of a message. It says nothing about its recipient.
pub(crate) fn new_message_id() -> String {
    format!("{MESSAGE_PREFIX}{}", uuid::Uuid::new_v4())
}

/// Returns why announcements can't be sent, as a sentence without a full stop. `None` if they can.
pub fn why_not(store: &Store) -> Option<&'static str> {
    if !notify::mail::is_configured(store) {
        Some("E-mail is not configured. Set LETHE_SMTP_HOST and LETHE_MAIL_FROM, then create a new preview")
    } else if store.settings.public_url.is_none() {
        Some(
            "The links in e-mails need the public address of Lethe. Set LETHE_PUBLIC_URL, then create a new preview",
        )
    } else {
        None
    }
}

/// Returns subject and text for a user. `token` is the one of the link.
pub(crate) fn mail(
    store: &Store,
    library: &Library,
    settings: &AnnouncementSettings,
    (name, due_on, token): (&str, NaiveDate, &str),
) -> [String; 2] {
    let base = store.settings.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
    // The next run of the task can anonymise a user who is due already.
    let tomorrow = store.clock.today().checked_add_days(Days::new(1));
    let date = tomorrow.map_or(due_on, |tomorrow| due_on.max(tomorrow));
    settings.filled(|placeholder| match placeholder {
        Placeholder::Name => name.to_owned(),
        Placeholder::Date => dates::shown(date),
        Placeholder::Link => format!("{base}/keep/{token}"),
        Placeholder::Library => library.name.clone().unwrap_or_else(|| "Your library".to_owned()),
        Placeholder::Contact => library.contact.clone().unwrap_or_default(),
    })
}

/// Returns subject and text as a user without name gets them who is due on the last announced day.
pub async fn example(store: &Store, settings: &AnnouncementSettings) -> Result<[String; 2], RecordsError> {
    let library = library::read(&store.db).await?;
    let due = store.clock.today() + Days::new(settings.days_before.get().into());
    Ok(mail(store, &library, settings, ("(name of the user)", due, "…")))
}

async fn find(
    db: &impl ConnectionTrait,
    store: &Store,
    token: &str,
    lock: bool,
) -> Result<Option<Model>, RecordsError> {
    let mut find = Entity::find().filter(Column::TokenDigest.eq(digest(PURPOSE, token)));
    if lock {
        find = find.lock_exclusive();
    }
    let row = find.one(db).await?;
    let today = store.clock.today();
    Ok(row.filter(|row| {
        let counted = row
            .sent_at
            .map_or(row.due_on, |at| at.with_timezone(&store.clock.zone()).date_naive().max(row.due_on));
        counted.checked_add_days(Days::new(LINK_DAYS)).is_none_or(|last| today <= last)
    }))
}

/// Returns what a link leads to. Changes nothing: mail scanners open links.
pub async fn look(store: &Store, token: &str) -> Result<LinkState, RecordsError> {
    let Some(row) = find(&store.db, store, token, false).await? else { return Ok(LinkState::Invalid) };
    if row.state != AnnouncementState::Kept {
        return Ok(LinkState::Open);
    }
    Ok(LinkState::Kept(kept_until(store, &row).await?))
}

/// Returns the first day on which the task can anonymise the user now.
async fn kept_until(store: &Store, row: &Model) -> Result<Option<NaiveDate>, RecordsError> {
    let task = tasks::Entity::find_by_id(row.task_id).one(&store.db).await?;
    let facts = eligibility::facts(&store.db, &[UserNumber(row.user_number)]).await?;
    let (Some(task), Some((_, facts))) = (task, facts.first()) else { return Ok(None) };
    let Some(policy) = task.settings.policy() else { return Ok(None) };
    let since = inactive_since(facts.last_activity_on, facts.created_on);
    let day =
        first_eligible_day(&policy.conditions, facts.leaving_on, since, facts.marked_on, facts.kept_since);
    Ok(day.ok())
}

/// Keeps the account to which a link belongs: all conditions count from today at the earliest. Rejects an invalid link.
///
/// A link that was used before changes nothing.
pub async fn keep(store: &Store, token: &str) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let invalid = RecordsError::NotFound("link");
    let Some(seen) = find(&tx, store, token, false).await? else { return Err(invalid) };
    // The user is locked first, as by the anonymiser, which deletes the announcement.
    let user = person::lock(&tx, UserNumber(seen.user_number)).await?;
    let Some(row) = find(&tx, store, token, true).await?.filter(|_| user.anonymised_on.is_none()) else {
        return Err(invalid);
    };
    if row.state == AnnouncementState::Kept {
        return Ok(());
    }
    users::ActiveModel {
        number: Set(user.number),
        kept_on: Set(Some(store.clock.today())),
        version: Set(user.version + 1),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    ActiveModel { id: Set(row.id), state: Set(AnnouncementState::Kept), ..Default::default() }
        .update(&tx)
        .await?;
    let (action, subject) = (AuditAction::AccountKept, Subject::User(user.number));
    audit::record_event(&tx, &store.clock, Actor::without_session(), action, subject, None, "").await?;
    store.commit(tx).await
}

/// What became of the announcements of a run so far. Announcements of users who have been anonymised are deleted.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Answers {
    /// Users who kept their account by the link.
    pub kept_by_answer: i64,
    /// Users who were active since.
    pub kept_by_activity: i64,
    /// Users whose e-mail bounced: the first hundred.
    pub bounced: Vec<UserNumber>,
    /// Number of users whose e-mail bounced.
    pub bounces: i64,
}

/// Maximum number of listed bounces.
const MAX_BOUNCES: u64 = 100;

/// Returns what became of the announcements of a run.
pub async fn answers(store: &Store, run: RunId) -> Result<Answers, RecordsError> {
    let bounced = || {
        Entity::find().filter(Column::RunId.eq(run.0)).filter(Column::State.eq(AnnouncementState::Bounced))
    };
    let numbers: Vec<i64> = bounced()
        .select_only()
        .column(Column::UserNumber)
        .order_by_asc(Column::UserNumber)
        .limit(MAX_BOUNCES)
        .into_tuple()
        .all(&store.db)
        .await?;
    // Raw SQL: one statement counts two conditions of the joined users.
    let sql = "SELECT COUNT(CASE WHEN a.state = ? THEN 1 END) AS answered, \
               COUNT(CASE WHEN a.state IN (?, ?) AND u.last_activity_on >= u.announced_on THEN 1 END) AS active \
               FROM announcements a JOIN users u ON u.number = a.user_number WHERE a.run_id = ?";
    let [kept, sent, unclear] =
        [AnnouncementState::Kept, AnnouncementState::Sent, AnnouncementState::Unclear];
    let values = vec![kept.into(), sent.into(), unclear.into(), run.0.into()];
    let row = store.db.query_one_raw(dialect::bind(store.db.get_database_backend(), sql, values)).await?;
    let count = |column: &str| row.as_ref().map_or(Ok(0), |row| row.try_get("", column));
    Ok(Answers {
        kept_by_answer: count("answered")?,
        kept_by_activity: count("active")?,
        bounced: numbers.into_iter().map(UserNumber).collect(),
        bounces: i64::try_from(bounced().count(&store.db).await?).unwrap_or(i64::MAX),
    })
}
