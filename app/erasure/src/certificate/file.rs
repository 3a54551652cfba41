//! Downloadable certificate files.

use super::{Certificate, Row, row};
use db::RecordsError;
use db::checksum::sha256;
use policy::RunId;
use serde::{Deserialize, Serialize};
use trail::Store;
use trail::key::{Key, is_signed};

/// A certificate file: the signed content, its signature and, if it is superseded, the later version.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) certificate: Certificate,
    pub(super) signature: String,
    pub(super) public_key: String,
    pub(super) superseded_by: Option<SupersededBy>,
}

/// The later version that supersedes the one in the file. The signed content cannot name it, so this note has a
/// separate signature.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SupersededBy {
    /// The number of the later version.
    pub(super) version: i32,
    /// The SHA-256 of its canonical form.
    sha256: String,
    /// The signature over both versions, in hexadecimal.
    signature: String,
}

impl SupersededBy {
    fn signed_by(key: &Key, content: &str, later: &Row) -> Self {
        let sha256 = sha256(&[later.content.as_bytes()]);
        let signature = key.sign(&statement(content, later.version, &sha256));
        Self { version: later.version, sha256, signature }
    }

    /// Returns whether this note was signed for a certificate with this canonical form.
    pub(super) fn is_signed(&self, content: &str, public_key: &str) -> bool {
        is_signed(&statement(content, self.version, &self.sha256), &self.signature, public_key)
    }
}

/// Returns the signed text about two versions.
fn statement(content: &str, version: i32, later: &str) -> String {
    format!("lethe-superseded-1\n{}\n{version}\n{later}\n", sha256(&[content.as_bytes()]))
}

/// Returns a version of the certificate of a run as JSON for download, or the current one for None. The content is
/// exactly as signed.
pub async fn file(store: &Store, run: RunId, version: Option<i32>) -> Result<String, RecordsError> {
    let (row, later) = row(store, run, version).await?;
    let superseded_by = match later {
        None => String::new(),
        Some(later) => {
            let by = SupersededBy::signed_by(store.key.load().await?, &row.content, &later);
            let by = serde_json::to_string(&by).map_err(|_| RecordsError::Corrupt("certificate"))?;
            format!(",\"superseded_by\":{by}")
        }
    };
    Ok(format!(
        "{{\"certificate\":{},\"signature\":\"{}\",\"public_key\":\"{}\"{superseded_by}}}\n",
        row.content, row.signature, row.public_key
    ))
}
