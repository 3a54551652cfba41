//! Reads amounts of money.

use crate::problem::FileProblem;
use policy::import_profile::DecimalFormat;

/// Returns an amount with a decimal point and without other separators: `1.234,50` becomes `1234.50`.
pub(crate) fn read(text: &str, format: DecimalFormat) -> Result<String, FileProblem> {
    let (sign, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let digits: String =
        digits.chars().filter(|c| !matches!(c, ' ' | '\u{A0}' | '\u{202F}' | '\'' | '\u{2019}')).collect();
    let decimal = match format {
        DecimalFormat::Point => '.',
        DecimalFormat::Comma => ',',
        DecimalFormat::Detect => decimal_of(&digits)?,
    };
    let thousands = if decimal == '.' { ',' } else { '.' };
    let (whole, fraction) = digits.split_once(decimal).unwrap_or((&digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(thousands);
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    let is_grouped = rest.peek().is_some();
    let fits = !first.is_empty()
        && is_number(first)
        && (!is_grouped || first.len() <= 3)
        && rest.all(|group| group.len() == 3 && is_number(group))
        && is_number(fraction)
        && !(digits.contains(decimal) && fraction.is_empty());
    if !fits {
        return Err(FileProblem::NotAnAmount);
    }
    let whole: String = whole.chars().filter(|c| *c != thousands).collect();
    let point = if fraction.is_empty() { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{fraction}"))
}

/// Returns the decimal separator of an amount. `1,234` has two meanings.
fn decimal_of(digits: &str) -> Result<char, FileProblem> {
    let last = digits.rfind(['.', ',']);
    let Some(index) = last else { return Ok('.') };
    let separator = if digits[index..].starts_with('.') { '.' } else { ',' };
    let other = if separator == '.' { ',' } else { '.' };
    if digits.contains(other) {
        return Ok(separator);
    }
    if digits.matches(separator).count() > 1 {
        return Ok(other);
    }
    let whole = &digits[..index];
    let could_group = digits.len() - index == 4 && (1..=3).contains(&whole.len()) && whole != "0";
    if could_group { Err(FileProblem::AmbiguousAmount) } else { Ok(separator) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_both_notations() {
        let read = |text| read(text, DecimalFormat::Detect);
        for (text, amount) in [
            ("12", "12"),
            ("12.50", "12.50"),
            ("12,50", "12.50"),
            ("1,234.50", "1234.50"),
            ("1.234,50", "1234.50"),
            ("1,234,567", "1234567"),
            ("1 234,50", "1234.50"),
            ("-0.5", "-0.5"),
            ("0.125", "0.125"),
            ("1234.567", "1234.567"),
        ] {
            assert_eq!(read(text), Ok(amount.to_owned()), "{text}");
        }
        for text in ["1,234", "1.234", "12.345", "-1,234"] {
            assert_eq!(read(text), Err(FileProblem::AmbiguousAmount), "{text}");
        }
        for text in ["", "-", "12.", ".5", "1,23,456.00", "12 EUR", "1.2.3,4", "１２"] {
            assert_eq!(read(text), Err(FileProblem::NotAnAmount), "{text}");
        }
    }

    #[test]
    fn a_profile_decides_about_ambiguous_amounts() {
        assert_eq!(read("1,234", DecimalFormat::Point), Ok("1234".to_owned()));
        assert_eq!(read("1,234", DecimalFormat::Comma), Ok("1.234".to_owned()));
        assert_eq!(read("1,234.50", DecimalFormat::Comma), Err(FileProblem::NotAnAmount));
    }
}
