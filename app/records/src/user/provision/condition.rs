//! Conditions on users, as an identity system filters them.

use chrono::NaiveDate;
use db::RecordsError;
use db::entity::{user_words, users};
use policy::key_form::normal;
use policy::search_words::beginnings;
use policy::suppression::KeyKind;
use policy::user_field::{Search, USER_FIELDS};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition, IdenStatic, Iterable};

/// The comparison of a text with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextTest {
    /// It is the value, in any case.
    Is,
    /// It is exactly the value.
    IsExactly,
    /// It contains the value, in any case.
    Contains,
    /// It starts with the value, in any case.
    StartsWith,
    /// It ends with the value, in any case.
    EndsWith,
}

/// A condition on users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UserCondition {
    /// All of these.
    All(Vec<UserCondition>),
    /// At least one of these.
    Any(Vec<UserCondition>),
    /// Not this one.
    Not(Box<UserCondition>),
    /// The user with this id.
    Id(String),
    /// A field with a value that passes the test. The field is named as in `policy::user_field`.
    Text(&'static str, TextTest, String),
    /// A field with any value.
    Present(&'static str),
    /// Active users.
    Active,
}

impl UserCondition {
    /// Returns the condition that every user meets.
    pub const fn none() -> Self {
        Self::All(Vec::new())
    }

    /// Returns the SQL condition. It is true or false, never NULL, so that it can be negated.
    pub(super) fn sql(&self, today: NaiveDate) -> Result<Condition, RecordsError> {
        let each = |parts: &[Self]| parts.iter().map(|part| part.sql(today)).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::All(parts) => each(parts)?.into_iter().fold(Condition::all(), Condition::add),
            // An empty `any` is true in SQL.
            Self::Any(parts) if parts.is_empty() => Condition::all().add(Expr::value(false)),
            Self::Any(parts) => each(parts)?.into_iter().fold(Condition::any(), Condition::add),
            Self::Not(part) => part.sql(today)?.not(),
            Self::Id(id) => Condition::all().add(users::Column::ScimId.eq(id)),
            Self::Present(field) => Condition::all().add(column(field)?.is_not_null()),
            Self::Active => Condition::any()
                .add(users::Column::LeavingOn.is_null())
                .add(users::Column::LeavingOn.gt(today)),
            Self::Text(field, test, value) => text_condition(field, *test, value)?,
        })
    }
}

/// Returns the column of a field.
fn column(field: &str) -> Result<users::Column, RecordsError> {
    let known = USER_FIELDS.iter().any(|known| known.name == field);
    let column = users::Column::iter().find(|column| column.as_str() == field);
    column.filter(|_| known).ok_or(RecordsError::NotFound("field"))
}

/// Returns the condition on a text field. Keys are equal if their normal
/// forms are. Equality and beginnings use the unique indexes or the search index, so that
/// they read few rows.
fn text_condition(field: &str, test: TextTest, value: &str) -> Result<Condition, RecordsError> {
    let column = column(field)?;
    if matches!(test, TextTest::Is | TextTest::IsExactly)
        && let Some(form) = KeyKind::from_code(field).and_then(users::key_column)
    {
        let is_same = Condition::all().add(form.eq(normal(value)));
        return Ok(Condition::all().add(form.is_not_null()).add(is_same));
    }
    let is_searched = USER_FIELDS.iter().any(|known| known.name == field && known.search == Search::Searched);
    let has_words = || if is_searched { has_words(value) } else { Condition::all() };
    let lower = || Expr::expr(Func::lower(column.into_expr()));
    let like = |before: &str, after: &str| {
        let escaped = |value: &str| value.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = |value: &str| LikeExpr::new(format!("{before}{}{after}", escaped(value))).escape('\\');
        // SQLite folds the case of ASCII letters only, so the value is compared as it is, too.
        Condition::any().add(column.like(pattern(value))).add(lower().like(pattern(&value.to_lowercase())))
    };
    let found = match test {
        TextTest::IsExactly => Condition::all().add(column.eq(value)),
        TextTest::Is => Condition::any()
            .add(column.eq(value))
            .add(Condition::all().add(has_words()).add(lower().eq(value.to_lowercase()))),
        TextTest::StartsWith => Condition::all().add(has_words()).add(like("", "%")),
        TextTest::Contains => like("%", "%"),
        TextTest::EndsWith => like("%", ""),
    };
    Ok(Condition::all().add(column.is_not_null()).add(found))
}

/// Returns the condition that the search index has words with these beginnings for the user.
fn has_words(value: &str) -> Condition {
    let begins = |word: &String| {
        Condition::all()
            .add(user_words::Column::Word.gte(word))
            .add(user_words::Column::Word.lt(format!("{word}{}", char::MAX)))
    };
    beginnings(value).iter().fold(Condition::all(), |all, word| {
        let users = Query::select()
            .column(user_words::Column::UserNumber)
            .from(user_words::Entity)
            .cond_where(word.iter().map(begins).fold(Condition::any(), Condition::add))
            .to_owned();
        all.add(users::Column::Number.in_subquery(users))
    })
}
