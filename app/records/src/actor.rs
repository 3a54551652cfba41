//! Who does something, and by which way.

use crate::clock::Clock;
use crate::error::RecordsError;
use chrono::{DateTime, TimeDelta, Utc};
use policy::permission::FRESH_MINUTES;
use policy::{Action, Roles, UserNumber};

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

    /// The way in words, for a run that no member of staff started.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Desk => "At the desk",
            Self::CommandLine => "Command line",
            Self::Schedule => "Schedule of the task",
            Self::Replay => "Lethe itself, after a restore",
        }
    }

    /// The way with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Desk, Self::CommandLine, Self::Schedule, Self::Replay];
        all.into_iter().find(|channel| channel.code() == code)
    }
}

/// Who does something, and what they may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The member of staff, where known.
    pub staff: Option<UserNumber>,
    /// The way.
    pub channel: Channel,
    roles: Roles,
    signed_in_at: Option<DateTime<Utc>>,
}

impl Actor {
    /// The schedule of a task.
    pub const SCHEDULE: Self = Self::without_sign_in(Channel::Schedule);
    /// The replay of the ledger after a restore.
    pub const REPLAY: Self = Self::without_sign_in(Channel::Replay);
    /// Whoever has the command line. They have the files of the library, so nothing can be kept from them.
    pub const COMMAND_LINE: Self = Self::without_sign_in(Channel::CommandLine);

    /// A member of staff at the desk, who signed in, or showed again who they are, at this instant.
    pub const fn signed_in(staff: UserNumber, roles: Roles, at: DateTime<Utc>) -> Self {
        Self { staff: Some(staff), channel: Channel::Desk, roles, signed_in_at: Some(at) }
    }

    /// Somebody at the desk who has not signed in: they may do nothing.
    pub fn nobody() -> Self {
        Self { staff: None, channel: Channel::Desk, roles: Roles::default(), signed_in_at: None }
    }

    /// Who started something, as it was noted then: to be named, not to be allowed anything.
    pub(crate) fn noted(staff: Option<UserNumber>, channel: Channel) -> Self {
        Self { staff, channel, roles: Roles::default(), signed_in_at: None }
    }

    const fn without_sign_in(channel: Channel) -> Self {
        Self { staff: None, channel, roles: Roles::ALL, signed_in_at: None }
    }

    /// Whether they may do something. Whether they have to show again who they are is another question.
    pub fn may(&self, action: Action) -> bool {
        self.roles.may(action)
    }

    /// Their roles.
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// Refuses whoever may not do something, and whoever may but signed in too long ago for it. By the computer's
    /// clock, as everything about sign-in.
    pub fn must(&self, action: Action) -> Result<(), RecordsError> {
        self.must_be_allowed(action)?;
        if action.needs_fresh_sign_in() && !self.is_fresh(Clock::real()) {
            return Err(RecordsError::SignInAgain);
        }
        Ok(())
    }

    /// Refuses whoever may not do something, however young their sign-in: to see what could be done.
    pub(crate) fn must_be_allowed(&self, action: Action) -> Result<(), RecordsError> {
        if self.may(action) { Ok(()) } else { Err(RecordsError::Forbidden(action)) }
    }

    /// Whether the sign-in is young enough at an instant for what cannot be undone.
    pub(crate) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        match self.channel {
            Channel::Desk => self.signed_in_at.is_some_and(|at| now - at < TimeDelta::minutes(FRESH_MINUTES)),
            Channel::CommandLine | Channel::Schedule | Channel::Replay => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Role;

    #[test]
    fn what_cannot_be_undone_needs_a_young_sign_in() {
        let roles = Roles::from_iter([Role::Librarian]);
        let at =
            |minutes| Actor::signed_in(UserNumber(1), roles, Clock::real() - TimeDelta::minutes(minutes));
        assert!(at(4).must(Action::AnonymiseOne).is_ok());
        assert!(matches!(at(5).must(Action::AnonymiseOne), Err(RecordsError::SignInAgain)));
        assert!(at(500).must(Action::EditUsers).is_ok());
        assert!(matches!(at(0).must(Action::Run), Err(RecordsError::Forbidden(Action::Run))));
        assert!(Actor::COMMAND_LINE.must(Action::Run).is_ok());
        assert!(matches!(Actor::nobody().must(Action::SeeReports), Err(RecordsError::Forbidden(_))));
    }
}
