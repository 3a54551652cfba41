//! Audit events as stored, and the MAC over each.

use crate::key::Key;
use chrono::{DateTime, Utc};
use db::{RecordsError, dialect};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, QueryResult};
use sha2::Sha256;
use std::fmt;

/// The label from which the key of the audit is derived. Another label gives another key.
const LABEL: &[u8] = b"lethe audit chain 1";
/// The MAC before the first event.
pub(crate) const NOTHING: &str = "";

/// The columns that the MAC covers, besides the position. Their order matters.
const COLUMNS: [&str; 9] =
    ["id", "at", "actor_number", "channel", "action", "subject_kind", "subject_id", "run_id", "detail"];

/// The key of the audit. It is derived from the key of the installation and never stored in the database.
#[derive(Clone)]
pub(crate) struct AuditKey(Hmac<Sha256>);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey")
    }
}

impl AuditKey {
    /// Derives the key of the audit from the key of the installation.
    pub(super) fn derive(key: &Key) -> Result<Self, RecordsError> {
        Hmac::new_from_slice(&*key.derived(LABEL)).map(Self).map_err(|_| RecordsError::Corrupt("key"))
    }

    /// Returns the MAC of an event at a position, given the MAC of the event before.
    pub(crate) fn code(&self, before: &str, sequence: i64, event: &Event) -> String {
        let mut mac = self.0.clone();
        let mut bytes = Vec::with_capacity(256);
        encode(&mut bytes, [Some(before), Some(&sequence.to_string())]);
        encode(&mut bytes, event.fields.iter().map(Option::as_deref));
        mac.update(&bytes);
        base16ct::lower::encode_string(&mac.finalize().into_bytes())
    }
}

/// Appends the fields with their lengths, so that different lists of fields never give the same bytes.
fn encode<'a>(bytes: &mut Vec<u8>, fields: impl IntoIterator<Item = Option<&'a str>>) {
    for field in fields {
        match field {
            None => bytes.push(0),
            Some(text) => {
                bytes.push(1);
                bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// An event as text, whatever its columns contain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Event {
    pub id: i64,
    /// The position. None before the event is chained.
    pub sequence: Option<i64>,
    /// The MAC, as stored.
    pub(crate) mac: String,
    /// The fields that the MAC covers, in the order of [`COLUMNS`].
    fields: [Option<String>; 9],
}

impl Event {
    /// Reads the events that match a condition.
    pub(crate) async fn read(
        db: &impl ConnectionTrait,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Self>, DbErr> {
        let backend = db.get_database_backend();
        let columns = COLUMNS.map(|column| match column {
            "at" => format!("{} AS text_at", dialect::instant_text(backend, "at")),
            _ => format!("CAST({column} AS TEXT) AS text_{column}"),
        });
        // Raw SQL: the text of an instant is a fragment of `dialect`, and tampered rows may hold any type.
        let sql = format!(
            "SELECT id, CAST(sequence AS BIGINT) AS place, CAST(mac AS TEXT) AS code, {} FROM audit_events {condition}",
            columns.join(", ")
        );
        let rows = db.query_all_raw(dialect::bind(backend, &sql, values)).await?;
        rows.iter().map(|row| Self::from_row(backend, row)).collect()
    }

    fn from_row(backend: DatabaseBackend, row: &QueryResult) -> Result<Self, DbErr> {
        // Lethe only writes valid text here. Anything else means tampering.
        let text = |column: &str| -> Option<String> {
            row.try_get("", column).unwrap_or_else(|_| Some("unreadable".to_owned()))
        };
        let mut fields = COLUMNS.map(|column| text(&format!("text_{column}")));
        fields[1] = fields[1].take().map(|at| microseconds(backend, at));
        Ok(Self {
            id: row.try_get("", "id")?,
            sequence: row.try_get("", "place")?,
            mac: text("code").unwrap_or_default(),
            fields,
        })
    }

    /// Returns an event that is about to be stored. The fields are in the order of [`COLUMNS`], without the id.
    pub(crate) fn new(id: i64, fields: [Option<String>; 8]) -> Self {
        let [at, actor, channel, action, kind, subject, run, detail] = fields;
        let fields = [Some(id.to_string()), at, actor, channel, action, kind, subject, run, detail];
        Self { id, sequence: None, mac: String::new(), fields }
    }

    /// Returns the same event with the id of another one.
    pub(crate) fn with_id_of(&self, other: &Self) -> Self {
        let mut event = self.clone();
        event.id = other.id;
        event.fields[0].clone_from(&other.fields[0]);
        event
    }
}

/// Returns an instant in microseconds, the same for both databases. Other text stays unchanged and matches no MAC.
fn microseconds(backend: DatabaseBackend, text: String) -> String {
    if backend == DatabaseBackend::Postgres {
        return text;
    }
    text.parse::<DateTime<Utc>>().map_or(text, |at| at.timestamp_micros().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(fields: &[Option<String>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut bytes, fields.iter().map(Option::as_deref));
        bytes
    }

    fn field() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[\\x00\\x01a,=|]{0,9}")
    }

    proptest! {
        #[test]
        fn different_fields_never_give_the_same_bytes(
            a in proptest::collection::vec(field(), 0..5),
            b in proptest::collection::vec(field(), 0..5),
        ) {
            prop_assert_eq!(a == b, encoded(&a) == encoded(&b));
        }
    }

    #[test]
    fn moving_text_to_the_next_field_changes_the_mac() {
        let some = |texts: [&str; 2]| encoded(&texts.map(|text| Some(text.to_owned())));
        assert_ne!(some(["ab", "c"]), some(["a", "bc"]));
        assert_ne!(some(["", "a"]), some(["a", ""]));
        assert_ne!(encoded(&[None, Some(String::new())]), encoded(&[Some(String::new()), None]));
    }

    #[test]
    fn an_instant_is_the_same_however_it_is_written() {
        let micros = |text: &str| microseconds(DatabaseBackend::Sqlite, text.to_owned());
        assert_eq!(micros("2018-01-21T12:00:00.000001+00:00"), "1516536000000001");
        assert_eq!(micros("2018-01-21 13:00:00.000001 +01:00"), "1516536000000001");
        assert_eq!(micros("yesterday"), "yesterday");
    }
}
