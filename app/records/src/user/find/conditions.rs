//! The conditions of a user search, as SQL.

use super::{Having, RoleFilter, Sort, UserQuery};
use db::search_index::matching;
use db::{RecordsError, dialect};
use policy::user_search::{self, UserSearch};
use policy::{TermKind, text};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::Value;
use trail::terms::spellings_of;

/// Conditions on `users u`, each starting with ` AND `.
#[derive(Clone, Default)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Conditions {
    pub(super) fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn having(&mut self, having: Having, yes: &str, no: &str) {
        if let Some(having) = having {
            self.and(if having { yes } else { no }, []);
        }
    }
}

pub(super) async fn conditions(
    db: &impl ConnectionTrait,
    query: &UserQuery,
) -> Result<Conditions, RecordsError> {
    let mut all = Conditions::default();
    let text = user_search::cleaned(&query.text);
    let text =
        text::line(&text, text::MAX_SHORT_CHARS).map_err(|problem| RecordsError::field("q", problem))?;
    if !text.is_empty() {
        let (sql, values) = matching(&UserSearch::parse(&text), "u.number");
        all.and(&sql, values);
    }
    for (kind, code) in [
        (TermKind::Category, &query.category),
        (TermKind::Department, &query.department),
        (TermKind::Branch, &query.branch),
    ] {
        let Some(code) = code else { continue };
        let name = kind.code();
        let code =
            text::line(code, text::MAX_SHORT_CHARS).map_err(|problem| RecordsError::field(name, problem))?;
        let codes = spellings_of(db, kind, &code).await?;
        let places = dialect::placeholders(codes.len());
        all.and(&format!("u.{name} IN ({places})"), codes.into_iter().map(Value::from));
    }
    all.having(query.imported, "u.imported", "NOT u.imported");
    for (having, column) in [(query.marked, "marked_on"), (query.anonymised, "anonymised_on")] {
        // For other orders than by number, select the few marked users first and sort them. Using the index of the
        // order would read every user.
        let yes = match query.sort {
            Sort::Number => format!("u.{column} IS NOT NULL"),
            _ => format!("u.number IN (SELECT number FROM users WHERE {column} IS NOT NULL)"),
        };
        all.having(having, &yes, &format!("u.{column} IS NULL"));
    }
    match query.role {
        None => (),
        Some(RoleFilter::Any) => all.and("u.number IN (SELECT user_number FROM user_roles)", []),
        Some(RoleFilter::None) => {
            all.and("NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_number = u.number)", []);
        }
        Some(RoleFilter::One(role)) => {
            all.and("u.number IN (SELECT user_number FROM user_roles WHERE role = ?)", [role.into()]);
        }
    }
    if let Some(day) = query.left_before {
        all.and("u.leaving_on < ?", [day.into()]);
    }
    if let Some(day) = query.active_before {
        all.and("u.last_activity_on < ?", [day.into()]);
    }
    Ok(all)
}
