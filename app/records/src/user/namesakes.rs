//! Users with the same name, who can be mistaken for each other.

use db::RecordsError;
use db::entity::users;
use policy::UserNumber;
use policy::name_order::{Names, SEPARATOR};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use trail::Store;
use trail::person::{Person, display_name};

/// Maximum number of namesakes that are listed.
pub const MAX_NAMESAKES: u64 = 10;

/// The other users with the first and last name of a user. Accents, capitals and signs don't count.
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
    let Some(name) = Names { middle: None, ..user.names() }.key() else { return Ok(Namesakes::default()) };
    let same = users::Entity::find()
        .filter(has_name(&name))
        .filter(users::Column::Number.ne(number.0))
        .filter(users::Column::AnonymisedOn.is_null());
    let count = same.clone().count(&store.db).await?;
    let first = same.order_by_asc(users::Column::Number).limit(MAX_NAMESAKES).all(&store.db).await?;
    let person = |user: users::Model| Person { number: UserNumber(user.number), name: display_name(&user) };
    Ok(Namesakes { count, first: first.into_iter().map(person).collect() })
}

/// Returns the condition for users with this key of first and last name, and any middle name: pages don't show it.
fn has_name(key: &str) -> Condition {
    let whole = Condition::any().add(users::Column::NameOrder.eq(key));
    if !key.contains(SEPARATOR) {
        return whole;
    }
    // A middle name follows after a space, and `!` is the next character after the space.
    let more = Condition::all()
        .add(users::Column::NameOrder.gt(format!("{key} ")))
        .add(users::Column::NameOrder.lt(format!("{key}!")));
    whole.add(more)
}
