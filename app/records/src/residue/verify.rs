//! After the fact: the old values are gone, so what can be checked is whether the places are empty that must be.
//!
//! Of users who are not anonymised yet the same search as in a run says where their values stand now.

use super::memory::Memory;
use super::places::{NotSearched, places};
use super::review::{Finding, FindingQuery, findings};
use super::scan::find;
use super::value::ValueKind;
use crate::dialect;
use crate::error::RecordsError;
use crate::page::{MOST_ROWS, Paging};
use crate::run::stored_policy;
use crate::store::Store;
use policy::register::{Action, Owner, TABLES, Table, differences};
use policy::{Field, LoanText, Outcome, Policy, Residue, Treatment, UserNumber};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most rows that are looked at of one table once it is known not to be empty.
const MOST_LEFT: usize = 1_000;

/// What is there that should not be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// Anonymised users who were checked.
    pub anonymised: u64,
    /// Tables and columns that the register does not know, or the schema does not have.
    pub unregistered: Vec<String>,
    /// Fields of anonymised users that must be empty and are not.
    pub left: Vec<Left>,
    /// Places of residue about which nobody has decided yet; the first hundred.
    pub open: Vec<Finding>,
    /// Anonymised users whose old values were gone before they could be searched for.
    pub undeterminable: u64,
    /// Where values of users stand who are not anonymised yet.
    pub standing: Vec<Stands>,
    /// Columns in which no text can be searched for.
    pub not_searched: Vec<NotSearched>,
}

/// A field of an anonymised user that must be empty and is not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Left {
    /// The user.
    pub user: UserNumber,
    /// The table.
    pub table: &'static str,
    /// The column; for rows that must be gone, the one that names the user.
    pub column: &'static str,
}

/// Where values of a user stand who is not anonymised yet.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Stands {
    /// The user.
    pub user: UserNumber,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The kind of value.
    pub kind: ValueKind,
    /// In how many rows.
    pub rows: u64,
}

impl Verification {
    /// Whether nothing of anybody who was asked for is left, as far as can be known, and all of it can be known.
    pub fn is_clean(&self) -> bool {
        self.unregistered.is_empty()
            && self.left.is_empty()
            && self.open.is_empty()
            && self.undeterminable == 0
            && self.standing.is_empty()
    }
}

/// Checks all anonymised users, or these users, anonymised or not.
pub async fn verify(store: &Store, numbers: &[UserNumber]) -> Result<Verification, RecordsError> {
    let tables = dialect::tables(&store.db).await?;
    let schema: Vec<(String, Vec<String>)> = dialect::schema(&store.db).await?.into_iter().collect();
    let (anonymised, others) = split(store, numbers).await?;
    Ok(Verification {
        anonymised: anonymised.len().await?,
        unregistered: differences(TABLES, schema.iter().map(|(name, columns)| (name.as_str(), columns.as_slice()))),
        left: left(store, &anonymised).await?,
        open: open(store, numbers).await?,
        undeterminable: 0,
        standing: standing(store, &others).await?,
        not_searched: places(&tables).1,
    })
}
