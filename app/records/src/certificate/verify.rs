//! Whether a certificate holds: its signature, its key, and whether the counts are still those of the records.

use super::content::Certificate;
use super::file::File;
use super::{Row, all, parsed};
use crate::checksum::sha256;
use crate::entity::runs;
use crate::error::RecordsError;
use crate::key::{Key, is_signed};
use crate::store::Store;
use policy::{RunId, dates::joined};
use sea_orm::EntityTrait;
use serde::Serialize;

/// What was found about a certificate.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The run that it names, where it can be read.
    pub run: Option<RunId>,
    /// Which certificate of the run it is.
    pub version: Option<i32>,
    /// The version that it supersedes.
    pub supersedes: Option<i32>,
    /// The version that supersedes it; None for the one that counts now.
    pub superseded_by: Option<i32>,
    /// Whether the records of the library were left aside: then only the signature was checked.
    pub offline: bool,
    /// What speaks against it; nothing when it holds.
    pub doubts: Vec<Doubt>,
}

/// What speaks against a certificate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// It is no certificate.
    Unreadable,
    /// It was changed after it was signed, or never was.
    Signature,
    /// It was signed with another key than that of this installation.
    Key,
    /// This installation has no such run.
    Run,
    /// It says something else than the records; the fields that differ.
    Counts(Vec<String>),
    /// It was made later than this copy of the database.
    Later,
    /// This installation made another certificate under this version.
    Other,
    /// Earlier versions were changed, or are not those that the later ones name.
    Earlier(Vec<i32>),
    /// The note about the version that supersedes it was changed after it was signed.
    Note,
}

impl Doubt {
    /// The doubt in words.
    pub fn words(&self) -> String {
        match self {
            Self::Unreadable => "it is no certificate of this version".to_owned(),
            Self::Signature => "it was changed after it was signed, or was never signed".to_owned(),
            Self::Key => "it was signed with another key than that of the installation".to_owned(),
            Self::Run => "this installation has no such run".to_owned(),
            Self::Counts(fields) => {
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                format!("the records say something else now: {}", joined(&fields, "and"))
            }
            Self::Later => "it is newer than this copy of the database".to_owned(),
            Self::Other => "this installation made another certificate under this version".to_owned(),
            Self::Earlier(versions) => {
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                format!("earlier versions are not as they were signed: {}", joined(&versions, "and"))
            }
            Self::Note => {
                "the note about the version that supersedes it was changed, or was never signed".to_owned()
            }
        }
    }
}

impl Checked {
    /// Whether the certificate holds.
    pub fn holds(&self) -> bool {
        self.doubts.is_empty()
    }

    /// The result in words.
    pub fn words(&self) -> String {
        let of = match (self.run, self.version) {
            (Some(run), Some(version)) => format!(" of run {run}, version {version},"),
            (Some(run), None) => format!(" of run {run}"),
            _ => String::new(),
        };
        if !self.holds() {
            let doubts: Vec<String> = self.doubts.iter().map(Doubt::words).collect();
            return format!("The certificate{of} does not hold: {}", doubts.join("; "));
        }
        if let Some(later) = self.superseded_by {
            return format!(
                "The certificate{of} holds: its signature is right. Version {later} supersedes it, and says how \
                 things are now"
            );
        }
        let supersedes =
            self.supersedes.map(|earlier| format!(". It supersedes version {earlier}")).unwrap_or_default();
        let counts = if self.offline {
            "It was not compared with the records of the library"
        } else {
            "Its counts are those of the records"
        };
        format!("The certificate{of} holds: its signature is right. {counts}{supersedes}")
    }

    fn unreadable(run: Option<RunId>) -> Self {
        let doubts = vec![Doubt::Unreadable];
        Self { run, version: None, supersedes: None, superseded_by: None, offline: false, doubts }
    }

    fn of(certificate: &Certificate, superseded_by: Option<i32>, doubts: Vec<Doubt>) -> Self {
        Self {
            run: Some(certificate.run),
            version: Some(certificate.version),
            supersedes: certificate.supersedes.as_ref().map(|earlier| earlier.version),
            superseded_by,
            offline: false,
            doubts,
        }
    }
}

/// Checks the certificate of a run that stands in the database, with the earlier versions that it supersedes.
pub async fn verify_run(store: &Store, run: RunId) -> Result<Checked, RecordsError> {
    verify_version(store, run, None).await
}

/// Checks one version of the certificate of a run; None for the one that counts now.
pub async fn verify_version(
    store: &Store,
    run: RunId,
    version: Option<i32>,
) -> Result<Checked, RecordsError> {
    let rows = all(&store.db, run).await?;
    let at = match version {
        None => rows.len().checked_sub(1),
        Some(version) => rows.iter().position(|row| row.version == version),
    };
    let at = at.ok_or(RecordsError::NotFound("certificate"))?;
    let (row, later) = (&rows[at], rows.get(at + 1));
    let Ok(certificate) = parsed(&row.content) else { return Ok(Checked::unreadable(Some(run))) };
    let mut doubts = signed(store, &row.content, &row.signature, &row.public_key).await?;
    if certificate.run == run && certificate.version == row.version {
        doubts.extend(compared(store, &certificate, later.is_none()).await?);
    } else {
        doubts.push(Doubt::Counts(vec!["run".to_owned()]));
    }
    let earlier = broken(&rows[..=at]);
    if !earlier.is_empty() {
        doubts.push(Doubt::Earlier(earlier));
    }
    Ok(Checked::of(&certificate, later.map(|later| later.version), doubts))
}

/// The earlier ones of these versions that were changed after they were signed, or are not those that the next one names.
fn broken(rows: &[Row]) -> Vec<i32> {
    let is_named = |earlier: &Row, later: &Row| {
        let named = parsed(&later.content).ok().and_then(|later| later.supersedes);
        named.is_some_and(|named| {
            named.version == earlier.version && named.sha256 == sha256(&[earlier.content.as_bytes()])
        })
    };
    let holds = |earlier: &Row, later: &Row| {
        is_signed(&earlier.content, &earlier.signature, &earlier.public_key) && is_named(earlier, later)
    };
    let broken = rows.windows(2).filter_map(|pair| match pair {
        [earlier, later] if !holds(earlier, later) => Some(earlier.version),
        _ => None,
    });
    broken.collect()
}

/// Checks a certificate that was downloaded; `text` is what stands in the file.
pub async fn verify_file(store: &Store, text: &str) -> Result<Checked, RecordsError> {
    let Ok(file) = serde_json::from_str::<File>(text) else { return Ok(Checked::unreadable(None)) };
    let File { certificate, signature, public_key, superseded_by: note } = file;
    let content = certificate.canonical()?;
    let mut doubts = signed(store, &content, &signature, &public_key).await?;
    if note.as_ref().is_some_and(|note| !note.is_signed(&content, &public_key)) {
        doubts.push(Doubt::Note);
    }
    let rows = match all(&store.db, certificate.run).await {
        Ok(rows) => rows,
        Err(RecordsError::NotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let stored = rows.iter().position(|row| row.version == certificate.version);
    let later = stored.and_then(|at| rows.get(at + 1)).map(|later| later.version);
    let counts = rows.last().is_none_or(|last| last.version <= certificate.version);
    doubts.extend(compared(store, &certificate, counts).await?);
    match stored {
        Some(at) if doubts.is_empty() && rows[at].content != content => doubts.push(Doubt::Other),
        // The version is missing here.
        None if !counts => doubts.push(Doubt::Earlier(vec![certificate.version])),
        None if !rows.is_empty() && !doubts.contains(&Doubt::Later) => doubts.push(Doubt::Later),
        _ => {}
    }
    Ok(Checked::of(&certificate, later.or(note.map(|note| note.version)), doubts))
}

/// Checks what a downloaded certificate proves by itself, without its library: that it was signed with this key, and not
/// changed since. `public_key` is in hexadecimal digits, from a source that is trusted.
pub fn verify_signature(text: &str, public_key: &str) -> Result<Checked, RecordsError> {
    let Ok(file) = serde_json::from_str::<File>(text) else { return Ok(Checked::unreadable(None)) };
    let content = file.certificate.canonical()?;
    let mut doubts = Vec::new();
    if !is_signed(&content, &file.signature, &file.public_key) {
        doubts.push(Doubt::Signature);
    }
    if file.public_key != public_key.trim().to_ascii_lowercase() {
        doubts.push(Doubt::Key);
    }
    if file.superseded_by.as_ref().is_some_and(|note| !note.is_signed(&content, &file.public_key)) {
        doubts.push(Doubt::Note);
    }
    let later = file.superseded_by.map(|note| note.version);
    Ok(Checked { offline: true, ..Checked::of(&file.certificate, later, doubts) })
}

async fn signed(
    store: &Store,
    content: &str,
    signature: &str,
    public_key: &str,
) -> Result<Vec<Doubt>, RecordsError> {
    let mut doubts = Vec::new();
    if !is_signed(content, signature, public_key) {
        doubts.push(Doubt::Signature);
    }
    if Key::load(store).await?.public() != public_key {
        doubts.push(Doubt::Key);
    }
    Ok(doubts)
}

/// Compares a certificate with what the records say now.
async fn compared(
    store: &Store,
    certificate: &Certificate,
    counts_now: bool,
) -> Result<Vec<Doubt>, RecordsError> {
    let now = match Certificate::of(&store.db, store, certificate.run).await {
        Ok(now) => now,
        Err(RecordsError::NotFound(_)) => return Ok(vec![Doubt::Run]),
        Err(error) => return Err(error),
    };
    let mut doubts = Vec::new();
    if certificate.ledger_sequence > now.ledger_sequence {
        doubts.push(Doubt::Later);
    }
    let mut fields = differing(certificate, &now, counts_now)?;
    if !adds_up(store, certificate).await? {
        fields.push("counts of the run".to_owned());
    }
    if !fields.is_empty() {
        doubts.push(Doubt::Counts(fields));
    }
    Ok(doubts)
}

/// The fields in which two certificates of a run differ, without those that may go on after the first was made, and
/// those that only the signature proves.
fn differing(
    certificate: &Certificate,
    now: &Certificate,
    counts_now: bool,
) -> Result<Vec<String>, RecordsError> {
    let mut now = Certificate {
        library: certificate.library.clone(),
        program: certificate.program.clone(),
        version: certificate.version,
        supersedes: certificate.supersedes.clone(),
        fields: certificate.fields.clone(),
        made_at: certificate.made_at,
        ledger_sequence: certificate.ledger_sequence,
        ..now.clone()
    };
    if !counts_now {
        now.residue = certificate.residue.clone();
    }
    // The files of a single user are cleaned before the search that makes the next version.
    if !counts_now || certificate.residue.pending > 0 {
        now.maintenance.clone_from(&certificate.maintenance);
    }
    let fields = |certificate: &Certificate| match serde_json::to_value(certificate) {
        Ok(serde_json::Value::Object(fields)) => Ok(fields),
        _ => Err(RecordsError::Corrupt("certificate")),
    };
    let (then, now) = (fields(certificate)?, fields(&now)?);
    Ok(then.into_iter().filter(|(name, value)| now.get(name) != Some(value)).map(|(name, _)| name).collect())
}

/// Whether the counts that stand in the run itself are those of its people.
async fn adds_up(store: &Store, certificate: &Certificate) -> Result<bool, RecordsError> {
    let run = runs::Entity::find_by_id(certificate.run.0).one(&store.db).await?;
    let run = run.ok_or(RecordsError::NotFound("run"))?;
    let sum = |counts: &std::collections::BTreeMap<String, i64>| counts.values().sum::<i64>();
    Ok((run.done, run.skipped, run.failed)
        == (certificate.done, sum(&certificate.skipped), sum(&certificate.failed)))
}
