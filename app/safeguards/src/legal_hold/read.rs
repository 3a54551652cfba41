//! Reading legal holds.

use chrono::{DateTime, NaiveDate, Utc};
use db::bulk_insert::MAX_PARAMETERS;
use db::entity::{legal_holds, users};
use db::pagination::{Page, Paging};
use db::{Clock, RecordsError, dialect};
use policy::{ApprovalId, LegalHoldId, LegalHoldReason, LegalHoldTarget, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryResult, QuerySelect,
    QueryTrait,
};
use serde::Serialize;
use std::collections::HashSet;
use std::iter;
use trail::Store;
use trail::person::{Name, Person};
use trail::terms::Term;

/// The condition that a legal hold is due for review, with the day as its value.
pub const DUE: &str = "x.review_on <= ?";

/// Returns the legal holds that are due for review, with their review dates.
pub async fn due(
    db: &impl ConnectionTrait,
    today: NaiveDate,
) -> Result<Vec<(LegalHoldId, NaiveDate)>, RecordsError> {
    // Raw SQL: the condition is a fragment shared with the list of legal holds.
    let sql = format!(
        "SELECT x.id, x.review_on FROM legal_holds x WHERE x.released_on IS NULL AND {DUE} ORDER BY x.id"
    );
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, vec![today.into()])).await?;
    let due = rows.iter().map(|row| Ok((LegalHoldId(row.try_get("", "id")?), row.try_get("", "review_on")?)));
    due.collect()
}

/// A legal hold.
#[derive(Clone, Debug, Serialize)]
pub struct LegalHold {
    /// The id.
    pub id: LegalHoldId,
    /// The user or category under legal hold.
    pub on: LegalHoldTarget<Person, Term>,
    /// The reason.
    pub reason: LegalHoldReason,
    /// The member of staff who is responsible for it.
    pub owner: Option<Person>,
    /// The member of staff who placed it.
    pub placed_by: Option<Person>,
    /// The date of placement.
    pub placed_on: NaiveDate,
    /// The date of the next review.
    pub review_on: NaiveDate,
    /// The date of release. None while it is in force.
    pub released_on: Option<NaiveDate>,
    /// The member of staff who released it.
    pub released_by: Option<Person>,
    /// The waiting request for its release.
    pub release_request: Option<ReleaseRequested>,
}

/// A request for release that waits for a decision.
#[derive(Clone, Debug, Serialize)]
pub struct ReleaseRequested {
    /// The id of the request.
    pub id: ApprovalId,
    /// The requester. None for the command line.
    pub by: Option<UserNumber>,
    /// The instant at which the request expires.
    pub expires_at: DateTime<Utc>,
}

impl LegalHold {
    /// Returns whether it prevents anonymising.
    pub const fn is_in_force(&self) -> bool {
        self.released_on.is_none()
    }

    /// Returns whether it is in force and due for review.
    pub fn is_due(&self, today: NaiveDate) -> bool {
        self.is_in_force() && self.review_on <= today
    }
}

/// Selects the legal holds in a list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub enum Show {
    /// Legal holds in force.
    #[default]
    InForce,
    /// Legal holds in force that are due for review.
    Due,
    /// Released legal holds.
    Released,
    /// All legal holds.
    All,
}

impl Show {
    /// All choices.
    pub const ALL: [Self; 4] = [Self::InForce, Self::Due, Self::Released, Self::All];

    /// Returns the code for URLs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Due => "due",
            Self::Released => "released",
            Self::All => "all",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::InForce => "In force",
            Self::Due => "Due for review",
            Self::Released => "Released",
            Self::All => "All",
        }
    }

    /// Returns the choice with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|show| show.code() == code)
    }
}

/// Filters for legal holds.
#[derive(Clone, Debug, Default)]
pub struct LegalHoldQuery {
    /// The status.
    pub show: Show,
    /// Only legal holds on this user.
    pub user: Option<UserNumber>,
    /// Only legal holds on this category.
    pub category: Option<String>,
}

/// Lists legal holds, the newest first.
pub async fn list(
    store: &Store,
    query: &LegalHoldQuery,
    paging: &Paging,
) -> Result<Page<LegalHold>, RecordsError> {
    let mut conditions = vec!["x.id < ?".to_owned()];
    let before = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let mut values: Vec<Value> = vec![before.into()];
    match query.show {
        Show::InForce => conditions.push("x.released_on IS NULL".to_owned()),
        Show::Due => {
            conditions.push(format!("x.released_on IS NULL AND {DUE}"));
            values.push(store.clock.today().into());
        }
        Show::Released => conditions.push("x.released_on IS NOT NULL".to_owned()),
        Show::All => {}
    }
    if let Some(user) = query.user {
        conditions.push("x.user_number = ?".to_owned());
        values.push(user.0.into());
    }
    if let Some(category) = &query.category {
        conditions.push("x.category = ?".to_owned());
        values.push(category.clone().into());
    }
    let rest = format!("WHERE {} ORDER BY x.id DESC LIMIT {}", conditions.join(" AND "), paging.limit());
    Ok(Page::from_rows(holds(&store.db, &rest, values).await?, paging, |hold| hold.id.to_string()))
}

/// Reads one legal hold.
pub async fn read(store: &Store, id: LegalHoldId) -> Result<LegalHold, RecordsError> {
    let found = holds(&store.db, "WHERE x.id = ?", vec![id.0.into()]).await?;
    found.into_iter().next().ok_or(RecordsError::NotFound("legal hold"))
}

/// Lists the legal holds on a user, and those in force on the user's category. Those in force come first.
pub async fn of_user(store: &Store, user: UserNumber) -> Result<Vec<LegalHold>, RecordsError> {
    let rest = "WHERE x.user_number = ? OR (x.released_on IS NULL AND x.category = \
                (SELECT category FROM users WHERE number = ? AND anonymised_on IS NULL)) \
                ORDER BY CASE WHEN x.released_on IS NULL THEN 0 ELSE 1 END, x.id DESC LIMIT 100";
    holds(&store.db, rest, vec![user.0.into(), user.0.into()]).await
}

/// Returns whether a legal hold on the user or the user's category is in force.
pub async fn in_force(db: &impl ConnectionTrait, user: UserNumber) -> Result<bool, DbErr> {
    Ok(!in_force_among(db, iter::once(user.0)).await?.is_empty())
}

/// Returns which of these users are under a legal hold, on the user or on the category.
pub async fn in_force_among(
    db: &impl ConnectionTrait,
    users: impl Iterator<Item = i64>,
) -> Result<HashSet<i64>, DbErr> {
    let numbers: Vec<i64> = users.collect();
    let in_force = |column: legal_holds::Column| {
        legal_holds::Entity::find()
            .select_only()
            .column(column)
            .filter(legal_holds::Column::ReleasedOn.is_null())
            .filter(column.is_not_null())
            .into_query()
    };
    let on_user = users::Column::Number.in_subquery(in_force(legal_holds::Column::UserNumber));
    let on_category = users::Column::Category.in_subquery(in_force(legal_holds::Column::Category));
    let on_either = Condition::any().add(on_user).add(on_category);
    let mut held = HashSet::new();
    for some in numbers.chunks(MAX_PARAMETERS) {
        let of_these: Vec<i64> = users::Entity::find()
            .select_only()
            .column(users::Column::Number)
            .filter(users::Column::Number.is_in(some.iter().copied()))
            .filter(on_either.clone())
            .into_tuple()
            .all(db)
            .await?;
        held.extend(of_these);
    }
    Ok(held)
}

/// The people of a legal hold: the column of each user number, and the alias of the joined user.
const PEOPLE: [(&str, &str); 4] =
    [("user_number", "h"), ("owner_number", "o"), ("placed_by", "p"), ("released_by", "r")];

/// Reads legal holds `x` with their people. `rest` follows the joins.
///
/// Raw SQL: each row joins the newest open request to release it, and callers give different conditions and orders.
async fn holds(
    db: &impl ConnectionTrait,
    rest: &str,
    values: Vec<Value>,
) -> Result<Vec<LegalHold>, RecordsError> {
    let names = PEOPLE.map(|(_, table)| Name::select_list(table)).join(", ");
    let joins =
        PEOPLE.map(|(column, table)| format!("LEFT JOIN users {table} ON {table}.number = x.{column} "));
    let sql = format!(
        "SELECT x.id, x.user_number, x.category, x.reason, x.owner_number, x.placed_by, x.placed_on, x.review_on, \
         x.released_on, x.released_by, COALESCE(t.name, x.category) AS category_name, a.id AS asked_id, \
         a.asked_by AS asked_by, a.expires_at AS asked_until, {names} FROM legal_holds x {} \
         LEFT JOIN terms t ON t.kind = 'category' AND t.code = x.category \
         LEFT JOIN approvals a ON a.id = (SELECT MAX(w.id) FROM approvals w WHERE w.legal_hold_id = x.id \
         AND w.decision IS NULL AND w.expires_at > ?) {rest}",
        joins.concat()
    );
    let values = std::iter::once(Clock::system_now().into()).chain(values).collect();
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    rows.iter().map(hold).collect()
}

fn hold(row: &QueryResult) -> Result<LegalHold, RecordsError> {
    let person = |(column, table): (&str, &str)| -> Result<Option<Person>, DbErr> {
        let number: Option<i64> = row.try_get("", column)?;
        let name = Name::from_row(row, table)?.shown();
        Ok(number.map(|number| Person { number: UserNumber(number), name }))
    };
    let [on, owner, placed_by, released_by] = PEOPLE.map(person);
    let category: Option<String> = row.try_get("", "category")?;
    let on = match (on?, category) {
        (Some(user), _) => LegalHoldTarget::User(user),
        (None, Some(code)) => {
            LegalHoldTarget::Category(Term { code, name: row.try_get("", "category_name")? })
        }
        (None, None) => return Err(RecordsError::Corrupt("legal hold")),
    };
    let asked: Option<i64> = row.try_get("", "asked_id")?;
    let until: Option<DateTime<Utc>> = row.try_get("", "asked_until")?;
    let by: Option<i64> = row.try_get("", "asked_by")?;
    Ok(LegalHold {
        id: LegalHoldId(row.try_get("", "id")?),
        on,
        reason: row.try_get("", "reason")?,
        owner: owner?,
        placed_by: placed_by?,
        placed_on: row.try_get("", "placed_on")?,
        review_on: row.try_get("", "review_on")?,
        released_on: row.try_get("", "released_on")?,
        released_by: released_by?,
        release_request: asked.zip(until).map(|(id, expires_at)| ReleaseRequested {
            id: ApprovalId(id),
            by: by.map(UserNumber),
            expires_at,
        }),
    })
}
