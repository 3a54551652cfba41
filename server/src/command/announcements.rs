//! `lethe announcements`: receives bounces of announcements.

use super::Output;
use clap::Subcommand;
use std::io::Read as _;
use std::process::ExitCode;
use task_centre::announcement::{Received, receive};
use trail::{Actor, Store};

/// The part of a message that is read: a mail server puts its report in front of the original message.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Announcements {
    /// Read a message of a mail server (RFC 3464) from the standard input, and record the bounce that it reports. A mail
    /// server can call it for each message to the sender. Succeeds if the message is about an announcement.
    Receive,
}

impl Announcements {
    /// Executes the command.
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let Self::Receive = self;
        let mut message = Vec::new();
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut message)?;
        let received = receive(store, Actor::COMMAND_LINE, &String::from_utf8_lossy(&message)).await?;
        output.print(&received, |received| match received {
            Received::Bounced { user } => format!("Announcement bounced: user {user}"),
            Received::Unchanged => {
                "Nothing was changed: the e-mail is late, or the user has answered".to_owned()
            }
            Received::Unknown => "Nothing was changed: the message is about no announcement".to_owned(),
        })?;
        // A mail server would return a message that is no bounce to its sender.
        Ok(ExitCode::SUCCESS)
    }
}
