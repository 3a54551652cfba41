//! Stored cross-site scripting: scripts in every text that staff or imports can set stay text on every page and in
//! every file.

use super::forms::{actor, upload};
use super::html::{all, encoded};
use super::library::{ANA, BEN, confirmed_preview, demo, execute, insert, number};
use crate::web::tests::desk::{Desk, post};
use crate::web::tests::route_access::addresses;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Request, StatusCode};
use db::dialect;
use policy::TaskId;
use policy::import_profile::{ColumnMapping, FileKind, ImportProfile};
use scraper::node::Element;
use scraper::{Html, Node};
use sea_orm::{ConnectionTrait as _, Statement};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use task_centre::{approval_workflow, run};

/// Scripts for every context of a page. Each contains `xss1` and `xss2`.
const SCRIPTS: [&str; 2] = [
    "xss1\"'><script>xss()</script><img src=x onerror=xss()></title></textarea></select><svg onload=xss()>{{7*7}}xss2",
    "javascript:xss1()//${7*7}<!--xss2",
];

/// Text columns that hold codes or keys, that are signed, or that users cannot set.
const EXCLUDED_COLUMNS: [&str; 59] = [
    "seaql_migrations",
    "runs",
    "run_members",
    "run_counts",
    "findings",
    "certificates",
    "superseded_certificates",
    "ledger_mark",
    "replays",
    "approvals",
    "audit_events",
    "audit_head",
    "credentials",
    "sessions",
    "form_keys",
    "installation_keys",
    "user_words",
    "catalogue_words",
    "users.name_order",
    "user_list_layouts",
    "saved_searches.filters",
    "key_periods.kind",
    "users.uuid",
    "tasks.settings",
    "tasks.schedule",
    "tasks.task_type",
    "tasks.visibility",
    "tasks.missed",
    "tasks.confirmed_settings",
    "terms.kind",
    "terms.code",
    "notifications",
    "notification_deliveries",
    "notification_choices",
    "announcements",
    "webhooks.events",
    "webhooks.secret",
    "library_settings.currency",
    "library_settings.logo_type",
    "library_settings.logo_digest",
    "custom_fields.key",
    "custom_fields.class",
    "custom_values.field_key",
    "user_roles.role",
    "imports.kind",
    "imports.origin",
    "imports.state",
    "imports.profile",
    "imports.options",
    "imports.counts",
    "import_lines.outcome",
    "import_profiles.kind",
    "import_profiles.code",
    "import_profiles.settings",
    "access_requests.state",
    "access_requests.decline_reason",
    "legal_holds.reason",
    "legal_holds.category",
    "requests.status",
];

/// Opens a library with content on every page: previews, runs, approval requests, holds, residue, a certificate.
async fn library() -> Desk {
    let desk = demo(60).await;
    let store = &desk.store;
    let (ana, ben) = (actor(&desk, ANA).await, actor(&desk, BEN).await);
    let preview = confirmed_preview(store, ana, TaskId(1)).await;
    let people = run::read(store, preview).await.unwrap().previewed;
    let started = run::start(store, ana, preview, &people.to_string()).await.unwrap();
    run::execute(store, started).await.unwrap();
    run::background_scans().await;
    execute(store, "UPDATE tasks SET confirmed_settings = NULL").await;
    execute(store, "UPDATE users SET marked_on = '2018-01-01', leaving_on = '2018-01-01' WHERE number > 30")
        .await;
    let wider = run::preview(store, ben, TaskId(2)).await.unwrap();
    approval_workflow::request(store, ben, wider).await.unwrap();
    let category = "legal_holds (category, reason, placed_on, review_on) SELECT code, 'dispute', '2018-01-01', \
                    '2018-02-01' FROM terms WHERE kind = 'category' LIMIT 1";
    insert(store, "id", category).await;
    let anonymised = number(store, "SELECT MAX(number) FROM users WHERE anonymised_on IS NOT NULL").await;
    let loan = number(store, "SELECT MIN(id) FROM loans").await;
    execute(store, &format!("UPDATE loans SET note = 'x' WHERE id = {loan}")).await;
    let finding = format!(
        "findings (user_number, table_name, column_name, row_key, what, found_at) VALUES ({anonymised}, 'loans', 'note', \
         '{loan}', 'last_name', '2018-01-21T12:00:00+00:00')"
    );
    insert(store, "id", &finding).await;
    let asked = "access_requests (user_number, state, received_on, due_on, closed_on, answer) VALUES \
                 (1, 'answered', '2018-01-01', '2018-02-01', '2018-01-21', 'x')";
    insert(store, "id", asked).await;
    let search = "saved_searches (owner_number, name, search_text, filters, changed_at) SELECT number, 'x', 'x', '', \
                  '2018-01-21T12:00:00+00:00' FROM users WHERE user_id = 'ana'";
    insert(store, "id", search).await;
    let hook = "webhooks (name, url, secret, events, created_at) VALUES ('x', 'https://x.example', 'x', 'run_failed', \
                '2018-01-21T12:00:00+00:00')";
    insert(store, "id", hook).await;
    execute(store, "INSERT INTO library_settings (id, name, currency) VALUES (1, 'x', 'GBP')").await;
    let import = upload(&desk).await;
    let line =
        format!("INSERT INTO import_lines VALUES ({import}, 1, 2, 'rejected', 'last_name', 'A problem')");
    execute(store, &line).await;
    desk
}

/// Writes a script into the name and the columns of an import profile.
async fn plant_profile(desk: &Desk, script: &str) {
    let mut profile = ImportProfile::own_format(FileKind::Users);
    script.clone_into(&mut profile.name);
    for target in ["user_id", "last_name"] {
        profile.columns.push(ColumnMapping {
            source: format!("{script}{target}"),
            target: Some(target.to_owned()),
            ..ColumnMapping::default()
        });
    }
    profile.never = vec![script.to_owned()];
    let settings = serde_json::to_string(&profile).unwrap().replace('\'', "''");
    execute(&desk.store, "DELETE FROM import_profiles").await;
    let row = format!(
        "import_profiles (kind, code, name, settings, updated_at) VALUES ('users', 'xss', 'x', '{settings}', \
         '2018-01-21T12:00:00+00:00')"
    );
    insert(&desk.store, "id", &row).await;
}

/// Writes a script into every text column that users can set. Returns the number of columns.
async fn plant(desk: &Desk, script: &str) -> usize {
    let db = &desk.store.db;
    let script = script.replace('\'', "''");
    let mut planted = 0;
    for (table, columns) in dialect::schema(db).await.unwrap() {
        for column in columns {
            let name = format!("{table}.{column}");
            if EXCLUDED_COLUMNS.contains(&table.as_str()) || EXCLUDED_COLUMNS.contains(&name.as_str()) {
                continue;
            }
            let kind = format!(
                "SELECT COUNT(*) FROM pragma_table_info('{table}') WHERE name = '{column}' \
                 AND LOWER(type) IN ('text', 'varchar')"
            );
            if number(&desk.store, &kind).await == 0 {
                continue;
            }
            // Half of the users keep a code that has a name.
            let only = if table == "users" && ["category", "department", "branch"].contains(&column.as_str())
            {
                "WHERE rowid % 2 = 0"
            } else {
                ""
            };
            let sql = format!("UPDATE {table} SET {column} = '{script}' || rowid {only}");
            db.execute_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
            planted += 1;
        }
    }
    planted
}

/// The results of a crawl.
#[derive(Default)]
struct Crawl {
    pages: usize,
    /// The number of occurrences of the script, by route.
    occurrences: BTreeMap<String, usize>,
    titles: usize,
    files: usize,
}

/// Asserts that a text contains the script only as a whole. Returns the number of occurrences.
fn assert_whole(text: &str, script: &str, address: &str) -> usize {
    let in_json = serde_json::to_string(script).unwrap();
    let in_json = in_json.trim_matches('"');
    let occurrences = text.matches("xss1").count();
    // A long text is truncated, with an ellipsis.
    // The label of a code begins with a capital.
    let label = script.strip_prefix('j').map(|rest| format!("J{rest}"));
    let labels = label.map_or(0, |label| text.matches(&label).count());
    let whole = text.matches(script).count()
        + labels
        + if in_json == script { 0 } else { text.matches(in_json).count() };
    assert!(whole == occurrences || text.contains('…'), "{address}: the script is incomplete in {text}");
    occurrences
}

/// Asserts that the script is only text on a page. Returns the number of occurrences.
fn check_page(html: &str, script: &str, address: &str, seen: &mut Crawl) -> usize {
    let page = Html::parse_document(html);
    let mut occurrences = 0;
    for node in page.tree.nodes() {
        match node.value() {
            Node::Text(text) => {
                let parent = node.parent().and_then(|parent| parent.value().as_element().map(Element::name));
                let found = assert_whole(text, script, address);
                assert!(found == 0 || parent != Some("script"), "{address}: in a script");
                seen.titles += usize::from(found > 0 && parent == Some("title"));
                occurrences += found;
            }
            Node::Element(element) => {
                for (name, value) in element.attrs() {
                    let is_plain =
                        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:".contains(&byte));
                    assert!(is_plain && !name.starts_with("on"), "{address}: {} has {name}", element.name());
                    let leads = ["href", "src", "action", "formaction", "xlink:href", "data"].contains(&name);
                    let value = value.trim().to_lowercase();
                    assert!(!(leads && value.starts_with("javascript:")), "{address}: {name}={value}");
                    assert!(name != "style" && name != "srcdoc", "{address}: {name}");
                }
                for (_, value) in element.attrs() {
                    occurrences += assert_whole(value, script, address);
                }
                if element.name() == "script" {
                    assert!(element.attr("nonce").is_some(), "{address}: a script without nonce");
                }
                assert!(!["iframe", "object", "embed", "base"].contains(&element.name()), "{address}");
            }
            Node::Comment(comment) => assert!(!comment.contains("xss"), "{address}: in a comment"),
            _ => {}
        }
    }
    occurrences
}

/// Asserts that a browser cannot interpret a file as a page, and that the script is whole in one cell or string.
fn check_file(headers: &HeaderMap, body: &str, script: &str, address: &str) {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff", "{address}");
    let kind = header(CONTENT_TYPE);
    assert!(!kind.contains("html") && !kind.contains("svg") && !kind.contains("xml"), "{address}: {kind}");
    if kind.starts_with("text/csv") {
        assert!(header(CONTENT_DISPOSITION).starts_with("attachment;"), "{address}");
        for row in csv::ReaderBuilder::new().flexible(true).from_reader(body.as_bytes()).records() {
            for cell in &row.unwrap() {
                assert_whole(cell, script, address);
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{address}: {cell}");
            }
        }
    }
    // Health is JSON for monitoring, without personal values.
    if kind.starts_with("application/json") && !["/livez", "/readyz", "/healthz"].contains(&address) {
        assert!(header(CONTENT_DISPOSITION).starts_with("attachment;"), "{address}");
        serde_json::from_str::<serde_json::Value>(body).unwrap();
        assert_whole(body, script, address);
    }
}

/// Returns the row of the table of routes that matches an address.
fn route(address: &str) -> Option<String> {
    let path = address.split('?').next().unwrap_or_default();
    let fits = |route: &String| {
        let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
        route.len() == path.len()
            && route.iter().zip(&path).all(|(part, text)| part == text || part.starts_with('{'))
    };
    addresses().into_iter().find(|route| route == path).or_else(|| addresses().into_iter().find(fits))
}

/// The number of searches that are followed: each of their links is encrypted differently.
const MAX_SEARCHES: usize = 60;

/// Follows all links from all pages. Of addresses that differ only in a number it follows four.
async fn crawl(desk: &Desk, script: &str) -> Crawl {
    let mut seen = Crawl::default();
    let mut queue: VecDeque<String> = addresses().into_iter().filter(|address| is_page(address)).collect();
    queue.extend(
        [
            "/runs/1/certificate",
            "/runs/1/certificate.json",
            "/events/runs/1",
            "/users/30/photo",
            "/users/31/anonymise",
            "/access-requests/1",
            "/users/1/data",
            "/users/1/merge?with=2",
            "/users/1/data.json",
            "/keep/unknown",
        ]
        .map(str::to_owned),
    );
    queue.extend(
        ["/runs/1/receipt", "/runs/1/letters", "/users/30/letter", "/tasks/1/letter"].map(str::to_owned),
    );
    let typed = encoded(script);
    for search in [
        "/users?q=",
        "/runs/2?q=",
        "/tasks?q=",
        "/catalogue?q=",
        "/audit?from=",
        "/approvals?show=",
        "/nowhere/",
    ] {
        queue.push_back(format!("{search}{typed}"));
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(address) = queue.pop_front() {
        let (kind, most) = match address.split_once("?find=") {
            Some((path, _)) => (path.to_owned(), MAX_SEARCHES),
            None => (address.chars().filter(|sign| !sign.is_ascii_digit()).collect(), 4),
        };
        let times = times.entry(kind).or_default();
        *times += 1;
        if *times > most {
            continue;
        }
        let request = Request::get(&address).body(Body::empty()).unwrap();
        let (status, headers, body) = desk.answer(request).await;
        // Without a scheduler, health fails after a minute.
        let is_health = ["/healthz", "/readyz"].contains(&address.as_str());
        assert!(!status.is_server_error() || is_health, "{address}: {status} {body}");
        let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let route = route(&address).unwrap_or_else(|| "nowhere".to_owned());
        if !is_page {
            check_file(&headers, &body, script, &address);
            seen.files += 1;
            seen.occurrences.entry(route).or_default();
            continue;
        }
        seen.pages += 1;
        let occurrences = check_page(&body, script, &address, &mut seen);
        *seen.occurrences.entry(route).or_default() += occurrences;
        queue.extend(links(&body));
    }
    seen
}

fn is_page(address: &str) -> bool {
    !address.contains('{') && !address.starts_with("/do/") && !address.starts_with("/api/")
}

/// Returns the links of a page to this server.
fn links(html: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    let links = all(&page, "a[href]").into_iter().filter_map(|link| link.attr("href"));
    let own = |link: &&str| link.starts_with('/') && !link.starts_with("//");
    links.filter(own).map(|link| link.split('#').next().unwrap_or_default().to_owned()).collect()
}

/// Pages without a text that users can set.
const EXCLUDED_PAGES: [&str; 3] = ["/sign-in/code", "/sign-in/app", "/invitation/{key}"];
/// Addresses that answer API keys in JSON only.
const API: &str = "/scim/";

#[tokio::test]
async fn a_stored_script_stays_text_on_every_page_and_in_every_file() {
    let desk = library().await;
    for script in SCRIPTS {
        plant_profile(&desk, script).await;
        let columns = plant(&desk, script).await;
        assert!(columns > 50, "{columns}");
        let seen = crawl(&desk, script).await;
        let missed: BTreeSet<String> = addresses()
            .into_iter()
            .filter(|address| !["/do/", "/api/", API].iter().any(|start| address.starts_with(start)))
            .filter(|address| {
                !EXCLUDED_PAGES.contains(&address.as_str()) && !seen.occurrences.contains_key(address)
            })
            .collect();
        assert_eq!(missed, BTreeSet::new(), "every page was checked");
        let with: Vec<&String> =
            seen.occurrences.iter().filter(|(_, occurrences)| **occurrences > 0).map(|(at, _)| at).collect();
        eprintln!(
            "{columns} columns; {} pages and {} files; the script occurs {} times on {} routes and in {} titles: \
             {with:?}",
            seen.pages,
            seen.files,
            seen.occurrences.values().sum::<usize>(),
            with.len(),
            seen.titles
        );
        assert!(seen.pages > 100 && with.len() > 15);
        for route in [
            "/users",
            "/users/searches",
            "/users/{id}",
            "/users/{id}/edit",
            "/users/{id}/anonymise",
            "/users/import",
            "/users/import/profiles",
            "/users/import/profiles/{id}",
            "/catalogue/{id}",
            "/tasks/{id}",
            "/tasks/{id}/edit",
            "/runs/{id}",
            "/residue",
            "/legal-holds/{id}",
            "/access-requests/{id}",
            "/users/{id}/data",
            "/users/{id}/merge",
            "/approvals",
            "/staff",
            "/api-keys",
            "/custom-fields",
            "/library",
            "/notifications",
            "/account",
            "/reports/{report}",
            "/audit",
        ] {
            assert!(
                seen.occurrences.get(route).is_some_and(|occurrences| *occurrences > 0),
                "{route} shows a planted text"
            );
        }
    }
}

#[tokio::test]
async fn a_script_that_is_typed_into_a_rejected_form_stays_text() {
    let desk = demo(60).await;
    let mut shown = 0;
    for script in SCRIPTS {
        let typed = encoded(script);
        let user: Vec<String> =
            ["last_name", "first_name", "email", "notes", "category", "barcode", "birth_date", "guarantor"]
                .iter()
                .map(|field| format!("form[{field}]={typed}"))
                .collect();
        let task = format!(
            "form[description]={typed}&form[owner]={typed}&form[category]={typed}&form[schedule]={typed}\
             &form[time]={typed}&form[leaving_days]={typed}&form[by_leaving]=true"
        );
        for (address, form) in [
            ("/do/save_user?page=/users/new", user.join("&")),
            ("/do/save_task?page=/tasks/new", task),
            ("/do/add_staff?page=/staff", format!("form[user_id]={typed}&form[role]={typed}")),
            (
                "/do/place_legal_hold?page=/users/30",
                format!("form[user]={typed}&form[reason]={typed}&form[review_on]={typed}"),
            ),
            (
                "/do/anonymise_user?page=/users/30/anonymise",
                format!(
                    "form[user]=30&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]={typed}"
                ),
            ),
            (
                "/do/sign_in?page=/sign-in",
                format!("form[user_id]={typed}&form[password]=x&form[page]={typed}"),
            ),
            ("/do/end_session?page=/account", format!("form[session]={typed}")),
        ] {
            let request = post(address, format!("{form}&form_token={}", desk.token));
            let (status, headers, mut page) = desk.answer(request).await;
            if status == StatusCode::SEE_OTHER {
                // A wrong confirmation redirects to its page.
                page = desk.get(headers[LOCATION].to_str().unwrap()).await.2;
                assert!(page.contains(" to confirm"), "{address}");
            } else {
                assert!(status.is_client_error(), "{address}: {status}");
            }
            shown += check_page(&page, script, address, &mut Crawl::default());
        }
    }
    assert!(shown > 10, "{shown}");
    eprintln!("the typed scripts were shown {shown} times, as text");
}
