//! What a certificate says about the search for residue, and about the decisions on what it found.

use crate::dialect;
use policy::{Residue, RunId};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the search for residue found of those who were anonymised.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Users of whom no old value was found.
    pub clean: i64,
    /// Users of whom a value was found.
    pub hits: i64,
    /// Users whose old values were gone before they could be searched for.
    pub undeterminable: i64,
    /// Users who are still to be searched for.
    pub pending: i64,
    /// Findings: places where a value was found.
    pub places: i64,
    /// Findings without a decision when this was made.
    pub open_places: i64,
    /// Findings by the code of the decision about them.
    pub decisions: BTreeMap<String, i64>,
}

impl Found {
    pub(super) const fn of(&mut self, residue: Option<Residue>) -> &mut i64 {
        match residue {
            Some(Residue::Clean) => &mut self.clean,
            Some(Residue::Hits) => &mut self.hits,
            Some(Residue::Undeterminable) => &mut self.undeterminable,
            None => &mut self.pending,
        }
    }

    /// Counts the findings of a run as they are now.
    pub(super) async fn with_places(self, db: &impl ConnectionTrait, run: RunId) -> Result<Self, DbErr> {
        let sql = "SELECT decision, COUNT(*) AS n FROM residue_hits WHERE run_id = ? GROUP BY decision";
        let query = dialect::statement(db.get_database_backend(), sql, vec![run.0.into()]);
        let mut found = Self { places: 0, open_places: 0, decisions: BTreeMap::new(), ..self };
        for row in db.query_all_raw(query).await? {
            let n: i64 = row.try_get("", "n")?;
            found.places += n;
            match row.try_get::<Option<String>>("", "decision")? {
                None => found.open_places += n,
                Some(decision) => _ = found.decisions.insert(decision, n),
            }
        }
        Ok(found)
    }
}
