//! Reads the users of a run or preview: filters, four orders, keyset pagination.
//!
//! Raw SQL: a page begins beyond a pair of order and number, and its conditions are fragments of the search index.

use super::announced_users;
use super::read::Run;
use chrono::NaiveDate;
use db::pagination::{Page, Paging};
use db::search_index::matching;
use db::{RecordsError, dialect};
use erasure::eligibility;
use policy::assess::{first_eligible_day, inactive_since, kept_since};
use policy::user_search::UserSearch;
use policy::{
    Blockers, ExclusionReason, Outcome, Policy, Reason, RunId, TaskSettings, UserNumber, VerdictKind,
};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, QueryResult};
use serde::Serialize;
use trail::Store;
use trail::person::Name;

/// The order of the users. Users without the value come last in both directions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MemberSort {
    /// By reason: eligible users first, then those who are not yet, blocked, excluded, already anonymised.
    #[default]
    Reason,
    /// By user number.
    Number,
    /// By name, in the order of [`policy::name_order`].
    Name,
    /// By the first day on which the conditions are met.
    FirstDay,
}

impl MemberSort {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Reason, Self::Number, Self::Name, Self::FirstDay];

    /// Returns the stable code used in URLs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Number => "number",
            Self::Name => "name",
            Self::FirstDay => "first_day",
        }
    }

    /// Returns the order with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.code() == code)
    }
}

/// Filter and order for the users of a run.
#[derive(Clone, Debug, Default)]
pub struct MemberQuery {
    /// Only users with this verdict.
    pub verdict: Option<VerdictKind>,
    /// Only users with this reason.
    pub reason: Option<Reason>,
    /// Only users with this outcome.
    pub outcome: Option<Outcome>,
    /// Only users with these words in their record, or with this user number.
    pub text: String,
    /// The order.
    pub sort: MemberSort,
    /// Whether the order is descending.
    pub descending: bool,
}

/// Why and by which member of staff a user is excluded.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Exclusion {
    /// The reason.
    pub reason: ExclusionReason,
    /// The current name of the member of staff. `None` for the command line.
    pub by: Option<String>,
}

/// A user in a run or preview.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// The user.
    pub number: UserNumber,
    /// The user's current name.
    pub name: String,
    /// The reason of the verdict.
    pub reason: Reason,
    /// All blockers.
    pub blockers: Blockers,
    /// Why staff excluded the user. `None` if they didn't.
    pub exclusion: Option<Exclusion>,
    /// The first day on which the conditions are met, or `None` if the dates don't determine it.
    pub first_day: Option<NaiveDate>,
    /// The current leaving date.
    pub leaving_on: Option<NaiveDate>,
    /// The current date of last activity.
    pub last_activity_on: Option<NaiveDate>,
    /// The current date marked for deletion.
    pub marked_on: Option<NaiveDate>,
    /// Whether the dates were generalised to the month, so that the day isn't exact.
    pub dates_by_month: bool,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// The reason for skipping.
    pub outcome_reason: Option<Reason>,
    /// The error code.
    pub failure: Option<String>,
    /// Whether the user lacks the value of the order.
    #[serde(skip)]
    without_key: bool,
}

/// Returns the users of a run or preview. The key of a page has numbers of reason and user, no personal data.
pub async fn members(
    store: &Store,
    run: &Run,
    query: &MemberQuery,
    paging: &Paging,
) -> Result<Page<Member>, RecordsError> {
    let sort = query.sort;
    let rows = read(store, run, query, paging.after.as_deref(), paging.limit()).await?;
    Ok(Page::from_rows(rows, paging, |member| page_key(member, sort)))
}

/// Counts the users of a run or preview that match the filter, on all pages.
pub async fn count_members(store: &Store, run: RunId, query: &MemberQuery) -> Result<i64, RecordsError> {
    let Conditions { sql, values } = filter(run, query);
    // Raw SQL: the conditions are a fragment shared with the list of the users.
    let sql = format!("SELECT COUNT(*) AS n FROM run_members m WHERE {sql}");
    let query = dialect::bind(store.db.get_database_backend(), &sql, values);
    Ok(store.db.query_one_raw(query).await?.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

/// Suffix of a page key among the users without the value.
const WITHOUT: &str = "-";

/// Returns the key of the page that begins after this row.
pub(super) fn page_key(member: &Member, sort: MemberSort) -> String {
    match sort {
        MemberSort::Reason => format!("{}.{}", member.reason.number(), member.number),
        _ if member.without_key => format!("{}{WITHOUT}", member.number),
        _ => member.number.to_string(),
    }
}

/// A part of the list: users with the value of the order, then users without it. Each begins beyond a user.
#[derive(Clone, Copy)]
enum Part {
    /// Ordered by the value.
    With(Option<i64>),
    /// Ordered by user number.
    Without(Option<i64>),
    /// Ordered by reason and user number.
    Reason(Option<(i16, i64)>),
}

/// Reads at most `limit` users after a page key.
pub(super) async fn read(
    store: &Store,
    run: &Run,
    query: &MemberQuery,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<Member>, RecordsError> {
    let policy = match &run.settings {
        TaskSettings::AnonymiseUserData(policy) => policy.clone(),
        // A deleted task leaves the first day of its users open.
        TaskSettings::AnnounceAnonymising(settings) => {
            match announced_users::policy_of(&store.db, settings).await {
                Err(RecordsError::Refused(_)) => Policy::default(),
                policy => policy?,
            }
        }
        TaskSettings::ImportUsers(_) => return Ok(Vec::new()),
    };
    let backend = store.db.get_database_backend();
    let key = order_key(backend, query.sort, &policy);
    let mut members = Vec::new();
    for part in parts(store, run.id, key.as_deref(), query.sort, after).await? {
        let wanted = limit.saturating_sub(members.len() as u64);
        if wanted == 0 {
            break;
        }
        let (sql, values) = part_sql((run.id, query), key.as_deref(), part, wanted);
        for row in store.db.query_all_raw(dialect::bind(backend, &sql, values)).await? {
            members.push(member(&row, &policy, matches!(part, Part::Without(_)))?);
        }
    }
    Ok(members)
}

/// Returns the nullable value of the order, as SQL. `None` for the orders by reason and number.
fn order_key(backend: DatabaseBackend, sort: MemberSort, policy: &Policy) -> Option<String> {
    match sort {
        MemberSort::Reason | MemberSort::Number => None,
        MemberSort::Name => Some("u.name_order".to_owned()),
        MemberSort::FirstDay => {
            let conditions = [
                (policy.conditions.leaving, "u.leaving_on"),
                (policy.conditions.activity, eligibility::INACTIVE_SINCE),
                (policy.conditions.marked, "u.marked_on"),
            ];
            let days = conditions.into_iter().filter_map(|(days, column)| {
                let days = i64::from(days?.get()) + 1;
                // The user of a kept account is not eligible before that many days after keeping it.
                let counts_from = format!(
                    "CASE WHEN {kept} > {column} THEN {kept} ELSE {column} END",
                    kept = eligibility::KEPT_SINCE
                );
                Some(dialect::days_after(backend, &counts_from, days))
            });
            let days: Vec<String> = days.collect();
            (!days.is_empty()).then(|| dialect::latest(backend, &days))
        }
    }
}

/// Returns the parts of the list after a page key, in the order in which they are read.
///
/// If the user of the key has lost the value in the meantime, the list starts from the beginning, so that no user is
/// skipped.
async fn parts(
    store: &Store,
    run: RunId,
    key: Option<&str>,
    sort: MemberSort,
    after: Option<&str>,
) -> Result<Vec<Part>, RecordsError> {
    if sort == MemberSort::Reason {
        let pair = after.and_then(|after| after.split_once('.'));
        let place = pair.and_then(|(reason, number)| Some((reason.parse().ok()?, number.parse().ok()?)));
        return Ok(vec![Part::Reason(place)]);
    }
    let after = after.unwrap_or_default();
    let without = after.strip_suffix(WITHOUT);
    let number: Option<i64> = without.unwrap_or(after).parse().ok();
    let Some(key) = key else { return Ok(vec![Part::With(number)]) };
    let start = vec![Part::With(None), Part::Without(None)];
    let Some(number) = number else { return Ok(start) };
    if without.is_some() {
        return Ok(vec![Part::Without(Some(number))]);
    }
    let sql = format!(
        "SELECT 1 AS one FROM run_members m JOIN users u ON u.number = m.user_number \
         WHERE m.run_id = ? AND m.user_number = ? AND {key} IS NOT NULL"
    );
    let values = vec![run.0.into(), number.into()];
    let found = store.db.query_one_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    Ok(if found.is_some() { vec![Part::With(Some(number)), Part::Without(None)] } else { start })
}

/// Conditions on `run_members m` and `users u`.
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
}

/// Returns the conditions of the filter.
fn filter(run: RunId, query: &MemberQuery) -> Conditions {
    let mut all = Conditions { sql: "m.run_id = ?".to_owned(), values: vec![run.0.into()] };
    let reasons: Vec<String> = Reason::ALL
        .into_iter()
        .filter(|reason| query.verdict.is_none_or(|verdict| reason.verdict() == verdict))
        .filter(|reason| query.reason.is_none_or(|wanted| *reason == wanted))
        .map(|reason| reason.number().to_string())
        .collect();
    if reasons.is_empty() {
        all.and("FALSE", []);
    } else if reasons.len() < Reason::ALL.len() {
        all.and(&format!("m.reason IN ({})", reasons.join(", ")), []);
    }
    if let Some(outcome) = query.outcome {
        all.and("m.outcome = ?", [outcome.into()]);
    }
    if !query.text.trim().is_empty() {
        let (matches, values) = matching(&UserSearch::parse(&query.text), "m.user_number");
        all.and(&matches, values);
    }
    all
}

/// Returns the query of one part. If the order needs no user, the page is taken from the index before users are joined.
fn part_sql(
    (run, query): (RunId, &MemberQuery),
    key: Option<&str>,
    part: Part,
    limit: u64,
) -> (String, Vec<Value>) {
    let mut all = filter(run, query);
    let (direction, beyond) = if query.descending { ("DESC", "<") } else { ("ASC", ">") };
    let number_order = format!("m.user_number {direction}");
    let order = match (part, key) {
        (Part::Reason(place), _) => {
            if let Some((reason, number)) = place {
                all.and(
                    &format!("(m.reason, m.user_number) {beyond} (?, ?)"),
                    [reason.into(), number.into()],
                );
            }
            format!("m.reason {direction}, {number_order}")
        }
        (Part::With(place), Some(key)) => {
            all.and(&format!("{key} IS NOT NULL"), []);
            if let Some(number) = place {
                let of_place = key.replace("u.", "b.");
                all.and(
                    &format!(
                        "({key}, m.user_number) {beyond} ((SELECT {of_place} FROM users b WHERE b.number = ?), ?)"
                    ),
                    [number.into(), number.into()],
                );
            }
            format!("{key} {direction}, {number_order}")
        }
        (Part::With(place) | Part::Without(place), key) => {
            if let Some(key) = key {
                all.and(&format!("{key} IS NULL"), []);
            }
            if let Some(number) = place {
                all.and(&format!("m.user_number {beyond} ?"), [number.into()]);
            }
            number_order
        }
    };
    let Conditions { sql: conditions, values } = all;
    let (from, conditions, limited) = if key.is_none() {
        let page =
            format!("(SELECT * FROM run_members m WHERE {conditions} ORDER BY {order} LIMIT {limit}) m");
        (page, "TRUE".to_owned(), String::new())
    } else {
        ("run_members m".to_owned(), conditions, format!(" LIMIT {limit}"))
    };
    let sql = format!(
        "SELECT m.user_number, m.reason, m.blockers, m.outcome, m.outcome_reason, m.failure, m.exclusion, \
         m.excluded_by, {}, {}, u.created_on, u.leaving_on, u.last_activity_on, u.marked_on, u.announced_on, u.kept_on, \
         u.dates_by_month \
         FROM {from} JOIN users u ON u.number = m.user_number LEFT JOIN users x ON x.number = m.excluded_by \
         WHERE {conditions} ORDER BY {order}{limited}",
        Name::select_list("u"),
        Name::select_list("x"),
    );
    (sql, values)
}

fn member(row: &QueryResult, policy: &Policy, without_key: bool) -> Result<Member, DbErr> {
    let unknown = || DbErr::Custom("a verdict has no known reason".to_owned());
    let reason = Reason::from_number(row.try_get("", "reason")?).ok_or_else(unknown)?;
    let blockers: i16 = row.try_get("", "blockers")?;
    let outcome_reason: Option<i16> = row.try_get("", "outcome_reason")?;
    let leaving_on: Option<NaiveDate> = row.try_get("", "leaving_on")?;
    let last_activity_on: Option<NaiveDate> = row.try_get("", "last_activity_on")?;
    let created_on: Option<NaiveDate> = row.try_get("", "created_on")?;
    let marked_on: Option<NaiveDate> = row.try_get("", "marked_on")?;
    let since = inactive_since(last_activity_on, created_on);
    let kept = kept_since(row.try_get("", "kept_on")?, row.try_get("", "announced_on")?, last_activity_on);
    let first_day = first_eligible_day(&policy.conditions, leaving_on, since, marked_on, kept);
    Ok(Member {
        number: UserNumber(row.try_get("", "user_number")?),
        name: Name::from_row(row, "u")?.shown(),
        reason,
        blockers: Blockers::from_bits(u8::try_from(blockers).unwrap_or(u8::MAX)),
        exclusion: exclusion(row)?,
        first_day: first_day.ok(),
        leaving_on,
        last_activity_on,
        marked_on,
        dates_by_month: row.try_get("", "dates_by_month")?,
        outcome: row.try_get("", "outcome")?,
        outcome_reason: outcome_reason.and_then(Reason::from_number),
        failure: row.try_get("", "failure")?,
        without_key,
    })
}

fn exclusion(row: &QueryResult) -> Result<Option<Exclusion>, DbErr> {
    let Some(reason) = row.try_get("", "exclusion")? else { return Ok(None) };
    let by: Option<i64> = row.try_get("", "excluded_by")?;
    let by = by.map(|_| Name::from_row(row, "x").map(|name| name.shown())).transpose()?;
    Ok(Some(Exclusion { reason, by }))
}
