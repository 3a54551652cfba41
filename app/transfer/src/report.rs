//! The report of an import: the lines that were rejected, held or skipped, or have a note.

use super::import_history::{MAX_REPORTED, ReportLine};
use super::problem::{FileProblems, LineProblem};
use policy::import::LineOutcome;

/// Why a line about an anonymised user is skipped.
pub(super) const ANONYMISED: &str = "The user has been anonymised. A file must not restore the record";

/// Collects the lines to report. Of a kind, lines beyond [`MAX_REPORTED`] are only counted in the summary.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Held and skipped lines.
    left_out: Vec<ReportLine>,
    /// Notes about imported lines.
    notes: Vec<ReportLine>,
    /// Number of notes, also of those beyond the maximum.
    noted: u64,
}

impl Report {
    /// Adds a line that a rule leaves out.
    pub(super) fn skip(&mut self, line: u64, why: &str) {
        add(&mut self.left_out, line, LineOutcome::Skipped, why);
    }

    /// Adds a line that waits for a decision.
    pub(super) fn hold(&mut self, line: u64, why: &str) {
        add(&mut self.left_out, line, LineOutcome::Held, why);
    }

    /// Adds a note about an imported line.
    pub(super) fn note(&mut self, problem: &LineProblem) {
        self.noted += 1;
        if self.notes.len() < MAX_REPORTED {
            self.notes.push(ReportLine { outcome: LineOutcome::Note, ..ReportLine::from(problem) });
        }
    }

    /// Returns the number of notes.
    pub(super) const fn noted(&self) -> u64 {
        self.noted
    }

    /// Adds the rejected lines and the first differences, and returns at most [`MAX_REPORTED`] lines in file order. If
    /// there are more, rejected lines come before those that were held or skipped, and these before notes.
    pub(super) fn with(self, problems: &FileProblems, differences: Vec<ReportLine>) -> Vec<ReportLine> {
        let rejected = problems.problems.iter().map(ReportLine::from);
        let by_weight = differences.into_iter().chain(rejected).chain(self.left_out).chain(self.notes);
        let mut lines: Vec<ReportLine> = by_weight.take(MAX_REPORTED).collect();
        lines.sort_by_key(|line| line.line);
        lines
    }
}

fn add(lines: &mut Vec<ReportLine>, line: u64, outcome: LineOutcome, why: &str) {
    if lines.len() < MAX_REPORTED {
        lines.push(ReportLine { line, outcome, column: None, message: why.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::on_line;

    #[test]
    fn many_notes_hide_no_rejected_and_no_held_line() {
        let mut report = Report::default();
        let mut problems = FileProblems::default();
        for line in 1..=12_000 {
            report.note(&on_line(line, "A note"));
        }
        assert_eq!(report.noted(), 12_000);
        report.hold(11_500, "Held");
        problems.add(on_line(12_000, "Rejected"));
        let lines = report.with(&problems, Vec::new());
        let outcomes: Vec<_> = lines.iter().rev().take(2).map(|line| (line.line, line.outcome)).collect();
        assert_eq!(outcomes, [(12_000, LineOutcome::Rejected), (11_500, LineOutcome::Held)]);
        assert_eq!(lines.len(), MAX_REPORTED);
    }
}
