//! The columns that hold the number of a user. For each, the list has its role in the access export and the effect of
//! merging two records of one person. A test compares the list with the links of the register.

/// The role of a user number in a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkRole {
    /// The row is about the user. The access export contains it.
    About,
    /// The row is about another user or thing: the user guarantees, created it or decided about it. The access export
    /// counts such rows.
    Mentions,
}

/// The effect of merging on a link to the record that doesn't stay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkMerge {
    /// It leads to the record that stays.
    Moves,
    /// It leads to the record that stays, unless that record already has such a row. The name is the other column of the
    /// key.
    MovesUnlessPresent(&'static str),
    /// It stays: it is evidence about the record, or anonymising deletes the row.
    Stays,
}

/// A column that holds the number of a user.
#[derive(Clone, Copy, Debug)]
pub struct UserLink {
    /// Name of the table.
    pub table: &'static str,
    /// Name of the column.
    pub column: &'static str,
    /// The role of the number.
    pub role: LinkRole,
    /// The effect of merging on it.
    pub merge: LinkMerge,
}

const fn link(table: &'static str, column: &'static str, role: LinkRole, merge: LinkMerge) -> UserLink {
    UserLink { table, column, role, merge }
}

use LinkMerge::{Moves, MovesUnlessPresent, Stays};
use LinkRole::{About, Mentions};

/// All columns that hold the number of a user, apart from `users.number` itself.
pub const USER_LINKS: &[UserLink] = &[
    link("users", "guarantor_number", Mentions, Moves),
    link("user_words", "user_number", About, Stays),
    link("key_periods", "user_number", About, Moves),
    link("photos", "user_number", About, Stays),
    link("user_roles", "user_number", About, Stays),
    link("custom_values", "user_number", About, Stays),
    link("credentials", "user_number", About, Stays),
    link("sessions", "user_number", About, Stays),
    link("code_budgets", "user_number", About, Stays),
    link("account_notices", "user_number", About, Stays),
    link("user_list_layouts", "user_number", About, Stays),
    link("saved_searches", "owner_number", About, Stays),
    link("api_keys", "created_by", Mentions, Stays),
    link("scim_departures", "user_number", About, Stays),
    link("loans", "user_number", About, Moves),
    link("requests", "user_number", About, Moves),
    link("charges", "user_number", About, Moves),
    link("messages", "user_number", About, Moves),
    link("access_requests", "user_number", About, Moves),
    link("access_requests", "recorded_by", Mentions, Stays),
    link("access_requests", "closed_by", Mentions, Stays),
    link("legal_holds", "user_number", About, Moves),
    link("legal_holds", "owner_number", Mentions, Stays),
    link("legal_holds", "placed_by", Mentions, Stays),
    link("legal_holds", "released_by", Mentions, Stays),
    link("catalogue_records", "created_by", Mentions, Moves),
    link("catalogue_records", "changed_by", Mentions, Moves),
    link("imports", "started_by", Mentions, Stays),
    link("user_sources", "user_number", About, MovesUnlessPresent("task_id")),
    link("tasks", "owner_number", Mentions, Stays),
    link("runs", "actor_number", Mentions, Stays),
    link("runs", "merged_into", Mentions, Stays),
    link("run_members", "user_number", About, Stays),
    link("run_members", "excluded_by", Mentions, Stays),
    link("notification_deliveries", "user_number", About, Stays),
    link("notification_choices", "user_number", About, Stays),
    link("announcements", "user_number", About, Stays),
    link("webhooks", "created_by", Mentions, Stays),
    link("audit_events", "actor_number", Mentions, Stays),
    link("findings", "user_number", About, Stays),
    link("findings", "decided_by", Mentions, Stays),
    link("approvals", "user_number", About, Stays),
    link("approvals", "asked_by", Mentions, Stays),
    link("approvals", "decided_by", Mentions, Stays),
    link("manual_changes", "actor_number", Mentions, Stays),
    link("manual_changes", "user_number", About, Stays),
    link("held_lines", "decided_by", Mentions, Stays),
];

#[cfg(test)]
mod tests {
    use super::super::{DataClass, RowOwner, TABLES};
    use super::*;

    /// The links of the register that lead to something else: a loan, a run, a task, an object named by its kind.
    const OTHER_LINKS: &[(&str, &str)] = &[
        ("users", "number"),
        ("users", "uuid"),
        ("users", "scim_id"),
        ("loans", "item_id"),
        ("renewals", "loan_id"),
        ("requests", "record_id"),
        ("charges", "loan_id"),
        ("items", "record_id"),
        ("imports", "run_id"),
        ("runs", "task_id"),
        ("runs", "preview_id"),
        ("runs", "approval_id"),
        ("run_members", "run_id"),
        ("run_counts", "run_id"),
        ("audit_events", "subject_id"),
        ("audit_events", "run_id"),
        ("findings", "run_id"),
        ("findings", "row_key"),
        ("certificates", "run_id"),
        ("certificates", "content"),
        ("superseded_certificates", "run_id"),
        ("superseded_certificates", "content"),
        ("approvals", "preview_id"),
        ("approvals", "legal_hold_id"),
        ("manual_changes", "confirmed_by"),
    ];

    #[test]
    fn every_link_of_the_register_is_in_one_list() {
        let listed = |table: &str, column: &str| {
            let users = USER_LINKS.iter().filter(|link| (link.table, link.column) == (table, column)).count();
            users + OTHER_LINKS.iter().filter(|link| **link == (table, column)).count()
        };
        for table in TABLES {
            for column in table.columns {
                let lists = listed(table.name, column.name);
                let expected = usize::from(column.class == DataClass::Link);
                assert_eq!(lists, expected, "{}.{}", table.name, column.name);
            }
            if let RowOwner::User(owner) = table.owner
                && table.name != "users"
            {
                let own = USER_LINKS.iter().find(|link| (link.table, link.column) == (table.name, owner));
                assert_eq!(own.map(|link| link.role), Some(LinkRole::About), "{}", table.name);
            }
        }
    }
}
