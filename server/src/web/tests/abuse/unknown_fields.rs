//! Mass assignment: columns that no form may set, added to a valid form.

use super::forms::library;
use super::library::{dump, number};
use axum::http::StatusCode;

/// Fields that an attacker could want to set. No form has them.
const UNKNOWN: [&str; 9] = [
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
async fn a_valid_form_with_an_unknown_field_is_rejected() {
    let (desk, forms) = library().await;
    let before = dump(&desk.store).await;
    // These forms have no fields, and their functions read none.
    let fieldless = [
        "/do/sign_out",
        "/do/remove_logo",
        "/do/send_test_mail",
        "/do/disconnect_provider",
        "/do/request_more_changes",
        "/do/verify_audit",
        "/do/request_suppression_key_destruction",
    ];
    for form in forms.iter().filter(|form| !fieldless.contains(&form.function)) {
        for field in UNKNOWN {
            let (name, value) = field.split_once('=').unwrap();
            for more in [format!("form[{name}]={value}"), field.to_owned()] {
                // The search has this filter, and so has a saved one.
                if ["/do/find_users", "/do/save_search"].contains(&form.function)
                    && more == "form[imported]=true"
                {
                    continue;
                }
                let (status, _, page) = desk.post(&form.address(), format!("{}&{more}", form.body)).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{} {more}: {page}", form.function);
            }
        }
    }
    assert_eq!(dump(&desk.store).await, before);
}

#[tokio::test]
async fn a_version_is_compared_and_never_stored() {
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

#[tokio::test]
async fn a_user_cannot_grant_a_role_to_themselves() {
    let (desk, _) = library().await;
    let mut low = desk.clone();
    desk.staff("low", &[policy::Role::Librarian]).await;
    low.sign_in("low").await;
    let before = dump(&desk.store).await;
    let me = number(&desk.store, "SELECT number FROM users WHERE user_id = 'low'").await;
    let mine = number(&desk.store, "SELECT number FROM users WHERE user_id = 'ana'").await;
    for (client, user, status) in [(&low, me, StatusCode::FORBIDDEN), (&desk, mine, StatusCode::CONFLICT)] {
        for function in ["grant_role", "revoke_role"] {
            let form = format!("form[user]={user}&form[role]=dpo");
            let (answer, ..) = client.post(&format!("/do/{function}?page=/staff"), form).await;
            assert_eq!(answer, status, "{function}");
        }
    }
    super::library::unchanged(&desk.store, &before, "granting oneself a role").await;
}
