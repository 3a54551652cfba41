//! An imported file.

use policy::import::{ImportOrigin, ImportState};
use policy::import_options::ImportOptions;
use policy::import_profile::{FileKind, ImportProfile};
use sea_orm::entity::prelude::*;

/// An imported file, without its content. The register of personal data (`policy::personal_data`) documents the
/// columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "imports")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub kind: FileKind,
    pub origin: ImportOrigin,
    pub started_by: Option<i64>,
    pub state: ImportState,
    pub profile: ImportProfile,
    pub options: ImportOptions,
    pub run_id: Option<i64>,
    pub file_name: Option<String>,
    pub file_changed_at: Option<DateTimeUtc>,
    pub upload: Option<String>,
    pub bytes: i64,
    pub sha256: Option<String>,
    /// The `ImportSummary` as JSON. Its type belongs to `transfer`, which depends on this crate.
    pub counts: Option<String>,
    pub reason: Option<String>,
    pub created_at: DateTimeUtc,
    pub heartbeat_at: Option<DateTimeUtc>,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
