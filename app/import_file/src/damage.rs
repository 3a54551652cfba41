//! Recognises what spreadsheets do to values.

use policy::import_profile::Content;

/// The effect of a spreadsheet on a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Damage<'a> {
    /// Nothing visible.
    None,
    /// The value is lost.
    Lost,
    /// The value may have lost digits.
    Rounded,
    /// The value is the text of a formula: `="00123456"`.
    Wrapped(&'a str),
}

/// The errors that spreadsheets show in place of values.
const ERRORS: [&str; 9] =
    ["#N/A", "#NV", "#REF!", "#VALUE!", "#WERT!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"];

/// Returns what a spreadsheet did to a cell. Rounded keys are lost: another user may have the rounded key.
pub(crate) fn detect(text: &str, content: Content) -> Damage<'_> {
    let is_hidden = text.len() >= 4 && text.bytes().all(|byte| byte == b'#');
    if is_hidden || ERRORS.iter().any(|error| error.eq_ignore_ascii_case(text)) {
        return Damage::Lost;
    }
    if let Some(inside) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'))
        && !inside.contains('"')
    {
        return Damage::Wrapped(inside);
    }
    let is_key = content == Content::Key;
    if is_scientific(text) || (is_key && has_decimal_zero(text)) {
        return if is_key { Damage::Lost } else { Damage::Rounded };
    }
    Damage::None
}

/// Returns whether a text is like `2.9001E+13`.
fn is_scientific(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or_default();
    let mut parts = number.splitn(2, ['.', ',']);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(|whole| whole.len() == 1 && is_digits(whole))
        && parts.next().is_none_or(is_digits)
        && (1..=3).contains(&exponent.len())
        && is_digits(exponent)
}

/// Returns whether a text is like `123456.0`.
fn has_decimal_zero(text: &str) -> bool {
    let Some((whole, zeros)) = text.split_once(['.', ',']) else { return false };
    let is_zeros = !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0');
    is_zeros && !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_keys_are_recognised() {
        for text in [
            "2.9001E+13",
            "2,9001E+13",
            "2E+13",
            "123456.0",
            "123456,00",
            "#N/A",
            "#n/a",
            "#REF!",
            "########",
            "#WERT!",
        ] {
            assert_eq!(detect(text, Content::Key), Damage::Lost, "{text}");
        }
        for text in
            ["123456", "2E13", "E+13", "kdoe", "1.5", "12.9001E+13", "#1", "###", "a.0", "2.9E+", "=x"]
        {
            assert_eq!(detect(text, Content::Key), Damage::None, "{text}");
        }
        assert_eq!(detect("=\"00123456\"", Content::Key), Damage::Wrapped("00123456"));
    }

    #[test]
    fn other_cells_are_less_strict() {
        assert_eq!(detect("4.4163E+11", Content::Text), Damage::Rounded);
        assert_eq!(detect("123456.0", Content::Text), Damage::None);
        assert_eq!(detect("#N/A", Content::Text), Damage::Lost);
    }
}
