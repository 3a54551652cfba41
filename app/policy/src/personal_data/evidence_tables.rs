//! Tables of evidence: audit head, residue, certificates, ledger watermark, replays, approvals, manual changes,
//! protections and processed forms.

use super::tables::column;
use super::{DataClass, ErasureAction, RowOwner, Table};

pub(super) const AUDIT_HEAD: Table = Table {
    name: "audit_head",
    words: "End of the audit",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("sequence", DataClass::NotPersonal, ErasureAction::Keep, "Position of the last event"),
        column("mac", DataClass::NotPersonal, ErasureAction::Keep, "Authentication code of the last event"),
    ],
};

pub(super) const RESIDUE_HITS: Table = Table {
    name: "residue_hits",
    words: "Residue findings",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("run_id", DataClass::Link, ErasureAction::Keep, "Run"),
        column("user_number", DataClass::Link, ErasureAction::Keep, "Anonymised user whose value was found"),
        column("table_name", DataClass::NotPersonal, ErasureAction::Keep, "Table"),
        column("column_name", DataClass::NotPersonal, ErasureAction::Keep, "Column"),
        column("row_key", DataClass::Link, ErasureAction::Keep, "Key of the row"),
        column("what", DataClass::NotPersonal, ErasureAction::Keep, "Kind of the value, never the value"),
        column("found_at", DataClass::NotPersonal, ErasureAction::Keep, "Found"),
        column("decision", DataClass::NotPersonal, ErasureAction::Keep, "Decision of staff"),
        column("decided_at", DataClass::NotPersonal, ErasureAction::Keep, "Decided"),
        column("decided_by", DataClass::Link, ErasureAction::Keep, "Member of staff who decided"),
    ],
};

pub(super) const CERTIFICATES: Table = Table {
    name: "certificates",
    words: "Certificates of runs",
    owner: RowOwner::Nobody,
    columns: &[
        column("run_id", DataClass::Link, ErasureAction::Keep, "Run"),
        column("version", DataClass::NotPersonal, ErasureAction::Keep, "Version, counted from 1"),
        column("made_at", DataClass::NotPersonal, ErasureAction::Keep, "Created"),
        column("content", DataClass::Link, ErasureAction::Keep, CERTIFICATE_CONTENT),
        column("signature", DataClass::NotPersonal, ErasureAction::Keep, "Signature"),
        column("public_key", DataClass::NotPersonal, ErasureAction::Keep, "Key that checks the signature"),
    ],
};

const CERTIFICATE_CONTENT: &str =
    "Counts, codes, and the user numbers of the members of staff who started and approved the run";

pub(super) const SUPERSEDED_CERTIFICATES: Table = Table {
    name: "superseded_certificates",
    words: "Earlier versions of certificates",
    owner: RowOwner::Nobody,
    columns: &[
        column("run_id", DataClass::Link, ErasureAction::Keep, "Run"),
        column("version", DataClass::NotPersonal, ErasureAction::Keep, "Version that was superseded"),
        column("made_at", DataClass::NotPersonal, ErasureAction::Keep, "Created"),
        column("content", DataClass::Link, ErasureAction::Keep, CERTIFICATE_CONTENT),
        column("signature", DataClass::NotPersonal, ErasureAction::Keep, "Signature"),
        column("public_key", DataClass::NotPersonal, ErasureAction::Keep, "Key that checks the signature"),
    ],
};

pub(super) const LEDGER_MARK: Table = Table {
    name: "ledger_mark",
    words: "Position in the ledger",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("library", DataClass::NotPersonal, ErasureAction::Keep, "Random name of the installation"),
        column("sequence", DataClass::NotPersonal, ErasureAction::Keep, "Last entry in the database"),
        column("chain", DataClass::NotPersonal, ErasureAction::Keep, "Checksum of the ledger up to there"),
    ],
};

pub(super) const INSTALLATION_KEYS: Table = Table {
    name: "installation_keys",
    words: "Fingerprints of the installation's keys",
    owner: RowOwner::Nobody,
    columns: &[
        column(
            "fingerprint",
            DataClass::NotPersonal,
            ErasureAction::Keep,
            "Fingerprint of the key, never the key",
        ),
        column("recorded_at", DataClass::NotPersonal, ErasureAction::Keep, "In use since"),
        column("replaced_at", DataClass::NotPersonal, ErasureAction::Keep, "Replaced"),
    ],
};

pub(super) const REPLAYS: Table = Table {
    name: "replays",
    words: "Replays after a restore",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("at", DataClass::NotPersonal, ErasureAction::Keep, "When"),
        column("today", DataClass::NotPersonal, ErasureAction::Keep, "Date in the library's time zone"),
        column("from_sequence", DataClass::NotPersonal, ErasureAction::Keep, "First entry that was replayed"),
        column("to_sequence", DataClass::NotPersonal, ErasureAction::Keep, "Last entry that was replayed"),
        column("chain", DataClass::NotPersonal, ErasureAction::Keep, "Checksum of the ledger"),
        column("people", DataClass::NotPersonal, ErasureAction::Keep, "Users in those entries"),
        column("anonymised", DataClass::NotPersonal, ErasureAction::Keep, "Anonymised again"),
        column("already", DataClass::NotPersonal, ErasureAction::Keep, "Already anonymised"),
        column("absent", DataClass::NotPersonal, ErasureAction::Keep, "Not in this copy of the database"),
        column("verified", DataClass::NotPersonal, ErasureAction::Keep, "Checked afterwards"),
    ],
};

pub(super) const APPROVALS: Table = Table {
    name: "approvals",
    words: "Approvals by a second person",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("kind", DataClass::NotPersonal, ErasureAction::Keep, "What is approved"),
        column("preview_id", DataClass::Link, ErasureAction::Keep, "Preview whose run is approved"),
        column("hold_id", DataClass::Link, ErasureAction::Keep, "Legal hold whose release is approved"),
        column("user_number", DataClass::Link, ErasureAction::Keep, "User that the approval is about"),
        column("fingerprint", DataClass::NotPersonal, ErasureAction::Keep, "Fingerprint of what is approved"),
        column("asked_by", DataClass::Link, ErasureAction::Keep, "Member of staff who requested it"),
        column("asked_at", DataClass::NotPersonal, ErasureAction::Keep, "Requested"),
        column("expires_at", DataClass::NotPersonal, ErasureAction::Keep, "Valid until"),
        column("decided_by", DataClass::Link, ErasureAction::Keep, "Member of staff who decided"),
        column("decision", DataClass::NotPersonal, ErasureAction::Keep, "Approved or declined"),
        column("decided_at", DataClass::NotPersonal, ErasureAction::Keep, "Decided"),
        column("used_at", DataClass::NotPersonal, ErasureAction::Keep, "Used"),
        column(
            "users",
            DataClass::NotPersonal,
            ErasureAction::Keep,
            "Number of users that an approved import changes",
        ),
    ],
};

pub(super) const FORM_KEYS: Table = Table {
    name: "form_keys",
    words: "Forms processed within the last half hour",
    owner: RowOwner::Nobody,
    columns: &[
        column("id_hash", DataClass::NotPersonal, ErasureAction::Keep, "Hash of a form with its random key"),
        column("created_at", DataClass::NotPersonal, ErasureAction::Keep, "Sent"),
        column("outcome", DataClass::NotPersonal, ErasureAction::Keep, "Result, encrypted"),
    ],
};

pub(super) const SERVERS: Table = Table {
    name: "servers",
    words: "Running servers",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("beats", DataClass::NotPersonal, ErasureAction::Keep, "Number of heartbeats"),
        column(
            "seen_at",
            DataClass::NotPersonal,
            ErasureAction::Keep,
            "Last heartbeat, by the server’s clock",
        ),
    ],
};

pub(super) const MANUAL_CHANGES: Table = Table {
    name: "manual_changes",
    words: "Changes by staff and imports that count against the safety limits",
    owner: RowOwner::Nobody,
    columns: &[
        column("id", DataClass::NotPersonal, ErasureAction::Keep, "Key"),
        column("at", DataClass::NotPersonal, ErasureAction::Keep, "When"),
        column("actor_number", DataClass::Link, ErasureAction::Keep, "Member of staff"),
        column("channel", DataClass::NotPersonal, ErasureAction::Keep, "Page or command line"),
        column("kind", DataClass::NotPersonal, ErasureAction::Keep, "Kind of the change"),
        column("user_number", DataClass::Link, ErasureAction::Keep, "User who was changed"),
        column("fields", DataClass::NotPersonal, ErasureAction::Keep, "Number of fields"),
        column("confirmed_by", DataClass::Link, ErasureAction::Keep, "Run that confirmed it"),
    ],
};

pub(super) const PROTECTIONS: Table = Table {
    name: "protections",
    words: "Safety settings in force",
    owner: RowOwner::Nobody,
    columns: &[
        column("name", DataClass::NotPersonal, ErasureAction::Keep, "Setting"),
        column("value", DataClass::NotPersonal, ErasureAction::Keep, "Value"),
        column("at", DataClass::NotPersonal, ErasureAction::Keep, "In force since, or last in force"),
    ],
};
