//! No form and no run anonymises a member of staff without an approval.

use super::forms::actor;
use super::library::{
    ANA, BEN, add_task, confirmed_preview, dump, execute, four_eyes, leaver, number, unchanged,
};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use db::pagination::Paging;
use identity::staff;
use policy::{Reason, Role, UserNumber};
use task_centre::run::{self, MemberQuery};

/// Opens a library whose staff have all left long ago. One of them is disabled and still has a role.
async fn library() -> (Desk, Vec<UserNumber>) {
    let desk = four_eyes().await;
    for (user_id, role) in [("chief", Role::Administrator), ("dpo", Role::Dpo), ("former", Role::Statistics)]
    {
        desk.staff(user_id, &[role]).await;
    }
    let mut numbers = Vec::new();
    for user_id in [ANA, BEN, "chief", "dpo", "former"] {
        numbers.push(staff::user_with_id(&desk.store, user_id).await.unwrap().unwrap());
    }
    execute(&desk.store, "UPDATE users SET leaving_on = '2015-01-01', imported = TRUE").await;
    execute(&desk.store, "DELETE FROM credentials WHERE user_number = (SELECT MAX(number) FROM users)").await;
    add_task(&desk.store, "Leavers", true).await;
    (desk, numbers)
}

#[tokio::test]
async fn no_form_anonymises_a_member_of_staff() {
    let (desk, staff) = library().await;
    let ben = desk.another(BEN).await;
    let before = dump(&desk.store).await;
    for client in [&desk, &ben] {
        for user in &staff {
            let form = format!(
                "form[user]={user}&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]={user}"
            );
            let (status, _, page) =
                client.post(&format!("/do/anonymise_user?page=/users/{user}/anonymise"), form).await;
            assert_eq!(status, StatusCode::CONFLICT, "{user}");
            assert!(page.contains("Anonymise this member of staff"), "the page says what to do: {page}");
            unchanged(&desk.store, &before, "anonymising staff").await;
            let (_, _, page) = client.get(&format!("/users/{user}/anonymise")).await;
            assert!(!page.contains("/do/anonymise_user"), "the page has no form");
        }
    }
}

#[tokio::test]
async fn no_run_anonymises_a_member_of_staff() {
    let (desk, staff) = library().await;
    let newcomer = leaver(&desk.store, "Newcomer").await;
    let eligible = leaver(&desk.store, "Gone").await;
    let task = policy::TaskId(1);
    let preview = confirmed_preview(&desk.store, actor(&desk, ANA).await, task).await;
    let seen = run::read(&desk.store, preview).await.unwrap();
    assert_eq!(seen.previewed, 2, "staff are not previewed");
    let excluded = MemberQuery { reason: Some(Reason::Staff), ..MemberQuery::default() };
    let excluded = run::members(&desk.store, &seen, &excluded, &Paging::default()).await.unwrap().rows;
    let excluded: Vec<UserNumber> = excluded.iter().map(|member| member.number).collect();
    assert!(staff.iter().all(|number| excluded.contains(number)), "{excluded:?}");
    // One of the users becomes staff after the preview.
    let given = format!("form[user]={newcomer}&form[role]=librarian");
    assert_eq!(desk.post("/do/grant_role?page=/staff", given).await.0, StatusCode::SEE_OTHER);
    let started = run::start(&desk.store, actor(&desk, ANA).await, preview, "2").await.unwrap();
    run::execute(&desk.store, started).await.unwrap();
    let done = run::read(&desk.store, started).await.unwrap();
    assert_eq!((done.done, done.skipped), (1, 1));
    let anonymised = "SELECT COUNT(*) FROM users WHERE anonymised_on IS NOT NULL";
    assert_eq!(number(&desk.store, anonymised).await, 1);
    assert_eq!(number(&desk.store, &format!("{anonymised} AND number = {eligible}")).await, 1);
}

/// The fingerprint of the preview no longer matches.
#[tokio::test]
async fn a_member_of_staff_who_is_inserted_into_a_preview_is_not_anonymised() {
    let (desk, staff) = library().await;
    leaver(&desk.store, "Gone").await;
    let preview = confirmed_preview(&desk.store, actor(&desk, ANA).await, policy::TaskId(1)).await;
    let eligible = Reason::Eligible.number();
    let insertion = format!(
        "UPDATE run_members SET reason = {eligible}, blockers = 0 WHERE run_id = {preview} AND user_number = {}",
        staff[1]
    );
    execute(&desk.store, &insertion).await;
    execute(&desk.store, &format!("UPDATE runs SET previewed = 2 WHERE id = {preview}")).await;
    let form = format!("form[preview]={preview}&form[confirm]=2");
    let (status, _, page) = desk.post("/do/start_run?page=/runs", form).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    let anonymised = "SELECT COUNT(*) FROM users WHERE anonymised_on IS NOT NULL";
    assert_eq!(number(&desk.store, anonymised).await, 0);
}
