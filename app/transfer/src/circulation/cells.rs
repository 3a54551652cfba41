//! Reads the cells of a line, and collects what is wrong with them.

use crate::reader::Line;
use chrono::NaiveDate;
use policy::dates::{optional_date, optional_past_date};
use policy::form::{FieldErrors, Problem};
use policy::text;

/// The cells of a line.
pub(super) struct CellReader<'a> {
    pub(super) line: &'a Line,
    /// Dates of past events can't lie after this day.
    today: NaiveDate,
    pub(super) errors: FieldErrors,
}

impl<'a> CellReader<'a> {
    pub(super) fn new(line: &'a Line, today: NaiveDate) -> Self {
        Self { line, today, errors: FieldErrors::default() }
    }

    /// Returns one line of text. `None` if it is empty.
    pub(super) fn short(&mut self, column: &str) -> Option<String> {
        let text = self.errors.take(column, text::line(self.line.cell(column), text::MAX_SHORT_CHARS));
        text.filter(|text| !text.is_empty())
    }

    /// Returns text of several lines. `None` if it is empty.
    pub(super) fn long(&mut self, column: &str) -> Option<String> {
        let text = self.errors.take(column, text::lines(self.line.cell(column), text::MAX_LONG_CHARS));
        text.filter(|text| !text.is_empty())
    }

    /// Returns a date.
    pub(super) fn date(&mut self, column: &str) -> Option<NaiveDate> {
        self.errors.take(column, optional_date(self.line.cell(column))).flatten()
    }

    /// Returns the date of a past event.
    pub(super) fn past_date(&mut self, column: &str) -> Option<NaiveDate> {
        self.errors.take(column, optional_past_date(self.line.cell(column), self.today)).flatten()
    }

    /// Reports an end before its begin. `what` is the begin, with its article.
    pub(super) fn require_order(
        &mut self,
        begin: Option<NaiveDate>,
        end: (&str, Option<NaiveDate>),
        what: &str,
    ) {
        if let (Some(begin), (column, Some(end))) = (begin, end)
            && end < begin
        {
            self.errors.add(column, Problem::TooEarly { what: what.to_owned() });
        }
    }

    /// Reports a missing value, unless its cell has another problem.
    pub(super) fn require<T>(&mut self, column: &str, value: Option<&T>, problem: Problem) {
        if value.is_none() && self.errors.message(column).is_none() {
            self.errors.add(column, problem);
        }
    }
}
