//! User search: one search box, filters, four orders, keyset pagination.
//!
//! Raw SQL: the search over all users compares pairs of order and number, and its conditions decide which index is
//! used.

use chrono::NaiveDate;
use db::entity::users;
use db::pagination::{Page, Paging};
use db::{RecordsError, dialect};
use policy::{Role, TermKind, UserNumber, text};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IdenStatic, PaginatorTrait, QueryFilter, QueryResult,
};
use serde::Serialize;
use trail::Store;
use trail::person::{Name, query_words};
use trail::terms::spellings_of;

/// Maximum number of words that are searched for.
const MAX_WORDS: usize = 8;

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
    /// By last name.
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
            Self::Name => Some(users::Column::LastName),
            Self::Leaving => Some(users::Column::LeavingOn),
            Self::Activity => Some(users::Column::LastActivityOn),
        }
    }
}

/// Filter of a user search.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserQuery {
    /// The search box: user number, UserID, names, e-mail, barcode. All words must match, each as a prefix.
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
    /// Name of the user category, or its code if it has no name.
    pub category: Option<String>,
    /// Name of the department, or its code if it has no name.
    pub department: Option<String>,
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
    let backend = store.db.get_database_backend();
    let start = start(store, query, paging).await?;
    let mut rows = Vec::new();
    for part in parts(query, start) {
        let wanted = paging.limit() - u64::try_from(rows.len()).unwrap_or(0);
        if wanted == 0 {
            break;
        }
        let (sql, values) = part_sql(query, &conditions, part, wanted);
        for row in store.db.query_all_raw(dialect::bind(backend, &sql, values)).await? {
            rows.push(user_row(&row, matches!(part, Part::Without(_)))?);
        }
    }
    Ok(Page::of(rows, paging, |row| {
        let mark = if row.without_key { WITHOUT } else { "" };
        format!("{}{mark}", row.number)
    }))
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

/// Suffix of a page key among the users without the value.
const WITHOUT: &str = "-";

/// Where a page starts.
#[derive(Clone, Copy)]
enum Start {
    /// At the first user.
    First,
    /// After this user, who has the value.
    After(i64),
    /// After this user, who lacks the value.
    AfterWithout(i64),
}

/// A part of the list: users with the value, then users without it. Each part uses an index.
#[derive(Clone, Copy)]
enum Part {
    /// Ordered by the value, after this user.
    With(Option<i64>),
    /// Ordered by user number, after this one.
    Without(Option<i64>),
}

/// Parses the page key.
///
/// If its user has lost the value in the meantime (by being anonymised), the position is unknown. The list then
/// starts from the beginning, so that no user is skipped.
async fn start(store: &Store, query: &UserQuery, paging: &Paging) -> Result<Start, RecordsError> {
    let Some(after) = paging.after.as_deref() else { return Ok(Start::First) };
    let without = after.strip_suffix(WITHOUT);
    let Ok(number) = without.unwrap_or(after).parse::<i64>() else { return Ok(Start::First) };
    if without.is_some() {
        return Ok(Start::AfterWithout(number));
    }
    let Some(column) = query.sort.column() else { return Ok(Start::After(number)) };
    let with_value = users::Entity::find_by_id(number).filter(column.is_not_null());
    Ok(if with_value.count(&store.db).await? > 0 { Start::After(number) } else { Start::First })
}

fn parts(query: &UserQuery, start: Start) -> Vec<Part> {
    let orders_by_number = query.sort.column().is_none();
    match start {
        Start::First if orders_by_number => vec![Part::With(None)],
        Start::First => vec![Part::With(None), Part::Without(None)],
        Start::After(number) if orders_by_number => vec![Part::With(Some(number))],
        Start::After(number) => vec![Part::With(Some(number)), Part::Without(None)],
        Start::AfterWithout(number) => vec![Part::Without(Some(number))],
    }
}

/// Conditions on `users u`, each starting with ` AND `.
#[derive(Clone, Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn having(&mut self, having: Having, yes: &str, no: &str) {
        if let Some(having) = having {
            self.and(if having { yes } else { no }, []);
        }
    }
}

async fn conditions(db: &impl ConnectionTrait, query: &UserQuery) -> Result<Conditions, RecordsError> {
    let mut all = Conditions::default();
    let typed = text::line(&query.text, text::SHORT).map_err(|problem| RecordsError::field("q", problem))?;
    let words = query_words(&typed);
    if words.is_empty() && !typed.is_empty() {
        all.and("FALSE", []);
    }
    for word in words.into_iter().take(MAX_WORDS) {
        let number: i64 = word.parse().unwrap_or(-1);
        let end = format!("{word}{}", char::MAX);
        all.and(
            "u.number IN (SELECT user_number FROM user_words WHERE word >= ? AND word < ? \
             UNION SELECT CAST(? AS BIGINT))",
            [word.into(), end.into(), number.into()],
        );
    }
    for (kind, code) in [
        (TermKind::Category, &query.category),
        (TermKind::Department, &query.department),
        (TermKind::Branch, &query.branch),
    ] {
        let Some(code) = code else { continue };
        let name = kind.code();
        let code = text::line(code, text::SHORT).map_err(|problem| RecordsError::field(name, problem))?;
        let codes = spellings_of(db, kind, &code).await?;
        let places = dialect::placeholders(codes.len());
        all.and(&format!("u.{name} IN ({places})"), codes.into_iter().map(Value::from));
    }
    all.having(query.imported, "u.imported", "NOT u.imported");
    for (having, column) in [(query.marked, "marked_on"), (query.anonymised, "anonymised_on")] {
        // For other orders than by number, select the few marked users first and sort them. Using the index of the
        // order would read every user.
        let yes = match query.sort {
            Sort::Number => format!("u.{column} IS NOT NULL"),
            _ => format!("u.number IN (SELECT number FROM users WHERE {column} IS NOT NULL)"),
        };
        all.having(having, &yes, &format!("u.{column} IS NULL"));
    }
    match query.role {
        None => (),
        Some(RoleFilter::Any) => all.and("u.number IN (SELECT user_number FROM user_roles)", []),
        Some(RoleFilter::None) => {
            all.and("NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = u.number)", []);
        }
        Some(RoleFilter::One(role)) => {
            all.and("u.number IN (SELECT user_number FROM user_roles WHERE role = ?)", [role.into()]);
        }
    }
    if let Some(day) = query.left_before {
        all.and("u.leaving_on < ?", [day.into()]);
    }
    if let Some(day) = query.active_before {
        all.and("u.last_activity_on < ?", [day.into()]);
    }
    Ok(all)
}

fn part_sql(query: &UserQuery, conditions: &Conditions, part: Part, limit: u64) -> (String, Vec<Value>) {
    let mut all = conditions.clone();
    let (direction, beyond) = if query.descending { ("DESC", "<") } else { ("ASC", ">") };
    let order = match (part, query.sort.column().map(|column| column.as_str())) {
        (Part::With(after), Some(column)) => {
            all.and(&format!("u.{column} IS NOT NULL"), []);
            if let Some(number) = after {
                let place = format!("(SELECT b.{column} FROM users b WHERE b.number = ?)");
                all.and(
                    &format!("(u.{column}, u.number) {beyond} ({place}, ?)"),
                    [number.into(), number.into()],
                );
            }
            format!("u.{column} {direction}, u.number {direction}")
        }
        (Part::With(after) | Part::Without(after), column) => {
            if let Some(column) = column {
                all.and(&format!("u.{column} IS NULL"), []);
            }
            if let Some(number) = after {
                all.and(&format!("u.number {beyond} ?"), [number.into()]);
            }
            format!("u.number {direction}")
        }
    };
    // Joins and roles are looked up only for the rows of the page.
    let sql = format!(
        "SELECT u.number, {name}, u.user_id, u.email, u.barcode, COALESCE(c.name, u.category) AS category, \
         COALESCE(d.name, u.department) AS department, u.fictitious, u.imported, u.leaving_on, \
         u.last_activity_on, u.marked_on, u.anonymised_on, u.dates_by_month, \
         CASE WHEN EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = u.number) THEN 1 ELSE 0 END AS staff \
         FROM users u LEFT JOIN terms c ON c.kind = 'category' AND c.code = u.category \
         LEFT JOIN terms d ON d.kind = 'department' AND d.code = u.department \
         WHERE TRUE{conditions} ORDER BY {order} LIMIT {limit}",
        name = Name::select_list("u"),
        conditions = all.sql,
    );
    (sql, all.values)
}

fn user_row(row: &QueryResult, without_key: bool) -> Result<UserRow, DbErr> {
    Ok(UserRow {
        number: UserNumber(row.try_get("", "number")?),
        name: Name::of(row, "u")?.shown(),
        user_id: row.try_get("", "user_id")?,
        email: row.try_get("", "email")?,
        barcode: row.try_get("", "barcode")?,
        category: row.try_get("", "category")?,
        department: row.try_get("", "department")?,
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
