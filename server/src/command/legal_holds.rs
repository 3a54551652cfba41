//! `lethe legal-holds`: lists legal holds.

use super::Output;
use clap::Subcommand;
use db::pagination::Paging;
use policy::LegalHoldTarget;
use policy::dates::iso;
use safeguards::legal_hold::{self, LegalHold, LegalHoldQuery, Show};
use std::process::ExitCode;
use trail::Store;

#[derive(Debug, Subcommand)]
pub(crate) enum LegalHolds {
    /// List the newest legal holds.
    List {
        /// Only those due for review.
        #[arg(long, conflicts_with = "all")]
        due: bool,
        /// Include released ones.
        #[arg(long)]
        all: bool,
        /// Number of legal holds, at most 100.
        #[arg(long, default_value_t = 50)]
        last: u64,
    },
}

impl LegalHolds {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let Self::List { due, all, last } = self;
        let show = match (due, all) {
            (true, _) => Show::Due,
            (_, true) => Show::All,
            _ => Show::InForce,
        };
        let query = LegalHoldQuery { show, ..LegalHoldQuery::default() };
        let page = legal_hold::list(store, &query, &Paging { rows: Some(last), ..Paging::default() }).await?;
        output.print(&page.rows, |rows| rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns a legal hold as a line of numbers and codes, without names.
fn line(hold: &LegalHold) -> String {
    let on = match &hold.on {
        LegalHoldTarget::User(person) => format!("user {}", person.number),
        LegalHoldTarget::Category(term) => format!("category {}", term.code),
    };
    let owner = hold.owner.as_ref().map_or_else(|| "–".to_owned(), |owner| format!("user {}", owner.number));
    let until = match hold.released_on {
        Some(on) => format!("released {}", iso(on)),
        None => format!("review {}", iso(hold.review_on)),
    };
    format!("{}\t{on}\t{}\t{}\t{until}\towner {owner}", hold.id, hold.reason.code(), iso(hold.placed_on))
}
