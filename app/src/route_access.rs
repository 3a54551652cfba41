//! Which page and which server function asks for what: one table of all addresses, which the web server enforces.
//!
//! Whatever stands in no row is shut. `records` asks again where a change is made.

use http::Uri;
use policy::Action;
use records::{Actor, Session};

/// What an address asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// Nothing: whoever knows the address.
    Nothing,
    /// A session, however far its sign-in has come.
    Session,
    /// Somebody who is signed in.
    SignIn,
    /// Somebody who may do this.
    May(Action),
}

use Action::{
    Administer, AnonymiseOne, Approve, DecideResidue, EditTasks, EditUsers, ManageStaff, PlaceLegalHolds,
    Preview, ReleaseLegalHolds, Run, SeeAudit, SeeCatalogue, SeeReports, SeeResidue, SeeTasks, SeeUsers,
};
use Need::{May, Nothing, SignIn};

/// Every address, as the router writes it, and what it asks for.
pub const ROUTE_ACCESS: &[(&str, Need)] = &[
    ("/", SignIn),
    ("/livez", Nothing),
    ("/readyz", Nothing),
    ("/healthz", Nothing),
    ("/metrics", Nothing),
    ("/sign-in", Nothing),
    ("/sign-in/code", Need::Session),
    ("/sign-in/app", Need::Session),
    ("/sign-in/again", SignIn),
    ("/sign-in/provider", Nothing),
    ("/sign-in/provider/return", Nothing),
    ("/sign-in/provider/again", SignIn),
    ("/account/provider", SignIn),
    ("/invitation/{key}", Nothing),
    ("/account", SignIn),
    ("/forbidden", SignIn),
    ("/api/session_time", SignIn),
    ("/api/stay_signed_in", SignIn),
    ("/staff", May(ManageStaff)),
    ("/do/sign_in", Nothing),
    ("/do/accept_invitation", Nothing),
    ("/do/second_factor", Need::Session),
    ("/do/confirm_app", Need::Session),
    ("/do/sign_out", Need::Session),
    ("/do/sign_in_again", SignIn),
    ("/do/change_password", SignIn),
    ("/do/end_session", SignIn),
    ("/do/read_notices", SignIn),
    ("/do/disconnect_provider", SignIn),
    ("/do/add_staff", May(ManageStaff)),
    ("/do/grant_role", May(ManageStaff)),
    ("/do/revoke_role", May(ManageStaff)),
    ("/do/invite_staff", May(ManageStaff)),
    ("/do/disable_staff", May(ManageStaff)),
    ("/do/end_sessions", May(ManageStaff)),
    ("/personal-data", SignIn),
    ("/users", May(SeeUsers)),
    ("/users/new", May(EditUsers)),
    ("/users/{id}", May(SeeUsers)),
    ("/users/{id}/photo", May(SeeUsers)),
    ("/users/{id}/edit", May(EditUsers)),
    ("/users/{id}/anonymise", May(AnonymiseOne)),
    ("/do/find_users", May(SeeUsers)),
    ("/do/save_user", May(EditUsers)),
    ("/do/mark_user", May(EditUsers)),
    ("/do/undelete_user", May(EditUsers)),
    ("/do/return_loan", May(EditUsers)),
    ("/do/cancel_request", May(EditUsers)),
    ("/do/settle_charge", May(EditUsers)),
    ("/do/anonymise_user", May(AnonymiseOne)),
    ("/do/anonymise_staff", May(ManageStaff)),
    ("/catalogue", May(SeeCatalogue)),
    ("/catalogue/{id}", May(SeeCatalogue)),
    ("/reports", May(SeeReports)),
    ("/reports/{report}", May(SeeReports)),
    ("/reports/{report}/csv", May(SeeReports)),
    ("/tasks", May(SeeTasks)),
    ("/tasks/new", May(EditTasks)),
    ("/tasks/owners", May(ManageStaff)),
    ("/do/reassign_task", May(ManageStaff)),
    ("/tasks/{id}", May(SeeTasks)),
    ("/tasks/{id}/edit", May(EditTasks)),
    ("/tasks/{id}/delete", May(EditTasks)),
    ("/tasks/{id}/deactivate", May(EditTasks)),
    ("/tasks/{id}/export", May(SeeTasks)),
    ("/do/save_task", May(EditTasks)),
    ("/do/check_task", May(EditTasks)),
    ("/do/copy_task", May(EditTasks)),
    ("/do/activate_task", May(EditTasks)),
    ("/do/deactivate_task", May(EditTasks)),
    ("/do/make_task_default", May(EditTasks)),
    ("/do/delete_task", May(EditTasks)),
    ("/api/next_runs", May(EditTasks)),
    ("/do/make_preview", May(Preview)),
    ("/do/start_run", May(Run)),
    ("/do/cancel_run", May(Run)),
    ("/do/clean_files", May(Administer)),
    ("/runs", May(SeeTasks)),
    ("/runs/{id}", May(SeeTasks)),
    ("/do/find_people", May(SeeTasks)),
    ("/runs/{id}/certificate", May(SeeTasks)),
    ("/runs/{id}/certificate.json", May(SeeTasks)),
    ("/print.css", May(SeeTasks)),
    ("/events/runs/{id}", May(SeeTasks)),
    ("/api/run_progress", May(SeeTasks)),
    ("/do/ask_approval", May(Preview)),
    ("/do/ask_more_changes", May(EditUsers)),
    ("/do/ask_staff_anonymising", May(ManageStaff)),
    ("/approvals", May(SeeTasks)),
    ("/approvals/{id}", May(Approve)),
    ("/do/approve_request", May(Approve)),
    ("/do/decline_request", May(Approve)),
    // Only the member of staff who asked can withdraw, whatever their role.
    ("/do/withdraw_request", SignIn),
    ("/legal-holds", May(SeeUsers)),
    ("/legal-holds/{id}", May(SeeUsers)),
    ("/do/place_hold", May(PlaceLegalHolds)),
    ("/do/review_hold", May(PlaceLegalHolds)),
    ("/do/ask_for_release", May(PlaceLegalHolds)),
    ("/do/release_hold", May(ReleaseLegalHolds)),
    ("/audit", May(SeeAudit)),
    ("/audit/csv", May(SeeAudit)),
    ("/residue", May(SeeResidue)),
    ("/do/remove_residue", May(DecideResidue)),
    ("/do/keep_residue", May(DecideResidue)),
    ("/do/close_residue", May(DecideResidue)),
    ("/do/reopen_residue", May(DecideResidue)),
    ("/do/undo_change", SignIn),
];

/// What an address asks for; None where it stands in no row. Server functions share a route; they are told apart by their
/// path.
pub fn need(route: &str, path: &str) -> Option<Need> {
    let sought = if route.ends_with("/{*function}") { path } else { route };
    ROUTE_ACCESS.iter().find(|(address, _)| *address == sought).map(|(_, need)| *need)
}

/// What a page asks by itself, whether or not somebody sits in front of it.
const BY_ITSELF: [&str; 3] = ["/api/session_time", "/api/run_progress", "/events/"];

/// Whether a request is one that a page makes by itself. It is no sign that somebody is there.
pub fn is_by_itself(address: &Uri) -> bool {
    BY_ITSELF.iter().any(|one| address.path().starts_with(one))
        || address
            .query()
            .is_some_and(|query| query.split('&').any(|value| value == crate::islands::BY_ITSELF))
}

/// Whether a page opens for whoever has this session. Wherever a page is made, and not only where its address is asked
/// for: a form that was not carried out brings back a page, too.
pub fn is_allowed(page: &str, session: Option<&Session>) -> bool {
    let actor = session.map_or_else(Actor::without_session, Session::actor);
    match access_for_link(page) {
        None => false,
        Some(Nothing) => true,
        Some(Need::Session) => session.is_some(),
        Some(SignIn) => actor.staff.is_some(),
        Some(May(action)) => actor.may(action),
    }
}

/// What an address in a page asks for, so that nobody is shown a link that leads to a closed door.
pub(crate) fn access_for_link(href: &str) -> Option<Need> {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    ROUTE_ACCESS.iter().find(|(address, _)| fits(address, path)).map(|(_, need)| *need)
}

/// Whether a path is one of a route with places for names.
fn fits(route: &str, path: &str) -> bool {
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
    fn links_lead_to_the_first_row_that_fits() {
        assert_eq!(access_for_link("/users/new"), Some(May(EditUsers)));
        assert_eq!(access_for_link("/users/7?tab=loans#x"), Some(May(SeeUsers)));
        assert_eq!(access_for_link("/"), Some(SignIn));
        assert_eq!(access_for_link("/users//photo"), None);
        assert_eq!(access_for_link("/elsewhere"), None);
    }

    #[test]
    fn each_address_has_one_row() {
        for (at, (address, _)) in ROUTE_ACCESS.iter().enumerate() {
            assert!(ROUTE_ACCESS[at + 1..].iter().all(|(other, _)| other != address), "{address}");
        }
        assert_eq!(need("/do/{*function}", "/do/save_task"), Some(May(EditTasks)));
        assert_eq!(need("/do/{*function}", "/do/nothing"), None);
    }
}
