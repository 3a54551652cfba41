//! Recognises files that can't be imported by their first bytes, to say what they are.
//!
//! A library of signatures knows more formats, but some by two letters: a file whose first column is *BMI* would be a
//! picture.

use crate::problem::FileProblem;
use policy::import_profile::FileFormat;
use std::io::{self, Read};

/// Number of bytes that are looked at.
const HEAD: u64 = 64;

/// The first bytes of formats that people export by mistake, and what such a file is.
const BINARY: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook or another document of Microsoft Office"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xFF\xD8\xFF", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1F\x8B", "a compressed file"),
];

/// Returns the problem of a file that is no text, or JSON without a profile for JSON.
pub(crate) fn problem(file: impl Read, format: &FileFormat) -> io::Result<Option<FileProblem>> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    let found = BINARY.iter().find(|(start, _)| head.starts_with(start));
    if let Some((_, kind)) = found {
        return Ok(Some(FileProblem::Binary(kind)));
    }
    let text = String::from_utf8_lossy(&head);
    let is_json = text.trim_start_matches('\u{FEFF}').trim_start().starts_with(['{', '[']);
    Ok((is_json && *format != FileFormat::FolioUsers).then_some(FileProblem::Json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::import_profile::Delimited;

    #[test]
    fn other_kinds_of_files_are_named() {
        let delimited = FileFormat::Delimited(Delimited::default());
        let of = |content: &[u8], format: &FileFormat| problem(content, format).expect("read");
        let workbook = Some(FileProblem::Binary("an Excel workbook or a ZIP archive"));
        assert_eq!(of(b"PK\x03\x04...", &delimited), workbook);
        assert_eq!(of(b"PK\x03\x04...", &FileFormat::FolioUsers), workbook);
        for json in ["{\"users\": []}", "\u{FEFF}\n [{}]"] {
            assert_eq!(of(json.as_bytes(), &delimited), Some(FileProblem::Json));
            assert_eq!(of(json.as_bytes(), &FileFormat::FolioUsers), None);
        }
        for text in ["user_id,last_name\n", "PK,last_name\n", "", "sep=;\n"] {
            assert_eq!(of(text.as_bytes(), &delimited), None, "{text}");
        }
    }
}
