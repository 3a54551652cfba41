//! Roles of staff and their sign-in.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![user_roles(), credentials(), sessions(), code_budgets(), account_notices()]
}

/// The roles that make a user a member of staff.
fn user_roles() -> Table {
    Table {
        name: "user_roles",
        columns: vec![big_integer("user_number"), text("role"), date("granted_on")],
        primary_key: &["user_number", "role"],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &["INDEX user_roles_role ON user_roles (role, user_number)"],
        ..Table::default()
    }
}

/// Passwords, second factors, links for signing in, and accounts at an identity provider.
fn credentials() -> Table {
    Table {
        name: "credentials",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            text("kind"),
            text("secret"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone_null("expires_at"),
            big_integer_null("used_step"),
        ],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &[
            "INDEX credentials_user ON credentials (user_number)",
            // An account at an identity provider belongs to one user, and a user has at most one.
            "UNIQUE INDEX credentials_provider ON credentials (secret) WHERE kind = 'provider'",
            "UNIQUE INDEX credentials_provider_of ON credentials (user_number) WHERE kind = 'provider'",
        ],
        ..Table::default()
    }
}

/// The sessions of signed-in users.
fn sessions() -> Table {
    Table {
        name: "sessions",
        columns: vec![
            text("id_hash"),
            big_integer("user_number"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone("last_seen_at"),
            text("stage").default("password").take(),
            timestamp_with_time_zone("signed_in_at"),
            big_integer("wrong_codes").default(0).take(),
            timestamp_with_time_zone_null("confirmed_at"),
            text_null("browser"),
        ],
        primary_key: &["id_hash"],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &[
            "INDEX sessions_user ON sessions (user_number)",
            "INDEX sessions_last_seen ON sessions (last_seen_at)",
        ],
        ..Table::default()
    }
}

/// The rate limits of second-factor codes, by account and device.
fn code_budgets() -> Table {
    Table {
        name: "code_budgets",
        columns: vec![text("id_hash"), big_integer("user_number"), timestamp_with_time_zone("spent_until")],
        primary_key: &["id_hash"],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &[
            "INDEX code_budgets_user ON code_budgets (user_number)",
            "INDEX code_budgets_spent ON code_budgets (spent_until)",
        ],
        ..Table::default()
    }
}

/// Notices to the owners of staff accounts.
fn account_notices() -> Table {
    Table {
        name: "account_notices",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            text("kind"),
            timestamp_with_time_zone("first_at"),
            timestamp_with_time_zone("last_at"),
            big_integer("times"),
            timestamp_with_time_zone_null("read_at"),
        ],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &[
            "INDEX account_notices_user ON account_notices (user_number, last_at)",
            "INDEX account_notices_last ON account_notices (kind, last_at)",
        ],
        ..Table::default()
    }
}
