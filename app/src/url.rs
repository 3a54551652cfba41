//! The text of addresses.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// Encodes a text as a value in the query of an address.
pub fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Returns whether an address is valid UTF-8 and contains no control character, percent-encoded or not.
pub fn is_text(address: &str) -> bool {
    percent_decode(address.as_bytes()).decode_utf8().is_ok_and(|text| !text.chars().any(char::is_control))
}
