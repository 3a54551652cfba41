//! Access requests: recording, answering and listing them, and everything held about a user.

mod data;

pub use data::{Cell, HIDDEN, Mention, Row, TableData, UserData, can_see_data, user_data};

use chrono::NaiveDate;
use db::RecordsError;
use db::entity::{access_requests, users};
use db::pagination::{Page, Paging};
use policy::access_request::{
    AccessRequestForm, AccessRequestState, ClosingForm, DUE_SOON_DAYS, DeclineReason, validate,
    validate_closing,
};
use policy::form::Problem;
use policy::{AccessRequestId, Action, UserNumber};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use trail::audit::{self, AuditAction, Subject};
use trail::person::{self, Person, display_name};
use trail::{Actor, Store};

/// Maximum number of requests of one user that are listed.
const MAX_OF_USER: u64 = 100;

/// An access request.
#[derive(Clone, Debug, Serialize)]
pub struct AccessRequest {
    /// The id.
    pub id: AccessRequestId,
    /// The user.
    pub user: Person,
    /// The state.
    pub state: AccessRequestState,
    /// The day on which the library received it.
    pub received_on: NaiveDate,
    /// The day until which it must be answered.
    pub due_on: NaiveDate,
    /// The member of staff who recorded it. `None` for the command line.
    pub recorded_by: Option<Person>,
    /// The day on which it was closed.
    pub closed_on: Option<NaiveDate>,
    /// The member of staff who closed it.
    pub closed_by: Option<Person>,
    /// The reason for declining.
    pub decline_reason: Option<DeclineReason>,
    /// The answer. Anonymising the user removes it.
    pub answer: Option<String>,
}

impl AccessRequest {
    /// Returns whether it waits for an answer.
    pub fn is_open(&self) -> bool {
        self.state == AccessRequestState::Open
    }

    /// Returns whether it is open and its due date has passed.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.is_open() && self.due_on < today
    }

    /// Returns whether it is open and due within a week.
    pub fn is_due_soon(&self, today: NaiveDate) -> bool {
        self.is_open() && (self.due_on - today).num_days() <= DUE_SOON_DAYS
    }
}

/// Records a request that the library has received.
pub async fn record(
    store: &Store,
    actor: Actor,
    form: &AccessRequestForm,
) -> Result<AccessRequestId, RecordsError> {
    actor.require(Action::HandleAccessRequests)?;
    let draft = validate(form, store.clock.today()).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let user = person::lock(&tx, draft.user).await?;
    if user.anonymised_on.is_some() {
        return Err(person::anonymised(draft.user));
    }
    if user.fictitious {
        return Err(RecordsError::Refused(
            "A fictitious user is not a person and has no access requests. Nothing was changed".to_owned(),
        ));
    }
    let row = access_requests::ActiveModel {
        user_number: Set(draft.user.0),
        state: Set(AccessRequestState::Open),
        received_on: Set(draft.received_on),
        due_on: Set(draft.due_on),
        recorded_by: Set(actor.staff.map(|staff| staff.0)),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    let (subject, detail) = (Subject::User(draft.user.0), format!("access_request={}", row.id));
    let action = AuditAction::AccessRequestRecorded;
    audit::record_event(&tx, &store.clock, actor, action, subject, None, &detail).await?;
    store.commit(tx).await?;
    Ok(AccessRequestId(row.id))
}

/// Closes an open request: answered, declined or withdrawn. Returns its user.
pub async fn close(store: &Store, actor: Actor, form: &ClosingForm) -> Result<UserNumber, RecordsError> {
    actor.require(Action::HandleAccessRequests)?;
    let closing = validate_closing(form).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let request = || access_requests::Entity::find_by_id(form.request);
    let found = request().one(&tx).await?.ok_or(RecordsError::NotFound("access request"))?;
    // The user is locked first, as in a merge, which moves the request to another user.
    let number = UserNumber(found.user_number);
    let user = person::lock(&tx, number).await?;
    let row = request().lock_exclusive().one(&tx).await?;
    let row = row.filter(|row| row.user_number == found.user_number).ok_or(RecordsError::Stale)?;
    if row.state != AccessRequestState::Open {
        return Err(RecordsError::Refused(
            "This access request has already been closed. Nothing was changed".to_owned(),
        ));
    }
    // The answer could name a user who has been anonymised meanwhile.
    if closing.answer.is_some() && user.anonymised_on.is_some() {
        return Err(RecordsError::field("answer", Problem::AnswerAfterAnonymising));
    }
    access_requests::ActiveModel {
        id: Set(row.id),
        state: Set(closing.state),
        closed_on: Set(Some(store.clock.today())),
        closed_by: Set(actor.staff.map(|staff| staff.0)),
        decline_reason: Set(closing.decline_reason),
        answer: Set(closing.answer),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let reason =
        closing.decline_reason.map(|reason| format!(",reason={}", reason.code())).unwrap_or_default();
    let detail = format!("access_request={},state={}{reason}", row.id, closing.state.code());
    let (action, subject) = (AuditAction::AccessRequestClosed, Subject::from(number));
    audit::record_event(&tx, &store.clock, actor, action, subject, None, &detail).await?;
    store.commit(tx).await?;
    Ok(number)
}

/// Lists open requests, the first due first, or closed ones, the newest first.
pub async fn list(
    store: &Store,
    actor: Actor,
    open: bool,
    paging: &Paging,
) -> Result<Page<AccessRequest>, RecordsError> {
    use access_requests::Column;
    actor.require_permission_to_see(Action::HandleAccessRequests)?;
    let mut find = access_requests::Entity::find().limit(paging.limit());
    let after = paging.after.as_deref().unwrap_or_default();
    if open {
        find = find
            .filter(Column::State.eq(AccessRequestState::Open))
            .order_by_asc(Column::DueOn)
            .order_by_asc(Column::Id);
        if let Some((due, id)) = after.split_once(' ')
            && let (Ok(due), Ok(id)) = (due.parse::<NaiveDate>(), id.parse::<i64>())
        {
            let same_day = Condition::all().add(Column::DueOn.eq(due)).add(Column::Id.gt(id));
            find = find.filter(Condition::any().add(Column::DueOn.gt(due)).add(same_day));
        }
    } else {
        find = find.filter(Column::State.ne(AccessRequestState::Open)).order_by_desc(Column::Id);
        if let Ok(id) = after.parse::<i64>() {
            find = find.filter(Column::Id.lt(id));
        }
    }
    let rows = with_people(store, find.all(&store.db).await?).await?;
    Ok(Page::from_rows(rows, paging, |row| {
        if open { format!("{} {}", row.due_on, row.id) } else { row.id.to_string() }
    }))
}

/// Reads one request.
pub async fn read(store: &Store, actor: Actor, id: AccessRequestId) -> Result<AccessRequest, RecordsError> {
    actor.require_permission_to_see(Action::HandleAccessRequests)?;
    let row = access_requests::Entity::find_by_id(id.0).one(&store.db).await?;
    let found = with_people(store, row.into_iter().collect()).await?;
    found.into_iter().next().ok_or(RecordsError::NotFound("access request"))
}

/// Lists the requests of a user, the newest first.
pub async fn of_user(store: &Store, user: UserNumber) -> Result<Vec<AccessRequest>, RecordsError> {
    let rows = access_requests::Entity::find()
        .filter(access_requests::Column::UserNumber.eq(user.0))
        .order_by_desc(access_requests::Column::Id)
        .limit(MAX_OF_USER)
        .all(&store.db)
        .await?;
    with_people(store, rows).await
}

/// Adds the names of the people.
async fn with_people(
    store: &Store,
    rows: Vec<access_requests::Model>,
) -> Result<Vec<AccessRequest>, RecordsError> {
    let numbers: BTreeSet<i64> = rows
        .iter()
        .flat_map(|row| [Some(row.user_number), row.recorded_by, row.closed_by])
        .flatten()
        .collect();
    let people = users::Entity::find().filter(users::Column::Number.is_in(numbers)).all(&store.db).await?;
    let people: HashMap<i64, Person> = people
        .into_iter()
        .map(|user| (user.number, Person { number: UserNumber(user.number), name: display_name(&user) }))
        .collect();
    let person = |number: Option<i64>| number.and_then(|number| people.get(&number).cloned());
    let request = |row: access_requests::Model| {
        Ok(AccessRequest {
            id: AccessRequestId(row.id),
            user: person(Some(row.user_number)).ok_or(RecordsError::Corrupt("access request"))?,
            state: row.state,
            received_on: row.received_on,
            due_on: row.due_on,
            recorded_by: person(row.recorded_by),
            closed_on: row.closed_on,
            closed_by: person(row.closed_by),
            decline_reason: row.decline_reason,
            answer: row.answer,
        })
    };
    rows.into_iter().map(request).collect()
}
