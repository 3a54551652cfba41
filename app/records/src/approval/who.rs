//! Who could be the second person.

use crate::dialect;
use crate::error::RecordsError;
use crate::store::Store;
use policy::{Action, Role, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbErr};

/// Whether a second person is needed for what needs this action.
pub(crate) async fn is_on(
    db: &impl ConnectionTrait,
    store: &Store,
    action: Action,
) -> Result<bool, RecordsError> {
    let could = count(db, action, None).await?;
    Ok(store.settings.four_eyes.apply(could))
}

/// Whether this member of staff may do something now: has a role for it, and can sign in.
pub(crate) async fn could(
    db: &impl ConnectionTrait,
    action: Action,
    number: UserNumber,
) -> Result<bool, DbErr> {
    Ok(count(db, action, Some(number)).await? > 0)
}

/// How many people may do something, and can sign in; of one only, where one is named.
async fn count(db: &impl ConnectionTrait, action: Action, only: Option<UserNumber>) -> Result<u64, DbErr> {
    let mut values: Vec<Value> =
        Role::ALL.iter().filter(|role| role.may(action)).map(|role| role.code().into()).collect();
    let mut sql = format!(
        "SELECT COUNT(DISTINCT r.user_number) AS n FROM user_roles r JOIN users u ON u.number = r.user_number \
         WHERE r.role IN ({}) AND u.anonymised_on IS NULL AND EXISTS \
         (SELECT 1 FROM credentials c WHERE c.user_number = r.user_number AND c.kind = 'password')",
        dialect::places(values.len())
    );
    if let Some(number) = only {
        sql.push_str(" AND r.user_number = ?");
        values.push(number.0.into());
    }
    let row = db.query_one_raw(dialect::statement(db.get_database_backend(), &sql, values)).await?;
    let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(u64::try_from(n).unwrap_or_default())
}
