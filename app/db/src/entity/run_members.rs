//! A user of a run or preview, with verdict and outcome.

use policy::{ExclusionReason, Outcome, Residue};
use sea_orm::entity::prelude::*;

/// A user of a run or preview, with verdict and outcome. The register of personal data (`policy::personal_data`)
/// documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "run_members")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_number: i64,
    /// The number of a `policy::Reason`. The SQL query of the verdicts computes it.
    pub reason: i16,
    pub blockers: i16,
    pub outcome: Option<Outcome>,
    /// The number of the `policy::Reason` that applied when the run came to the user.
    pub outcome_reason: Option<i16>,
    pub failure: Option<String>,
    pub residue: Option<Residue>,
    pub exclusion: Option<ExclusionReason>,
    pub excluded_by: Option<i64>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
