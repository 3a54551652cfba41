//! `lethe access-requests`: lists access requests, and writes everything held about a user.

use super::export::create;
use super::{Output, with_field_problems};
use clap::Subcommand;
use db::pagination::Paging;
use policy::UserNumber;
use policy::dates::iso;
use records::access_request::{self, AccessRequest};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum AccessRequests {
    /// List open access requests, the first due first.
    List {
        /// List closed ones instead, the newest first.
        #[arg(long)]
        closed: bool,
        /// Number of access requests, at most 100.
        #[arg(long, default_value_t = 50)]
        last: u64,
    },
    /// Write everything held about a user as JSON.
    Data {
        /// User number.
        #[arg(value_parser = super::number)]
        number: i64,
        /// The file to create; without it, the JSON is printed.
        file: Option<PathBuf>,
    },
}

impl AccessRequests {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { closed, last } => {
                let paging = Paging { rows: Some(last), ..Paging::default() };
                let page = access_request::list(store, Actor::COMMAND_LINE, !closed, &paging).await?;
                output.print(&page.rows, |rows| rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
            }
            Self::Data { number, file } => {
                let number = UserNumber(number);
                // The file is created first, so that no export is recorded in vain.
                let created = file.as_deref().map(create).transpose()?;
                let data = access_request::user_data(store, Actor::COMMAND_LINE, number).await;
                if let (Err(_), Some(file)) = (&data, &file) {
                    // Otherwise the next attempt would find an empty file.
                    let _ = std::fs::remove_file(file);
                }
                let data = data.map_err(with_field_problems)?;
                let json = serde_json::to_string_pretty(&data)?;
                match created {
                    Some(mut file) => {
                        file.write_all(json.as_bytes())?;
                        file.sync_all()?;
                    }
                    None => output.print(&data, |_| json.clone())?,
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns an access request as a line of numbers and codes, without names.
fn line(request: &AccessRequest) -> String {
    let closed = request.closed_on.map_or_else(|| "–".to_owned(), iso);
    format!(
        "{}\tuser {}\t{}\treceived {}\tdue {}\tclosed {closed}",
        request.id,
        request.user.number,
        request.state.code(),
        iso(request.received_on),
        iso(request.due_on),
    )
}
