//! Checks anonymised users later. The old values are gone, so it checks that the fields are empty.
//!
//! For users that aren't anonymised yet, it reports where their values are stored, with the same search as in a
//! run.

use super::erased_values::ErasedValues;
use super::registered::{self, UnclearedField};
use super::review::{Finding, FindingQuery, findings};
use super::searched_tables::{NotSearched, searched_tables};
use super::{MAX_SCAN_AGE, scan};
use db::entity::users;
use db::pagination::{MAX_ROWS, Paging};
use db::{RecordsError, dialect};
use policy::personal_data::{TABLES, differences};
use policy::residue::ValueKind;
use policy::{Field, Outcome, Policy, Residue, RunKind, RunState, Treatment, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Value};
use serde::Serialize;
use std::collections::BTreeMap;
use trail::Store;

/// The result of the check.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// Number of anonymised users checked.
    pub anonymised: i64,
    /// Tables and columns missing from the register or from the schema.
    pub unregistered: Vec<String>,
    /// Fields of anonymised users that should be empty and aren't.
    pub left: Vec<UnclearedField>,
    /// Open findings.
    pub open: Vec<Finding>,
    /// Number of anonymised users whose old values were lost before the search.
    pub undeterminable: i64,
    /// Where values of users that aren't anonymised yet are stored.
    pub status: Vec<Occurrences>,
    /// Columns that can't be searched.
    pub not_searched: Vec<NotSearched>,
}

/// Where values of a user that isn't anonymised yet are stored.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Occurrences {
    /// The user.
    pub user: UserNumber,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Kind of the value.
    pub kind: ValueKind,
    /// Number of rows.
    pub rows: usize,
}

impl Verification {
    /// Returns whether no checked user has residue and every result is known.
    pub fn is_clean(&self) -> bool {
        self.unregistered.is_empty()
            && self.left.is_empty()
            && self.open.is_empty()
            && self.undeterminable == 0
            && self.status.is_empty()
    }
}

/// Checks these users, anonymised or not, or all anonymised users if `numbers` is empty.
pub async fn verify(store: &Store, numbers: &[UserNumber]) -> Result<Verification, RecordsError> {
    let schema: Vec<(String, Vec<String>)> = dialect::schema(&store.db).await?.into_iter().collect();
    let schema = schema.iter().map(|(name, columns)| (name.as_str(), columns.as_slice()));
    let (anonymised, others) = asked_for(store, numbers).await?;
    // `None` means all users.
    let anonymised = anonymised.as_deref();
    Ok(Verification {
        anonymised: registered::count(&store.db, anonymised).await?,
        unregistered: differences(TABLES, schema),
        left: registered::uncleared_fields(&store.db, anonymised).await?,
        open: open(store, anonymised).await?,
        undeterminable: undeterminable(store, anonymised).await?,
        status: status(store, &others).await?,
        not_searched: searched_tables(&dialect::tables(&store.db).await?).1,
    })
}

/// Returns the anonymised users among these, or `None` for all, and those that aren't anonymised.
async fn asked_for(
    store: &Store,
    numbers: &[UserNumber],
) -> Result<(Option<Vec<UserNumber>>, Vec<UserNumber>), RecordsError> {
    if numbers.is_empty() {
        return Ok((None, Vec::new()));
    }
    let found = users::Entity::find()
        .filter(users::Column::Number.is_in(numbers.iter().map(|number| number.0)))
        .all(&store.db)
        .await?;
    if numbers.iter().any(|number| !found.iter().any(|user| user.number == number.0)) {
        return Err(RecordsError::NotFound("user"));
    }
    let (anonymised, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|user| user.anonymised_on.is_some());
    let numbers = |users: Vec<users::Model>| users.into_iter().map(|user| UserNumber(user.number)).collect();
    Ok((Some(numbers(anonymised)), numbers(others)))
}

/// Returns the open findings, all or those of these users.
async fn open(store: &Store, users: Option<&[UserNumber]>) -> Result<Vec<Finding>, RecordsError> {
    let queries: Vec<FindingQuery> = match users {
        None => vec![FindingQuery { decided: Some(false), ..FindingQuery::default() }],
        Some(users) => users
            .iter()
            .map(|user| FindingQuery { user: Some(*user), decided: Some(false), run: None })
            .collect(),
    };
    let mut open = Vec::new();
    for query in queries {
        let mut after = None;
        loop {
            let page =
                findings(store, &query, &Paging { after, rows: Some(MAX_ROWS), ..Paging::default() }).await?;
            open.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(open)
}

/// Returns the number of users whose run has no result for them and won't get one.
///
/// Such a run isn't in progress, and a single user's search would have ended by now.
async fn undeterminable(store: &Store, users: Option<&[UserNumber]>) -> Result<i64, RecordsError> {
    let (of_these_users, user_values) = registered::only(users, "m.user_number");
    let under_way: Vec<String> =
        RunState::UNDER_WAY.iter().map(|state| format!("'{}'", state.code())).collect();
    // Raw SQL: the condition on the users is a fragment shared with `registered`.
    let sql = format!(
        "SELECT COUNT(DISTINCT m.user_number) AS n FROM run_members m JOIN runs r ON r.id = m.run_id \
         WHERE m.outcome = ? AND (m.residue = ? OR m.residue IS NULL AND r.state NOT IN ({}) \
         AND (r.kind <> ? OR r.created_at < ?)) AND {of_these_users}",
        under_way.join(", ")
    );
    let mut values: Vec<Value> = vec![
        Outcome::Done.into(),
        Residue::Undeterminable.into(),
        RunKind::Single.into(),
        (store.clock.now() - MAX_SCAN_AGE).into(),
    ];
    values.extend(user_values);
    let row = store.db.query_one_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(count)
}

/// Returns where the values of these users are stored, by table, column and kind.
async fn status(store: &Store, numbers: &[UserNumber]) -> Result<Vec<Occurrences>, RecordsError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let keeps_nothing = Policy {
        fields: Field::ALL.into_iter().map(|field| (field, Treatment::Remove)).collect(),
        ..Policy::default()
    };
    let memory = ErasedValues::read(&store.db, &keeps_nothing, numbers).await?;
    let mut counts: BTreeMap<(UserNumber, String, String, ValueKind), usize> = BTreeMap::new();
    for found in scan::find(store, memory).await?.matches {
        let place = (found.user, found.table.to_string(), found.column.to_string(), found.kind);
        *counts.entry(place).or_default() += 1;
    }
    Ok(counts
        .into_iter()
        .map(|((user, table, column, kind), rows)| Occurrences { user, table, column, kind, rows })
        .collect())
}
