//! Users with the same name, who can be mistaken for each other.

use db::RecordsError;
use db::entity::users;
use policy::UserNumber;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use trail::Store;
use trail::person::{Person, display_name};

/// Maximum number of namesakes that are listed.
pub const MAX_NAMESAKES: u64 = 10;

/// The other users with the name of a user. Accents, capitals and signs don't count.
#[derive(Clone, Debug, Default)]
pub struct Namesakes {
    /// The number of them.
    pub count: u64,
    /// The first ones, by user number.
    pub first: Vec<Person>,
}

/// Returns the other users with the same name who aren't anonymised.
pub async fn namesakes(store: &Store, number: UserNumber) -> Result<Namesakes, RecordsError> {
    let user =
        users::Entity::find_by_id(number.0).one(&store.db).await?.ok_or(RecordsError::NotFound("user"))?;
    let Some(name) = user.name_order else { return Ok(Namesakes::default()) };
    let same = users::Entity::find()
        .filter(users::Column::NameOrder.eq(name))
        .filter(users::Column::Number.ne(number.0))
        .filter(users::Column::AnonymisedOn.is_null());
    let count = same.clone().count(&store.db).await?;
    let first = same.order_by_asc(users::Column::Number).limit(MAX_NAMESAKES).all(&store.db).await?;
    let person = |user: users::Model| Person { number: UserNumber(user.number), name: display_name(&user) };
    Ok(Namesakes { count, first: first.into_iter().map(person).collect() })
}
