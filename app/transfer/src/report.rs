//! The report of an import: the lines that were rejected, held or skipped, or have a note.

use super::import_history::{MAX_REPORTED, ReportLine};
use super::problem::{FileProblems, LineProblem};
use policy::import::LineOutcome;

/// Why a line about an anonymised user is skipped.
pub(super) const ANONYMISED: &str = "The user has been anonymised. A file must not restore the record";

/// Collects the lines to report. Beyond [`MAX_REPORTED`], further ones are only counted in the summary.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<ReportLine>);

impl Report {
    /// Adds a line that a rule leaves out.
    pub(super) fn skip(&mut self, line: u64, why: &str) {
        self.add(line, LineOutcome::Skipped, None, why);
    }

    /// Adds a line that waits for a decision.
    pub(super) fn hold(&mut self, line: u64, why: &str) {
        self.add(line, LineOutcome::Held, None, why);
    }

    /// Adds a note about an imported line.
    pub(super) fn note(&mut self, problem: &LineProblem) {
        self.add(problem.line, LineOutcome::Note, problem.column.clone(), &problem.problem);
    }

    fn add(&mut self, line: u64, outcome: LineOutcome, column: Option<String>, message: &str) {
        if self.0.len() < MAX_REPORTED {
            self.0.push(ReportLine { line, outcome, column, message: message.to_owned() });
        }
    }

    /// Adds the rejected lines and the first differences, and returns all lines in file order.
    pub(super) fn with(self, problems: &FileProblems, differences: Vec<ReportLine>) -> Vec<ReportLine> {
        let mut lines = self.0;
        lines.truncate(MAX_REPORTED - differences.len());
        lines.extend(differences);
        lines.extend(problems.problems.iter().map(ReportLine::from));
        lines.sort_by_key(|line| line.line);
        lines
    }
}
