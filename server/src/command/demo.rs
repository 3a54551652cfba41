//! `lethe demo`: fills an empty database with an invented library.

use super::Output;
use clap::Args;
use demo::{self, DemoSummary};
use policy::Role;
use policy::numbers::{counted, grouped};
use records::accounts::{self, StaffQuery, StaffRow};
use serde::Serialize;
use trail::{Actor, Store};

/// The size and the seed of the library.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Number of users.
    #[arg(long, value_name = "N", default_value_t = demo::DEFAULT_USERS,
        value_parser = clap::value_parser!(u32).range(i64::from(demo::MIN_USERS)..=i64::from(demo::MAX_USERS)))]
    users: u32,
    /// Seed: the same seed creates the same library.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

impl Demo {
    /// Fills the database and prints a summary with the accounts.
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let summary = demo::fill(store, Actor::COMMAND_LINE, self.users, self.seed).await?;
        let staff = accounts::list(store, Actor::COMMAND_LINE, StaffQuery::default()).await?;
        let accounts: Vec<Account> = staff.into_iter().filter_map(Account::from_row).collect();
        output.print(&DemoResult { summary, accounts, password: demo::PASSWORD }, result_text)
    }
}

/// The result of the command.
#[derive(Serialize)]
struct DemoResult {
    #[serde(flatten)]
    summary: DemoSummary,
    /// The staff who can sign in.
    accounts: Vec<Account>,
    /// The password of all of them.
    password: &'static str,
}

/// A member of staff who can sign in.
#[derive(Serialize)]
struct Account {
    user_id: String,
    roles: Vec<Role>,
}

impl Account {
    /// Returns `None` if the member of staff has no `UserID` or no password.
    fn from_row(staff: StaffRow) -> Option<Self> {
        Some(Self { user_id: staff.user_id.filter(|_| staff.has_password)?, roles: staff.roles })
    }
}

fn result_text(result: &DemoResult) -> String {
    let accounts: Vec<String> = result
        .accounts
        .iter()
        .map(|account| {
            let roles: Vec<&str> = account.roles.iter().map(|role| role.label()).collect();
            format!("  {}\t{}", account.user_id, roles.join(", "))
        })
        .collect();
    format!(
        "{}\nSign in with the password “{}” as one of\n{}",
        library_text(&result.summary),
        result.password,
        accounts.join("\n")
    )
}

fn library_text(summary: &DemoSummary) -> String {
    let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    format!(
        "A library with {} (staff: {}, fictitious: {}, anonymised: {}), {} of {} items, {} loans, {} \
         requests, {} charges, {} messages and {} tasks. All people in it are invented.",
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
