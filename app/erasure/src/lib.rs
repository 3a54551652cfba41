//! The anonymiser and its evidence: eligibility, the changes, the residue search, certificates and the ledger.

pub mod anonymise;
pub mod certificate;
pub mod eligibility;
pub mod fact_table;
pub mod ledger;
pub mod maintenance;
pub mod residue;
pub mod run_counts;
