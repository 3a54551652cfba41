//! Tests of the records on real, migrated databases: SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, reason = "tests")]

mod anonymising;
mod canary;
mod demo;
mod register;
mod runs;
mod samples;
mod selection;
mod support;
mod transfer;
mod transfer_bad;
