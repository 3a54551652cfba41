//! Staff: users with a role. What they prove themselves with, who has which role.

mod accounts;
mod breached;
mod notices;
pub(crate) mod password;
mod sealed;
pub(crate) mod second_factor;
pub(crate) mod set_aside;
mod strength;

pub use accounts::{
    Invitation, StaffQuery, StaffRow, accept, add, anybody, disable, give_role, invite, invited, list,
    roles_of, set_demo_password, take_role, user_with_id,
};
pub(crate) use accounts::{new_password, set_password};
pub(crate) use notices::notify;
pub use notices::{NOTICE_DAYS, Notice, NoticeKind, notices, read_notices};
pub use password::Caller;
pub use second_factor::{Setup, begin_setup, confirm_setup};
pub use set_aside::delete_expired;

use policy::UserNumber;
use sea_orm::{ColumnTrait, Condition};

/// What somebody proves themselves with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A password, as a hash.
    Password,
    /// The secret of an authenticator app, sealed.
    App,
    /// The same, until its first code was typed.
    AppToConfirm,
    /// A code for once, as a hash.
    Recovery,
    /// A link for once to set a password, as a hash.
    Invitation,
    /// An account at an identity provider, as a code of it.
    Provider,
}

impl Kind {
    /// The stable code that is stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::App => "totp",
            Self::AppToConfirm => "totp_to_confirm",
            Self::Recovery => "recovery",
            Self::Invitation => "invitation",
            Self::Provider => "provider",
        }
    }

    /// The condition that a credential is of this kind and of this user.
    pub(crate) fn of(self, user: UserNumber) -> Condition {
        use crate::entity::credentials::Column;
        Condition::all().add(Column::UserNumber.eq(user.0)).add(Column::Kind.eq(self.code()))
    }
}
