//! Notes about the files of an upload. They are kept beside the files, so that a page reads a waiting file once. They
//! are erased with the files, because they have cells of the first rows.

use super::upload;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Write as _};
use std::path::Path;

/// The kind of a note about the files of an upload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Note {
    /// The result of reading the file with the import profile.
    Detection,
    /// The first rows, for a new import profile.
    Sample,
}

impl Note {
    /// Returns the name of the file. No additional table can have it.
    const fn file_name(self) -> &'static str {
        match self {
            Self::Detection => ".detection",
            Self::Sample => ".sample",
        }
    }
}

/// A result, and the circumstances in which it was found out.
#[derive(Deserialize, Serialize)]
struct Kept<K, V> {
    circumstances: K,
    found: V,
}

/// Returns what was found out in the same circumstances before. Otherwise finds it out and keeps it.
///
/// An error of `find_out` is not kept. If the result can't be kept, the next call finds it out again.
pub(super) fn remembered<K, V, E>(
    folder: &Path,
    note: Note,
    circumstances: K,
    find_out: impl FnOnce() -> Result<V, E>,
) -> Result<V, E>
where
    K: DeserializeOwned + PartialEq + Serialize,
    V: DeserializeOwned + Serialize,
{
    let path = folder.join(note.file_name());
    let kept = std::fs::read(&path).ok();
    let kept = kept.and_then(|bytes| serde_json::from_slice::<Kept<K, V>>(&bytes).ok());
    if let Some(kept) = kept.filter(|kept| kept.circumstances == circumstances) {
        return Ok(kept.found);
    }
    let kept = Kept { circumstances, found: find_out()? };
    if let Err(error) = keep(&path, &kept) {
        tracing::warn!(kind = %error.kind(), "what was detected in an uploaded file could not be stored");
    }
    Ok(kept.found)
}

/// Writes a file that only the account of the server can read. An earlier one is overwritten with zeros first.
fn keep(path: &Path, kept: &impl Serialize) -> io::Result<()> {
    upload::erase_file(path)?;
    upload::create_private(path)?.write_all(&serde_json::to_vec(kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn the_same_circumstances_are_found_out_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let times = Cell::new(0);
        let ask = |circumstances: u8| {
            remembered(folder.path(), Note::Sample, circumstances, || {
                times.set(times.get() + 1);
                Ok::<_, io::Error>(format!("found {}", times.get()))
            })
            .expect("found")
        };
        assert_eq!([ask(1), ask(1), ask(2), ask(2)], ["found 1", "found 1", "found 2", "found 2"]);
        std::fs::write(folder.path().join(".sample"), "{\"circumstances\":2,\"fo").expect("broken off");
        assert_eq!(ask(2), "found 3");
        let failed: Result<u8, _> =
            remembered(folder.path(), Note::Detection, 1, || Err(io::Error::from(io::ErrorKind::NotFound)));
        assert!(failed.is_err() && !folder.path().join(".detection").exists());
        let gone = remembered(&folder.path().join("gone"), Note::Sample, 1, || Ok::<u8, io::Error>(7));
        assert_eq!(gone.expect("found"), 7, "it can't be kept");
    }
}
