//! Whether a certificate holds: its signature, its key, and whether the counts are still those of the records.

use super::content::Certificate;
use crate::entity::runs;
use crate::error::RecordsError;
use crate::key::{Key, is_signed};
use crate::store::Store;
use policy::{RunId, dates::joined};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};

/// What was found about a certificate.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The run that it names, where it can be read.
    pub run: Option<RunId>,
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
}

impl Doubt {
    /// The doubt in words.
    pub fn words(&self) -> String {
        match self {
            Self::Unreadable => "it is no certificate of this version".to_owned(),
            Self::Signature => "it was changed after it was signed, or was never signed".to_owned(),
            Self::Key => "it was signed with another key than that of this installation".to_owned(),
            Self::Run => "this installation has no such run".to_owned(),
            Self::Counts(fields) => {
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                format!("the records say something else now: {}", joined(&fields, "and"))
            }
            Self::Later => "it is newer than this copy of the database".to_owned(),
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
        let of = self.run.map(|run| format!(" of run {run}")).unwrap_or_default();
        if self.holds() {
            return format!(
                "The certificate{of} holds: its signature is right, and its counts are those of the records"
            );
        }
        let doubts: Vec<String> = self.doubts.iter().map(Doubt::words).collect();
        format!("The certificate{of} does not hold: {}", doubts.join("; "))
    }
}

/// A certificate as a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    certificate: Certificate,
    signature: String,
    public_key: String,
}

/// Checks the certificate of a run that stands in the database.
pub async fn verify_run(store: &Store, run: RunId) -> Result<Checked, RecordsError> {
    let row = super::row(store, run).await?;
    let Ok(certificate) = serde_json::from_str::<Certificate>(&row.content) else {
        return Ok(Checked { run: Some(run), doubts: vec![Doubt::Unreadable] });
    };
    let mut doubts = signed(store, &row.content, &row.signature, &row.public_key).await?;
    if certificate.run == run {
        doubts.extend(compared(store, &certificate).await?);
    } else {
        doubts.push(Doubt::Counts(vec!["run".to_owned()]));
    }
    Ok(Checked { run: Some(run), doubts })
}

/// Checks a certificate that was downloaded; `text` is what stands in the file.
pub async fn verify_file(store: &Store, text: &str) -> Result<Checked, RecordsError> {
    let Ok(File { certificate, signature, public_key }) = serde_json::from_str(text) else {
        return Ok(Checked { run: None, doubts: vec![Doubt::Unreadable] });
    };
    let mut doubts = signed(store, &certificate.canonical()?, &signature, &public_key).await?;
    doubts.extend(compared(store, &certificate).await?);
    Ok(Checked { run: Some(certificate.run), doubts })
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
async fn compared(store: &Store, certificate: &Certificate) -> Result<Vec<Doubt>, RecordsError> {
    let now = match Certificate::of(&store.db, store, certificate.run).await {
        Ok(now) => now,
        Err(RecordsError::NotFound(_)) => return Ok(vec![Doubt::Run]),
        Err(error) => return Err(error),
    };
    let mut doubts = Vec::new();
    if certificate.ledger_sequence > now.ledger_sequence {
        doubts.push(Doubt::Later);
    }
    let mut fields = differing(certificate, &now)?;
    if !adds_up(store, certificate).await? {
        fields.push("counts of the run".to_owned());
    }
    if !fields.is_empty() {
        doubts.push(Doubt::Counts(fields));
    }
    Ok(doubts)
}

/// The fields in which two certificates of a run differ, without those that may go on after the first was made.
fn differing(certificate: &Certificate, now: &Certificate) -> Result<Vec<String>, RecordsError> {
    let mut now = now.clone();
    now.made_at = certificate.made_at;
    now.ledger_sequence = certificate.ledger_sequence;
    now.residue.open_places = certificate.residue.open_places;
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
