//! Reads dates in the notation of a column.

use crate::problem::FileProblem;
use chrono::{Days, NaiveDate};
use policy::dates::{DateProblem, iso, parse_date};
use policy::import_profile::DateFormat;

/// The first day that a serial number of five digits means, and the last one: 1927 and 2100.
const SERIALS: std::ops::RangeInclusive<u64> = 10_000..=73_415;

/// The rule by which the dates of a column are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DateRule {
    pub(crate) format: DateFormat,
    /// Whether the cells of the column led to the format. Other notations with one meaning are accepted, too.
    pub(crate) is_detected: bool,
    pub(crate) two_digit_days: bool,
}

impl DateRule {
    /// Returns a date as `2018-01-15`. Text that is not a date is returned unchanged: the import reports it at its cell.
    pub(crate) fn read(self, text: &str) -> Result<String, FileProblem> {
        let date = without_time(text);
        if let Some(found) = self.in_format(date) {
            return Ok(iso(found));
        }
        match parse_date(date) {
            Ok(found) if self.is_detected || is_year_first(date) => Ok(iso(found)),
            Err(DateProblem::Ambiguous { .. }) if self.is_detected => Err(FileProblem::AmbiguousDates),
            Ok(_) | Err(DateProblem::Ambiguous { .. }) => Err(FileProblem::OtherDateFormat(self.format)),
            Err(DateProblem::NotADate | DateProblem::OutOfRange) => Ok(date.to_owned()),
        }
    }

    fn in_format(self, text: &str) -> Option<NaiveDate> {
        match self.format {
            DateFormat::Detect | DateFormat::Iso => {
                numbers(text, "-", self.two_digit_days).and_then(|parts| match parts {
                    [year, month, day] if text.find('-') == Some(4) => calendar(year, month, day),
                    _ => None,
                })
            }
            DateFormat::DayMonthYearDots | DateFormat::DayMonthYear | DateFormat::DayMonthYearHyphens => {
                day_first(text, self.separators(), self.padded())
            }
            DateFormat::MonthDayYear => {
                let [month, day, year] = year_last(text, self.separators(), self.padded())?;
                calendar(year, month, day)
            }
            DateFormat::Compact => {
                let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
                let (year, rest) = is_compact.then(|| text.split_at(4))?;
                let (month, day) = rest.split_at(2);
                calendar(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
            }
            DateFormat::ExcelSerial => serial(text),
        }
    }

    const fn padded(self) -> bool {
        self.two_digit_days && !self.is_detected
    }

    const fn separators(self) -> &'static str {
        match self.format {
            _ if self.is_detected => "/-.",
            DateFormat::DayMonthYearDots => ".",
            DateFormat::DayMonthYearHyphens => "-",
            _ => "/",
        }
    }
}

/// Counts of the notations of a column's dates so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    cells: u64,
    iso: u64,
    dots: u64,
    /// Dates in which the first number can't be a month.
    day_first: u64,
    /// Dates in which the second number can't be a month.
    month_first: u64,
    /// Dates with two meanings.
    ambiguous: u64,
    hyphens: u64,
    compact: u64,
    serial: u64,
    /// Cells that are no date.
    others: u64,
}

impl Evidence {
    pub(crate) fn add(&mut self, text: &str) {
        let text = without_time(text);
        self.cells += 1;
        if is_year_first(text) {
            self.iso += 1;
        } else if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.compact += 1;
        } else if serial(text).is_some() {
            self.serial += 1;
        } else if day_first(text, ".", false).is_some() {
            // In no country does the month come first before a point.
            self.dots += 1;
        } else if let Some([first, second, year]) = year_last(text, "/-", false) {
            self.hyphens += u64::from(text.contains('-'));
            match (calendar(year, second, first), calendar(year, first, second)) {
                (Some(one), Some(other)) if one != other => self.ambiguous += 1,
                (Some(_), None) => self.day_first += 1,
                (None, Some(_)) => self.month_first += 1,
                (None, None) => self.others += 1,
                _ => {}
            }
        } else {
            self.others += 1;
        }
    }

    /// Returns whether the column has dates, and nothing else. Numbers of days are dates only for a spreadsheet.
    pub(crate) const fn is_dates(&self) -> bool {
        self.cells > 0 && self.others == 0 && self.serial == 0
    }

    /// Returns the format of the column, or `None` if its dates have two meanings.
    pub(crate) const fn format(&self) -> Option<DateFormat> {
        if self.cells == 0 {
            return Some(DateFormat::Iso);
        }
        if self.serial == self.cells {
            return Some(DateFormat::ExcelSerial);
        }
        if self.compact == self.cells {
            return Some(DateFormat::Compact);
        }
        match (self.day_first > 0, self.month_first > 0) {
            (true, false) if self.hyphens > 0 => Some(DateFormat::DayMonthYearHyphens),
            (true, false) => Some(DateFormat::DayMonthYear),
            (false, true) => Some(DateFormat::MonthDayYear),
            _ if self.ambiguous > 0 => None,
            _ if self.dots > 0 => Some(DateFormat::DayMonthYearDots),
            _ => Some(DateFormat::Iso),
        }
    }
}

/// Returns a date without the time of day after it.
pub(crate) fn without_time(text: &str) -> &str {
    let is_time = |rest: &str| {
        let hours = rest.bytes().take_while(u8::is_ascii_digit).count();
        (1..=2).contains(&hours)
            && rest.as_bytes().get(hours) == Some(&b':')
            && rest.bytes().all(|byte| byte.is_ascii_digit() || b":.,+-ZAPMapm ".contains(&byte))
    };
    let split = text.char_indices().find(|(index, c)| {
        matches!(c, ' ' | 'T') && text.get(index + 1..).is_some_and(|rest| is_time(rest.trim_start()))
    });
    split.map_or(text, |(index, _)| text[..index].trim_end_matches(','))
}

fn is_year_first(text: &str) -> bool {
    text.len() == 10 && text.bytes().take(4).all(|byte| byte.is_ascii_digit()) && parse_date(text).is_ok()
        || numbers(text, "-", true).is_some() && text.find('-') == Some(4)
}

/// Returns the date of a serial number, as a spreadsheet counts days. A fraction is the time of day.
fn serial(text: &str) -> Option<NaiveDate> {
    let (days, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_number = days.len() == 5 && days.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    let days = days.parse().ok().filter(|days| is_number && SERIALS.contains(days))?;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(days))
}

fn day_first(text: &str, separators: &str, padded: bool) -> Option<NaiveDate> {
    let [day, month, year] = year_last(text, separators, padded)?;
    calendar(year, month, day)
}

/// Returns three numbers of which the last one has four digits.
fn year_last(text: &str, separators: &str, padded: bool) -> Option<[u32; 3]> {
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    if !separators.contains(separator) || text.rsplit(separator).next()?.len() != 4 {
        return None;
    }
    numbers(text, separator.encode_utf8(&mut [0; 4]), padded)
}

/// Returns the three numbers of a date.
fn numbers(text: &str, separator: &str, padded: bool) -> Option<[u32; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let fits = matches!((part.len(), padded), (2 | 4, _) | (1, false));
        let is_number = fits && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| is_number)
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

fn calendar(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rule(format: DateFormat) -> DateRule {
        DateRule { format, is_detected: false, two_digit_days: true }
    }

    /// Returns the detected format of a column and its dates.
    fn column(cells: &[&str]) -> (Option<DateFormat>, Vec<Result<String, FileProblem>>) {
        let mut evidence = Evidence::default();
        for cell in cells {
            evidence.add(cell);
        }
        let format = evidence.format();
        let rule =
            DateRule { format: format.unwrap_or(DateFormat::Iso), is_detected: true, two_digit_days: true };
        (format, cells.iter().map(|cell| rule.read(cell)).collect())
    }

    #[test]
    fn every_format_reads_its_example_with_and_without_a_time() {
        for format in DateFormat::ALL {
            assert_eq!(rule(format).read(format.example()), Ok("2018-01-15".to_owned()), "{format:?}");
            if format == DateFormat::ExcelSerial {
                assert_eq!(rule(format).read("43115.75"), Ok("2018-01-15".to_owned()));
                continue;
            }
            for time in [" 10:30", "T10:30:00.000Z", " 10:30:00-04", " 1:05 PM", "T04:00:00.000+0000"] {
                let text = format!("{}{time}", format.example());
                assert_eq!(rule(format).read(&text), Ok("2018-01-15".to_owned()), "{text}");
            }
        }
    }

    #[test]
    fn the_cells_of_a_column_decide_about_its_format() {
        let same = |text: &str| Ok(text.to_owned());
        for (cells, format, second) in [
            (["2018-01-15", "2018-03-04"], DateFormat::Iso, "2018-03-04"),
            (["15/01/2018", "03/04/2018"], DateFormat::DayMonthYear, "2018-04-03"),
            (["01/15/2018", "03/04/2018"], DateFormat::MonthDayYear, "2018-03-04"),
            (["1/15/2018", "3/4/2018"], DateFormat::MonthDayYear, "2018-03-04"),
            (["15.01.2018", "03.04.2018"], DateFormat::DayMonthYearDots, "2018-04-03"),
            (["15-01-2018", "03-04-2018"], DateFormat::DayMonthYearHyphens, "2018-04-03"),
            (["20180115", "20180304"], DateFormat::Compact, "2018-03-04"),
            (["43115", "43163"], DateFormat::ExcelSerial, "2018-03-04"),
        ] {
            assert_eq!(column(&cells), (Some(format), vec![same("2018-01-15"), same(second)]), "{cells:?}");
        }
        let (format, read) = column(&["03/04/2018", "2018-01-15"]);
        assert_eq!((format, &read[0]), (None, &Err(FileProblem::AmbiguousDates)));
        assert_eq!(column(&["03/03/2018"]).0, Some(DateFormat::Iso), "one meaning only");
        assert_eq!(column(&["15/01/2018", "01/15/2018", "03/04/2018"]).0, None, "contradictory");
        assert_eq!(column(&["15/01/2018", "01/15/2018"]).1, [same("2018-01-15"), same("2018-01-15")]);
        assert_eq!(column(&["43115", "2018-01-15"]).1[0], same("43115"), "a stray number is no date");
        assert_eq!(column(&["15 Jan 2018"]).1, [same("2018-01-15")]);
    }

    #[test]
    fn a_truncated_date_is_not_completed() {
        for text in ["2020-12-3", "2020-12-", "2020-1-03", "3/1/202", "15.01.20", "1/5/18"] {
            for format in DateFormat::ALL {
                assert_eq!(rule(format).read(text).ok().as_deref().unwrap_or(text), text, "{format:?}");
            }
            assert_eq!(column(&[text]).1, [Ok(text.to_owned())]);
        }
        let loose = DateRule { two_digit_days: false, ..rule(DateFormat::Iso) };
        assert_eq!(loose.read("2020-12-3"), Ok("2020-12-03".to_owned()));
        assert_eq!(
            rule(DateFormat::DayMonthYear).read("1/5/2018"),
            Err(FileProblem::OtherDateFormat(DateFormat::DayMonthYear))
        );
    }

    #[test]
    fn a_date_in_another_format_than_chosen_is_rejected() {
        for (format, text) in [
            (DateFormat::Iso, "15/01/2018"),
            (DateFormat::MonthDayYear, "15/01/2018"),
            (DateFormat::DayMonthYear, "01/15/2018"),
            (DateFormat::DayMonthYearDots, "03/04/2018"),
        ] {
            assert_eq!(rule(format).read(text), Err(FileProblem::OtherDateFormat(format)), "{text}");
        }
        assert_eq!(rule(DateFormat::MonthDayYear).read("2018-01-15"), Ok("2018-01-15".to_owned()));
    }
}
