//! CSV output (RFC 4180) that is safe to open in a spreadsheet.

mod cell;

pub use cell::{escaped, unescaped};

use crate::error::RecordsError;

/// Returns a CSV file with a header. Every row must be as long as the header. Cells that a spreadsheet would read
/// as formulas are escaped.
pub fn file<R>(header: &[&str], rows: impl IntoIterator<Item = R>) -> Result<String, RecordsError>
where
    R: IntoIterator,
    R::Item: AsRef<str>,
{
    let corrupt = |_| RecordsError::Corrupt("text");
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(header.iter().map(|text| escaped(text).into_owned())).map_err(corrupt)?;
    for row in rows {
        writer
            .write_record(row.into_iter().map(|text| escaped(text.as_ref()).into_owned()))
            .map_err(corrupt)?;
    }
    let bytes = writer.into_inner().map_err(|_| RecordsError::Corrupt("text"))?;
    String::from_utf8(bytes).map_err(|_| RecordsError::Corrupt("text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(escaped(text), format!("'{text}"));
        }
        for text in ["", "law", "a=b", "'", "Ångström", " =1"] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn commas_quotes_and_lines_are_quoted() {
        let rows = [["a,b", "1"], ["say \"x\"", "2"], ["two\nlines", "3"], ["=cmd", "4"]];
        let csv = file(&["Department", "Loans"], rows).expect("a file");
        assert_eq!(
            csv,
            "Department,Loans\r\n\"a,b\",1\r\n\"say \"\"x\"\"\",2\r\n\"two\nlines\",3\r\n'=cmd,4\r\n"
        );
    }
}
