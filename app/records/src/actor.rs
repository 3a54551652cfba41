//! Who does something, and by which way.

use policy::UserNumber;

/// By which way something is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Channel {
    /// A page in the browser.
    Desk,
    /// The command line.
    CommandLine,
    /// The schedule of a task.
    Schedule,
    /// The replay of the ledger after a restore.
    Replay,
}

impl Channel {
    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::CommandLine => "command_line",
            Self::Schedule => "schedule",
            Self::Replay => "replay",
        }
    }
}

/// Who does something. As long as there is no sign-in the desk is open to whoever sits at this computer, and
/// the member of staff is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The member of staff, where known.
    pub staff: Option<UserNumber>,
    /// The way.
    pub channel: Channel,
}

impl Actor {
    /// Whoever sits at the desk.
    pub const DESK: Self = Self { staff: None, channel: Channel::Desk };
    /// The schedule of a task.
    pub const SCHEDULE: Self = Self { staff: None, channel: Channel::Schedule };
    /// The replay of the ledger after a restore.
    pub const REPLAY: Self = Self { staff: None, channel: Channel::Replay };
    /// Whoever has the command line.
    pub const COMMAND_LINE: Self = Self { staff: None, channel: Channel::CommandLine };
}
