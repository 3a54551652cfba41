//! The access that each page and server function requires: one table of all routes, which the web server enforces.
//!
//! Routes missing from the table are denied. The called function checks the permission again.

use identity::Session;
use policy::Action;
use trail::Actor;

/// The access that a route requires.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Every caller.
    Public,
    /// A session, whether its sign-in is complete or not.
    AnySession,
    /// A signed-in member of staff.
    SignedIn,
    /// A signed-in member of staff with this permission.
    Permission(Action),
    /// A program with an API key. A session gives no access.
    ApiKey,
}

use Access::{Permission, Public, SignedIn};
use Action::{
    Administer, AnonymiseOne, Approve, DecideResidue, DestroySuppressionKey, EditTasks, EditUsers,
    ExportRunUsers, HandleAccessRequests, Import, ManageStaff, PlaceLegalHolds, Preview, ReleaseLegalHolds,
    Run, SeeAudit, SeeCatalogue, SeeReports, SeeResidue, SeeTasks, SeeUsers,
};

/// Every route as the router writes it, and the access that it requires.
pub const ROUTE_ACCESS: &[(&str, Access)] = &[
    ("/", SignedIn),
    ("/livez", Public),
    ("/readyz", Public),
    ("/healthz", Public),
    ("/metrics", Public),
    ("/sign-in", Public),
    ("/sign-in/code", Access::AnySession),
    ("/sign-in/app", Access::AnySession),
    ("/sign-in/again", SignedIn),
    ("/sign-in/provider", Public),
    ("/sign-in/provider/return", Public),
    ("/sign-in/provider/again", SignedIn),
    ("/account/provider", SignedIn),
    ("/invitation/{key}", Public),
    ("/keep/{token}", Public),
    ("/do/keep_account", Public),
    ("/account", SignedIn),
    ("/forbidden", SignedIn),
    ("/help", SignedIn),
    ("/help/{id}", SignedIn),
    ("/api/session_time", SignedIn),
    ("/api/stay_signed_in", SignedIn),
    ("/staff", Permission(ManageStaff)),
    ("/do/sign_in", Public),
    ("/do/accept_invitation", Public),
    ("/do/second_factor", Access::AnySession),
    ("/do/confirm_app", Access::AnySession),
    ("/do/sign_out", Access::AnySession),
    ("/do/sign_in_again", SignedIn),
    ("/do/change_password", SignedIn),
    ("/do/end_session", SignedIn),
    ("/do/read_notices", SignedIn),
    ("/do/disconnect_provider", SignedIn),
    ("/api-keys", Permission(ManageStaff)),
    ("/do/create_api_key", Permission(ManageStaff)),
    ("/do/revoke_api_key", Permission(ManageStaff)),
    ("/custom-fields", Permission(Administer)),
    ("/do/add_custom_field", Permission(Administer)),
    ("/do/change_custom_field", Permission(Administer)),
    ("/do/remove_custom_field", Permission(Administer)),
    ("/library", Permission(Administer)),
    ("/library/logo", SignedIn),
    ("/library/logo/upload", Permission(Administer)),
    ("/do/save_library", Permission(Administer)),
    ("/do/remove_logo", Permission(Administer)),
    ("/notifications", Permission(Administer)),
    ("/do/create_webhook", Permission(Administer)),
    ("/do/disable_webhook", Permission(Administer)),
    ("/do/send_test_webhook", Permission(Administer)),
    ("/do/send_test_mail", Permission(Administer)),
    ("/do/retry_delivery", Permission(Administer)),
    ("/do/discard_delivery", Permission(Administer)),
    ("/do/choose_notifications", SignedIn),
    ("/do/add_staff", Permission(ManageStaff)),
    ("/do/grant_role", Permission(ManageStaff)),
    ("/do/revoke_role", Permission(ManageStaff)),
    ("/do/invite_staff", Permission(ManageStaff)),
    ("/do/disable_staff", Permission(ManageStaff)),
    ("/do/end_sessions", Permission(ManageStaff)),
    ("/personal-data", SignedIn),
    ("/users", Permission(SeeUsers)),
    ("/users/new", Permission(EditUsers)),
    ("/users/searches", Permission(SeeUsers)),
    ("/users/held-lines", Permission(EditUsers)),
    ("/users/import", Permission(Import)),
    ("/users/import/upload", Permission(Import)),
    ("/users/import/profiles", Permission(Import)),
    ("/users/import/profiles/{id}", Permission(Import)),
    ("/users/import/{id}", Permission(Import)),
    ("/users/import/{id}/profile", Permission(Import)),
    ("/users/import/{id}/lines.csv", Permission(Import)),
    ("/do/create_import_profile", Permission(Import)),
    ("/do/change_import_profile", Permission(Import)),
    ("/do/delete_import_profile", Permission(Import)),
    ("/do/check_import", Permission(Import)),
    ("/do/request_import_approval", Permission(Import)),
    ("/do/start_import", Permission(Import)),
    ("/do/cancel_import", Permission(Import)),
    ("/users/{id}", Permission(SeeUsers)),
    ("/users/{id}/photo", Permission(SeeUsers)),
    ("/users/{id}/edit", Permission(EditUsers)),
    ("/users/{id}/anonymise", Permission(AnonymiseOne)),
    ("/users/{id}/merge", Permission(AnonymiseOne)),
    ("/users/{id}/data", Permission(HandleAccessRequests)),
    ("/users/{id}/data.json", Permission(HandleAccessRequests)),
    ("/access-requests", Permission(HandleAccessRequests)),
    ("/access-requests/{id}", Permission(HandleAccessRequests)),
    ("/do/record_access_request", Permission(HandleAccessRequests)),
    ("/do/close_access_request", Permission(HandleAccessRequests)),
    ("/do/find_users", Permission(SeeUsers)),
    ("/do/arrange_user_list", Permission(SeeUsers)),
    ("/do/save_search", Permission(SeeUsers)),
    ("/do/change_search", Permission(SeeUsers)),
    ("/do/delete_search", Permission(SeeUsers)),
    ("/do/save_user", Permission(EditUsers)),
    ("/do/decide_held_lines", Permission(EditUsers)),
    ("/suppression", Permission(SeeAudit)),
    ("/do/destroy_suppression_key", Permission(DestroySuppressionKey)),
    ("/do/request_suppression_key_destruction", Permission(DestroySuppressionKey)),
    ("/do/correct_last_activity", Permission(Import)),
    ("/do/correct_created", Permission(Import)),
    ("/do/mark_user", Permission(EditUsers)),
    ("/do/unmark_user", Permission(EditUsers)),
    ("/do/return_loan", Permission(EditUsers)),
    ("/do/cancel_request", Permission(EditUsers)),
    ("/do/settle_charge", Permission(EditUsers)),
    ("/do/merge_users", Permission(AnonymiseOne)),
    ("/do/anonymise_user", Permission(AnonymiseOne)),
    ("/do/anonymise_staff", Permission(ManageStaff)),
    ("/catalogue", Permission(SeeCatalogue)),
    ("/catalogue/{id}", Permission(SeeCatalogue)),
    ("/reports", Permission(SeeReports)),
    ("/reports/{report}", Permission(SeeReports)),
    ("/reports/{report}/csv", Permission(SeeReports)),
    ("/tasks", Permission(SeeTasks)),
    ("/tasks/new", Permission(EditTasks)),
    ("/tasks/owners", Permission(ManageStaff)),
    ("/do/reassign_task", Permission(ManageStaff)),
    ("/tasks/{id}", Permission(SeeTasks)),
    ("/tasks/{id}/edit", Permission(EditTasks)),
    ("/tasks/{id}/delete", Permission(EditTasks)),
    ("/tasks/{id}/deactivate", Permission(EditTasks)),
    ("/tasks/{id}/export", Permission(SeeTasks)),
    ("/tasks/{id}/listed", Permission(Preview)),
    ("/tasks/{id}/letter", Permission(EditTasks)),
    ("/do/save_letter", Permission(EditTasks)),
    ("/users/{id}/letter", Permission(AnonymiseOne)),
    ("/runs/{id}/letters", Permission(Preview)),
    ("/runs/{id}/receipt", Permission(AnonymiseOne)),
    ("/do/save_task", Permission(EditTasks)),
    ("/do/check_task", Permission(EditTasks)),
    ("/do/copy_task", Permission(EditTasks)),
    ("/do/activate_task", Permission(EditTasks)),
    ("/do/deactivate_task", Permission(EditTasks)),
    ("/do/make_task_default", Permission(EditTasks)),
    ("/do/delete_task", Permission(EditTasks)),
    ("/api/next_runs", Permission(EditTasks)),
    ("/api/affected_users", Permission(EditTasks)),
    ("/do/make_preview", Permission(Preview)),
    ("/do/preview_listed", Permission(Preview)),
    ("/do/preview_found", Permission(Preview)),
    ("/tasks/preview-of-file", Permission(Preview)),
    ("/do/exclude_users", Permission(Preview)),
    ("/do/include_users", Permission(Preview)),
    ("/do/discard_preview", Permission(Preview)),
    ("/do/start_run", Permission(Run)),
    ("/do/cancel_run", Permission(Run)),
    ("/do/clean_files", Permission(Administer)),
    ("/do/verify_audit", Permission(SeeAudit)),
    ("/runs", Permission(SeeTasks)),
    ("/runs/{id}", Permission(SeeTasks)),
    ("/runs/{id}/users.csv", Permission(ExportRunUsers)),
    ("/do/find_run_users", Permission(SeeTasks)),
    ("/runs/{id}/certificate", Permission(SeeTasks)),
    ("/runs/{id}/certificate.json", Permission(SeeTasks)),
    ("/print.css", Permission(SeeTasks)),
    ("/events/runs/{id}", Permission(SeeTasks)),
    ("/api/run_progress", Permission(SeeTasks)),
    ("/do/request_approval", Permission(Preview)),
    ("/do/request_more_changes", Permission(EditUsers)),
    ("/do/request_staff_anonymising", Permission(ManageStaff)),
    ("/approvals", Permission(SeeTasks)),
    ("/approvals/{id}", Permission(Approve)),
    ("/do/approve_request", Permission(Approve)),
    ("/do/decline_request", Permission(Approve)),
    // Only the member of staff who asked can withdraw, whatever their role.
    ("/do/withdraw_request", SignedIn),
    ("/legal-holds", Permission(SeeUsers)),
    ("/legal-holds/{id}", Permission(SeeUsers)),
    ("/do/place_legal_hold", Permission(PlaceLegalHolds)),
    ("/do/review_legal_hold", Permission(PlaceLegalHolds)),
    ("/do/request_legal_hold_release", Permission(PlaceLegalHolds)),
    ("/do/release_legal_hold", Permission(ReleaseLegalHolds)),
    ("/audit", Permission(SeeAudit)),
    ("/audit/csv", Permission(SeeAudit)),
    ("/residue", Permission(SeeResidue)),
    ("/do/remove_residue", Permission(DecideResidue)),
    ("/do/keep_residue", Permission(DecideResidue)),
    ("/do/close_residue", Permission(DecideResidue)),
    ("/do/reopen_residue", Permission(DecideResidue)),
    ("/do/undo_change", SignedIn),
    ("/scim/v2/ServiceProviderConfig", Access::ApiKey),
    ("/scim/v2/ResourceTypes", Access::ApiKey),
    ("/scim/v2/ResourceTypes/{id}", Access::ApiKey),
    ("/scim/v2/Schemas", Access::ApiKey),
    ("/scim/v2/Schemas/{id}", Access::ApiKey),
    ("/scim/v2/.search", Access::ApiKey),
    ("/scim/v2/Users", Access::ApiKey),
    ("/scim/v2/Users/.search", Access::ApiKey),
    ("/scim/v2/Users/{id}", Access::ApiKey),
    ("/scim/{*rest}", Access::ApiKey),
];

/// Returns the access that a request requires. None if the table has no row. Server functions share a route, so the
/// table contains their paths.
pub fn access_for(route: &str, path: &str) -> Option<Access> {
    let wanted = if route.ends_with("/{*function}") { path } else { route };
    ROUTE_ACCESS.iter().find(|(address, _)| *address == wanted).map(|(_, access)| *access)
}

/// Returns whether this session has access to a page. Pages are checked wherever they are rendered, because a
/// rejected form renders a page, too.
pub fn is_allowed(page: &str, session: Option<&Session>) -> bool {
    let actor = session.map_or_else(Actor::without_session, Session::actor);
    match access_for_link(page) {
        None | Some(Access::ApiKey) => false,
        Some(Public) => true,
        Some(Access::AnySession) => session.is_some(),
        Some(SignedIn) => actor.staff.is_some(),
        Some(Permission(action)) => actor.may(action),
    }
}

/// Returns the access that a link requires, so that no page shows a link to a forbidden page.
pub(crate) fn access_for_link(href: &str) -> Option<Access> {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    ROUTE_ACCESS.iter().find(|(address, _)| matches(address, path)).map(|(_, access)| *access)
}

/// Returns whether a path matches a route with parameters.
fn matches(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(text)) if part == text || part.starts_with('{') && !text.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_requires_the_access_of_the_first_matching_row() {
        assert_eq!(access_for_link("/users/new"), Some(Permission(EditUsers)));
        assert_eq!(access_for_link("/users/7?tab=loans#x"), Some(Permission(SeeUsers)));
        assert_eq!(access_for_link("/"), Some(SignedIn));
        assert_eq!(access_for_link("/users//photo"), None);
        assert_eq!(access_for_link("/elsewhere"), None);
    }

    #[test]
    fn each_address_has_one_row() {
        for (at, (address, _)) in ROUTE_ACCESS.iter().enumerate() {
            assert!(ROUTE_ACCESS[at + 1..].iter().all(|(other, _)| other != address), "{address}");
        }
        assert_eq!(access_for("/do/{*function}", "/do/save_task"), Some(Permission(EditTasks)));
        assert_eq!(access_for("/do/{*function}", "/do/nothing"), None);
    }
}
