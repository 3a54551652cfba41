//! Holds lines that would bring back an anonymised user.

use super::ImportSummary;
use super::problem::on_line;
use super::report::Report;
use super::user_line::UserLine;
use db::RecordsError;
use policy::HeldLineId;
use policy::suppression::HeldDecision;
use safeguards::suppression::KeyValues;
use safeguards::suppression::arrival::{Arrival, LineFate, SeenLine};
use safeguards::suppression::check::Checker;
use sea_orm::DatabaseTransaction;
use std::collections::HashMap;
use trail::Store;

const HELD: &str = "An anonymised user had the key of this line. Decide on the page Held lines";
const IGNORED: &str = "An anonymised user had the key of this line, and staff decided to ignore it";
const NOTED: &str = "An anonymised user had the UserID, barcode or e-mail of this user";

/// The treatment of a line that would create a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NewUser {
    /// It creates the user.
    Created,
    /// It creates the user although an anonymised user had its `UserID`, barcode or e-mail.
    CreatedWithNote,
    /// It creates the user because of this decision about this held line.
    Decided(HeldDecision, HeldLineId),
    /// It waits for a decision.
    Held,
    /// It is skipped because of an earlier decision.
    Ignored,
}

impl NewUser {
    /// Counts and reports the line. Returns whether it creates the user.
    pub(super) fn count(self, line: u64, summary: &mut ImportSummary, report: &mut Report) -> bool {
        match self {
            Self::Created | Self::Decided(..) => {}
            Self::CreatedWithNote => {
                summary.suppressed_noted += 1;
                report.note(&on_line(line, NOTED));
            }
            Self::Held => {
                summary.suppressed += 1;
                report.hold(line, HELD);
            }
            Self::Ignored => {
                summary.suppressed_ignored += 1;
                report.skip(line, IGNORED);
            }
        }
        matches!(self, Self::Created | Self::CreatedWithNote | Self::Decided(..))
    }
}

impl NewUser {
    /// Returns the held line whose decision creates the user.
    pub(super) const fn decided(self) -> Option<HeldLineId> {
        match self {
            Self::Decided(_, line) => Some(line),
            _ => None,
        }
    }
}

/// Compares new users with the suppression list and records the held lines. Returns the result by line number.
pub(super) async fn check(
    (checker, arrival): (&Checker, &mut Arrival),
    tx: &DatabaseTransaction,
    store: &Store,
    lines: Vec<&UserLine>,
) -> Result<HashMap<u64, NewUser>, RecordsError> {
    let keys: Vec<KeyValues<'_>> = lines.iter().map(|line| line.key_values()).collect();
    let found = checker.check(tx, &keys).await?;
    let mut results = HashMap::with_capacity(lines.len());
    let mut seen = Vec::new();
    for (line, suppressed) in lines.iter().zip(&found) {
        let held = suppressed.held_by.is_some();
        seen.extend(held.then(|| SeenLine::new(checker, suppressed, line.number, &line.content())).flatten());
        let result = match (held, suppressed.kinds.is_empty()) {
            (true, _) => NewUser::Held,
            (false, true) => NewUser::Created,
            (false, false) => NewUser::CreatedWithNote,
        };
        results.insert(line.number, result);
    }
    if !seen.is_empty() {
        let fates = arrival.record_lines(tx, store, &seen).await?;
        for (line, fate) in seen.iter().zip(fates) {
            let result = match fate {
                LineFate::Held => NewUser::Held,
                LineFate::Ignored => NewUser::Ignored,
                LineFate::Creates(decision, line) => NewUser::Decided(decision, line),
            };
            results.insert(line.line, result);
        }
    }
    Ok(results)
}
