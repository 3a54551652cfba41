//! Evidence of runs: certificates, the position in the ledger, and replays of the ledger.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, boolean, date, integer, small_integer, text, timestamp_with_time_zone,
};

pub(super) fn tables() -> Vec<Table> {
    vec![certificates(), superseded_certificates(), ledger_mark(), replays()]
}

/// The signed certificates of runs, in their newest versions.
fn certificates() -> Table {
    Table {
        name: "certificates",
        columns: vec![
            big_integer("run_id"),
            integer("version").default(1).take(),
            timestamp_with_time_zone("made_at"),
            text("content"),
            text("signature"),
            text("public_key"),
        ],
        primary_key: &["run_id"],
        foreign_keys: &[("run_id", "runs", "id")],
        ..Table::default()
    }
}

/// The earlier versions of certificates.
fn superseded_certificates() -> Table {
    Table {
        name: "superseded_certificates",
        columns: vec![
            big_integer("run_id"),
            integer("version"),
            timestamp_with_time_zone("made_at"),
            text("content"),
            text("signature"),
            text("public_key"),
        ],
        primary_key: &["run_id", "version"],
        foreign_keys: &[("run_id", "runs", "id")],
        ..Table::default()
    }
}

/// The last ledger entry that the database contains, in one row.
fn ledger_mark() -> Table {
    Table {
        name: "ledger_mark",
        columns: vec![small_integer("id"), text("library"), big_integer("sequence"), text("chain")],
        primary_key: &["id"],
        ..Table::default()
    }
}

/// The replays of the ledger after a restore, with their results.
fn replays() -> Table {
    Table {
        name: "replays",
        columns: vec![
            big_pk_auto("id"),
            timestamp_with_time_zone("at"),
            date("today"),
            big_integer("from_sequence"),
            big_integer("to_sequence"),
            text("chain"),
            big_integer("people"),
            big_integer("anonymised"),
            big_integer("already"),
            big_integer("absent"),
            boolean("verified"),
        ],
        ..Table::default()
    }
}
