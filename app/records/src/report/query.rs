//! The form of a report, and the validated query.

use super::{Key, Report};
use chrono::NaiveDate;
use policy::dates::{self, optional_date};
use policy::form::{FieldErrors, Problem};

/// The form as entered, in the URL or on the command line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReportForm {
    /// First day; may be empty.
    pub from: String,
    /// Last day; may be empty.
    pub to: String,
    /// Code of a [`Key`]; may be empty.
    pub by: String,
}

/// The validated query of a report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReportQuery {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// The additional or alternative key of the rows.
    pub by: Option<Key>,
}

impl ReportForm {
    /// Validates the form for a report.
    pub fn validate(&self, report: Report) -> Result<ReportQuery, FieldErrors> {
        let mut errors = FieldErrors::default();
        let from = errors.take("from", optional_date(&self.from)).flatten();
        let to = errors.take("to", optional_date(&self.to)).flatten();
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            errors.add("to", Problem::EndsBeforeStart);
        }
        let by = match self.by.as_str() {
            "" => None,
            code => {
                let chosen = report.choices().iter().copied().find(|key| key.code() == code);
                errors.take("by", chosen.ok_or(Problem::UnknownChoice))
            }
        };
        if errors.is_empty() { Ok(ReportQuery { from, to, by }) } else { Err(errors) }
    }
}

impl ReportQuery {
    /// Returns the query string, empty or starting with `?`.
    pub fn address(&self) -> String {
        let pairs = [
            ("from", self.from.map(dates::iso)),
            ("to", self.to.map(dates::iso)),
            ("by", self.by.map(|key| key.code().to_owned())),
        ];
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| format!("{name}={value}")))
            .collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    /// Returns the period as text: `from 1 Jan 2017 to 31 Dec 2017`, or `of all time`.
    pub fn period(&self) -> String {
        match (self.from, self.to) {
            (None, None) => "of all time".to_owned(),
            (Some(from), None) => format!("from {}", dates::shown(from)),
            (None, Some(to)) => format!("until {}", dates::shown(to)),
            (Some(from), Some(to)) => format!("from {} to {}", dates::shown(from), dates::shown(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(from: &str, to: &str, by: &str) -> ReportForm {
        ReportForm { from: from.to_owned(), to: to.to_owned(), by: by.to_owned() }
    }

    #[test]
    fn a_period_is_read_and_written_back() {
        let query = form("1 Jan 2017", "2017-12-31", "branch").validate(Report::LoansPerMonth);
        let query = query.expect("a right form");
        assert_eq!(query.address(), "?from=2017-01-01&to=2017-12-31&by=branch");
        assert_eq!(query.period(), "from 1 Jan 2017 to 31 Dec 2017");
        let all = form("", " ", "").validate(Report::LoansPerMonth).expect("a right form");
        assert_eq!((all.address(), all), (String::new(), ReportQuery::default()));
    }

    #[test]
    fn each_wrong_field_is_named() {
        for (form, field, problem) in [
            (form("soon", "", ""), "from", Problem::NotADate),
            (form("1899-12-31", "", ""), "from", Problem::DateOutOfRange),
            (form("", "2101-01-01", ""), "to", Problem::DateOutOfRange),
            (form("", "2018-02-30", ""), "to", Problem::NotADate),
            (form("2018-01-02", "2018-01-01", ""), "to", Problem::EndsBeforeStart),
            (form("", "", "name"), "by", Problem::UnknownChoice),
            (form("", "", "month"), "by", Problem::UnknownChoice),
        ] {
            assert_eq!(form.validate(Report::LoansByCategory), Err(FieldErrors::one(field, problem)));
        }
    }
}
