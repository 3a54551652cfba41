//! Checks that the fields of anonymised users are empty, as the register and the policy of their run require.

use db::entity::{runs, users};
use db::{RecordsError, dialect};
use policy::personal_data::{Column, ErasureAction, RowOwner, TABLES, Table};
use policy::{Field, NoteTreatment, Outcome, Policy, TaskSettings, Treatment, UserNumber};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
    Value,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Maximum number of users reported for each column.
const MAX_NAMED: u64 = 200;

/// A field of an anonymised user that should be empty and isn't.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct UnclearedField {
    /// The user.
    pub user: UserNumber,
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

/// Returns the SQL condition that limits a user-number column to these users. `None` means all users.
pub(super) fn only(users: Option<&[UserNumber]>, column: &str) -> (String, Vec<Value>) {
    match users {
        None => ("1 = 1".to_owned(), Vec::new()),
        Some([]) => ("1 = 0".to_owned(), Vec::new()),
        Some(users) => (
            format!("{column} IN ({})", dialect::placeholders(users.len())),
            users.iter().map(|user| user.0.into()).collect(),
        ),
    }
}

/// Returns the number of anonymised users among these. `None` means all users.
pub(super) async fn count(db: &impl ConnectionTrait, numbers: Option<&[UserNumber]>) -> Result<i64, DbErr> {
    let count = users::Entity::find()
        .filter(users::Column::AnonymisedOn.is_not_null())
        .apply_if(numbers, |users, numbers| {
            users.filter(users::Column::Number.is_in(numbers.iter().map(|number| number.0)))
        })
        .count(db)
        .await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Returns the fields of these anonymised users, or of all, that should be empty and aren't.
///
/// Fields that are always cleared are checked for every user. Fields cleared by policy are checked for the users
/// of a run, with the policy of that run.
pub(super) async fn uncleared_fields(
    db: &impl ConnectionTrait,
    users: Option<&[UserNumber]>,
) -> Result<Vec<UnclearedField>, RecordsError> {
    let (of_these_users, values) = only(users, "number");
    let anonymised = format!("SELECT number FROM users WHERE anonymised_on IS NOT NULL AND {of_these_users}");
    let mut left = BTreeSet::new();
    for table in TABLES {
        collect(db, table, &Rules::Always, (&anonymised, &values), &mut left).await?;
    }
    for (policy, text) in policies(db).await? {
        let people = format!(
            "SELECT m.user_number FROM run_members m JOIN runs r ON r.id = m.run_id \
             WHERE m.outcome = ? AND r.settings = ? AND m.user_number IN ({anonymised})"
        );
        let mut of_policy: Vec<Value> = vec![Outcome::Done.into(), text.into()];
        of_policy.extend(values.iter().cloned());
        for table in TABLES {
            collect(db, table, &Rules::Of(&policy), (&people, &of_policy), &mut left).await?;
        }
    }
    Ok(left.into_iter().collect())
}

/// Returns the distinct policies with which users were anonymised, each with its stored text to compare runs.
async fn policies(db: &impl ConnectionTrait) -> Result<Vec<(Policy, String)>, DbErr> {
    let settings: Vec<(TaskSettings, String)> = runs::Entity::find()
        .select_only()
        .column(runs::Column::Settings)
        .column_as(runs::Column::Settings, "text")
        .distinct()
        .filter(runs::Column::Done.gt(0))
        .into_tuple()
        .all(db)
        .await?;
    Ok(settings.into_iter().filter_map(|(settings, text)| Some((settings.policy()?.clone(), text))).collect())
}

/// Which columns must be empty.
enum Rules<'a> {
    /// Those that are always cleared.
    Always,
    /// Those that this policy clears.
    Of(&'a Policy),
}

impl Rules<'_> {
    /// Returns the SQL condition for a column that should be empty and isn't, or `None` if it may have a value.
    fn is_left(&self, column: &Column) -> Option<(String, Vec<Value>)> {
        let name = column.name;
        let none = Vec::new;
        match (self, column.action) {
            (Self::Always, ErasureAction::Clear) => Some((format!("t.{name} IS NOT NULL"), none())),
            (Self::Always, ErasureAction::ClearText) => {
                Some((format!("t.{name} IS NOT NULL AND t.{name} <> '{}'", NoteTreatment::MARK), none()))
            }
            (Self::Always, ErasureAction::DeleteRow) => Some(("1 = 1".to_owned(), none())),
            (Self::Of(policy), ErasureAction::ByPolicy(field)) => match (policy.treatment(field), field) {
                (Treatment::Remove, _) => Some((format!("t.{name} IS NOT NULL"), none())),
                (Treatment::Year | Treatment::Decade, Field::BirthDate) if name == "birth_date" => {
                    Some((format!("t.{name} IS NOT NULL"), none()))
                }
                _ => None,
            },
            (Self::Of(policy), ErasureAction::ByCustomField) if policy.keep_custom.is_empty() => {
                Some(("1 = 1".to_owned(), none()))
            }
            (Self::Of(policy), ErasureAction::ByCustomField) => Some((
                format!("t.field_key NOT IN ({})", dialect::placeholders(policy.keep_custom.len())),
                policy.keep_custom.iter().map(|key| key.clone().into()).collect(),
            )),
            _ => None,
        }
    }
}

async fn collect(
    db: &impl ConnectionTrait,
    table: &'static Table,
    rules: &Rules<'_>,
    (people, values): (&str, &[Value]),
    left: &mut BTreeSet<UnclearedField>,
) -> Result<(), DbErr> {
    let (owner, rows) = match table.owner {
        RowOwner::NoUser => return Ok(()),
        RowOwner::User(column) => (format!("t.{column}"), format!("{} t", table.name)),
        RowOwner::Loan(column) => {
            ("l.user_number".to_owned(), format!("{} t JOIN loans l ON l.id = t.{column}", table.name))
        }
    };
    // For a row that must be deleted, one column is enough.
    let most = if table.deletes_rows() { 1 } else { usize::MAX };
    let asked = table.columns.iter().filter_map(|column| Some((column, rules.is_left(column)?)));
    for (column, (is_left, more)) in asked.take(most) {
        // Raw SQL: the register names the tables and the columns.
        let sql = format!(
            "SELECT DISTINCT {owner} AS user_number FROM {rows} WHERE ({is_left}) AND {owner} IN ({people}) \
             LIMIT {MAX_NAMED}"
        );
        let mut all = more;
        all.extend(values.iter().cloned());
        for row in db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, all)).await? {
            let user = UserNumber(row.try_get("", "user_number")?);
            left.insert(UnclearedField { user, table: table.name, column: column.name });
        }
    }
    Ok(())
}
