//! Staff accounts: the stored stages of a sign-in, and notices to the owner.

use crate::stored::coded_enum;

coded_enum! {
    /// The stage of a sign-in as stored with its session.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum StoredStage: "stage of the session" {
        /// The password was correct. Whether a second factor must be set up is derived.
        AfterPassword = "password",
        /// The identity provider confirmed the user. Whether a second factor must be set up is derived.
        AfterProvider = "provider",
        /// Complete.
        Complete = "complete",
        /// Complete without a second factor. Each request checks whether that suffices, because settings change.
        CompleteWithoutSecondFactor = "complete_without_second_factor",
    }
}

coded_enum! {
    /// The reason for a notice.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum NoticeKind: "kind of the notice" {
        /// A sign-in with the correct password ended after too many wrong codes.
        CodesRefused = "codes_refused",
        /// Half of an account's budget of wrong codes was used, in several sign-ins.
        CodesTried = "codes_tried",
        /// The whole budget of wrong codes was used, so codes are rejected for some time.
        CodesUsedUp = "codes_used_up",
        /// An authenticator app was set up.
        AppSet = "app_set",
        /// A recovery code was used.
        RecoveryCodeUsed = "recovery_code_used",
        /// The password was set.
        PasswordSet = "password_set",
        /// A link to set the password was created.
        Invited = "invited",
        /// Single sign-on was connected.
        ProviderConnected = "provider_connected",
        /// Single sign-on was disconnected.
        ProviderDisconnected = "provider_disconnected",
        /// A session was ended from another session.
        SessionEnded = "session_ended",
    }
}

impl NoticeKind {
    /// The notices about guessed codes.
    pub const GUESSED_CODES: [Self; 3] = [Self::CodesRefused, Self::CodesTried, Self::CodesUsedUp];

    /// Returns the text for the account's owner.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CodesRefused => "A sign-in with your password was ended after five wrong codes",
            Self::CodesTried => "Five wrong codes were entered after your password",
            Self::CodesUsedUp => {
                "Ten wrong codes were entered after your password. Codes are rejected for a few minutes"
            }
            Self::AppSet => "An authenticator app was set up, with new recovery codes",
            Self::RecoveryCodeUsed => "A recovery code was used",
            Self::PasswordSet => "Your password was set",
            Self::Invited => "An administrator created an invitation for you",
            Self::ProviderConnected => "Single sign-on was connected",
            Self::ProviderDisconnected => "Single sign-on was disconnected",
            Self::SessionEnded => "One of your sessions was ended",
        }
    }
}
