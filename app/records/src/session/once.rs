//! Forms that are carried out once, whatever process they reach: the database has a hash of each form, which is made with
//! a random key that only the page has, and what the form came to, sealed. Rows are kept for [`KEPT`].
//!
//! A form that gives its session a new key is found by the old key, too: a browser that sent it twice has dropped the first
//! answer, and with it the new key.

use super::{Token, digest, sought};
use crate::clock::Clock;
use crate::entity::form_keys;
use crate::error::RecordsError;
use crate::store::Store;
use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, TryInsertResult};

/// How long a form that is sent again leads to what it came to.
const KEPT: TimeDelta = TimeDelta::minutes(30);
/// Outcomes are sealed for the form and no user: the session that it was sent in may have ended by it.
const NO_USER: i64 = 0;
/// The longest key that is taken for one, in bytes.
const MAX_KEY_BYTES: usize = 128;

/// One form of one session.
#[derive(Clone, Debug)]
pub struct FormOnce(Option<String>);

/// Whether a form was carried out before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Begun {
    /// It was not: whoever asks carries it out.
    First,
    /// It is being carried out.
    UnderWay,
    /// It came to this.
    Done(String),
}

impl FormOnce {
    /// A random key for the forms of one page.
    pub fn new_key() -> String {
        Token::random().reveal().to_owned()
    }

    /// The form with this key, for this function and with these fields.
    /// `form_token` is the one of its session.
    pub fn of(form_token: &str, key: &str, function: &str, fields: &[u8]) -> Self {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Self(None);
        }
        let fields = base16ct::lower::encode_string(fields);
        Self(Some(digest("form", &format!("{form_token}\n{key}\n{function}\n{fields}"))))
    }

    /// Claims the form for whoever asks first.
    pub async fn begin(&self, store: &Store) -> Result<Begun, RecordsError> {
        let Some(id) = &self.0 else { return Ok(Begun::First) };
        let now = Clock::real();
        form_keys::Entity::delete_many()
            .filter(form_keys::Column::CreatedAt.lt(now - KEPT))
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
            return Ok(Begun::First);
        }
        Ok(self.look(store).await?.unwrap_or(Begun::UnderWay))
    }

    /// What the form came to, without claiming it; None if it was not sent before.
    pub async fn look(&self, store: &Store) -> Result<Option<Begun>, RecordsError> {
        let Some(id) = &self.0 else { return Ok(None) };
        let Some(row) = form_keys::Entity::find_by_id(id.clone()).one(&store.db).await? else {
            return Ok(None);
        };
        let Some(sealed) = row.outcome else { return Ok(Some(Begun::UnderWay)) };
        let opened = sought::sealer(store).await?.open(NO_USER, &sealed)?;
        let outcome = std::str::from_utf8(&opened).ok().and_then(|text| text.strip_prefix(id.as_str()));
        Ok(Some(Begun::Done(outcome.ok_or(RecordsError::Corrupt("outcome of the form"))?.to_owned())))
    }

    /// Keeps what the form came to; without anything, it was not carried out and may be sent again.
    pub async fn end(&self, store: &Store, outcome: Option<&str>) -> Result<(), RecordsError> {
        let Some(id) = &self.0 else { return Ok(()) };
        match outcome {
            Some(outcome) => {
                let sealed =
                    sought::sealer(store).await?.seal(NO_USER, format!("{id}{outcome}").as_bytes())?;
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
