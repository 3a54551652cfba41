//! The start page.

use crate::components::PageLayout;
use crate::state::can_open;
use leptos::prelude::*;

/// Address, name and description of each module.
const MODULES: [(&str, &str, &str); 12] = [
    ("/users", "Users", "Find a user, deal with open loans, anonymise one user."),
    ("/tasks", "Task centre", "Anonymise users in bulk, by hand or on schedule. Preview first, then run."),
    ("/runs", "Runs", "What ran, when, and how it ended."),
    ("/residue", "Residue", "Places where removed values were found, to be decided."),
    ("/approvals", "Approvals", "Requests that need a second person, and past decisions."),
    ("/legal-holds", "Legal holds", "Users who must not be anonymised, why, and when that is reviewed."),
    ("/catalogue", "Catalogue", "Records and items, and who created them."),
    ("/reports", "Reports", "Loans, requests and borrowers: the same before and after anonymising."),
    ("/staff", "Staff", "Which users have which role, and who can sign in."),
    ("/api-keys", "API keys", "With which keys identity systems read and change users."),
    ("/audit", "Audit", "Who did what to which record. Events are never removed."),
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
