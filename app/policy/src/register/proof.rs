//! The tables that prove what was done: the audit's end, residue, certificates, the ledger's mark, replays, approvals,
//! manual changes, protections, forms that were carried out.

use super::tables::column;
use super::{Action, Class, Owner, Table};

pub(super) const AUDIT_HEAD: Table = Table {
    name: "audit_head",
    words: "End of the audit",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("sequence", Class::NotPersonal, Action::Keep, "Position of the last event"),
        column("mac", Class::NotPersonal, Action::Keep, "Authentication code of the last event"),
    ],
};

pub(super) const RESIDUE_HITS: Table = Table {
    name: "residue_hits",
    words: "Residue findings",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("run_id", Class::Link, Action::Keep, "Run"),
        column("user_number", Class::Link, Action::Keep, "Anonymised user whose value was found"),
        column("table_name", Class::NotPersonal, Action::Keep, "Table"),
        column("column_name", Class::NotPersonal, Action::Keep, "Column"),
        column("row_key", Class::Link, Action::Keep, "Key of the row"),
        column("what", Class::NotPersonal, Action::Keep, "Kind of the value, never the value"),
        column("found_at", Class::NotPersonal, Action::Keep, "Found"),
        column("decision", Class::NotPersonal, Action::Keep, "Decision of staff"),
        column("decided_at", Class::NotPersonal, Action::Keep, "Decided"),
        column("decided_by", Class::Link, Action::Keep, "Member of staff who decided"),
    ],
};

pub(super) const CERTIFICATES: Table = Table {
    name: "certificates",
    words: "Certificates of runs",
    owner: Owner::Nobody,
    columns: &[
        column("run_id", Class::Link, Action::Keep, "Run"),
        column("version", Class::NotPersonal, Action::Keep, "Version, counted from 1"),
        column("made_at", Class::NotPersonal, Action::Keep, "Created"),
        column("content", Class::Link, Action::Keep, CERTIFICATE_CONTENT),
        column("signature", Class::NotPersonal, Action::Keep, "Signature"),
        column("public_key", Class::NotPersonal, Action::Keep, "Key that checks the signature"),
    ],
};

const CERTIFICATE_CONTENT: &str =
    "Counts, codes, and the user numbers of the members of staff who started and approved the run";

pub(super) const SUPERSEDED_CERTIFICATES: Table = Table {
    name: "superseded_certificates",
    words: "Earlier versions of certificates",
    owner: Owner::Nobody,
    columns: &[
        column("run_id", Class::Link, Action::Keep, "Run"),
        column("version", Class::NotPersonal, Action::Keep, "Version that was superseded"),
        column("made_at", Class::NotPersonal, Action::Keep, "Created"),
        column("content", Class::Link, Action::Keep, CERTIFICATE_CONTENT),
        column("signature", Class::NotPersonal, Action::Keep, "Signature"),
        column("public_key", Class::NotPersonal, Action::Keep, "Key that checks the signature"),
    ],
};

pub(super) const LEDGER_MARK: Table = Table {
    name: "ledger_mark",
    words: "Position in the ledger",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("library", Class::NotPersonal, Action::Keep, "Random name of the installation"),
        column("sequence", Class::NotPersonal, Action::Keep, "Last entry that the database holds"),
        column("chain", Class::NotPersonal, Action::Keep, "Checksum of the ledger up to there"),
    ],
};

pub(super) const INSTALLATION_KEYS: Table = Table {
    name: "installation_keys",
    words: "Fingerprints of the installation's keys",
    owner: Owner::Nobody,
    columns: &[
        column("fingerprint", Class::NotPersonal, Action::Keep, "Fingerprint of the key, never the key"),
        column("recorded_at", Class::NotPersonal, Action::Keep, "In use since"),
        column("replaced_at", Class::NotPersonal, Action::Keep, "Replaced"),
    ],
};

pub(super) const REPLAYS: Table = Table {
    name: "replays",
    words: "Replays after a restore",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("at", Class::NotPersonal, Action::Keep, "When"),
        column("today", Class::NotPersonal, Action::Keep, "Date in the library's time zone"),
        column("from_sequence", Class::NotPersonal, Action::Keep, "First entry that was replayed"),
        column("to_sequence", Class::NotPersonal, Action::Keep, "Last entry that was replayed"),
        column("chain", Class::NotPersonal, Action::Keep, "Checksum of the ledger"),
        column("people", Class::NotPersonal, Action::Keep, "Users in those entries"),
        column("anonymised", Class::NotPersonal, Action::Keep, "Anonymised again"),
        column("already", Class::NotPersonal, Action::Keep, "Already anonymised"),
        column("absent", Class::NotPersonal, Action::Keep, "Not in this copy of the database"),
        column("verified", Class::NotPersonal, Action::Keep, "Checked afterwards"),
    ],
};

pub(super) const APPROVALS: Table = Table {
    name: "approvals",
    words: "Approvals by a second person",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("kind", Class::NotPersonal, Action::Keep, "What is approved"),
        column("preview_id", Class::Link, Action::Keep, "Preview whose run is approved"),
        column("hold_id", Class::Link, Action::Keep, "Legal hold whose release is approved"),
        column("user_number", Class::Link, Action::Keep, "User that the approval is about"),
        column("fingerprint", Class::NotPersonal, Action::Keep, "Fingerprint of what is approved"),
        column("asked_by", Class::Link, Action::Keep, "Member of staff who requested it"),
        column("asked_at", Class::NotPersonal, Action::Keep, "Requested"),
        column("expires_at", Class::NotPersonal, Action::Keep, "Valid until"),
        column("decided_by", Class::Link, Action::Keep, "Member of staff who decided"),
        column("decision", Class::NotPersonal, Action::Keep, "Approved or declined"),
        column("decided_at", Class::NotPersonal, Action::Keep, "Decided"),
        column("used_at", Class::NotPersonal, Action::Keep, "Used"),
        column("users", Class::NotPersonal, Action::Keep, "Number of users that an approved import changes"),
    ],
};

pub(super) const FORM_KEYS: Table = Table {
    name: "form_keys",
    words: "Forms processed within the last half hour",
    owner: Owner::Nobody,
    columns: &[
        column("id_hash", Class::NotPersonal, Action::Keep, "Hash of a form with its random key"),
        column("created_at", Class::NotPersonal, Action::Keep, "Sent"),
        column("outcome", Class::NotPersonal, Action::Keep, "Result, encrypted"),
    ],
};

pub(super) const SERVERS: Table = Table {
    name: "servers",
    words: "Running servers",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("beats", Class::NotPersonal, Action::Keep, "Number of heartbeats"),
        column("seen_at", Class::NotPersonal, Action::Keep, "Last heartbeat, by the server’s clock"),
    ],
};

pub(super) const MANUAL_CHANGES: Table = Table {
    name: "manual_changes",
    words: "Changes by staff and imports that count against the safety limits",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("at", Class::NotPersonal, Action::Keep, "When"),
        column("actor_number", Class::Link, Action::Keep, "Member of staff"),
        column("channel", Class::NotPersonal, Action::Keep, "Page or command line"),
        column("kind", Class::NotPersonal, Action::Keep, "Kind of the change"),
        column("user_number", Class::Link, Action::Keep, "User who was changed"),
        column("fields", Class::NotPersonal, Action::Keep, "Number of fields"),
        column("confirmed_by", Class::Link, Action::Keep, "Run that confirmed it"),
    ],
};

pub(super) const PROTECTIONS: Table = Table {
    name: "protections",
    words: "Safety settings in force",
    owner: Owner::Nobody,
    columns: &[
        column("name", Class::NotPersonal, Action::Keep, "Setting"),
        column("value", Class::NotPersonal, Action::Keep, "Value"),
        column("at", Class::NotPersonal, Action::Keep, "In force since, or last in force"),
    ],
};
