//! The part of a certificate about residue: the result of the search and the decisions about findings.

use db::entity::findings;
use policy::{Residue, RunId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The result of the residue search, over the anonymised users.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResidueCounts {
    /// The number of users without findings.
    pub clean: i64,
    /// The number of users with findings.
    pub with_findings: i64,
    /// The number of users whose old values were lost before the search.
    pub undeterminable: i64,
    /// The number of users not searched for yet.
    pub pending: i64,
    /// The number of findings.
    pub places: i64,
    /// The number of findings without a decision at signing.
    pub open_places: i64,
    /// The number of findings by the code of their decision.
    pub decisions: BTreeMap<String, i64>,
}

impl ResidueCounts {
    pub(super) const fn count_mut(&mut self, residue: Option<Residue>) -> &mut i64 {
        match residue {
            Some(Residue::Clean) => &mut self.clean,
            Some(Residue::WithFindings) => &mut self.with_findings,
            Some(Residue::Undeterminable) => &mut self.undeterminable,
            None => &mut self.pending,
        }
    }

    /// Returns the result with the current findings of a run counted.
    pub(super) async fn with_finding_counts(
        self,
        db: &impl ConnectionTrait,
        run: RunId,
    ) -> Result<Self, DbErr> {
        let counts: Vec<(Option<String>, i64)> = findings::Entity::find()
            .select_only()
            .column(findings::Column::Decision)
            .column_as(findings::Column::Id.count(), "n")
            .filter(findings::Column::RunId.eq(run.0))
            .group_by(findings::Column::Decision)
            .into_tuple()
            .all(db)
            .await?;
        let mut found = Self { places: 0, open_places: 0, decisions: BTreeMap::new(), ..self };
        for (decision, n) in counts {
            found.places += n;
            match decision {
                None => found.open_places += n,
                Some(decision) => _ = found.decisions.insert(decision, n),
            }
        }
        Ok(found)
    }
}
