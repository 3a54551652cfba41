//! Fields that no form has: columns of the database that nobody may set, sent along with a right form.

use super::forms::library;
use super::library::{dump, number};
use axum::http::StatusCode;

/// What somebody could want to set. No form has these.
const SMUGGLED: [&str; 9] = [
    "anonymised_on=2018-01-01",
    "replacement=Me",
    "rules_version=9",
    "imported=true",
    "number_of_people=0",
    "actor_number=1",
    "decided_by=1",
    "library_id=2",
    "is_admin=true",
];

#[tokio::test]
async fn a_right_form_with_one_field_more_is_not_carried_out() {
    let (desk, forms) = library().await;
    let before = dump(&desk.store).await;
    // These have no fields, and read none.
    let fieldless = ["/do/sign_out", "/do/disconnect_provider", "/do/ask_more_changes"];
    for form in forms.iter().filter(|form| !fieldless.contains(&form.function)) {
        for field in SMUGGLED {
            let (name, value) = field.split_once('=').unwrap();
            for more in [format!("form[{name}]={value}"), field.to_owned()] {
                // One can look for who was imported.
                if form.function == "/do/find_users" && more == "form[imported]=true" {
                    continue;
                }
                let (status, _, page) = desk.post(&form.address(), format!("{}&{more}", form.body)).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{} {more}: {page}", form.function);
            }
        }
    }
    assert_eq!(dump(&desk.store).await, before);
}

/// What a form does have, for another purpose, sets nothing either: the version is compared and never taken over.
#[tokio::test]
async fn a_version_is_compared_and_never_taken_over() {
    let (desk, _) = library().await;
    let new = desk.post("/do/save_user?page=/users/new", "form[last_name]=Versed&form[version]=77").await;
    assert_eq!(new.0, StatusCode::SEE_OTHER);
    let version = "SELECT version FROM users WHERE last_name = 'Versed'";
    assert_eq!(number(&desk.store, version).await, 1);
    let user = number(&desk.store, "SELECT number FROM users WHERE last_name = 'Versed'").await;
    for wrong in ["77", "0", "-1", "", "1e0"] {
        let form = format!("form[number]={user}&form[version]={wrong}&form[last_name]=Other");
        let (status, ..) = desk.post(&format!("/do/save_user?page=/users/{user}/edit"), form).await;
        assert_eq!(status, StatusCode::CONFLICT, "{wrong}");
    }
    assert_eq!(number(&desk.store, version).await, 1);
}

/// A role is given by the form that gives roles and by no other, and never to oneself.
#[tokio::test]
async fn nobody_gives_themselves_a_role() {
    let (desk, _) = library().await;
    let mut low = desk.clone();
    desk.staff("low", &[policy::Role::Librarian]).await;
    low.sign_in("low").await;
    let before = dump(&desk.store).await;
    let me = number(&desk.store, "SELECT number FROM users WHERE user_id = 'low'").await;
    let mine = number(&desk.store, "SELECT number FROM users WHERE user_id = 'ana'").await;
    for (who, user, status) in [(&low, me, StatusCode::FORBIDDEN), (&desk, mine, StatusCode::CONFLICT)] {
        for function in ["grant_role", "revoke_role"] {
            let form = format!("form[user]={user}&form[role]=dpo");
            let (answer, ..) = who.post(&format!("/do/{function}?page=/staff"), form).await;
            assert_eq!(answer, status, "{function}");
        }
    }
    super::library::unchanged(&desk.store, &before, "giving oneself a role").await;
}
