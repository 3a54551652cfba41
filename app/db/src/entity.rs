//! One entity for each table of the schema. Rows never leave this crate.
#![allow(missing_docs, reason = "the register of personal data documents the columns")]

pub mod account_notices;
pub mod approvals;
pub mod audit_events;
pub mod audit_head;
pub mod catalogue_records;
pub mod certificates;
pub mod charges;
pub mod code_budgets;
pub mod credentials;
pub mod custom_fields;
pub mod custom_values;
pub mod form_keys;
pub mod installation_keys;
pub mod items;
pub mod ledger_mark;
pub mod legal_holds;
pub mod loans;
pub mod manual_changes;
pub mod messages;
pub mod photos;
pub mod protections;
pub mod renewals;
pub mod replays;
pub mod requests;
pub mod residue_hits;
pub mod run_counts;
pub mod run_members;
pub mod runs;
pub mod sessions;
pub mod superseded_certificates;
pub mod tasks;
pub mod terms;
pub mod user_roles;
pub mod user_words;
pub mod users;
