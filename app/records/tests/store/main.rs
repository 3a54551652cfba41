//! Tests of the records on real, migrated databases: SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, reason = "tests")]

mod anonymising;
mod approvals;
mod audit;
mod bytes;
mod canary;
mod certificates;
mod demo;
mod desk;
mod editing;
mod faults;
mod health;
mod holds;
mod leases;
mod ledger;
mod reapply;
mod register;
mod reports;
mod residue;
mod restore;
mod runs;
mod samples;
mod schedule;
mod searching;
mod selection;
mod support;
mod tasks;
mod transfer;
mod transfer_bad;
mod undoing;
mod upgrade;
