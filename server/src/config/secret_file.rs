//! Files with a secret: a password, a token, a client secret.

use std::path::Path;

/// Returns the text of a file without white space around it. None if the file cannot be read, is no text, or is empty.
pub(super) fn read(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let secret = text.trim();
    (!secret.is_empty()).then(|| secret.to_owned())
}
