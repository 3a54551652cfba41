//! The HTML document of every page, and the routes of the pages.

use crate::pages;
use crate::state::AppState;
use leptos::config::LeptosOptions;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, StaticSegment, path};

/// The HTML document.
#[derive(Clone, Debug)]
pub struct Document {
    options: LeptosOptions,
}

impl Document {
    /// Returns the document of this process.
    pub fn new(state: &AppState) -> Self {
        Self { options: state.options.clone() }
    }

    /// Renders the document with the page of the current address.
    pub fn view(self) -> impl IntoView {
        provide_meta_context();
        let nonce = leptos::nonce::use_nonce();
        pages::security::forbid_foreign_content(nonce.as_ref());
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                    <HashedStylesheet options=self.options.clone() />
                    <AutoReload options=self.options.clone() disable_watch=!cfg!(debug_assertions) />
                    <HydrationScripts options=self.options islands=true />
                    <MetaTags />
                </head>
                <body>
                    <App />
                </body>
            </html>
        }
    }
}

/// The routes of all pages.
#[component]
pub fn App() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=pages::NotFoundPage>
                <Route path=StaticSegment("") view=pages::HomePage ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=pages::SignInPage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view=pages::SecondFactorPage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/app") view=pages::SetUpAppPage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/again") view=pages::SignInAgainPage ssr=SsrMode::Async />
                <Route path=path!("/keep/:token") view=pages::KeepAccountPage ssr=SsrMode::Async />
                <Route path=path!("/invitation/:key") view=pages::InvitationPage ssr=SsrMode::Async />
                <Route path=path!("/account") view=pages::AccountPage ssr=SsrMode::Async />
                <Route path=path!("/staff") view=pages::StaffPage ssr=SsrMode::Async />
                <Route path=path!("/api-keys") view=pages::ApiKeysPage ssr=SsrMode::Async />
                <Route path=path!("/custom-fields") view=pages::CustomFieldsPage ssr=SsrMode::Async />
                <Route path=path!("/notifications") view=pages::NotificationsPage ssr=SsrMode::Async />
                <Route path=path!("/library") view=pages::LibraryPage ssr=SsrMode::Async />
                <Route path=path!("/help") view=pages::HelpListPage ssr=SsrMode::Async />
                <Route path=path!("/help/:id") view=pages::HelpPage ssr=SsrMode::Async />
                <Route path=path!("/forbidden") view=pages::ForbiddenPage ssr=SsrMode::Async />
                <Route path=StaticSegment("tasks") view=pages::TaskListPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/new") view=pages::NewTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/owners") view=pages::TaskOwnersPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id") view=pages::TaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/edit") view=pages::EditTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/delete") view=pages::DeleteTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/deactivate") view=pages::DeactivateTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/listed") view=pages::ListedPreviewPage ssr=SsrMode::Async />
                <Route path=path!("/users") view=pages::UserSearchPage ssr=SsrMode::Async />
                <Route path=path!("/users/new") view=pages::NewUserPage ssr=SsrMode::Async />
                <Route path=path!("/users/searches") view=pages::SavedSearchesPage ssr=SsrMode::Async />
                <Route path=path!("/users/held-lines") view=pages::HeldLinesPage ssr=SsrMode::Async />
                <Route path=path!("/users/import") view=pages::ImportListPage ssr=SsrMode::Async />
                <Route path=path!("/users/import/profiles") view=pages::ImportProfilesPage ssr=SsrMode::Async />
                <Route path=path!("/users/import/profiles/:id") view=pages::EditImportProfilePage ssr=SsrMode::Async />
                <Route path=path!("/users/import/:id/profile") view=pages::NewImportProfilePage ssr=SsrMode::Async />
                <Route path=path!("/users/import/:id") view=pages::ImportPage ssr=SsrMode::Async />
                <Route path=path!("/users/:id") view=pages::UserPage ssr=SsrMode::Async />
                <Route path=path!("/users/:id/letter") view=pages::UserLetterPage ssr=SsrMode::Async />
                <Route path=path!("/runs/:id/letters") view=pages::PreviewLettersPage ssr=SsrMode::Async />
                <Route path=path!("/runs/:id/receipt") view=pages::ReceiptPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/letter") view=pages::LetterTextPage ssr=SsrMode::Async />
                <Route path=path!("/users/:id/edit") view=pages::EditUserPage ssr=SsrMode::Async />
                <Route path=path!("/users/:id/anonymise") view=pages::AnonymiseUserPage ssr=SsrMode::Async />
                <Route path=path!("/users/:id/merge") view=pages::MergeUsersPage ssr=SsrMode::Async />
                <Route path=path!("/users/:id/data") view=pages::UserDataPage ssr=SsrMode::Async />
                <Route path=path!("/access-requests") view=pages::AccessRequestListPage ssr=SsrMode::Async />
                <Route path=path!("/access-requests/:id") view=pages::AccessRequestPage ssr=SsrMode::Async />
                <Route path=path!("/catalogue") view=pages::CatalogueListPage ssr=SsrMode::Async />
                <Route path=path!("/catalogue/:id") view=pages::CatalogueRecordPage ssr=SsrMode::Async />
                <Route path=path!("/runs") view=pages::RunListPage ssr=SsrMode::Async />
                <Route path=path!("/runs/:id") view=pages::RunPage ssr=SsrMode::Async />
                <Route path=path!("/runs/:id/certificate") view=pages::CertificatePage ssr=SsrMode::Async />
                <Route path=path!("/residue") view=pages::ResiduePage ssr=SsrMode::Async />
                <Route path=path!("/legal-holds") view=pages::LegalHoldListPage ssr=SsrMode::Async />
                <Route path=path!("/legal-holds/:id") view=pages::LegalHoldPage ssr=SsrMode::Async />
                <Route path=path!("/approvals") view=pages::ApprovalsPage ssr=SsrMode::Async />
                <Route path=path!("/approvals/:id") view=pages::ApprovalPage ssr=SsrMode::Async />
                <Route path=path!("/reports") view=pages::ReportsPage ssr=SsrMode::Async />
                <Route path=path!("/reports/:report") view=pages::ReportPage ssr=SsrMode::Async />
                <Route path=path!("/audit") view=pages::AuditPage ssr=SsrMode::Async />
                <Route path=path!("/suppression") view=pages::SuppressionPage ssr=SsrMode::Async />
                <Route path=path!("/personal-data") view=pages::PersonalDataPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
