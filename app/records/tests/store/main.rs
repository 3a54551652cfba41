//! Tests of the records on real, migrated databases: SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, reason = "tests")]

mod anonymising;
mod canary;
mod demo;
mod desk;
mod editing;
mod faults;
mod leases;
mod reapply;
mod register;
mod reports;
mod runs;
mod samples;
mod searching;
mod selection;
mod support;
mod tasks;
mod transfer;
mod transfer_bad;
