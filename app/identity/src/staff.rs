//! Staff: users with a role, their credentials and roles.

mod breached;
mod credentials;
mod notices;
pub mod password;
pub mod set_aside;
mod strength;
mod totp_secret;

pub use credentials::{new_password, set_password, user_with_id};
pub use notices::{NOTICE_DAYS, Notice, notices, notify, read_notices};
pub use password::Caller;
pub use policy::account::NoticeKind;
pub use set_aside::delete_expired;
pub use strength::DEMO_PASSWORD;
pub(crate) use totp_secret::{open as open_totp_secret, seal as seal_totp_secret};

use policy::UserNumber;
use sea_orm::{ColumnTrait, Condition};

/// The kind of a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialKind {
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

impl CredentialKind {
    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
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
    pub fn condition(self, user: UserNumber) -> Condition {
        use db::entity::credentials::Column;
        Condition::all().add(Column::UserNumber.eq(user.0)).add(Column::Kind.eq(self.code()))
    }
}
