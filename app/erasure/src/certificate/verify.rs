//! Verifying certificates: the signature, the key, and the counts against the records.

use super::content::Certificate;
use super::file::File;
use super::{Row, all, parsed};
use db::RecordsError;
use db::checksum::sha256;
use db::entity::runs;
use policy::{RunId, dates::joined};
use sea_orm::EntityTrait;
use serde::Serialize;
use trail::Store;
use trail::key::is_signed;

/// The result of verifying a certificate.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The run that it names. None if it is unreadable.
    pub run: Option<RunId>,
    /// The version of the certificate.
    pub version: Option<i32>,
    /// The version that it supersedes.
    pub supersedes: Option<i32>,
    /// The version that supersedes it. None for the current version.
    pub superseded_by: Option<i32>,
    /// Whether only the signature was checked, without the records of the library.
    pub offline: bool,
    /// The doubts. Empty if the certificate is valid.
    pub doubts: Vec<Doubt>,
}

/// A reason why a certificate is not valid.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The text is not a certificate.
    Unreadable,
    /// The content was changed after signing, or never signed.
    Signature,
    /// The certificate was signed with a key other than that of this installation.
    Key,
    /// The run does not exist in this installation.
    Run,
    /// The records differ from the certificate in these fields.
    Counts(Vec<String>),
    /// The certificate is newer than this copy of the database.
    Later,
    /// This installation signed a different certificate with this version.
    Other,
    /// Earlier versions were changed, or are not the ones that later versions name.
    Earlier(Vec<i32>),
    /// The note about the superseding version was changed after signing.
    Note,
}

impl Doubt {
    /// Returns the doubt as a clause.
    pub fn label(&self) -> String {
        match self {
            Self::Unreadable => "it is not a certificate in a format of this Lethe version".to_owned(),
            Self::Signature => "it was changed after it was signed, or was never signed".to_owned(),
            Self::Key => "it was signed with a key other than that of the installation".to_owned(),
            Self::Run => "its run does not exist in this installation".to_owned(),
            Self::Counts(fields) => {
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                format!("it differs from the current records in: {}", joined(&fields, "and"))
            }
            Self::Later => "it is newer than this copy of the database".to_owned(),
            Self::Other => "this installation signed a different certificate with this version".to_owned(),
            Self::Earlier(versions) => {
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                format!("earlier versions were changed or replaced: {}", joined(&versions, "and"))
            }
            Self::Note => {
                "the note about the version that supersedes it was changed after signing, or never signed"
                    .to_owned()
            }
        }
    }
}

impl Checked {
    /// Returns whether the certificate is valid.
    pub fn holds(&self) -> bool {
        self.doubts.is_empty()
    }

    /// Returns the result as a sentence.
    pub fn label(&self) -> String {
        let of = match (self.run, self.version) {
            (Some(run), Some(version)) => format!(" of run {run}, version {version},"),
            (Some(run), None) => format!(" of run {run}"),
            _ => String::new(),
        };
        if !self.holds() {
            let doubts: Vec<String> = self.doubts.iter().map(Doubt::label).collect();
            return format!("The certificate{of} is not valid: {}", doubts.join("; "));
        }
        if let Some(later) = self.superseded_by {
            return format!(
                "The certificate{of} is valid: its signature is correct. Version {later} supersedes it and states \
                 the current counts"
            );
        }
        let supersedes =
            self.supersedes.map(|earlier| format!(". It supersedes version {earlier}")).unwrap_or_default();
        let counts = if self.offline {
            "It was not compared with the records of the library"
        } else {
            "Its counts match the records"
        };
        format!("The certificate{of} is valid: its signature is correct. {counts}{supersedes}")
    }

    fn unreadable(run: Option<RunId>) -> Self {
        let doubts = vec![Doubt::Unreadable];
        Self { run, version: None, supersedes: None, superseded_by: None, offline: false, doubts }
    }

    fn new(certificate: &Certificate, superseded_by: Option<i32>, doubts: Vec<Doubt>) -> Self {
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

/// Verifies the stored certificate of a run and the earlier versions that it supersedes.
pub async fn verify_run(store: &Store, run: RunId) -> Result<Checked, RecordsError> {
    verify_version(store, run, None).await
}

/// Verifies a version of the certificate of a run, or the current one for None.
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
    Ok(Checked::new(&certificate, later.map(|later| later.version), doubts))
}

/// Returns the earlier versions that were changed after signing, or that the next version does not name.
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

/// Verifies a downloaded certificate. `text` is the content of the file.
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
        // The database lacks this version.
        None if !counts => doubts.push(Doubt::Earlier(vec![certificate.version])),
        None if !rows.is_empty() && !doubts.contains(&Doubt::Later) => doubts.push(Doubt::Later),
        _ => {}
    }
    Ok(Checked::new(&certificate, later.or(note.map(|note| note.version)), doubts))
}

/// Verifies only the signature of a downloaded certificate, without its library. `public_key` is in hexadecimal
/// and must come from a trusted source.
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
    Ok(Checked { offline: true, ..Checked::new(&file.certificate, later, doubts) })
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
    if store.key.load().await?.public() != public_key {
        doubts.push(Doubt::Key);
    }
    Ok(doubts)
}

/// Compares a certificate with the current records.
async fn compared(
    store: &Store,
    certificate: &Certificate,
    counts_now: bool,
) -> Result<Vec<Doubt>, RecordsError> {
    let now = match Certificate::compute(&store.db, store, certificate.run).await {
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

/// Returns the fields in which two certificates of a run differ. Ignores fields that can change later and fields
/// that only the signature proves.
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
        // A decision about residue can remove it.
        case_reference: certificate.case_reference.clone(),
        made_at: certificate.made_at,
        ledger_sequence: certificate.ledger_sequence,
        ..now.clone()
    };
    if !counts_now {
        now.residue = certificate.residue.clone();
    }
    // The database files of a single user are cleaned before the search that leads to the next version.
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

/// Returns whether the counts stored with the run match its users.
async fn adds_up(store: &Store, certificate: &Certificate) -> Result<bool, RecordsError> {
    let run = runs::Entity::find_by_id(certificate.run.0).one(&store.db).await?;
    let run = run.ok_or(RecordsError::NotFound("run"))?;
    let sum = |counts: &std::collections::BTreeMap<String, i64>| counts.values().sum::<i64>();
    Ok((run.done, run.skipped, run.failed)
        == (certificate.done, sum(&certificate.skipped), sum(&certificate.failed)))
}
