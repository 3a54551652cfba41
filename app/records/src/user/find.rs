//! User search: one search box, filters, four orders, keyset pagination.
//!
//! Raw SQL: the search over all users compares pairs of order and number, and its conditions decide which index is
//! used.

mod conditions;
mod exact;
mod similar;

pub use exact::exact_match;
pub use similar::{MAX_SIMILAR_COUNTED, Similar, similar};

use chrono::NaiveDate;
use conditions::{Conditions, conditions};
use db::entity::users;
use db::pagination::{Page, Paging};
use db::{RecordsError, dialect};
use policy::{Role, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IdenStatic, PaginatorTrait, QueryFilter, QueryResult,
};
use serde::Serialize;
use trail::Store;
use trail::person::Name;

/// Filter by role.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RoleFilter {
    /// At least one role.
    Any,
    /// No role.
    None,
    /// This role.
    One(Role),
}

/// Filter by the presence of a value. `None` disables it.
pub type Having = Option<bool>;

/// The order of the results. Users without the value come last in both directions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// By user number.
    #[default]
    Number,
    /// By name, in the order of [`policy::name_order`].
    Name,
    /// By leaving date.
    Leaving,
    /// By date of last activity.
    Activity,
}

impl Sort {
    /// All orders, in column order.
    pub const ALL: [Self; 4] = [Self::Number, Self::Name, Self::Leaving, Self::Activity];

    /// Returns the stable code used in URLs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Name => "name",
            Self::Leaving => "leaving",
            Self::Activity => "activity",
        }
    }

    /// Returns the order with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.code() == code)
    }

    /// Returns the nullable column of the order, or `None` for the user number.
    const fn column(self) -> Option<users::Column> {
        match self {
            Self::Number => None,
            Self::Name => Some(users::Column::NameOrder),
            Self::Leaving => Some(users::Column::LeavingOn),
            Self::Activity => Some(users::Column::LastActivityOn),
        }
    }
}

/// Filter of a user search.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserQuery {
    /// The search box: user number, UserID, names, e-mail, barcode, phone. [`policy::user_search`] reads it.
    pub text: String,
    /// Code of the user category.
    pub category: Option<String>,
    /// Code of the department.
    pub department: Option<String>,
    /// Code of the branch.
    pub branch: Option<String>,
    /// Only imported (`true`) or not imported users.
    pub imported: Having,
    /// Only users with these roles.
    pub role: Option<RoleFilter>,
    /// Only users with a leaving date before this day.
    pub left_before: Option<NaiveDate>,
    /// Only users with their last activity before this day.
    pub active_before: Option<NaiveDate>,
    /// Only users who are (`true`) or aren't marked for deletion.
    pub marked: Having,
    /// Only users who are (`true`) or aren't anonymised.
    pub anonymised: Having,
    /// The order.
    pub sort: Sort,
    /// Whether the order is descending.
    pub descending: bool,
}

/// A user in a list.
#[derive(Clone, Debug, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "these are independent facts of a record")]
pub struct UserRow {
    /// User number.
    pub number: UserNumber,
    /// Display name.
    pub name: String,
    /// UserID.
    pub user_id: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Barcode.
    pub barcode: Option<String>,
    /// Phone, or mobile if there is no other.
    pub phone: Option<String>,
    /// Birth date.
    pub birth_date: Option<NaiveDate>,
    /// City.
    pub city: Option<String>,
    /// Name of the user category, or its code if it has no name.
    pub category: Option<String>,
    /// Name of the department, or its code if it has no name.
    pub department: Option<String>,
    /// Name of the branch, or its code if it has no name.
    pub branch: Option<String>,
    /// Whether the user has a role.
    pub staff: bool,
    /// Whether the record isn't a person.
    pub fictitious: bool,
    /// Whether an import created or last matched the user.
    pub imported: bool,
    /// Leaving date.
    pub leaving_on: Option<NaiveDate>,
    /// Last activity.
    pub last_activity_on: Option<NaiveDate>,
    /// Date marked for deletion.
    pub marked_on: Option<NaiveDate>,
    /// Date of anonymising.
    pub anonymised_on: Option<NaiveDate>,
    /// Whether the dates were generalised to the month.
    pub dates_by_month: bool,
    /// Whether the user lacks the value of the order.
    #[serde(skip)]
    without_key: bool,
}

/// Returns the users that match. The page key contains only a user number, no personal data.
pub async fn find(store: &Store, query: &UserQuery, paging: &Paging) -> Result<Page<UserRow>, RecordsError> {
    let conditions = conditions(&store.db, query).await?;
    if let Some(before) = paging.before.as_deref() {
        let position = parse_page_key(store, query, before).await?;
        let mut rows = read(store, query, &conditions, (position, true), paging.limit()).await?;
        let wanted = usize::try_from(paging.limit() - 1).unwrap_or(usize::MAX);
        // A short page at the beginning is shown as the full first page.
        if rows.len() > wanted {
            rows.truncate(wanted);
            rows.reverse();
            let (previous, next) = (rows.first().map(page_key), rows.last().map(page_key));
            return Ok(Page { rows, next, previous });
        }
    }
    let position = match paging.after.as_deref().filter(|_| paging.before.is_none()) {
        Some(after) => parse_page_key(store, query, after).await?,
        None => ListPosition::Start,
    };
    let rows = read(store, query, &conditions, (position, false), paging.limit()).await?;
    let page = Page::from_rows(rows, paging, page_key);
    let previous = page.rows.first().map(page_key).filter(|_| !matches!(position, ListPosition::Start));
    Ok(Page { previous, ..page })
}

/// Counts the users that match, up to `most`.
pub async fn count(store: &Store, query: &UserQuery, most: u64) -> Result<i64, RecordsError> {
    let Conditions { sql, values } = conditions(&store.db, query).await?;
    let sql = format!(
        "SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM users u WHERE TRUE{sql} LIMIT {most}) found"
    );
    let row = store.db.query_one_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

/// Returns the numbers of the users that match, at most `most`.
pub async fn numbers(store: &Store, query: &UserQuery, most: u64) -> Result<Vec<UserNumber>, RecordsError> {
    let Conditions { sql, values } = conditions(&store.db, query).await?;
    let sql = format!("SELECT u.number FROM users u WHERE TRUE{sql} ORDER BY u.number LIMIT {most}");
    let rows = store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    Ok(rows.iter().map(|row| row.try_get("", "number").map(UserNumber)).collect::<Result<_, DbErr>>()?)
}

/// Suffix of a page key among the users without the value.
const WITHOUT: &str = "-";

/// Returns the key of a page that begins after this row or ends before it.
fn page_key(row: &UserRow) -> String {
    let mark = if row.without_key { WITHOUT } else { "" };
    format!("{}{mark}", row.number)
}

/// A position in the list.
#[derive(Clone, Copy)]
enum ListPosition {
    /// Before the first user.
    Start,
    /// Beside this user, who has the value.
    With(i64),
    /// Beside this user, who lacks the value.
    Without(i64),
}

/// A part of the list: users with the value, then users without it. Each part uses an index.
#[derive(Clone, Copy)]
enum Part {
    /// Ordered by the value, beyond this user.
    With(Option<i64>),
    /// Ordered by user number, beyond this one.
    Without(Option<i64>),
}

/// Parses the page key.
///
/// If its user has lost the value in the meantime (by being anonymised), the position is unknown. The list then
/// starts from the beginning, so that no user is skipped.
async fn parse_page_key(store: &Store, query: &UserQuery, key: &str) -> Result<ListPosition, RecordsError> {
    let without = key.strip_suffix(WITHOUT);
    let Ok(number) = without.unwrap_or(key).parse::<i64>() else { return Ok(ListPosition::Start) };
    if without.is_some() {
        return Ok(ListPosition::Without(number));
    }
    let Some(column) = query.sort.column() else { return Ok(ListPosition::With(number)) };
    let with_value = users::Entity::find_by_id(number).filter(column.is_not_null());
    Ok(if with_value.count(&store.db).await? > 0 { ListPosition::With(number) } else { ListPosition::Start })
}

/// Reads rows from a position on, forwards or backwards.
async fn read(
    store: &Store,
    query: &UserQuery,
    conditions: &Conditions,
    (position, is_back): (ListPosition, bool),
    limit: u64,
) -> Result<Vec<UserRow>, RecordsError> {
    let backend = store.db.get_database_backend();
    let mut rows = Vec::new();
    for part in parts(query, position, is_back) {
        let wanted = limit - u64::try_from(rows.len()).unwrap_or(limit);
        if wanted == 0 {
            break;
        }
        let (sql, values) = part_sql(query, conditions, (part, is_back), wanted);
        for row in store.db.query_all_raw(dialect::bind(backend, &sql, values)).await? {
            rows.push(user_row(&row, matches!(part, Part::Without(_)))?);
        }
    }
    Ok(rows)
}

/// Returns the parts of the list in the order in which they are read.
fn parts(query: &UserQuery, position: ListPosition, is_back: bool) -> Vec<Part> {
    let orders_by_number = query.sort.column().is_none();
    match (position, is_back) {
        (ListPosition::Start, true) => Vec::new(),
        (ListPosition::Start, false) if orders_by_number => vec![Part::With(None)],
        (ListPosition::Start, false) => vec![Part::With(None), Part::Without(None)],
        (ListPosition::With(number), false) if !orders_by_number => {
            vec![Part::With(Some(number)), Part::Without(None)]
        }
        (ListPosition::With(number), _) => vec![Part::With(Some(number))],
        (ListPosition::Without(number), false) => vec![Part::Without(Some(number))],
        (ListPosition::Without(number), true) => vec![Part::Without(Some(number)), Part::With(None)],
    }
}

fn part_sql(
    query: &UserQuery,
    conditions: &Conditions,
    (part, is_back): (Part, bool),
    limit: u64,
) -> (String, Vec<Value>) {
    let mut all = conditions.clone();
    let (direction, beyond) = if query.descending == is_back { ("ASC", ">") } else { ("DESC", "<") };
    let order = match (part, query.sort.column().map(|column| column.as_str())) {
        (Part::With(from), Some(column)) => {
            all.and(&format!("u.{column} IS NOT NULL"), []);
            if let Some(number) = from {
                let position = format!("(SELECT b.{column} FROM users b WHERE b.number = ?)");
                all.and(
                    &format!("(u.{column}, u.number) {beyond} ({position}, ?)"),
                    [number.into(), number.into()],
                );
            }
            format!("u.{column} {direction}, u.number {direction}")
        }
        (Part::With(from) | Part::Without(from), column) => {
            if let Some(column) = column {
                all.and(&format!("u.{column} IS NULL"), []);
            }
            if let Some(number) = from {
                all.and(&format!("u.number {beyond} ?"), [number.into()]);
            }
            format!("u.number {direction}")
        }
    };
    // Joins and roles are looked up only for the rows of the page.
    let sql = format!(
        "SELECT u.number, {name}, u.user_id, u.email, u.barcode, u.phone, u.mobile, u.birth_date, u.city, \
         COALESCE(c.name, u.category) AS category, COALESCE(d.name, u.department) AS department, \
         COALESCE(b.name, u.branch) AS branch, u.fictitious, u.imported, u.leaving_on, \
         u.last_activity_on, u.marked_on, u.anonymised_on, u.dates_by_month, \
         CASE WHEN EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = u.number) THEN 1 ELSE 0 END AS staff \
         FROM users u LEFT JOIN terms c ON c.kind = 'category' AND c.code = u.category \
         LEFT JOIN terms d ON d.kind = 'department' AND d.code = u.department \
         LEFT JOIN terms b ON b.kind = 'branch' AND b.code = u.branch \
         WHERE TRUE{conditions} ORDER BY {order} LIMIT {limit}",
        name = Name::select_list("u"),
        conditions = all.sql,
    );
    (sql, all.values)
}

fn user_row(row: &QueryResult, without_key: bool) -> Result<UserRow, DbErr> {
    Ok(UserRow {
        number: UserNumber(row.try_get("", "number")?),
        name: Name::from_row(row, "u")?.shown(),
        user_id: row.try_get("", "user_id")?,
        email: row.try_get("", "email")?,
        barcode: row.try_get("", "barcode")?,
        phone: row.try_get::<Option<String>>("", "phone")?.or(row.try_get("", "mobile")?),
        birth_date: row.try_get("", "birth_date")?,
        city: row.try_get("", "city")?,
        category: row.try_get("", "category")?,
        department: row.try_get("", "department")?,
        branch: row.try_get("", "branch")?,
        staff: row.try_get::<i32>("", "staff")? != 0,
        fictitious: row.try_get("", "fictitious")?,
        imported: row.try_get("", "imported")?,
        leaving_on: row.try_get("", "leaving_on")?,
        last_activity_on: row.try_get("", "last_activity_on")?,
        marked_on: row.try_get("", "marked_on")?,
        anonymised_on: row.try_get("", "anonymised_on")?,
        dates_by_month: row.try_get("", "dates_by_month")?,
        without_key,
    })
}
