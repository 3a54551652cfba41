//! Idempotent forms: each form is executed once, whichever process handles it.
//!
//! The database stores a hash of each form, derived from a random key in the page, and its encrypted outcome. Rows
//! are kept for [`OUTCOME_LIFETIME`].
//!
//! A form that changes the session's token is also found under the old token. After a double click, the browser drops
//! the first response and with it the new token.

use super::{Token, digest, url_cipher};
use chrono::TimeDelta;
use db::entity::form_keys;
use db::{Clock, RecordsError};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, TryInsertResult};
use trail::Store;

/// Duration for which the outcome of a form is kept for repeated submissions.
const OUTCOME_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// Outcomes are encrypted for the form, not for a user, since the form may have ended its session.
const NO_USER: i64 = 0;

/// One form of one session.
#[derive(Clone, Debug)]
pub struct FormOnce(Option<String>);

/// Whether a form has been executed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FormClaim {
    /// No. The caller must execute it.
    First,
    /// It is being executed.
    UnderWay,
    /// It was executed, with this outcome.
    Done(String),
}

impl FormOnce {
    /// Returns a random key for the forms of one page.
    pub fn new_key() -> String {
        Token::random().reveal().to_owned()
    }

    /// Returns whether a text has the format of a key.
    pub fn is_key(text: &str) -> bool {
        Token::is_token(text)
    }

    /// Returns the form with this key, server function and fields. `form_token` is that of its session.
    pub fn new(form_token: &str, key: &str, function: &str, fields: &[u8]) -> Self {
        if !Self::is_key(key) {
            return Self(None);
        }
        let fields = base16ct::lower::encode_string(fields);
        Self(Some(digest("form", &format!("{form_token}\n{key}\n{function}\n{fields}"))))
    }

    /// Claims the form for the first caller.
    pub async fn begin(&self, store: &Store) -> Result<FormClaim, RecordsError> {
        let Some(id) = &self.0 else { return Ok(FormClaim::First) };
        let now = Clock::system_now();
        form_keys::Entity::delete_many()
            .filter(form_keys::Column::CreatedAt.lt(now - OUTCOME_LIFETIME))
            .exec(&store.db)
            .await?;
        let row =
            form_keys::ActiveModel { id_hash: Set(id.clone()), created_at: Set(now), outcome: Set(None) };
        let on_conflict = OnConflict::column(form_keys::Column::IdHash).do_nothing().to_owned();
        let inserted = form_keys::Entity::insert(row)
            .on_conflict(on_conflict)
            .try_insert()
            .exec_without_returning(&store.db);
        if matches!(inserted.await?, TryInsertResult::Inserted(rows) if rows > 0) {
            return Ok(FormClaim::First);
        }
        Ok(self.look(store).await?.unwrap_or(FormClaim::UnderWay))
    }

    /// Returns the outcome of the form without claiming it, or `None` if it wasn't submitted before.
    pub async fn look(&self, store: &Store) -> Result<Option<FormClaim>, RecordsError> {
        let Some(id) = &self.0 else { return Ok(None) };
        let Some(row) = form_keys::Entity::find_by_id(id.clone()).one(&store.db).await? else {
            return Ok(None);
        };
        let Some(sealed) = row.outcome else { return Ok(Some(FormClaim::UnderWay)) };
        let opened = url_cipher::sealer(store).await?.open(NO_USER, &sealed)?;
        let outcome = std::str::from_utf8(&opened).ok().and_then(|text| text.strip_prefix(id.as_str()));
        Ok(Some(FormClaim::Done(outcome.ok_or(RecordsError::Corrupt("outcome of the form"))?.to_owned())))
    }

    /// Stores the outcome of the form. With `None`, the form wasn't executed and may be submitted again.
    pub async fn end(&self, store: &Store, outcome: Option<&str>) -> Result<(), RecordsError> {
        let Some(id) = &self.0 else { return Ok(()) };
        match outcome {
            Some(outcome) => {
                let sealed =
                    url_cipher::sealer(store).await?.seal(NO_USER, format!("{id}{outcome}").as_bytes())?;
                form_keys::Entity::update_many()
                    .col_expr(form_keys::Column::Outcome, Expr::value(sealed))
                    .filter(form_keys::Column::IdHash.eq(id))
                    .exec(&store.db)
                    .await?;
            }
            None => _ = form_keys::Entity::delete_by_id(id.clone()).exec(&store.db).await?,
        }
        Ok(())
    }
}
