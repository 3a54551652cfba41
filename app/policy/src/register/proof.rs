//! The tables that prove what was done: the audit's end, residue, certificates, the ledger's mark, replays, approvals.

use super::tables::column;
use super::{Action, Class, Owner, Table};

pub(super) const AUDIT_HEAD: Table = Table {
    name: "audit_head",
    words: "End of the audit",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("sequence", Class::NotPersonal, Action::Keep, "Place of the last event"),
        column("mac", Class::NotPersonal, Action::Keep, "Code of the last event"),
    ],
};

pub(super) const RESIDUE_HITS: Table = Table {
    name: "residue_hits",
    words: "Places of residue",
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
        column("decision", Class::NotPersonal, Action::Keep, "What staff decided"),
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
        column("made_at", Class::NotPersonal, Action::Keep, "Made"),
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
        column("made_at", Class::NotPersonal, Action::Keep, "Made"),
        column("content", Class::Link, Action::Keep, CERTIFICATE_CONTENT),
        column("signature", Class::NotPersonal, Action::Keep, "Signature"),
        column("public_key", Class::NotPersonal, Action::Keep, "Key that checks the signature"),
    ],
};

pub(super) const LEDGER_MARK: Table = Table {
    name: "ledger_mark",
    words: "How far the ledger is followed",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("library", Class::NotPersonal, Action::Keep, "Random name of the installation"),
        column("sequence", Class::NotPersonal, Action::Keep, "Last entry that the database holds"),
        column("chain", Class::NotPersonal, Action::Keep, "Checksum of the ledger up to there"),
    ],
};

pub(super) const REPLAYS: Table = Table {
    name: "replays",
    words: "Replays after a restore",
    owner: Owner::Nobody,
    columns: &[
        column("id", Class::NotPersonal, Action::Keep, "Key"),
        column("at", Class::NotPersonal, Action::Keep, "When"),
        column("today", Class::NotPersonal, Action::Keep, "Day of the library"),
        column("from_sequence", Class::NotPersonal, Action::Keep, "First entry that was replayed"),
        column("to_sequence", Class::NotPersonal, Action::Keep, "Last entry that was replayed"),
        column("chain", Class::NotPersonal, Action::Keep, "Checksum of the ledger"),
        column("people", Class::NotPersonal, Action::Keep, "People in those entries"),
        column("anonymised", Class::NotPersonal, Action::Keep, "Anonymised again"),
        column("already", Class::NotPersonal, Action::Keep, "Anonymised already"),
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
        column("fingerprint", Class::NotPersonal, Action::Keep, "Seal of what is approved"),
        column("asked_by", Class::Link, Action::Keep, "Member of staff who asked"),
        column("asked_at", Class::NotPersonal, Action::Keep, "Asked"),
        column("expires_at", Class::NotPersonal, Action::Keep, "Until when it may be used"),
        column("decided_by", Class::Link, Action::Keep, "Member of staff who decided"),
        column("decision", Class::NotPersonal, Action::Keep, "Approved or declined"),
        column("decided_at", Class::NotPersonal, Action::Keep, "Decided"),
        column("used_at", Class::NotPersonal, Action::Keep, "Used"),
    ],
};
