//! Tables of staff and their sign-in.

use super::DataClass::{Credential, Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::{DeleteRow, Keep};
use super::{RowOwner, Table, entry};

pub(super) const USER_ROLES: Table = Table {
    name: "user_roles",
    label: "Roles",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, Keep, "User"),
        entry("role", NotPersonal, Keep, "Role: a user with a role is never anonymised"),
        entry("granted_on", NotPersonal, Keep, "Granted on"),
    ],
};

pub(super) const CREDENTIALS: Table = Table {
    name: "credentials",
    label: "Credentials",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, DeleteRow, "Key"),
        entry("user_number", Link, DeleteRow, "User"),
        entry("kind", NotPersonal, DeleteRow, "Password, second factor, token, single sign-on"),
        entry("secret", Credential, DeleteRow, "Secret or its hash"),
        entry("created_at", NotPersonal, DeleteRow, "When it was set"),
        entry("expires_at", NotPersonal, DeleteRow, "Valid until"),
        entry("used_step", NotPersonal, DeleteRow, "Last 30-second step whose code was used"),
    ],
};

pub(super) const SESSIONS: Table = Table {
    name: "sessions",
    label: "Sessions",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id_hash", Credential, DeleteRow, "Hash of the session key"),
        entry("user_number", Link, DeleteRow, "User"),
        entry("created_at", QuasiIdentifier, DeleteRow, "Signed in"),
        entry("last_seen_at", QuasiIdentifier, DeleteRow, "Last request"),
        entry("stage", NotPersonal, DeleteRow, "Stage of the sign-in"),
        entry("signed_in_at", QuasiIdentifier, DeleteRow, "Last authentication"),
        entry("wrong_codes", NotPersonal, DeleteRow, "Number of wrong codes"),
        entry("confirmed_at", QuasiIdentifier, DeleteRow, "When the user confirmed a change of sign-in"),
        entry("browser", QuasiIdentifier, DeleteRow, "Browser and operating system, without versions"),
    ],
};

pub(super) const CODE_BUDGETS: Table = Table {
    name: "code_budgets",
    label: "Wrong second-factor codes",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id_hash", NotPersonal, DeleteRow, "Hash of the account or its device"),
        entry("user_number", Link, DeleteRow, "User"),
        entry("spent_until", NotPersonal, DeleteRow, "When all attempts are available again"),
    ],
};

pub(super) const ACCOUNT_NOTICES: Table = Table {
    name: "account_notices",
    label: "Account notices",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, DeleteRow, "Key"),
        entry("user_number", Link, DeleteRow, "User"),
        entry("kind", NotPersonal, DeleteRow, "Event, as a code"),
        entry("first_at", QuasiIdentifier, DeleteRow, "First time"),
        entry("last_at", QuasiIdentifier, DeleteRow, "Last time"),
        entry("times", NotPersonal, DeleteRow, "How many times"),
        entry("read_at", NotPersonal, DeleteRow, "When the user read it"),
    ],
};
