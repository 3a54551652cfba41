//! The categories, departments and branches of the library.

use crate::store::Store;
use db::RecordsError;
use db::entity::terms;
use policy::TermKind;
use policy::user_field::{AsFieldValue, FieldValue};
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef};
use serde::Serialize;

/// A category, department or branch.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Term {
    /// Its code.
    pub code: String,
    /// Its name, or its code if it has no name.
    pub name: String,
}

impl AsFieldValue for Term {
    fn as_field_value(&self) -> FieldValue<'_> {
        FieldValue::Text(&self.name)
    }
}

/// Returns the categories, departments or branches of the library, by name.
pub async fn choices(store: &Store, kind: TermKind) -> Result<Vec<Term>, RecordsError> {
    let rows = terms::Entity::find()
        .filter(terms::Column::Kind.eq(kind))
        .order_by_asc(terms::Column::Name)
        .order_by_asc(terms::Column::Code)
        .limit(10_000)
        .all(&store.db)
        .await?;
    Ok(rows.into_iter().map(|row| Term { code: row.code, name: row.name }).collect())
}

/// Returns the name of a term of the kind that a field of users has. None without a code.
pub async fn term(
    db: &impl ConnectionTrait,
    field: &str,
    code: Option<String>,
) -> Result<Option<Term>, RecordsError> {
    let Some((kind, code)) = TermKind::from_code(field).zip(code) else { return Ok(None) };
    let named = terms::Entity::find_by_id((kind, code.clone())).one(db).await?;
    let name = named.map_or_else(|| code.clone(), |term| term.name);
    Ok(Some(Term { code, name }))
}

/// Returns the relation from a column with codes to the terms of a kind, for joins.
pub fn terms_of<E: EntityTrait>(code: E::Column, kind: TermKind) -> RelationDef {
    E::belongs_to(terms::Entity)
        .from(code)
        .to(terms::Column::Code)
        .on_condition(move |_, terms| Expr::col((terms, terms::Column::Kind)).eq(kind).into_condition())
        .into()
}
