//! Staff: users with a role, their credentials and roles.

mod accounts;
mod breached;
mod notices;
pub(crate) mod password;
pub(crate) mod second_factor;
pub(crate) mod set_aside;
mod strength;
mod totp_secret;

pub use accounts::{
    Invitation, StaffQuery, StaffRow, accept, add, anybody, disable, grant_role, invite, invited, list,
    revoke_role, roles_of, set_demo_password, user_with_id,
};
pub(crate) use accounts::{new_password, set_password};
pub(crate) use notices::notify;
pub use notices::{NOTICE_DAYS, Notice, NoticeKind, notices, read_notices};
pub use password::Caller;
pub use second_factor::{Setup, begin_setup, confirm_setup};
pub use set_aside::delete_expired;

use policy::UserNumber;
use sea_orm::{ColumnTrait, Condition};

/// The kind of a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A password hash.
    Password,
    /// The encrypted secret of an authenticator app.
    App,
    /// The same, before its first code was entered.
    AppToConfirm,
    /// The hash of a one-time recovery code.
    Recovery,
    /// The hash of a one-time link to set a password.
    Invitation,
    /// The code of an account at an identity provider.
    Provider,
}

impl Kind {
    /// Returns the stable code that is stored.
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

    /// Returns the condition for credentials of this kind and user.
    pub(crate) fn of(self, user: UserNumber) -> Condition {
        use crate::entity::credentials::Column;
        Condition::all().add(Column::UserNumber.eq(user.0)).add(Column::Kind.eq(self.code()))
    }
}
