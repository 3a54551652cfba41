//! `lethe held`: lines of import files that the suppression list holds.

use super::Output;
use clap::{Subcommand, ValueEnum};
use db::pagination::Paging;
use policy::HeldLineId;
use policy::dates::iso;
use policy::numbers::counted;
use policy::suppression::HeldDecision;
use safeguards::suppression::held_line::{self, Chosen, HeldLine, Show};
use serde_json::json;
use std::process::ExitCode;
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Held {
    /// List the newest held lines. A line is named by its number in the file, without its values.
    List {
        /// Only those with a decision.
        #[arg(long, conflicts_with = "all")]
        decided: bool,
        /// Also those with a decision.
        #[arg(long)]
        all: bool,
        /// Number of lines, at most 100.
        #[arg(long, default_value_t = 50)]
        last: u64,
        /// Continue after this held line.
        #[arg(long, value_name = "ID")]
        after: Option<i64>,
    },
    /// Decide about held lines. The next import follows the decision.
    Decide {
        /// The held lines.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        lines: Vec<i64>,
        /// All lines without a decision, if there are COUNT of them.
        #[arg(long, value_name = "COUNT")]
        all: Option<u64>,
        /// The decision.
        #[arg(long, value_enum)]
        decision: Choice,
    },
}

/// The decisions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Choice {
    /// Skip the line until it changes.
    Ignore,
    /// Skip every line with this key.
    AlwaysIgnore,
    /// The same person is a user again: create a new record, without the old loans.
    NewMembership,
    /// The key belongs to another person now: create a record, without the loans of the previous owner.
    DifferentPerson,
}

impl From<Choice> for HeldDecision {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Ignore => Self::Ignore,
            Choice::AlwaysIgnore => Self::AlwaysIgnore,
            Choice::NewMembership => Self::NewMembership,
            Choice::DifferentPerson => Self::DifferentPerson,
        }
    }
}

impl Held {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { decided, all, last, after } => {
                let show = match (decided, all) {
                    (true, _) => Show::Decided,
                    (_, true) => Show::All,
                    _ => Show::Undecided,
                };
                let paging =
                    Paging { after: after.map(|id| id.to_string()), rows: Some(last), ..Paging::default() };
                let page = held_line::list(store, Actor::COMMAND_LINE, show, &paging).await?;
                output.print(&page.rows, |rows| {
                    let mut lines: Vec<String> = rows.iter().map(line).collect();
                    lines.extend(page.next.as_ref().map(|next| format!("more: --after {next}")));
                    lines.join("\n")
                })?;
            }
            Self::Decide { lines, all, decision } => {
                let decision = HeldDecision::from(decision);
                let chosen = match all {
                    Some(seen) => Chosen::Undecided { seen, newest: None },
                    None => Chosen::Lines(lines.into_iter().map(HeldLineId).collect()),
                };
                let decided = held_line::decide(store, Actor::COMMAND_LINE, &chosen, decision).await?;
                output.print(&json!({ "decided": decided, "decision": decision }), |_| {
                    let lines = counted(i64::try_from(decided).unwrap_or(i64::MAX), "line", "lines");
                    format!("{lines} decided: {}. {}", decision.label(), decision.consequence())
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns a held line as a line of numbers and codes.
fn line(held: &HeldLine) -> String {
    let decision = match (held.decision, held.decided_on) {
        (Some(decision), Some(on)) => format!("{} {}", decision.code(), iso(on)),
        _ => "to decide".to_owned(),
    };
    format!(
        "{}\t{}\t{}\tfirst {}\tlast {}\t{}\t{decision}",
        held.id,
        held.source.place(held.line),
        held.kind.code(),
        iso(held.first_seen_on),
        iso(held.last_seen_on),
        held.source.times(held.times_seen),
    )
}
