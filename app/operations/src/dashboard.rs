//! The figures of the start page: what waits, what runs next, what ran last, and the evidence for the DPO.
//!
//! Each function reads a few rows by an index and leaves out what the actor may not see.

mod erasures;
mod evidence;
mod first_steps;
mod runs;
mod waiting;

pub use erasures::{ErasuresOfMonth, SHOWN_MONTHS, erasures};
pub use evidence::{AuditCheck, Evidence, evidence, start_audit_check};
pub use first_steps::{FirstStep, StepProgress, first_steps};
pub use runs::{ComparedRun, NextRun, last_runs, next_runs};
pub use waiting::{Waiting, WaitingKind, waiting};
