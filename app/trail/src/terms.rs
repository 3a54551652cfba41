//! The categories, departments and branches of the library.

use crate::store::Store;
use db::RecordsError;
use db::entity::{legal_holds, terms, users};
use policy::TermKind;
use policy::key_form::normal;
use policy::user_field::{AsFieldValue, FieldValue};
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IdenStatic as _, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, Statement,
};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

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

/// A code, compared with the codes of the library.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Spelling {
    /// The library knows the code, spelled like this.
    Known(String),
    /// The library has a list of codes, without this one.
    Unknown,
    /// The library has no list: every code is possible.
    Free,
}

/// Returns how the library spells a code. `Undergraduate` and `undergraduate` are one category.
pub async fn spelling(
    db: &impl ConnectionTrait,
    kind: TermKind,
    code: &str,
) -> Result<Spelling, RecordsError> {
    let listed = terms::Entity::find().filter(terms::Column::Kind.eq(kind)).all(db).await?;
    let has_list = !listed.is_empty();
    let known = Spellings::new(listed.into_iter().map(|term| (kind, term.code)));
    if let Some(known) = known.get(kind, code) {
        return Ok(Spelling::Known(known.to_owned()));
    }
    if has_list {
        return Ok(Spelling::Unknown);
    }
    Ok(used(db, kind, code).await?.map_or(Spelling::Free, Spelling::Known))
}

/// Returns the code of a user or of a legal hold that is the same as this one, as it is spelled there.
pub async fn used(
    db: &impl ConnectionTrait,
    kind: TermKind,
    code: &str,
) -> Result<Option<String>, RecordsError> {
    let codes = used_codes(db, kind).await?.into_iter().map(|code| (kind, code));
    Ok(Spellings::new(codes).get(kind, code).map(str::to_owned))
}

/// Returns every spelling of a code that a list, a user or a legal hold has. Without any, returns the code itself.
pub async fn spellings_of(
    db: &impl ConnectionTrait,
    kind: TermKind,
    code: &str,
) -> Result<Vec<String>, RecordsError> {
    let wanted = normal(code);
    let listed = terms::Entity::find().filter(terms::Column::Kind.eq(kind)).all(db).await?;
    let all = listed.into_iter().map(|term| term.code).chain(used_codes(db, kind).await?);
    let same: BTreeSet<String> = all.filter(|known| normal(known) == wanted).collect();
    Ok(if same.is_empty() { vec![code.to_owned()] } else { same.into_iter().collect() })
}

/// Returns the codes of users. A legal hold covers its category in every spelling, also while no user has it.
async fn used_codes(db: &impl ConnectionTrait, kind: TermKind) -> Result<Vec<String>, DbErr> {
    let column = match kind {
        TermKind::Category => users::Column::Category,
        TermKind::Department => users::Column::Department,
        TermKind::Branch => users::Column::Branch,
    };
    let column = column.as_str();
    // Raw SQL: from each code to the next one in the index. DISTINCT would read the whole index.
    let sql = format!(
        "WITH RECURSIVE codes (code) AS (SELECT MIN({column}) FROM users UNION ALL \
         SELECT (SELECT MIN({column}) FROM users WHERE {column} > codes.code) FROM codes WHERE codes.code IS NOT NULL) \
         SELECT code FROM codes WHERE code IS NOT NULL"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let mut codes: Vec<String> = rows.iter().map(|row| row.try_get("", "code")).collect::<Result<_, _>>()?;
    if kind == TermKind::Category {
        let category = legal_holds::Column::Category;
        let held = legal_holds::Entity::find().select_only().column(category).filter(category.is_not_null());
        let held: Vec<String> = held.into_tuple().all(db).await?;
        // A code of a legal hold comes first: its spelling must stay.
        codes.splice(0..0, held);
    }
    Ok(codes)
}

/// The codes of the library, by their normal form.
#[derive(Debug, Default)]
pub struct Spellings(HashMap<(TermKind, String), String>);

impl Spellings {
    /// Reads the codes of the lists, then those that only users or legal holds have.
    pub async fn load(db: &impl ConnectionTrait) -> Result<Self, RecordsError> {
        let listed = terms::Entity::find().all(db).await?;
        let mut all = Self::new(listed.into_iter().map(|term| (term.kind, term.code)));
        for kind in TermKind::ALL {
            for code in used_codes(db, kind).await? {
                all.0.entry((kind, normal(&code))).or_insert(code);
            }
        }
        Ok(all)
    }

    fn new(codes: impl Iterator<Item = (TermKind, String)>) -> Self {
        let mut all = Self::default();
        for (kind, code) in codes {
            all.0.entry((kind, normal(&code))).or_insert(code);
        }
        all
    }

    /// Returns how the library spells a code. A new code is spelled like this from then on.
    pub fn learn(&mut self, kind: TermKind, code: String) -> &str {
        self.0.entry((kind, normal(&code))).or_insert(code)
    }

    /// Returns how the library spells a code.
    pub fn get(&self, kind: TermKind, code: &str) -> Option<&str> {
        self.0.get(&(kind, normal(code))).map(String::as_str)
    }
}
