//! Access requests, and the export of everything held about a user: every registered column of the user is in it.

use crate::canary::plant::{Planter, must_go};
use crate::canary::{library, removes_everything};
use crate::support::{add, add_task, clock, day, dump, execute, five_days, for_each_database, leaver};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use db::pagination::Paging;
use db::{Clock, RecordsError};
use policy::access_request::{AccessRequestForm, AccessRequestState, ClosingForm, DeclineReason};
use policy::personal_data::{DataClass, LinkRole, RowOwner, TABLES, USER_LINKS};
use policy::{NoteTreatment, Role, Roles, UserNumber};
use records::access_request::{self, HIDDEN};
use task_centre::run;
use trail::{Actor, Store};

const CLI: Actor = Actor::COMMAND_LINE;

fn received(user: i64, on: &str) -> AccessRequestForm {
    AccessRequestForm { user, received_on: on.to_owned() }
}

fn closing(request: i64, state: &str, reason: &str, answer: &str) -> ClosingForm {
    ClosingForm {
        request,
        state: state.to_owned(),
        decline_reason: reason.to_owned(),
        answer: answer.to_owned(),
    }
}

async fn json_of(store: &Store, number: i64) -> String {
    let data = access_request::user_data(store, CLI, UserNumber(number)).await.unwrap();
    serde_json::to_string(&data).unwrap()
}

/// The table and the column of a canary: `canary-7-users-first_name-2`.
fn is_credential(canary: &str) -> bool {
    let mut parts = canary.split('-').skip(2);
    let (Some(table), Some(column)) = (parts.next(), parts.next()) else { return false };
    let column = policy::personal_data::column(table, column);
    column.is_some_and(|column| column.class == DataClass::Credential)
}

#[tokio::test]
async fn the_export_has_every_registered_column_of_the_user_and_no_credential() {
    for_each_database(async |store| {
        let person = library(&store, 1).await.remove(0);
        // Another user full of canaries, none of which may appear.
        let other = Planter::new(&store.db, 1).await.plant(900).await;
        let json = json_of(&store, person.number).await;
        let photo = BASE64_STANDARD.encode(format!("canary-{}-photos-bytes-2", person.number));
        assert!(json.contains(&photo), "the photo");
        let mut found = 0;
        for canary in &person.present {
            let is_photo = canary.contains("photos-bytes") || !canary.contains('-');
            if is_photo || is_credential(canary) {
                assert!(!json.contains(canary.as_str()), "{canary} is not exported as text");
            } else {
                assert!(json.contains(canary.as_str()), "{canary} is missing");
                found += 1;
            }
        }
        assert!(found > 30, "{found}");
        assert!(json.contains(HIDDEN));
        assert!(!json.contains("canary-900-"), "data of another user");
        assert!(other.present.len() > 30);

        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let tables = value["tables"].as_array().unwrap();
        let of_user = TABLES.iter().filter(|table| table.owner != RowOwner::NoUser);
        for table in of_user.filter(|table| table.columns.iter().any(must_go)) {
            let exported = tables.iter().find(|one| one["table"] == table.name);
            let Some(exported) = exported else { panic!("{} is missing", table.name) };
            for column in table.columns {
                let row = exported["rows"][0].as_object().unwrap();
                assert!(row.contains_key(column.name), "{}.{}", table.name, column.name);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_data_of_staff_needs_the_permission_to_manage_staff() {
    for_each_database(async |store| {
        let reader = add(&store, leaver("Reader")).await.number;
        let colleague = add(&store, leaver("Colleague")).await.number;
        let role = format!("INSERT INTO user_roles (user_number, role, granted_on) VALUES ({colleague}, 'librarian', '2018-01-01')");
        execute(&store, &role).await;
        let roles = Roles::from_iter([Role::Librarian]);
        let librarian = Actor::signed_in(UserNumber(reader), roles, Clock::system_now());
        assert!(access_request::user_data(&store, librarian, UserNumber(reader)).await.is_ok());
        let refused = access_request::user_data(&store, librarian, UserNumber(colleague)).await;
        assert!(matches!(refused, Err(RecordsError::Forbidden(policy::Action::ManageStaff))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn the_export_has_the_rows_of_other_tables_about_the_user_and_counts_mentions() {
    for_each_database(async |store| {
        let ng = add(&store, leaver("Ng")).await.number;
        let other = add(&store, leaver("Other")).await.number;
        let task = add_task(&store, &five_days()).await;
        execute(&store, &format!("UPDATE users SET guarantor_number = {ng} WHERE number = {other}")).await;
        execute(
            &store,
            &format!("INSERT INTO catalogue_records (title, created_by, created_on) VALUES ('Dune', {ng}, '2017-01-01')"),
        )
        .await;
        run::preview(&store, CLI, task).await.unwrap();
        let data = access_request::user_data(&store, CLI, UserNumber(ng)).await.unwrap();
        let rows = |name: &str| data.tables.iter().find(|table| table.table == name).map_or(0, |table| table.rows.len());
        assert_eq!(rows("users"), 1, "not the users with this guarantor");
        assert_eq!(rows("run_members"), 1);
        let mentions: Vec<(&str, i64)> = data.mentions.iter().map(|one| (one.table, one.rows)).collect();
        assert_eq!(mentions, [("Users", 1), ("Catalogue records", 1)]);
        // The export is recorded before it is read, so it contains its own event and those before.
        let events = |data: &access_request::UserData| {
            data.tables.iter().find(|table| table.table == "audit_events").map_or(0, |table| table.rows.len())
        };
        assert_eq!(events(&data), 1);
        let again = access_request::user_data(&store, CLI, UserNumber(ng)).await.unwrap();
        assert_eq!(events(&again), 2);
        assert!(dump(&store).await.contains(&format!("|user_data_exported|user|{ng}|")));
        assert!(USER_LINKS.iter().any(|link| link.role == LinkRole::Mentions));
        let before = dump(&store).await;
        let missing = access_request::user_data(&store, CLI, UserNumber(99)).await;
        assert!(matches!(missing, Err(RecordsError::NotFound("user"))));
        assert_eq!(dump(&store).await, before, "no export of an unknown user is recorded");
    })
    .await;
}

#[tokio::test]
async fn a_request_is_recorded_listed_first_due_first_and_closed_once() {
    for_each_database(async |store| {
        for name in ["Ng", "Ny"] {
            add(&store, leaver(name)).await;
        }
        let later = access_request::record(&store, CLI, &received(1, "2018-01-20")).await.unwrap();
        let sooner = access_request::record(&store, CLI, &received(2, "2017-12-31")).await.unwrap();
        let same = access_request::record(&store, CLI, &received(1, "20 Jan 2018")).await.unwrap();
        let one = Paging { rows: Some(2), ..Paging::default() };
        let page = access_request::list(&store, CLI, true, &one).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [sooner, later]);
        assert_eq!(page.rows[0].due_on, day("2018-01-31"));
        let next = Paging { after: page.next, ..one.clone() };
        let page = access_request::list(&store, CLI, true, &next).await.unwrap();
        assert_eq!((page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), page.next), (vec![same], None));

        let closed = closing(later.0, "declined", "excessive", "Asked ten times");
        assert_eq!(access_request::close(&store, CLI, &closed).await.unwrap(), UserNumber(1));
        let again = access_request::close(&store, CLI, &closed).await;
        assert!(matches!(again, Err(RecordsError::Refused(_))), "{again:?}");
        let row = access_request::read(&store, CLI, later).await.unwrap();
        assert_eq!(row.state, AccessRequestState::Declined);
        assert_eq!(
            (row.decline_reason, row.closed_on),
            (Some(DeclineReason::Excessive), Some(clock().today()))
        );
        let closed = access_request::list(&store, CLI, false, &Paging::default()).await.unwrap();
        assert_eq!(closed.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [later]);
        assert_eq!(access_request::of_user(&store, UserNumber(1)).await.unwrap().len(), 2);
        let events = dump(&store).await;
        assert!(
            events
                .contains("access_request_closed|user|1|~|access_request=1,state=declined,reason=excessive|")
        );
        assert!(!events.contains("audit_events|Asked"), "the audit has no text");

        for (user, on) in [(1, ""), (1, "2018-01-22"), (1, "never")] {
            let refused = access_request::record(&store, CLI, &received(user, on)).await;
            assert!(matches!(refused, Err(RecordsError::Invalid(_))), "{on}");
        }
        let missing = access_request::record(&store, CLI, &received(99, "2018-01-20")).await;
        assert!(matches!(missing, Err(RecordsError::NotFound("user"))));
        let cataloguer = [Role::Cataloguer].into_iter().collect::<Roles>();
        let actor = Actor::signed_in(UserNumber(2), cataloguer, db::Clock::system_now());
        let form = received(1, "2018-01-20");
        assert!(matches!(
            access_request::record(&store, actor, &form).await,
            Err(RecordsError::Forbidden(_))
        ));
        let data = access_request::user_data(&store, actor, UserNumber(1)).await;
        assert!(matches!(data, Err(RecordsError::Forbidden(_))));
        assert!(matches!(
            access_request::list(&store, actor, true, &one).await,
            Err(RecordsError::Forbidden(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn anonymising_removes_the_answer_and_keeps_the_proof() {
    for_each_database(async |store| {
        let ng = add(&store, leaver("Ng")).await.number;
        add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        let answered = access_request::record(&store, CLI, &received(ng, "2018-01-02")).await.unwrap();
        let form = closing(answered.0, "answered", "", "Letter to Ms Ng");
        access_request::close(&store, CLI, &form).await.unwrap();
        let open = access_request::record(&store, CLI, &received(ng, "2018-01-20")).await.unwrap();
        run::anonymise_one(&store, CLI, UserNumber(ng), &ng.to_string()).await.unwrap().unwrap();
        run::background_scans().await;
        let row = access_request::read(&store, CLI, answered).await.unwrap();
        assert_eq!(
            (row.state, row.answer, row.due_on),
            (AccessRequestState::Answered, None, day("2018-02-02"))
        );
        assert!(row.user.name.starts_with("Anonymised user "), "{}", row.user.name);
        assert!(!dump(&store).await.contains("Letter"));
        // The open one can be closed, but not with a text that could name the person.
        let named = access_request::close(&store, CLI, &closing(open.0, "answered", "", "Ms Ng")).await;
        assert!(matches!(named, Err(RecordsError::Invalid(_))), "{named:?}");
        access_request::close(&store, CLI, &closing(open.0, "withdrawn", "", "")).await.unwrap();
        let recorded = access_request::record(&store, CLI, &received(ng, "2018-01-20")).await;
        assert!(recorded.is_err(), "no request for an anonymised user");
    })
    .await;
}
