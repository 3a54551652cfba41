//! Saved searches for users, and the layout of their list: what each member of staff arranges.

use db::entity::{saved_searches, user_list_layouts, users};
use db::pagination::{Page, Paging};
use db::{RecordsError, dialect};
use policy::form::Problem;
use policy::letters::fold;
use policy::user_list::UserListLayout;
use policy::{Action, SavedSearchId, UserNumber, text};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set, Unchanged,
};
use std::collections::BTreeSet;
use trail::audit::{self, AuditAction, Subject};
use trail::person::{Person, display_name};
use trail::{Actor, Store};

/// The maximum number of searches that a member of staff can save.
const MAX_SAVED: usize = 50;

/// A saved search.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SavedSearch {
    /// The id.
    pub id: SavedSearchId,
    /// The name.
    pub name: String,
    /// The member of staff who shared it. `None` for one's own.
    pub owner: Option<Person>,
    /// Whether other members of staff can run it.
    pub shared: bool,
    /// The text of the search box.
    pub text: String,
    /// Filters and order, as names and values in an address.
    pub filters: String,
}

/// A search to save.
#[derive(Clone, Debug, Default)]
pub struct SearchDraft {
    /// The name.
    pub name: String,
    /// Whether other members of staff can run it.
    pub shared: bool,
    /// The text of the search box.
    pub text: String,
    /// Filters and order, as names and values in an address.
    pub filters: String,
}

/// Returns the member of staff, who must have the permission to see users.
fn staff(actor: Actor) -> Result<UserNumber, RecordsError> {
    actor.require(Action::SeeUsers)?;
    actor.staff.ok_or(RecordsError::Forbidden(Action::SeeUsers))
}

/// Returns the searches of the actor, by name.
pub async fn own(store: &Store, actor: Actor) -> Result<Vec<SavedSearch>, RecordsError> {
    let rows = of_owner(&store.db, staff(actor)?).await?;
    let mut searches: Vec<SavedSearch> =
        rows.into_iter().map(|row| SavedSearch::from_row(row, None)).collect();
    searches.sort_by_cached_key(|search| (fold(&search.name), search.id));
    Ok(searches)
}

/// Returns the searches that others share with the actor, the oldest first.
pub async fn shared(store: &Store, actor: Actor, paging: &Paging) -> Result<Page<SavedSearch>, RecordsError> {
    use saved_searches::Column;
    let staff = staff(actor)?;
    let after: i64 = paging.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or_default();
    let rows = saved_searches::Entity::find()
        .filter(Column::Shared.eq(true))
        .filter(Column::OwnerNumber.ne(staff.0))
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(paging.limit())
        .all(&store.db)
        .await?;
    let page = Page::from_rows(rows, paging, |row| row.id.to_string());
    let owners: BTreeSet<i64> = page.rows.iter().map(|row| row.owner_number).collect();
    let owners = users::Entity::find().filter(users::Column::Number.is_in(owners)).all(&store.db).await?;
    let owner = |number: i64| {
        let user = owners.iter().find(|user| user.number == number)?;
        Some(Person { number: UserNumber(number), name: display_name(user) })
    };
    Ok(page.map(|row| {
        let owner = owner(row.owner_number);
        SavedSearch::from_row(row, owner)
    }))
}

impl SavedSearch {
    fn from_row(row: saved_searches::Model, owner: Option<Person>) -> Self {
        Self {
            id: SavedSearchId(row.id),
            name: row.name,
            owner,
            shared: row.shared,
            text: row.search_text.unwrap_or_default(),
            filters: row.filters,
        }
    }
}

/// Saves a search.
pub async fn save(store: &Store, actor: Actor, draft: &SearchDraft) -> Result<SavedSearchId, RecordsError> {
    let owner = staff(actor)?;
    let name = name(&draft.name)?;
    let search_text = text::line(&draft.text, text::MAX_SHORT_CHARS)
        .map_err(|problem| RecordsError::field("q", problem))?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let own = of_owner(&tx, owner).await?;
    if own.len() >= MAX_SAVED {
        let why = format!("You have already saved {MAX_SAVED} searches. Delete one first");
        return Err(RecordsError::Refused(why));
    }
    is_free(&own, &name, None)?;
    let row = saved_searches::ActiveModel {
        owner_number: Set(owner.0),
        name: Set(name),
        shared: Set(draft.shared),
        search_text: Set(Some(search_text).filter(|text| !text.is_empty())),
        filters: Set(draft.filters.clone()),
        changed_at: Set(store.clock.now()),
        ..Default::default()
    };
    let id = SavedSearchId(row.insert(&tx).await?.id);
    record(&tx, store, actor, AuditAction::SearchSaved, id, draft.shared).await?;
    store.commit(tx).await?;
    Ok(id)
}

/// Renames a saved search, and shares it or not. Only its owner can.
pub async fn change(
    store: &Store,
    actor: Actor,
    id: SavedSearchId,
    draft: &SearchDraft,
) -> Result<(), RecordsError> {
    let owner = staff(actor)?;
    let name = name(&draft.name)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let own = of_owner(&tx, owner).await?;
    own.iter().find(|row| row.id == id.0).ok_or(RecordsError::NotFound("saved search"))?;
    is_free(&own, &name, Some(id))?;
    saved_searches::ActiveModel {
        id: Unchanged(id.0),
        name: Set(name),
        shared: Set(draft.shared),
        changed_at: Set(store.clock.now()),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    record(&tx, store, actor, AuditAction::SearchChanged, id, draft.shared).await?;
    store.commit(tx).await
}

/// Deletes a saved search. Only its owner can.
pub async fn delete(store: &Store, actor: Actor, id: SavedSearchId) -> Result<(), RecordsError> {
    let owner = staff(actor)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let own = of_owner(&tx, owner).await?;
    let row = own.iter().find(|row| row.id == id.0).ok_or(RecordsError::NotFound("saved search"))?;
    saved_searches::Entity::delete_by_id(id.0).exec(&tx).await?;
    record(&tx, store, actor, AuditAction::SearchDeleted, id, row.shared).await?;
    store.commit(tx).await
}

fn name(typed: &str) -> Result<String, RecordsError> {
    let name =
        text::line(typed, text::MAX_SHORT_CHARS).map_err(|problem| RecordsError::field("name", problem))?;
    if name.is_empty() { Err(RecordsError::field("name", Problem::required("a name"))) } else { Ok(name) }
}

/// Returns the searches of a member of staff.
async fn of_owner(
    db: &impl ConnectionTrait,
    owner: UserNumber,
) -> Result<Vec<saved_searches::Model>, RecordsError> {
    let own = saved_searches::Entity::find().filter(saved_searches::Column::OwnerNumber.eq(owner.0));
    Ok(own.all(db).await?)
}

/// Rejects a name that another search of the same member of staff has.
fn is_free(own: &[saved_searches::Model], name: &str, id: Option<SavedSearchId>) -> Result<(), RecordsError> {
    let others = own.iter().filter(|row| id.is_none_or(|id| id.0 != row.id));
    if others.into_iter().any(|row| fold(&row.name) == fold(name)) {
        return Err(RecordsError::field("name", Problem::Taken));
    }
    Ok(())
}

async fn record(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    action: AuditAction,
    id: SavedSearchId,
    shared: bool,
) -> Result<(), RecordsError> {
    let detail = format!("search={id},shared={}", if shared { "yes" } else { "no" });
    Ok(audit::record_event(tx, &store.clock, actor, action, Subject::Library, None, &detail).await?)
}

/// Returns the layout that a member of staff has chosen, or the default one.
pub async fn layout(store: &Store, actor: Actor) -> Result<UserListLayout, RecordsError> {
    let Some(staff) = actor.staff else { return Ok(UserListLayout::default()) };
    let row = user_list_layouts::Entity::find_by_id(staff.0).one(&store.db).await?;
    Ok(row.map_or_else(UserListLayout::default, |row| UserListLayout::stored(&row.columns, row.page_rows)))
}

/// Saves the layout for a member of staff. It changes no record, so the audit has no event.
pub async fn choose_layout(store: &Store, actor: Actor, layout: &UserListLayout) -> Result<(), RecordsError> {
    let staff = staff(actor)?;
    let tx = store.begin().await?;
    let row = user_list_layouts::ActiveModel {
        user_number: Set(staff.0),
        columns: Set(layout.codes()),
        page_rows: Set(i32::try_from(layout.rows).unwrap_or(i32::MAX)),
    };
    let known = OnConflict::column(user_list_layouts::Column::UserNumber)
        .update_columns([user_list_layouts::Column::Columns, user_list_layouts::Column::PageRows])
        .to_owned();
    user_list_layouts::Entity::insert(row).on_conflict(known).exec_without_returning(&tx).await?;
    store.commit(tx).await
}
