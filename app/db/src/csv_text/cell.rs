//! Escapes cells so that no spreadsheet calculates them.

use std::borrow::Cow;

/// Returns whether a spreadsheet would treat the cell as a formula, ignoring leading apostrophes.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Returns the cell, with an apostrophe prepended if a spreadsheet could calculate it.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Reverts [`escaped`].
pub fn unescaped(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_escaped_and_nothing_else() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+44 1632 960001", "'+44 1632 960001"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("'=1", "''=1"),
            ("'t Hooft", "'t Hooft"),
            ("O'Brien", "O'Brien"),
            ("", ""),
            ("'", "'"),
            ("a=1", "a=1"),
        ];
        for (plain, written) in cases {
            assert_eq!(escaped(plain), written);
            assert_eq!(unescaped(written), plain);
        }
        assert_eq!(unescaped("=1"), "=1", "what another system wrote is taken as it is");
    }

    proptest! {
        #[test]
        fn escaped_text_is_restored(text in "['=+@\t\r\n,\"a-]{0,6}|\\PC{0,20}") {
            let written = escaped(&text);
            prop_assert_eq!(unescaped(&written), text.as_str());
            prop_assert!(!written.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }

        #[test]
        fn a_line_comes_back(cells in prop::collection::vec("['=+@\t\r\n,\"a-]{0,6}|\\PC{0,20}", 2..6)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(cells.iter().map(|cell| escaped(cell).into_owned())).expect("a line");
            let bytes = writer.into_inner().expect("bytes");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
            let line = reader.records().next().expect("a line").expect("a right line");
            let back: Vec<&str> = line.iter().map(unescaped).collect();
            prop_assert_eq!(back, cells);
        }
    }
}
