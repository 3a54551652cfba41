//! The categories, departments and branches of the library.

use crate::store::Store;
use db::entity::terms;
use db::error::RecordsError;
use policy::user_field::{AsFieldValue, FieldValue};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

/// The meaning of a code of the library.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TermKind {
    /// A user category.
    Category,
    /// A department.
    Department,
    /// A branch.
    Branch,
}

impl TermKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Category, Self::Department, Self::Branch];

    /// Returns the stable code that is stored: the name of the user field with this kind.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Department => "department",
            Self::Branch => "branch",
        }
    }
}

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
        .filter(terms::Column::Kind.eq(kind.code()))
        .order_by_asc(terms::Column::Name)
        .order_by_asc(terms::Column::Code)
        .limit(10_000)
        .all(&store.db)
        .await?;
    Ok(rows.into_iter().map(|row| Term { code: row.code, name: row.name }).collect())
}

/// Returns the name of a term of the kind that a field has. None without a code.
pub async fn term(
    db: &impl ConnectionTrait,
    field: &str,
    code: Option<String>,
) -> Result<Option<Term>, RecordsError> {
    let Some(code) = code else { return Ok(None) };
    let named = terms::Entity::find_by_id((field.to_owned(), code.clone())).one(db).await?;
    let name = named.map_or_else(|| code.clone(), |term| term.name);
    Ok(Some(Term { code, name }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::user_field::{FieldKind, USER_FIELDS};

    #[test]
    fn every_field_of_terms_has_a_kind() {
        let fields = USER_FIELDS.iter().filter(|field| field.kind == FieldKind::Term).map(|field| field.name);
        assert!(fields.eq(TermKind::ALL.map(TermKind::code)));
    }
}
