//! The interfaces of Lethe.

use crate::stored::coded_enum;

coded_enum! {
    /// The interface through which an action arrives.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum Channel: "channel" {
        /// The web pages.
        Web = "web",
        /// The command line.
        CommandLine = "command_line",
        /// The schedule of a task.
        Schedule = "schedule",
        /// The replay of the ledger after a restore.
        Replay = "replay",
        /// The API, which an identity system calls with an API key.
        Api = "api",
    }
}

impl Channel {
    /// Returns the label of the channel, shown for a run that no member of staff started.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Web => "Web",
            Self::CommandLine => "Command line",
            Self::Schedule => "Schedule",
            Self::Replay => "Lethe, after a restore",
            Self::Api => "API",
        }
    }
}
