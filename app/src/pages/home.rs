//! The start page.

use crate::components::PageLayout;
use crate::state::can_open;
use leptos::prelude::*;

/// Address, name and description of each module.
const MODULES: [(&str, &str, &str); 17] = [
    ("/users", "Users", "Find a user, deal with open loans, anonymise one user."),
    ("/tasks", "Task centre", "Anonymise users in bulk, by hand or on schedule. Preview first, then run."),
    ("/runs", "Runs", "Runs and previews, with state and result."),
    ("/residue", "Residue", "Removed values found elsewhere that need a decision."),
    ("/approvals", "Approvals", "Requests that need a second person, and past decisions."),
    ("/legal-holds", "Legal holds", "Reasons not to anonymise users, each with a review date."),
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

/// Shows the modules.
#[component]
pub fn HomePage() -> impl IntoView {
    let modules = MODULES
        .into_iter()
        .filter(|(href, ..)| can_open(href))
        .map(|(href, label, what)| view! { <li><a href=href><b>{label}</b><span>{what}</span></a></li> });
    view! {
        <PageLayout title="Modules" lead="Forget people, keep what the library learned.">
            <ul class="modules">{modules.collect_view()}</ul>
        </PageLayout>
    }
}
