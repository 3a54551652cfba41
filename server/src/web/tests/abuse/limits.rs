//! Scripts with the session of a librarian: anonymising one user after the other, and clearing records by the form.
//! Also the guided action for a member of staff who has left.

use super::library::{BEN, add_task, execute, four_eyes, leaver, number};
use crate::web::tests::desk::{Desk, without_proof};
use axum::http::StatusCode;
use policy::{Role, UserNumber};

/// Opens a library with this many users, and signs a librarian in.
async fn library(users: usize) -> (Desk, Desk, Vec<UserNumber>) {
    let desk = four_eyes().await;
    add_task(&desk.store, "Leavers", true).await;
    let mut numbers = Vec::new();
    for at in 0..users {
        numbers.push(leaver(&desk.store, &format!("Leaver{at}")).await);
    }
    desk.staff("lib", &[Role::Librarian]).await;
    let librarian = desk.another("lib").await;
    (desk, librarian, numbers)
}

async fn anonymise(desk: &Desk, user: UserNumber) -> (StatusCode, String) {
    let form = format!(
        "form[user]={user}&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]={user}"
    );
    let (status, _, page) =
        desk.post(&format!("/do/anonymise_user?page=/users/{user}/anonymise"), form).await;
    (status, page)
}

async fn clear(desk: &Desk, user: UserNumber, version: i64, values: &str) -> (StatusCode, String) {
    let form = format!("form[number]={user}&form[version]={version}&{values}");
    let (status, location, page) = desk.post(&format!("/do/save_user?page=/users/{user}/edit"), form).await;
    (status, format!("{location}{page}"))
}

#[tokio::test]
async fn a_script_that_anonymises_users_is_stopped_and_every_page_shows_it() {
    let (desk, librarian, numbers) = library(40).await;
    let mut done = 0;
    for user in &numbers {
        let (status, page) = anonymise(&librarian, *user).await;
        if status == StatusCode::SEE_OTHER {
            done += 1;
        } else {
            assert_eq!(status, StatusCode::CONFLICT);
            assert!(
                page.contains("Safety limit reached") && page.contains("Request approval for more changes")
            );
        }
    }
    let anonymised = "SELECT COUNT(*) FROM users WHERE anonymised_on IS NOT NULL";
    assert_eq!((done, number(&desk.store, anonymised).await), (20, 20));
    eprintln!("the script reached {done} of {} users", numbers.len());
    let events = "SELECT COUNT(*) FROM audit_events WHERE action = 'limit_reached'";
    assert_eq!(number(&desk.store, events).await, 1, "the script does not fill the audit");
    // A data protection officer sees it on every page, and so does monitoring.
    desk.staff("dpo", &[Role::Dpo]).await;
    let dpo = desk.another("dpo").await;
    let (_, _, page) = dpo.get("/").await;
    assert!(page.contains("A safety limit") && page.contains("/audit?action=limit_reached"), "{page}");
    let (_, _, page) = dpo.get("/audit?action=limit_reached").await;
    assert!(page.contains("Safety limit reached"));
    // Another session of the same user has the same limit. An approval by a second person lifts it.
    let again = desk.another("lib").await;
    assert_eq!(anonymise(&again, numbers[20]).await.0, StatusCode::CONFLICT);
    let (status, ..) = again.post("/do/request_more_changes?page=/approvals", "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let approve = "form[approval]=1";
    assert_eq!(again.post("/do/approve_request?page=/approvals", approve).await.0, StatusCode::FORBIDDEN);
    let ben = desk.another(BEN).await;
    assert_eq!(ben.post("/do/approve_request?page=/approvals", approve).await.0, StatusCode::SEE_OTHER);
    assert_eq!(anonymise(&librarian, numbers[20]).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_script_that_clears_records_by_the_form_is_stopped() {
    let (desk, librarian, numbers) = library(40).await;
    // An old sign-in cannot clear a record.
    execute(&desk.store, "UPDATE sessions SET signed_in_at = '2018-01-01 00:00:00+00:00'").await;
    let (status, to) = clear(&librarian, numbers[0], 1, "form[last_name]=-").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(to.contains("/sign-in/again"), "{to}");
    let cleared = "SELECT COUNT(*) FROM users WHERE user_id IS NULL AND number < 1000 AND email IS NULL AND \
                   (last_name = '-' OR last_name = 'x') AND first_name IS NULL";
    assert_eq!(number(&desk.store, cleared).await, 0);
    let librarian = desk.another("lib").await;
    let mut done = 0;
    for (at, user) in numbers.iter().enumerate() {
        let junk = if at % 2 == 0 { "form[last_name]=-" } else { "form[last_name]=x" };
        let (status, page) = clear(&librarian, *user, 1, junk).await;
        done += usize::from(status == StatusCode::SEE_OTHER);
        assert!(status == StatusCode::SEE_OTHER || page.contains("Safety limit reached"), "{status} {page}");
    }
    assert_eq!((done, number(&desk.store, cleared).await), (20, 20));
    eprintln!("the script reached {done} of {} users", numbers.len());
    // Both actions share the limit.
    assert_eq!(anonymise(&librarian, numbers[39]).await.0, StatusCode::CONFLICT);
    let events = "SELECT COUNT(*) FROM audit_events WHERE action = 'identity_removed'";
    assert_eq!(number(&desk.store, events).await, 20);
}

#[tokio::test]
async fn a_member_of_staff_is_anonymised_after_an_approval() {
    let (desk, librarian, _) = library(1).await;
    let former = desk.staff("former", &[Role::Cataloguer]).await;
    let record = format!("/users/{former}");
    let page_address = format!("{record}/anonymise");
    let (_, _, page) = desk.get(&record).await;
    assert!(page.contains("Anonymise this member of staff") && !page.contains("by=hand"), "{page}");
    let (_, _, page) = desk.get(&page_address).await;
    for part in ["Sign-in ends", "Second person required", "Request approval", "The roles end"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("/do/anonymise_staff"));
    let (_, _, page) = librarian.get(&page_address).await;
    assert!(page.contains("who manages staff") && !page.contains("/do/request_staff_anonymising"), "{page}");
    let ask = format!("form[user]={former}");
    let ask_at = format!("/do/request_staff_anonymising?page={page_address}");
    assert_eq!(librarian.post(&ask_at, ask.clone()).await.0, StatusCode::FORBIDDEN);
    let anonymise = format!(
        "form[user]={former}&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]={former}"
    );
    let anonymise_at = format!("/do/anonymise_staff?page={page_address}");
    assert_eq!(librarian.post(&anonymise_at, anonymise.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(desk.post(&anonymise_at, anonymise.clone()).await.0, StatusCode::CONFLICT);
    assert_eq!(desk.post(&ask_at, ask).await.0, StatusCode::SEE_OTHER);
    let (status, _, page) = desk.post("/do/approve_request?page=/approvals", "form[approval]=1").await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    let ben = desk.another(BEN).await;
    let (_, _, page) = ben.get("/approvals").await;
    assert!(page.contains("a member of staff"), "{page}");
    assert_eq!(
        ben.post("/do/approve_request?page=/approvals", "form[approval]=1").await.0,
        StatusCode::SEE_OTHER
    );
    let (_, _, page) = desk.get(&page_address).await;
    assert!(page.contains("/do/anonymise_staff"), "{page}");
    let (status, to, page) = desk.post(&anonymise_at, anonymise).await;
    let expected = format!("{record}?done=anonymised");
    assert_eq!((status, without_proof(&to)), (StatusCode::SEE_OTHER, expected.as_str()), "{page}");
    let left = format!(
        "SELECT (SELECT COUNT(*) FROM user_roles WHERE user_number = {former}) \
         + (SELECT COUNT(*) FROM credentials WHERE user_number = {former})"
    );
    assert_eq!(number(&desk.store, &left).await, 0);
    let (_, _, page) = desk.get(&record).await;
    assert!(page.contains("has been anonymised") && page.contains("Certificate"), "{page}");
}

#[tokio::test]
async fn a_fictitious_user_cannot_be_anonymised() {
    let (desk, _, numbers) = library(1).await;
    let user = numbers[0];
    execute(&desk.store, &format!("UPDATE users SET fictitious = TRUE WHERE number = {user}")).await;
    let (_, _, page) = desk.get(&format!("/users/{user}/anonymise")).await;
    assert!(page.contains("not a person") && !page.contains("/do/anonymise"), "{page}");
    let form = format!(
        "form[user]={user}&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]={user}"
    );
    for function in ["anonymise_user", "anonymise_staff"] {
        let (status, ..) =
            desk.post(&format!("/do/{function}?page=/users/{user}/anonymise"), form.clone()).await;
        assert_eq!(status, StatusCode::CONFLICT, "{function}");
    }
}
