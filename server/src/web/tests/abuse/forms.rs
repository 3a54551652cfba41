//! A valid form for each function that changes something, in a library in which each form has an effect.

use super::library::{ANA, BEN, add_task, confirmed_preview, execute, four_eyes, insert, leaver, number};
use crate::web::tests::desk::{Desk, PASSWORD};
use db::Clock;
use db::pagination::Paging;
use erasure::residue::{self, CurrentText, FindingDecision, FindingQuery};
use identity::{api_key, session, staff};
use notify::webhook;
use policy::access_request::AccessRequestForm;
use policy::api_key::ApiKeyForm;
use policy::import_profile::{ColumnMapping, FileKind, ImportProfile};
use policy::legal_hold::LegalHoldForm;
use policy::notification::{Event, EventTicks, WebhookForm};
use policy::{ExclusionReason, LoanId, Role, Roles, UserNumber};
use records::access_request;
use records::saved_search::{self, SearchDraft};
use records::{accounts, circulation};
use safeguards::legal_hold;
use safeguards::suppression::destroy;
use std::collections::BTreeSet;
use task_centre::{approval_workflow, run};
use trail::Actor;
use transfer::ImportSummary;
use transfer::custom_profile;
use transfer::import_history;
use transfer::upload::Upload;

/// A function and a valid form for it.
pub(super) struct Form {
    pub(super) function: &'static str,
    pub(super) body: String,
}

impl Form {
    /// Returns the address to which the form is posted.
    pub(super) fn address(&self) -> String {
        format!("{}?page=/account", self.function)
    }
}

/// Functions that change nothing, or nothing by the form listed here, with the reason.
pub(super) const CHANGE_NOTHING: [(&str, &str); 8] = [
    ("/do/request_more_changes", "Ana has reached no limit"),
    ("/do/find_users", "redirects to a list"),
    ("/do/find_run_users", "redirects to a list"),
    ("/do/check_task", "only validates"),
    ("/do/second_factor", "the sign-in of Ana is complete"),
    ("/do/confirm_app", "a wrong code"),
    ("/do/send_test_mail", "this installation sends no e-mail"),
    ("/do/verify_audit", "verifies in the background"),
];

/// A picture of one pixel.
pub(in crate::web) const PNG: &[u8] = include_bytes!("pixel.png");

fn form(function: &'static str, body: impl Into<String>) -> Form {
    Form { function, body: body.into() }
}

fn form_about(function: &'static str, name: &str, id: i64) -> Form {
    form(function, format!("form[{name}]={id}"))
}

/// Returns the client of Ana, and her forms. They can be executed in this order; forms that end her session come last.
pub(super) async fn library() -> (Desk, Vec<Form>) {
    let desk = four_eyes().await;
    let mut forms = users(&desk).await;
    forms.extend(residue_forms(&desk).await);
    forms.extend(imports(&desk).await);
    forms.extend(suppression(&desk).await);
    forms.extend(api_keys(&desk).await);
    forms.extend(custom_fields(&desk).await);
    forms.extend(library_settings(&desk).await);
    forms.extend(notifications(&desk).await);
    forms.extend(holds(&desk).await);
    forms.extend(tasks(&desk).await);
    forms.extend(approvals_and_runs(&desk).await);
    forms.extend(staff_forms(&desk).await);
    forms.extend(own_account(&desk).await);
    (desk, forms)
}

pub(super) async fn actor(desk: &Desk, user_id: &str) -> Actor {
    let user = staff::user_with_id(&desk.store, user_id).await.unwrap().unwrap();
    Actor::signed_in(user, Roles::ALL, Clock::system_now())
}

async fn users(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let marked = leaver(store, "Marked").await;
    execute(store, &format!("UPDATE users SET marked_on = '2018-01-20' WHERE number = {marked}")).await;
    let borrower = leaver(store, "Borrower").await;
    let loan = format!(
        "loans (user_number, branch, issued_on, due_on) VALUES ({borrower}, 'main', '2018-01-01', '2018-02-01')"
    );
    let request = format!(
        "requests (user_number, branch, placed_on, status) VALUES ({borrower}, 'main', '2018-01-01', 'open')"
    );
    let charge = format!(
        "charges (user_number, kind, cents, charged_on) VALUES ({borrower}, 'fine', 250, '2018-01-01')"
    );
    add_task(store, "Settings for one", true).await;
    let single = leaver(store, "Single").await;
    let duplicate = leaver(store, "Duplicate").await;
    let (member, asked) =
        (former_member_of_staff(desk, "former").await, desk.staff("asked", &[Role::Cataloguer]).await);
    let searches = [saved_search(desk, "Mine").await, saved_search(desk, "Old").await];
    let version = number(store, "SELECT version FROM tasks WHERE single_default").await;
    let task = number(store, "SELECT id FROM tasks WHERE single_default").await;
    vec![
        form("/do/find_users", "form[q]=Single"),
        form("/do/arrange_user_list", "form[rows]=25&form[email]=on"),
        form("/do/save_search", "form[name]=New&form[q]=Single"),
        form("/do/change_search", format!("form[search]={}&form[name]=Other", searches[0])),
        form_about("/do/delete_search", "search", searches[1]),
        form("/do/save_user", "form[last_name]=Somebody"),
        form("/do/correct_last_activity", format!("form[user]={borrower}&form[last_activity_on]=2017-05-01")),
        form("/do/correct_created", format!("form[user]={borrower}&form[created_on]=2017-05-01")),
        form_about("/do/mark_user", "user", borrower.0),
        form_about("/do/unmark_user", "user", marked.0),
        form_about("/do/return_loan", "loan", insert(store, "id", &loan).await),
        form_about("/do/cancel_request", "request", insert(store, "id", &request).await),
        form_about("/do/settle_charge", "charge", insert(store, "id", &charge).await),
        form("/do/undo_change", format!("form[undo]={}", undo(desk, borrower).await)),
        form(
            "/do/anonymise_user",
            format!(
                "form[user]={single}&form[task]={task}&form[version]={version}&form[erasure_reason]=left&form[confirm]={single}"
            ),
        ),
        form(
            "/do/merge_users",
            format!(
                "form[staying]={marked}&form[losing]={duplicate}&form[task]={task}&form[version]={version}&form[confirm]={duplicate}"
            ),
        ),
        form_about("/do/request_staff_anonymising", "user", asked.0),
        form(
            "/do/anonymise_staff",
            format!(
                "form[user]={member}&form[task]={task}&form[version]={version}&form[erasure_reason]=left&form[confirm]={member}"
            ),
        ),
        form("/do/request_more_changes", ""),
    ]
}

/// Adds a member of staff whose anonymising Ben has approved.
async fn former_member_of_staff(desk: &Desk, user_id: &str) -> UserNumber {
    let member = desk.staff(user_id, &[Role::Cataloguer]).await;
    let request =
        approval_workflow::request_staff_anonymising(&desk.store, Actor::COMMAND_LINE, member).await.unwrap();
    approval_workflow::approve(&desk.store, actor(desk, BEN).await, request).await.unwrap();
    member
}

/// Saves a search of Ana's. Returns its id.
async fn saved_search(desk: &Desk, name: &str) -> i64 {
    let draft = SearchDraft { name: name.to_owned(), text: name.to_owned(), ..SearchDraft::default() };
    saved_search::save(&desk.store, actor(desk, ANA).await, &draft).await.unwrap().0
}

/// Lets Ana return a loan. Returns the undo token.
async fn undo(desk: &Desk, borrower: UserNumber) -> String {
    let store = &desk.store;
    let loan = format!(
        "loans (user_number, branch, issued_on, due_on) VALUES ({borrower}, 'main', '2018-01-01', '2018-02-01')"
    );
    let loan = LoanId(insert(store, "id", &loan).await);
    let (_, undo) = circulation::return_loan(store, actor(desk, ANA).await, loan).await.unwrap();
    let key = desk.cookie.split_once('=').unwrap().1;
    session::load_and_touch(store, key).await.unwrap().unwrap().seal_undo(&undo).unwrap()
}

/// Anonymises a user whose address appears in the notes of four loans of other users. Returns forms about the findings.
async fn residue_forms(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let anonymised = leaver(store, "Quartermainezebulon").await;
    for name in ["Kept", "Removed", "Closed", "Reopened"] {
        let other = leaver(store, name).await;
        execute(store, &format!("UPDATE users SET leaving_on = NULL WHERE number = {other}")).await;
        let loan = format!(
            "INSERT INTO loans (user_number, branch, issued_on, due_on, returned_on, note) VALUES ({other}, 'main', \
             '2018-01-01', '2018-02-01', '2018-01-05', '{name}: ask quartermainezebulon@example.org')"
        );
        execute(store, &loan).await;
    }
    run::anonymise_one(store, Actor::COMMAND_LINE, anonymised, &anonymised.to_string())
        .await
        .unwrap()
        .unwrap();
    run::background_scans().await;
    execute(store, "UPDATE loans SET note = NULL WHERE note LIKE 'Closed%'").await;
    let found = residue::findings(store, &FindingQuery::default(), &Paging::default()).await.unwrap().rows;
    assert!(found.len() >= 4, "{found:?}");
    let decision = |name: &str| {
        let is_it =
            |now: &CurrentText| matches!(now, CurrentText::Text { text, .. } if text.starts_with(name));
        let found = found.iter().find(|found| is_it(&found.now)).unwrap();
        let CurrentText::Text { seen, .. } = &found.now else { unreachable!() };
        format!("form[place]={}&form[seen]={seen}", found.id)
    };
    let closed = found.iter().find(|found| found.now == CurrentText::Nothing).unwrap();
    let (reopened, seen) = found
        .iter()
        .find_map(|found| match &found.now {
            CurrentText::Text { text, seen, .. } if text.starts_with("Reopened") => Some((found.id, seen)),
            _ => None,
        })
        .unwrap();
    residue::decide(store, Actor::COMMAND_LINE, reopened, FindingDecision::Kept, seen).await.unwrap();
    vec![
        form("/do/keep_residue", decision("Kept")),
        form("/do/remove_residue", decision("Removed")),
        form_about("/do/close_residue", "place", closed.id),
        form_about("/do/reopen_residue", "place", reopened),
    ]
}

/// Uploads a file of users. Returns its import.
pub(super) async fn upload(desk: &Desk) -> i64 {
    let mut upload = Upload::create(&desk.store.settings.uploads).unwrap();
    upload.begin(None).unwrap();
    upload.write(b"user_id,last_name\nnew-1,New\n").unwrap();
    let profile = ImportProfile::own_format(FileKind::Users);
    let uploaded = upload.finish().unwrap();
    let ana = actor(desk, ANA).await;
    import_history::add_upload(&desk.store, ana, profile, &uploaded).await.unwrap().0
}

/// Uploads a file that a check has found beyond the safety limits.
async fn upload_over_limit(desk: &Desk) -> i64 {
    let id = upload(desk).await;
    let counts = ImportSummary { dry_run: true, over_limit: Some(60), ..ImportSummary::default() };
    let counts = serde_json::to_string(&counts).unwrap();
    let sql =
        format!("UPDATE imports SET state = 'checked', sha256 = '{id}', counts = '{counts}' WHERE id = {id}");
    execute(&desk.store, &sql).await;
    id
}

async fn imports(desk: &Desk) -> Vec<Form> {
    let (checked, started, cancelled) = (upload(desk).await, upload(desk).await, upload(desk).await);
    let over_limit = upload_over_limit(desk).await;
    execute(&desk.store, &format!("UPDATE imports SET state = 'checked' WHERE id = {started}")).await;
    let sample = upload(desk).await;
    let profile = async |name: &str| {
        let column = |source: &str| ColumnMapping {
            source: source.to_owned(),
            target: Some(source.to_owned()),
            ..ColumnMapping::default()
        };
        let profile = ImportProfile {
            code: "other".to_owned(),
            name: name.to_owned(),
            columns: vec![column("user_id"), column("last_name")],
            ..ImportProfile::own_format(FileKind::Users)
        };
        custom_profile::add(&desk.store, Actor::COMMAND_LINE, profile).await.unwrap()
    };
    let (changed, deleted) = (profile("Changed").await, profile("Deleted").await);
    let columns = "form[columns][0][source]=user_id&form[columns][0][target]=user_id\
                   &form[columns][1][source]=last_name&form[columns][1][target]=last_name\
                   &form[other_columns]=reject&form[dates]=detect&form[decimals]=detect&form[encoding]=detect\
                   &form[delimiter]=detect";
    vec![
        form("/do/create_import_profile", format!("form[import]={sample}&form[name]=Created&{columns}")),
        form(
            "/do/change_import_profile",
            format!("form[id]={changed}&form[version]=1&form[name]=Renamed&{columns}"),
        ),
        form_about("/do/delete_import_profile", "profile", deleted.0),
        form_about("/do/cancel_import", "import", cancelled),
        form(
            "/do/check_import",
            format!(
                "form[import]={checked}&form[dates]=iso&form[mode]=all_or_nothing&form[empty_cells]=keep"
            ),
        ),
        form("/do/request_import_approval", format!("form[import]={over_limit}")),
        form_about("/do/start_import", "import", started),
    ]
}

async fn suppression(desk: &Desk) -> Vec<Form> {
    let line = "held_lines (digest, kind, source, line, line_digest, first_seen_on, last_seen_on, times_seen) VALUES \
                ('d', 'external_id', 'users', 2, 'l', '2018-01-20', '2018-01-20', 1)";
    let line = insert(&desk.store, "id", line).await;
    // Ana is the second person.
    destroy::request_destruction(&desk.store, Actor::COMMAND_LINE).await.unwrap();
    vec![
        form("/do/decide_held_lines", format!("form[lines][line_{line}]=true&form[decision]=ignore")),
        form("/do/destroy_suppression_key", "form[confirm]=DESTROY"),
        form("/do/request_suppression_key_destruction", ""),
    ]
}

async fn api_keys(desk: &Desk) -> Vec<Form> {
    let new = ApiKeyForm {
        name: "Old".to_owned(),
        read_users: true,
        days: "30".to_owned(),
        ..ApiKeyForm::default()
    };
    api_key::create(&desk.store, actor(desk, ANA).await, &new).await.unwrap();
    let old = number(&desk.store, "SELECT id FROM api_keys").await;
    vec![
        form("/do/create_api_key", "form[name]=New&form[read_users]=true&form[days]=30"),
        form_about("/do/revoke_api_key", "key", old),
    ]
}

async fn custom_fields(desk: &Desk) -> Vec<Form> {
    execute(&desk.store, "INSERT INTO custom_fields (key, label) VALUES ('old', 'Old'), ('other', 'Other')")
        .await;
    vec![
        form("/do/add_custom_field", "form[key]=new&form[label]=New&form[class]=free_text"),
        form("/do/change_custom_field", "form[key]=old&form[label]=Older&form[class]=identifier"),
        form("/do/remove_custom_field", "form[key]=other"),
    ]
}

async fn library_settings(desk: &Desk) -> Vec<Form> {
    trail::library::set_logo(&desk.store, Actor::COMMAND_LINE, PNG.to_vec()).await.unwrap();
    vec![form("/do/save_library", "form[name]=Town+Library&form[currency]=EUR"), form("/do/remove_logo", "")]
}

async fn notifications(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let mut hooks = Vec::new();
    for name in ["Tested", "Disabled"] {
        let events = EventTicks::from_iter([Event::RunFailed]);
        let url = "https://hooks.example.org/".to_owned();
        let webhook = WebhookForm { name: name.to_owned(), url, events };
        hooks.push(webhook::create(store, Actor::COMMAND_LINE, &webhook).await.unwrap().id.0);
    }
    let now = Clock::system_now().to_rfc3339();
    let event = format!("notifications (event, at, spread_at) VALUES ('run_failed', '{now}', '{now}')");
    let event = insert(store, "id", &event).await;
    let failed = format!(
        "notification_deliveries (notification_id, webhook_id, message_id, state, attempts, next_at, ended_at) VALUES \
         ({event}, {}, 'm', 'failed', 8, '{now}', '{now}')",
        hooks[0]
    );
    let (retried, discarded) = (insert(store, "id", &failed).await, insert(store, "id", &failed).await);
    execute(store, &format!("UPDATE users SET email = 'ana@example.org' WHERE user_id = '{ANA}'")).await;
    vec![
        form(
            "/do/create_webhook",
            "form[name]=New&form[url]=https://hooks.example.org/new&form[events][run_missed]=true",
        ),
        form_about("/do/send_test_webhook", "webhook", hooks[0]),
        form_about("/do/disable_webhook", "webhook", hooks[1]),
        form("/do/send_test_mail", ""),
        form_about("/do/retry_delivery", "delivery", retried),
        form_about("/do/discard_delivery", "delivery", discarded),
        form("/do/choose_notifications", "form[sent]=true&form[events][run_failed]=true"),
    ]
}

async fn holds(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let ben = actor(desk, BEN).await;
    let review = store.clock.today() + chrono::Duration::days(100);
    let place_legal_hold = async |name: &str| {
        let user = leaver(store, name).await;
        let form = LegalHoldForm {
            user: user.to_string(),
            reason: "dispute".to_owned(),
            review_on: review.to_string(),
            ..LegalHoldForm::default()
        };
        legal_hold::place(store, ben, &form).await.unwrap()
    };
    let (reviewed, asked, released) = (
        place_legal_hold("Reviewed").await,
        place_legal_hold("Asked").await,
        place_legal_hold("Released").await,
    );
    legal_hold::request_legal_hold_release(store, ben, released).await.unwrap();
    let user = leaver(store, "Held").await;
    let received = store.clock.today();
    let form_of_request = AccessRequestForm { user: user.0, received_on: received.to_string() };
    let request = access_request::record(store, ben, &form_of_request).await.unwrap();
    let later = review + chrono::Duration::days(1);
    vec![
        form(
            "/do/place_legal_hold",
            format!("form[user]={user}&form[reason]=dispute&form[review_on]={review}"),
        ),
        form("/do/review_legal_hold", format!("form[hold]={reviewed}&form[review_on]={later}")),
        form_about("/do/request_legal_hold_release", "hold", asked.0),
        form_about("/do/release_legal_hold", "hold", released.0),
        form("/do/record_access_request", format!("form[user]={user}&form[received_on]={received}")),
        form("/do/close_access_request", format!("form[request]={request}&form[state]=answered")),
    ]
}

async fn tasks(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let task = async |description: &str, active: bool| {
        let task = add_task(store, description, false).await;
        let daily = r#"{"kind":"daily","time":"03:00:00"}"#;
        execute(
            store,
            &format!("UPDATE tasks SET active = {active}, schedule = '{daily}' WHERE id = {task}"),
        )
        .await;
        task.0
    };
    let valid = "form[description]=Saved&form[visibility]=shared&form[category]=data_maintenance\
                 &form[task_type]=anonymise_user_data&form[scope]=all&form[circulation_notes]=empty&form[schedule]=manual\
                 &form[missed]=once";
    let lost = task("Lost", false).await;
    execute(store, &format!("UPDATE tasks SET visibility = 'private' WHERE id = {lost}")).await;
    let new_owner = actor(desk, BEN).await.staff.unwrap();
    vec![
        form(
            "/do/reassign_task",
            format!("form[task]={lost}&form[owner]={new_owner}&form[confirmed]={new_owner}"),
        ),
        form("/do/save_task", valid),
        form(
            "/do/save_letter",
            format!("form[task]={}&form[text]=Dear+{{name}}", task("With a letter", false).await),
        ),
        form("/do/check_task", valid),
        form_about("/do/copy_task", "task", task("Copied", false).await),
        form_about("/do/activate_task", "task", task("Switched on", false).await),
        form_about("/do/deactivate_task", "task", task("Switched off", true).await),
        form_about("/do/delete_task", "task", task("Deleted", false).await),
        form_about("/do/make_task_default", "task", task("Default", false).await),
        form_about("/do/make_preview", "task", task("Previewed", false).await),
    ]
}

async fn approvals_and_runs(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let (ana, ben) = (actor(desk, ANA).await, actor(desk, BEN).await);
    let asked = async |description: &str| {
        let preview = run::preview(store, ben, add_task(store, description, false).await).await.unwrap();
        approval_workflow::request(store, ben, preview).await.unwrap().0
    };
    let approved = asked("Approved").await;
    let users = number(store, "SELECT previewed FROM runs ORDER BY id DESC LIMIT 1").await;
    let to_ask = run::preview(store, ana, add_task(store, "To ask", false).await).await.unwrap();
    let to_withdraw = run::preview(store, ana, add_task(store, "Withdrawn", false).await).await.unwrap();
    let to_withdraw = approval_workflow::request(store, ana, to_withdraw).await.unwrap();
    let queued = confirmed_preview(store, ana, add_task(store, "Cancelled", false).await).await;
    let people = run::read(store, queued).await.unwrap().previewed;
    let queued = run::start(store, ana, queued, &people.to_string()).await.unwrap();
    let preview = confirmed_preview(store, ana, add_task(store, "Started", false).await).await;
    let people = run::read(store, preview).await.unwrap().previewed;
    let mut forms = selections(desk, ana).await;
    forms.extend([
        form("/do/find_run_users", format!("form[run]={preview}&form[q]=Single")),
        form_about("/do/request_approval", "preview", to_ask.0),
        form("/do/approve_request", format!("form[approval]={approved}&form[confirm]={users}")),
        form_about("/do/decline_request", "approval", asked("Declined").await),
        form_about("/do/withdraw_request", "approval", to_withdraw.0),
        form_about("/do/cancel_run", "run", queued.0),
        form("/do/start_run", format!("form[preview]={preview}&form[confirm]={people}")),
        form_about("/do/clean_files", "run", queued.0),
        form("/do/verify_audit", ""),
    ]);
    forms
}

/// Returns forms that choose the users of previews.
async fn selections(desk: &Desk, ana: Actor) -> Vec<Form> {
    let store = &desk.store;
    let user = leaver(store, "Selected").await;
    let preview =
        async |name: &str| run::preview(store, ana, add_task(store, name, false).await).await.unwrap();
    let (excluded, included, discarded) =
        (preview("Excluded").await, preview("Included").await, preview("Discarded").await);
    let reason = ExclusionReason::Duplicate;
    run::exclude(store, ana, included, &BTreeSet::from([user]), reason).await.unwrap();
    let (listed, found) = (add_task(store, "Listed", false).await, add_task(store, "Found", false).await);
    let link = format!(
        "announcements (user_number, task_id, run_id, due_on, token_digest, message_id, state) VALUES \
         ({user}, {listed}, {}, '2099-03-01', '{}', 'announcement-1', 'sent')",
        excluded.0,
        session::digest("announcement", "keep"),
    );
    insert(store, "id", &link).await;
    vec![
        form("/do/keep_account", "form[token]=keep"),
        form(
            "/do/exclude_users",
            format!("form[preview]={excluded}&form[reason]=duplicate&form[users][]={user}"),
        ),
        form("/do/include_users", format!("form[preview]={included}&form[user]={user}")),
        form_about("/do/discard_preview", "preview", discarded.0),
        form("/do/preview_listed", format!("form[task]={listed}&form[users]={user}")),
        form("/do/preview_found", format!("form[task]={found}&form[which]=ticked&form[users][]={user}")),
    ]
}

async fn staff_forms(desk: &Desk) -> Vec<Form> {
    let store = &desk.store;
    let librarian = async |user_id: &str| desk.staff(user_id, &[Role::Librarian]).await;
    let (given, taken) = (librarian("given").await, librarian("taken").await);
    let (invited, disabled) = (librarian("invited").await, librarian("disabled").await);
    let ended = librarian("ended").await;
    add_session(desk, ended, &"e".repeat(64)).await;
    let new = accounts::add(store, Actor::COMMAND_LINE, "accepts", Role::Cataloguer).await.unwrap();
    let key = new.1.unwrap().token;
    vec![
        form("/do/add_staff", "form[user_id]=newcomer&form[role]=librarian"),
        form("/do/grant_role", format!("form[user]={given}&form[role]=cataloguer")),
        form("/do/revoke_role", format!("form[user]={taken}&form[role]=librarian")),
        form_about("/do/invite_staff", "user", invited.0),
        form_about("/do/disable_staff", "user", disabled.0),
        form_about("/do/end_sessions", "user", ended.0),
        form(
            "/do/accept_invitation",
            format!(
                "form[key]={}&form[password]=apple+ladder+forty&form[repeated]=apple+ladder+forty",
                key.reveal()
            ),
        ),
    ]
}

async fn own_account(desk: &Desk) -> Vec<Form> {
    let ana = actor(desk, ANA).await.staff.unwrap();
    add_session(desk, ana, &"a1".repeat(32)).await;
    let now = Clock::system_now().to_rfc3339();
    let connection = format!(
        "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES ({ana}, 'provider', 'x', '{now}')"
    );
    execute(&desk.store, &connection).await;
    let confirmed = format!("UPDATE sessions SET confirmed_at = '{now}' WHERE user_number = {ana}");
    execute(&desk.store, &confirmed).await;
    let password = PASSWORD.replace(' ', "+");
    vec![
        form("/do/end_session", format!("form[session]={}", "a1".repeat(8))),
        form("/do/second_factor", "form[code]=123456"),
        form("/do/confirm_app", "form[code]=123456"),
        form("/do/disconnect_provider", ""),
        form("/do/read_notices", "form[until]=2100-01-01T00:00:00Z"),
        form("/do/sign_in", format!("form[user_id]={ANA}&form[password]={password}")),
        form("/do/sign_in_again", format!("form[password]={password}")),
        form("/do/sign_out", ""),
        form(
            "/do/change_password",
            format!(
                "form[old]={password}&form[password]=another+tractor+eighteen&form[repeated]=another+tractor+eighteen"
            ),
        ),
    ]
}

/// Inserts a session of a user in another browser.
async fn add_session(desk: &Desk, user: UserNumber, hash: &str) {
    let now = Clock::system_now().to_rfc3339();
    let session = format!(
        "INSERT INTO sessions (id_hash, user_number, created_at, last_seen_at, stage, signed_in_at) VALUES \
         ('{hash}', {user}, '{now}', '{now}', 'complete', '{now}')"
    );
    execute(&desk.store, &session).await;
}
