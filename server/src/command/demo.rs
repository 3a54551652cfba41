//! `lethe demo`: fills an empty database with a believable library.

use super::Output;
use clap::Args;
use policy::numbers::{counted, grouped};
use records::demo::{self, DemoSummary};
use records::{Actor, Store};

/// The size and the seed of the library.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many users.
    #[arg(long, value_name = "N", default_value_t = demo::USERS,
        value_parser = clap::value_parser!(u32).range(i64::from(demo::FEWEST_USERS)..=i64::from(demo::MOST_USERS)))]
    users: u32,
    /// The same seed makes the same library.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

impl Demo {
    /// Fills the database and says with what.
    pub(crate) async fn carry_out(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let summary = demo::fill(store, Actor::COMMAND_LINE, self.users, self.seed).await?;
        output.print(&summary, words)
    }
}

fn words(summary: &DemoSummary) -> String {
    let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    format!(
        "A library with {} (staff: {}, fictitious: {}, anonymised: {}), {} of {} items, {} loans, {} requests, \
         {} charges, {} messages and {} tasks. Everybody in it is invented.",
        counted(i64::try_from(summary.users).unwrap_or(i64::MAX), "user", "users"),
        number(summary.staff),
        number(summary.fictitious),
        number(summary.anonymised),
        counted(
            i64::try_from(summary.catalogue_records).unwrap_or(i64::MAX),
            "catalogue record",
            "catalogue records"
        ),
        number(summary.items),
        number(summary.loans),
        number(summary.requests),
        number(summary.charges),
        number(summary.messages),
        number(summary.tasks),
    )
}
