//! `lethe residue`: checks whether values of anonymised users are still stored.

use super::Output;
use erasure::residue::{Verification, verify};
use policy::UserNumber;
use policy::numbers::counted;
use std::process::ExitCode;
use trail::Store;

/// Check that no value of anonymised users is still stored; for other users, list where their values are stored.
#[derive(Debug, clap::Args)]
pub(crate) struct Residue {
    /// User numbers (default: all anonymised users).
    numbers: Vec<i64>,
}

impl Residue {
    /// Returns success only if the result can be determined for all users and no value was found.
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let numbers: Vec<UserNumber> = self.numbers.into_iter().map(UserNumber).collect();
        let verification = verify(store, &numbers).await?;
        output.print(&verification, verification_text)?;
        Ok(if verification.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Returns the places and kinds of the values that were found, never a value.
fn verification_text(found: &Verification) -> String {
    let mut lines =
        vec![format!("{} checked", counted(found.anonymised, "anonymised user", "anonymised users"))];
    lines.extend(found.unregistered.iter().map(|difference| format!("register: {difference}")));
    lines.extend(
        found
            .left
            .iter()
            .map(|left| format!("user {}: {}.{} is not empty", left.user, left.table, left.column)),
    );
    lines.extend(found.open.iter().map(|finding| {
        let kind = finding.kind.label();
        format!(
            "user {}: {} found in {}.{}, row {}",
            finding.user, kind, finding.table, finding.column, finding.row
        )
    }));
    if found.undeterminable > 0 {
        let users = counted(found.undeterminable, "user", "users");
        lines.push(format!(
            "{users}: cannot be determined, the old values were gone before Lethe could search for them"
        ));
    }
    lines.extend(found.status.iter().map(|status| {
        let rows = counted(i64::try_from(status.rows).unwrap_or(i64::MAX), "row", "rows");
        let kind = status.kind.label();
        format!(
            "user {} is not anonymised: {kind} is stored in {}.{} ({rows})",
            status.user, status.table, status.column
        )
    }));
    if found.is_clean() {
        lines.push("Nothing found".to_owned());
    }
    lines.join("\n")
}
