//! The modules of Lethe, as listed on the start page and in the top bar.

use crate::state::can_open;

/// Address, name and description of each module.
const MODULES: [(&str, &str, &str); 18] = [
    ("/users", "Users", "Find a user, deal with open loans, anonymise one user."),
    ("/tasks", "Task centre", "Anonymise users in bulk, by hand or on schedule. Preview first, then run."),
    ("/runs", "Runs", "Runs and previews, with state and result."),
    ("/residue", "Residue", "Removed values found elsewhere that need a decision."),
    ("/approvals", "Approvals", "Requests that need a second person, and past decisions."),
    ("/legal-holds", "Legal holds", "Reasons not to anonymise users, each with a review date."),
    (
        "/access-requests",
        "Access requests",
        "People who asked what the library holds about them, the first due first.",
    ),
    ("/users/held-lines", "Held lines", "Lines of import files that would bring back an anonymised user."),
    (
        "/suppression",
        "Suppression list",
        "Identifiers that must not return, for how long, and how to end it.",
    ),
    ("/catalogue", "Catalogue", "Records and items, and who created them."),
    ("/reports", "Reports", "Loans, requests and borrowers: the same before and after anonymising."),
    ("/staff", "Staff", "Roles and sign-in of members of staff."),
    ("/api-keys", "API keys", "The keys with which identity systems read and change users."),
    ("/custom-fields", "Custom fields", "Fields that the library adds to its user records."),
    ("/notifications", "Notifications", "E-mail to staff, webhooks to other systems, and failed deliveries."),
    ("/library", "Library settings", "Name, logo, currency, address and contact of the library."),
    ("/audit", "Audit", "All recorded actions. Events are never removed."),
    (
        "/personal-data",
        "Register of personal data",
        "Every column of the database, and what anonymising does to it.",
    ),
];

/// The addresses of the modules that the top bar shows. A menu has the others.
const IN_TOP_BAR: [&str; 4] = ["/users", "/tasks", "/catalogue", "/reports"];

/// The keys that open a module.
const SHORTCUTS: [(&str, &str); 9] = [
    ("/users", "g u"),
    ("/tasks", "g t"),
    ("/runs", "g r"),
    ("/residue", "g f"),
    ("/approvals", "g a"),
    ("/legal-holds", "g h"),
    ("/catalogue", "g c"),
    ("/reports", "g p"),
    ("/audit", "g e"),
];

/// A module that the signed-in member of staff can open.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    /// Its address.
    pub(crate) href: &'static str,
    /// Its name.
    pub(crate) label: &'static str,
    /// Its purpose.
    pub(crate) about: &'static str,
    /// Whether the top bar shows it outside the menu.
    pub(crate) in_top_bar: bool,
    /// The keys that open it.
    pub(crate) shortcut: Option<&'static str>,
}

/// Returns the modules that the signed-in member of staff can open.
pub(crate) fn modules() -> impl Iterator<Item = Module> {
    MODULES.into_iter().filter(|(href, ..)| can_open(href)).map(|(href, label, about)| Module {
        href,
        label,
        about,
        in_top_bar: IN_TOP_BAR.contains(&href),
        shortcut: SHORTCUTS.into_iter().find_map(|(module, keys)| (module == href).then_some(keys)),
    })
}
