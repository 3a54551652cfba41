//! Bytes to UTF-8. Bytes that are no text stay invalid, so that a later step can report them at their cell.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use std::io::{self, Read};

/// Marks bytes that are no text in the encoding of the file. UTF-8 never contains it.
const NOT_TEXT: u8 = 0xFF;
const RAW_BYTES: usize = 16 * 1024;
/// Every encoding needs at most three bytes of UTF-8 for each byte.
const TEXT_BYTES: usize = 3 * RAW_BYTES + 16;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a file as UTF-8, without a byte order mark.
pub(crate) struct Decoded<R> {
    inner: R,
    /// `None` for UTF-8, which is passed through.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    text: Vec<u8>,
    has_started: bool,
    has_ended: bool,
}

impl<R: Read> Decoded<R> {
    pub(crate) fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_with_bom_removal());
        Self {
            inner,
            decoder,
            raw: vec![0; RAW_BYTES],
            text: Vec::new(),
            has_started: false,
            has_ended: false,
        }
    }

    pub(crate) const fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Appends the next part of the text. Returns whether there may be more.
    pub(crate) fn append_to(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.has_ended {
            return Ok(false);
        }
        let mut read = self.read_raw(0)?;
        // The byte order mark must be in one piece.
        while !self.has_started && read < BYTE_ORDER_MARK.len() {
            let more = self.read_raw(read)?;
            if more == 0 {
                break;
            }
            read += more;
        }
        self.has_ended = read == 0;
        let raw = self.raw.get(..read).unwrap_or_default();
        match &mut self.decoder {
            None => {
                let mark = !self.has_started && raw.starts_with(BYTE_ORDER_MARK);
                out.extend_from_slice(if mark { &raw[BYTE_ORDER_MARK.len()..] } else { raw });
            }
            Some(decoder) => decode(decoder, raw, self.has_ended, &mut self.text, out),
        }
        self.has_started = true;
        Ok(!self.has_ended)
    }

    fn read_raw(&mut self, from: usize) -> io::Result<usize> {
        loop {
            match self.inner.read(&mut self.raw[from..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

fn decode(decoder: &mut Decoder, mut raw: &[u8], last: bool, text: &mut Vec<u8>, out: &mut Vec<u8>) {
    text.resize(TEXT_BYTES, 0);
    loop {
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw, text, last);
        out.extend_from_slice(&text[..written]);
        raw = &raw[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => out.push(NOT_TEXT),
        }
    }
}
