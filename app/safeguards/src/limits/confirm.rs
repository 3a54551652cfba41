//! Manual changes since the last confirmed run, which count towards the limits of the next one.

use crate::manual_changes::number;
use db::dialect;
use policy::{Manual, Reason, RunId};
use sea_orm::{ConnectionTrait, DbErr};

/// The condition that the user is eligible in a preview.
const IN_PREVIEW: &str = "EXISTS (SELECT 1 FROM run_members r WHERE r.run_id = ? AND r.reason = ? AND r.user_number = m.user_number)";
/// The condition that the user is anonymised.
const GONE: &str =
    "EXISTS (SELECT 1 FROM users u WHERE u.number = m.user_number AND u.anonymised_on IS NOT NULL)";

/// Returns what manual changes since the last confirmed run add to the run of a preview.
pub async fn manual(db: &impl ConnectionTrait, preview: RunId) -> Result<Manual, DbErr> {
    let users =
        "SELECT COUNT(DISTINCT m.user_number) AS n FROM manual_changes m WHERE m.confirmed_by IS NULL";
    let members = || vec![preview.0.into(), Reason::Eligible.number().into()];
    let by_staff = number(db, &format!("{users} AND m.kind = 'marked' AND {IN_PREVIEW}"), members()).await?;
    let gone_by_staff = number(db, &format!("{users} AND m.kind = 'marked' AND {GONE}"), Vec::new()).await?;
    let gone = format!(
        "{users} AND m.kind IN ('anonymised', 'removed', 'marked', 'imported', 'import_confirmed') \
         AND (m.kind = 'removed' OR {GONE}) AND NOT {IN_PREVIEW}"
    );
    let gone = number(db, &gone, members()).await?;
    Ok(Manual { by_staff, gone_by_staff, gone })
}

/// Marks the manual changes of the users of a confirmed run, and of anonymised users, as confirmed by this run.
pub async fn confirm(db: &impl ConnectionTrait, run: RunId, preview: RunId) -> Result<(), DbErr> {
    let sql = format!(
        "UPDATE manual_changes AS m SET confirmed_by = ? WHERE m.confirmed_by IS NULL AND m.user_number IS NOT NULL \
         AND (m.kind = 'removed' OR {GONE} OR {IN_PREVIEW})"
    );
    let values = vec![run.0.into(), preview.0.into(), Reason::Eligible.number().into()];
    db.execute_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    Ok(())
}
