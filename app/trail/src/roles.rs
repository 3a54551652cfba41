//! The roles of users.

use db::RecordsError;
use db::entity::user_roles;
use policy::{Roles, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

/// Returns the roles of a user.
pub async fn roles_of(db: &impl ConnectionTrait, user: UserNumber) -> Result<Roles, RecordsError> {
    let rows = user_roles::Entity::find().filter(user_roles::Column::UserNumber.eq(user.0)).all(db).await?;
    Ok(rows.iter().map(|row| row.role).collect())
}
