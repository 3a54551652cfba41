//! Detects the encoding of a file.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use policy::import_profile::TextEncoding;
use std::io::{self, Read};

const CHUNK_BYTES: usize = 64 * 1024;
/// The detector gets this many bytes with letters outside ASCII at most.
const MAX_GUESSED_BYTES: usize = 4 * 1024 * 1024;

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FileEncoding {
    pub(crate) encoding: &'static Encoding,
    /// Whether the letters of the file led to the encoding. A part in another encoding is then a problem.
    pub(crate) is_guessed: bool,
}

/// Returns the encoding that the profile names, or the one that the whole file is in. An empty file has none.
pub(crate) fn detect(mut file: impl Read, chosen: TextEncoding) -> io::Result<Option<FileEncoding>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut read = fill(&mut file, &mut chunk)?;
    let start = &chunk[..read];
    let marked = Encoding::for_bom(start);
    if read == marked.map_or(0, |(_, length)| length) {
        return Ok(None);
    }
    let certain = |encoding| Ok(Some(FileEncoding { encoding, is_guessed: false }));
    if let Some((encoding, _)) = marked {
        return certain(encoding);
    }
    if chosen != TextEncoding::Detect {
        return certain(Encoding::for_label(chosen.label().as_bytes()).unwrap_or(UTF_8));
    }
    if let Some(encoding) = utf16(start) {
        return certain(encoding);
    }
    let mut letters = Letters::default();
    while read > 0 {
        letters.add(&chunk[..read], false);
        read = fill(&mut file, &mut chunk)?;
    }
    letters.add(&[], true);
    Ok(Some(letters.encoding()))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Recognises UTF-16 without a byte order mark: delimiters, digits and line ends have a zero byte, always on the same
/// side.
fn utf16(start: &[u8]) -> Option<&'static Encoding> {
    let zeros = |side: usize| start.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let enough = start.len() / 20;
    match (even, odd) {
        (even, odd) if odd > enough && odd > 10 * even => Some(UTF_16LE),
        (even, odd) if even > enough && even > 10 * odd => Some(UTF_16BE),
        _ => None,
    }
}

/// Counts letters outside ASCII.
#[derive(Default)]
struct Letters {
    /// Letters in UTF-8.
    valid: u64,
    /// Sequences of bytes that are not UTF-8.
    invalid: u64,
    /// The begin of a letter at the end of a chunk.
    rest: Vec<u8>,
    detector: Option<EncodingDetector>,
    guessed: usize,
}

impl Letters {
    fn add(&mut self, chunk: &[u8], last: bool) {
        if self.rest.is_empty() && chunk.is_ascii() {
            return;
        }
        if self.guessed < MAX_GUESSED_BYTES {
            self.guessed += chunk.len();
            self.detector.get_or_insert_with(new_detector).feed(chunk, false);
        }
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(chunk);
        for part in bytes.utf8_chunks() {
            self.valid += part.valid().bytes().filter(|byte| *byte >= 0xC0).count() as u64;
            let invalid = part.invalid();
            if invalid.is_empty() {
                continue;
            }
            let is_at_end = std::ptr::eq(invalid.as_ptr_range().end, bytes.as_ptr_range().end);
            let is_cut = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_at_end && is_cut && !last {
                self.rest = invalid.to_vec();
            } else {
                self.invalid += 1;
            }
        }
    }

    fn encoding(self) -> FileEncoding {
        // A file that is mostly UTF-8 has a damaged part. Its bytes are reported at their cells.
        if self.invalid <= self.valid / 2 {
            return FileEncoding { encoding: UTF_8, is_guessed: false };
        }
        let guess = self.detector.map_or(WINDOWS_1252, guess);
        FileEncoding { encoding: guess, is_guessed: true }
    }
}

fn new_detector() -> EncodingDetector {
    EncodingDetector::new(Iso2022JpDetection::Deny)
}

fn guess(mut detector: EncodingDetector) -> &'static Encoding {
    detector.feed(&[], true);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(bytes: &[u8]) -> Option<&'static str> {
        let found = detect(bytes, TextEncoding::Detect).expect("read");
        found.map(|found| found.encoding.name())
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encodings_are_detected_with_and_without_a_byte_order_mark() {
        let text = "user_id,last_name\nu,Müller\nv,Gonçalves\nw,Ångström\n";
        assert_eq!(label(text.as_bytes()), Some("UTF-8"));
        assert_eq!(label(format!("\u{FEFF}{text}").as_bytes()), Some("UTF-8"));
        for mark in ["", "\u{FEFF}"] {
            let text = format!("{mark}{text}");
            assert_eq!(label(&utf16(&text, u16::to_le_bytes)), Some("UTF-16LE"));
            assert_eq!(label(&utf16(&text, u16::to_be_bytes)), Some("UTF-16BE"));
        }
        let (bytes, _, _) = WINDOWS_1252.encode(text);
        assert_eq!(label(&bytes), Some("windows-1252"));
        assert_eq!(label(b"user_id,last_name\nu,M\xFCller\n"), Some("windows-1252"));
        assert_eq!(label(b"user_id\nu\n"), Some("UTF-8"));
        assert_eq!((label(b""), label(b"\xEF\xBB\xBF"), label(b"\xFF\xFE")), (None, None, None));
    }

    #[test]
    fn other_languages_are_detected() {
        for (text, encoding) in [
            ("фамилия,имя\nИванов,Сергей\nКузнецова,Ольга\nСоколова,Татьяна\n", encoding_rs::WINDOWS_1251),
            ("επώνυμο,όνομα\nΠαπαδόπουλος,Γιώργος\nΝικολάου,Ελένη\n", encoding_rs::WINDOWS_1253),
            (
                "nazwisko,imię\nWiśniewski,Łukasz\nDąbrowska,Małgorzata\nŻółć,Źdźbło\n",
                encoding_rs::WINDOWS_1250,
            ),
        ] {
            let (bytes, _, _) = encoding.encode(text);
            assert_eq!(label(&bytes), Some(encoding.name()));
        }
    }

    #[test]
    fn a_letter_between_two_parts_counts_once() {
        let text = format!("{}é\n", "x".repeat(CHUNK_BYTES - 1));
        assert_eq!(label(text.as_bytes()), Some("UTF-8"));
    }
}
