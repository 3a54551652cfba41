//! The browser's date picker beside the text field of a date. The name of the picker contains its initial value, so
//! that the server can tell without WebAssembly which of the two was changed.

use policy::dates;
#[cfg(feature = "ssr")]
use policy::dates::DateProblem;

/// The prefix of a picker's name.
const PICKED: &str = "picked[";

/// The label of a picker. With the label of its text field, two fields would have the same name.
pub(crate) const CALENDAR: &str = "Calendar";

/// Returns the name of the picker beside a text field with this initial date.
pub(crate) fn picker_name(field: &str, at_first: &str) -> String {
    format!("{PICKED}{at_first}]{field}")
}

/// Returns a date in the format of a picker, or an empty text if it is invalid.
pub(crate) fn iso_or_empty(text: &str) -> String {
    dates::parse_date(text).map(dates::iso).unwrap_or_default()
}

/// Splits the name of a picker into its initial date and the name of its text field.
#[cfg(feature = "ssr")]
pub(crate) fn parse_picker_name(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PICKED)?.split_once(']')
}

/// Merges a text field with its picker. A picked date replaces a text that is not a date or is ambiguous, such as
/// `03/04/2018`. If both were changed to different dates, the result is invalid and the field reports it: no date is
/// dropped.
#[cfg(feature = "ssr")]
pub(crate) fn merge_picked(text: &str, picked: &str, at_first: &str) -> String {
    let (picked, typed) = (picked.trim(), iso_or_empty(text));
    if picked == at_first || picked == typed {
        return text.to_owned();
    }
    let is_untouched = text.trim().is_empty() || !at_first.is_empty() && typed == at_first;
    let is_no_date =
        matches!(dates::parse_date(text), Err(DateProblem::NotADate | DateProblem::Ambiguous { .. }));
    if picked.is_empty() && !is_untouched {
        text.to_owned()
    } else if is_untouched || is_no_date {
        dates::as_shown(picked)
    } else {
        format!("{text} / {}", dates::as_shown(picked))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_changed_one_of_text_and_picker_counts() {
        for (text, picked, at_first, says) in [
            ("", "", "", ""),
            ("15/01/2018", "", "", "15/01/2018"),
            ("", "2018-01-15", "", "15 Jan 2018"),
            ("15 Jan 2018", "2018-01-15", "2018-01-15", "15 Jan 2018"),
            ("15 Jan 2018", "2018-02-01", "2018-01-15", "1 Feb 2018"),
            ("1 Feb 2018", "2018-01-15", "2018-01-15", "1 Feb 2018"),
            ("1 Feb 2018", "2018-02-01", "2018-01-15", "1 Feb 2018"),
            ("", "2018-01-15", "2018-01-15", ""),
            ("15 Jan 2018", "", "2018-01-15", ""),
            ("1 Feb 2018", "", "2018-01-15", "1 Feb 2018"),
            ("", "2018-02-01", "2018-01-15", "1 Feb 2018"),
            ("soon", "", "", "soon"),
            ("1 Feb 2018", "2018-03-01", "2018-01-15", "1 Feb 2018 / 1 Mar 2018"),
            ("soon", "2018-03-01", "", "1 Mar 2018"),
            ("03/04/2018", "2018-04-03", "", "3 Apr 2018"),
            ("03/04/2018", "2018-03-04", "2018-01-15", "4 Mar 2018"),
            ("03/04/2018", "", "2018-01-15", "03/04/2018"),
            ("03/04/2018", "2018-01-15", "2018-01-15", "03/04/2018"),
            ("1 Jan 1850", "2018-03-01", "", "1 Jan 1850 / 1 Mar 2018"),
        ] {
            assert_eq!(merge_picked(text, picked, at_first), says, "{text:?} {picked:?} {at_first:?}");
        }
        let name = picker_name("form[leaving_on]", "2018-01-15");
        assert_eq!(parse_picker_name(&name), Some(("2018-01-15", "form[leaving_on]")));
        assert_eq!(parse_picker_name("form[leaving_on]"), None);
    }
}
