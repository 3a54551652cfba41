//! The start page.

use crate::parts::Frame;
use crate::state::opens;
use leptos::prelude::*;

/// Where each module leads, and what it is for.
const MODULES: [(&str, &str, &str); 11] = [
    ("/users", "Users", "Find somebody, deal with open loans, anonymise one person."),
    ("/tasks", "Task centre", "Anonymise users in bulk: who, what, when. Preview first, then run."),
    ("/runs", "Runs", "What ran, when, and how it ended."),
    ("/residue", "Residue", "Where removed values were found again, and what to do about it."),
    ("/approvals", "Approvals", "What waits for a second person, and what was decided."),
    ("/holds", "Legal holds", "Who must not be anonymised, why, and when that is looked at again."),
    ("/catalogue", "Catalogue", "Records and items, and who made them."),
    ("/reports", "Reports", "Loans, requests and borrowers: the same before and after anonymising."),
    ("/staff", "Staff", "Who has which role, who can sign in."),
    ("/audit", "Audit", "Who did what to which record. Nothing is ever taken from it."),
    (
        "/personal-data",
        "What is personal here",
        "Every column of the database, and what anonymising does to it.",
    ),
];

/// The modules.
#[component]
pub fn HomePage() -> impl IntoView {
    let modules = MODULES
        .into_iter()
        .filter(|(href, ..)| opens(href))
        .map(|(href, words, what)| view! { <li><a href=href><b>{words}</b><span>{what}</span></a></li> });
    view! {
        <Frame title="Modules" lead="Forget people, keep what the library learned.">
            <ul class="modules">{modules.collect_view()}</ul>
        </Frame>
    }
}
