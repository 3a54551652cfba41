//! The documents of the help: the files in `docs` that staff and administrators need.

use super::HELP;

/// A document.
pub(crate) struct Document {
    /// Its name in the address: that of the file.
    pub(crate) name: &'static str,
    /// Its subject.
    pub(crate) about: &'static str,
    /// Its text, in Markdown.
    pub(super) text: &'static str,
}

macro_rules! documents {
    ($($name:literal: $about:literal,)+) => {
        /// All documents: first those for daily work, then those for administrators.
        pub(crate) const DOCUMENTS: &[Document] = &[$(Document {
            name: $name,
            about: $about,
            text: include_str!(concat!("../../../docs/", $name, ".md")),
        },)+];
    };
}

documents! {
    "tasks": "Conditions, previews, runs",
    "user-search": "What the search box understands, the order of names, saved searches",
    "protection": "Previews, safety limits, four eyes, legal holds",
    "access-requests": "What the library holds about a person; due dates and answers",
    "merging": "Two records of one person: what moves, what becomes of their keys",
    "announcements": "E-mail to users before anonymising: what keeps an account, bounces",
    "letters": "Letters before erasure, receipts",
    "import": "Upload, check, import; the line report; profiles; import tasks",
    "suppression-list": "Why anonymised users do not return, held lines, the key",
    "residue-and-certificates": "What is searched, findings, certificates, database files",
    "audit-and-ledger": "How they work, what they prove, threat model",
    "notifications": "E-mail to staff, webhooks, failed deliveries",
    "sign-in": "Roles, passwords, second factor, sessions, single sign-on",
    "scim": "Identity systems, API keys",
    "file-formats": "CSV, tasks, certificates, ledger, anchors, manifest",
    "cli": "All commands",
    "operations": "Schedules, health endpoints, conditions, faults",
    "backup-and-restore": "Backups, drills, restoring, lost files",
    "configuration": "All settings",
    "install": "Service, first administrator, TLS, PostgreSQL, upgrade",
}

/// The documents of the pages of one user or run, by the end of their addresses.
const BY_END: [(&str, &str); 6] = [
    ("/letter", "letters"),
    ("/letters", "letters"),
    ("/receipt", "letters"),
    ("/merge", "merging"),
    ("/data", "access-requests"),
    ("/certificate", "residue-and-certificates"),
];

/// The documents of the other pages, by the beginning of their addresses. The first match counts.
const BY_PAGE: [(&str, &str); 20] = [
    ("/users/import", "import"),
    ("/users/held-lines", "suppression-list"),
    ("/users", "user-search"),
    ("/catalogue", "user-search"),
    ("/tasks", "tasks"),
    ("/runs", "tasks"),
    ("/residue", "residue-and-certificates"),
    ("/approvals", "protection"),
    ("/legal-holds", "protection"),
    ("/access-requests", "access-requests"),
    ("/personal-data", "access-requests"),
    ("/suppression", "suppression-list"),
    ("/library", "letters"),
    ("/notifications", "notifications"),
    ("/account", "sign-in"),
    ("/staff", "sign-in"),
    ("/sign-in", "sign-in"),
    ("/api-keys", "scim"),
    ("/custom-fields", "import"),
    ("/audit", "audit-and-ledger"),
];

impl Document {
    /// Returns the first heading of the text.
    pub(crate) fn title(&self) -> &'static str {
        self.text.lines().next().map_or(self.name, |line| line.trim_start_matches("# "))
    }

    /// Returns the address of its page.
    pub(crate) fn address(&self) -> String {
        format!("{HELP}/{}", self.name)
    }
}

/// Returns the address of the help for a page.
pub(crate) fn help_for(page: &str) -> String {
    let found = BY_END.into_iter().find(|(end, _)| page.ends_with(end));
    let found = found.or_else(|| BY_PAGE.into_iter().find(|(beginning, _)| page.starts_with(beginning)));
    found.map_or_else(|| HELP.to_owned(), |(_, name)| format!("{HELP}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_document_that_exists() {
        for (page, name) in BY_END.into_iter().chain(BY_PAGE) {
            assert!(DOCUMENTS.iter().any(|one| one.name == name), "{page}: {name}");
        }
        assert_eq!(help_for("/users/import/7"), "/help/import");
        assert_eq!(help_for("/users/7"), "/help/user-search");
        assert_eq!(help_for("/users/7/merge"), "/help/merging");
        assert_eq!(help_for("/"), "/help");
    }
}
