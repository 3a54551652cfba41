//! Tables of evidence and operation: audit, residue, certificates, ledger watermark, replays, approvals,
//! manual changes, protections, processed forms, schema.

use super::DataClass::{Link, NotPersonal};
use super::ErasureAction::Keep;
use super::{RowOwner, Table, entry};

pub(super) const AUDIT_HEAD: Table = Table {
    name: "audit_head",
    label: "End of the audit",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("sequence", NotPersonal, Keep, "Position of the last event"),
        entry("mac", NotPersonal, Keep, "Authentication code of the last event"),
    ],
};

pub(super) const RESIDUE_HITS: Table = Table {
    name: "findings",
    label: "Residue findings",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("run_id", Link, Keep, "Run"),
        entry("user_number", Link, Keep, "Anonymised user whose value was found"),
        entry("table_name", NotPersonal, Keep, "Table"),
        entry("column_name", NotPersonal, Keep, "Column"),
        entry("row_key", Link, Keep, "Key of the row"),
        entry("what", NotPersonal, Keep, "Kind of the value, never the value"),
        entry("found_at", NotPersonal, Keep, "Found"),
        entry("decision", NotPersonal, Keep, "Decision of staff"),
        entry("decided_at", NotPersonal, Keep, "Decided"),
        entry("decided_by", Link, Keep, "Member of staff who decided"),
    ],
};

pub(super) const CERTIFICATES: Table = Table {
    name: "certificates",
    label: "Certificates of runs",
    owner: RowOwner::NoUser,
    columns: &[
        entry("run_id", Link, Keep, "Run"),
        entry("version", NotPersonal, Keep, "Version, counted from 1"),
        entry("made_at", NotPersonal, Keep, "Created"),
        entry("content", Link, Keep, CERTIFICATE_CONTENT),
        entry("signature", NotPersonal, Keep, "Signature"),
        entry("public_key", NotPersonal, Keep, "Key that checks the signature"),
    ],
};

const CERTIFICATE_CONTENT: &str = "Counts, codes, the case reference of a single user, and the user numbers of the members of staff who started and \
     approved the run";

pub(super) const SUPERSEDED_CERTIFICATES: Table = Table {
    name: "superseded_certificates",
    label: "Earlier versions of certificates",
    owner: RowOwner::NoUser,
    columns: &[
        entry("run_id", Link, Keep, "Run"),
        entry("version", NotPersonal, Keep, "Version that was superseded"),
        entry("made_at", NotPersonal, Keep, "Created"),
        entry("content", Link, Keep, CERTIFICATE_CONTENT),
        entry("signature", NotPersonal, Keep, "Signature"),
        entry("public_key", NotPersonal, Keep, "Key that checks the signature"),
    ],
};

pub(super) const LEDGER_MARK: Table = Table {
    name: "ledger_mark",
    label: "Position in the ledger",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("library", NotPersonal, Keep, "Random name of the installation"),
        entry("sequence", NotPersonal, Keep, "Last entry in the database"),
        entry("chain", NotPersonal, Keep, "Checksum of the ledger up to there"),
    ],
};

pub(super) const INSTALLATION_KEYS: Table = Table {
    name: "installation_keys",
    label: "Fingerprints of the installation's keys",
    owner: RowOwner::NoUser,
    columns: &[
        entry("fingerprint", NotPersonal, Keep, "Fingerprint of the key, never the key"),
        entry("recorded_at", NotPersonal, Keep, "In use since"),
        entry("replaced_at", NotPersonal, Keep, "Replaced"),
    ],
};

pub(super) const REPLAYS: Table = Table {
    name: "replays",
    label: "Replays after a restore",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("at", NotPersonal, Keep, "When"),
        entry("today", NotPersonal, Keep, "Date in the library's time zone"),
        entry("from_sequence", NotPersonal, Keep, "First entry that was replayed"),
        entry("to_sequence", NotPersonal, Keep, "Last entry that was replayed"),
        entry("chain", NotPersonal, Keep, "Checksum of the ledger"),
        entry("people", NotPersonal, Keep, "Users in those entries"),
        entry("anonymised", NotPersonal, Keep, "Anonymised again"),
        entry("already", NotPersonal, Keep, "Already anonymised"),
        entry("absent", NotPersonal, Keep, "Not in this copy of the database"),
        entry("verified", NotPersonal, Keep, "Checked afterwards"),
    ],
};

pub(super) const APPROVALS: Table = Table {
    name: "approvals",
    label: "Approvals by a second person",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("kind", NotPersonal, Keep, "What is approved"),
        entry("preview_id", Link, Keep, "Preview whose run is approved"),
        entry("legal_hold_id", Link, Keep, "Legal hold whose release is approved"),
        entry("user_number", Link, Keep, "User that the approval is about"),
        entry("fingerprint", NotPersonal, Keep, "Fingerprint of what is approved"),
        entry("asked_by", Link, Keep, "Member of staff who requested it"),
        entry("asked_at", NotPersonal, Keep, "Requested"),
        entry("expires_at", NotPersonal, Keep, "Valid until"),
        entry("decided_by", Link, Keep, "Member of staff who decided"),
        entry("decision", NotPersonal, Keep, "Approved or declined"),
        entry("decided_at", NotPersonal, Keep, "Decided"),
        entry("used_at", NotPersonal, Keep, "Used"),
        entry(
            "users",
            NotPersonal,
            Keep,
            "Number of users or lines with which an import exceeds a safety limit",
        ),
        entry("counted_by", NotPersonal, Keep, "The safety limit that counts this number"),
    ],
};

pub(super) const FORM_KEYS: Table = Table {
    name: "form_keys",
    label: "Forms processed within the last half hour",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id_hash", NotPersonal, Keep, "Hash of a form with its random key"),
        entry("created_at", NotPersonal, Keep, "Sent"),
        entry("outcome", NotPersonal, Keep, "Result, encrypted"),
    ],
};

pub(super) const SERVERS: Table = Table {
    name: "servers",
    label: "Running servers",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("beats", NotPersonal, Keep, "Number of heartbeats"),
        entry("seen_at", NotPersonal, Keep, "Last heartbeat, by the server’s clock"),
    ],
};

pub(super) const MANUAL_CHANGES: Table = Table {
    name: "manual_changes",
    label: "Changes by staff, imports and identity systems that count against the safety limits",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("at", NotPersonal, Keep, "When"),
        entry("actor_number", Link, Keep, "Member of staff"),
        entry("channel", NotPersonal, Keep, "Page, command line or API"),
        entry("kind", NotPersonal, Keep, "Kind of the change"),
        entry("user_number", Link, Keep, "User who was changed"),
        entry("fields", NotPersonal, Keep, "Number of fields"),
        entry("confirmed_by", Link, Keep, "Run that confirmed it"),
    ],
};

pub(super) const PROTECTIONS: Table = Table {
    name: "protections",
    label: "Safety settings in force",
    owner: RowOwner::NoUser,
    columns: &[
        entry("name", NotPersonal, Keep, "Setting"),
        entry("value", NotPersonal, Keep, "Value"),
        entry("at", NotPersonal, Keep, "In force since, or last in force"),
    ],
};

pub(super) const AUDIT_EVENTS: Table = Table {
    name: "audit_events",
    label: "Audit",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("at", NotPersonal, Keep, "When"),
        entry("actor_number", Link, Keep, "Member of staff"),
        entry("channel", NotPersonal, Keep, "Page, command line, schedule or API"),
        entry("action", NotPersonal, Keep, "Action, as a code"),
        entry("subject_kind", NotPersonal, Keep, "Kind of object"),
        entry("subject_id", Link, Keep, "Object number"),
        entry("run_id", Link, Keep, "Run"),
        entry("detail", NotPersonal, Keep, "Names of fields and codes, never values"),
        entry("sequence", NotPersonal, Keep, "Position in the chain"),
        entry("mac", NotPersonal, Keep, "Authentication code over this event and the one before"),
    ],
};

pub(super) const SEAQL_MIGRATIONS: Table = Table {
    name: "seaql_migrations",
    label: "Schema migrations",
    owner: RowOwner::NoUser,
    columns: &[
        entry("version", NotPersonal, Keep, "Migration"),
        entry("applied_at", NotPersonal, Keep, "Applied"),
    ],
};
