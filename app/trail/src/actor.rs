//! Actors and channels. An *actor* is the member of staff or the process that calls a function, with its permissions. A
//! *channel* is the interface through which it does so.

use chrono::{DateTime, TimeDelta, Utc};
use db::{Clock, RecordsError};
use policy::permission::FRESH_MINUTES;
use policy::{Action, ApiKeyId, ApiScopes, Channel, Roles, UserNumber};

/// The member of staff or process that acts, with its permissions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The member of staff. None for a process, and on a page without sign-in.
    pub staff: Option<UserNumber>,
    /// The channel.
    pub channel: Channel,
    /// The API key, for an identity system.
    pub api_key: Option<ApiKeyId>,
    roles: Roles,
    scopes: ApiScopes,
    signed_in_at: Option<DateTime<Utc>>,
}

impl Actor {
    /// The schedule of a task.
    pub const SCHEDULE: Self = Self::without_sign_in(Channel::Schedule);
    /// The replay of the ledger after a restore.
    pub const REPLAY: Self = Self::without_sign_in(Channel::Replay);
    /// The command line. It has every permission, because its operator can read and write all files of the library
    /// anyway.
    pub const COMMAND_LINE: Self = Self::without_sign_in(Channel::CommandLine);

    /// Returns the actor of a signed-in session. `at` is the instant of the latest sign-in or re-authentication.
    pub const fn signed_in(staff: UserNumber, roles: Roles, at: DateTime<Utc>) -> Self {
        let blank = Self::without_sign_in(Channel::Web);
        Self { staff: Some(staff), roles, signed_in_at: Some(at), ..blank }
    }

    /// Returns the actor of an API key. It may do what the scopes of the key permit.
    pub fn of_api_key(key: ApiKeyId, scopes: ApiScopes) -> Self {
        Self { api_key: Some(key), scopes, ..Self::unprivileged(None, Channel::Api) }
    }

    /// Returns the actor of a page without sign-in, which has no permission.
    pub fn without_session() -> Self {
        Self::unprivileged(None, Channel::Web)
    }

    /// Returns an actor that only attributes an action to the one who began it. It has no permission.
    pub fn unprivileged(staff: Option<UserNumber>, channel: Channel) -> Self {
        Self { staff, roles: Roles::default(), ..Self::without_sign_in(channel) }
    }

    const fn without_sign_in(channel: Channel) -> Self {
        let scopes = ApiScopes::NONE;
        Self { staff: None, channel, api_key: None, roles: Roles::ALL, scopes, signed_in_at: None }
    }

    /// Returns whether the actor has the permission, without regard to the age of the sign-in.
    pub fn may(&self, action: Action) -> bool {
        self.roles.may(action) || self.scopes.may(action)
    }

    /// Returns the roles of the actor.
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// Rejects an actor without the permission, and a sign-in that is too old for an irreversible action. The age
    /// is measured by the system clock.
    pub fn require(&self, action: Action) -> Result<(), RecordsError> {
        self.require_permission_to_see(action)?;
        if action.needs_fresh_sign_in() && !self.is_fresh(Clock::system_now()) {
            return Err(RecordsError::SignInAgain);
        }
        Ok(())
    }

    /// Rejects an actor without the permission. The age of the sign-in does not matter: this is for showing, not
    /// doing.
    pub fn require_permission_to_see(&self, action: Action) -> Result<(), RecordsError> {
        if self.may(action) { Ok(()) } else { Err(RecordsError::Forbidden(action)) }
    }

    /// Returns whether the sign-in is recent enough at `now` for an irreversible action.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        match self.channel {
            Channel::Web => self.signed_in_at.is_some_and(|at| now - at < TimeDelta::minutes(FRESH_MINUTES)),
            Channel::CommandLine | Channel::Schedule | Channel::Replay | Channel::Api => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Role;

    #[test]
    fn an_irreversible_action_needs_a_recent_sign_in() {
        let roles = Roles::from_iter([Role::Librarian]);
        let at = |minutes| {
            Actor::signed_in(UserNumber(1), roles, Clock::system_now() - TimeDelta::minutes(minutes))
        };
        assert!(at(4).require(Action::AnonymiseOne).is_ok());
        assert!(matches!(at(5).require(Action::AnonymiseOne), Err(RecordsError::SignInAgain)));
        assert!(at(500).require(Action::EditUsers).is_ok());
        assert!(matches!(at(0).require(Action::Run), Err(RecordsError::Forbidden(Action::Run))));
        assert!(Actor::COMMAND_LINE.require(Action::Run).is_ok());
        assert!(matches!(
            Actor::without_session().require(Action::SeeReports),
            Err(RecordsError::Forbidden(_))
        ));
    }
}
