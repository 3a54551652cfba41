//! API keys: which of them open the API, and the page that manages them.

use super::{Answer, Api, key, user};
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, COOKIE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, Request, StatusCode};
use identity::api_key;
use policy::{ApiKeyId, Role};
use serde_json::json;
use trail::Actor;

on_both!(
    crate::web::tests::scim::Api::new;
    a_key_is_required,
    a_key_does_what_its_scopes_say,
    a_revoked_or_expired_key_is_rejected,
    keys_are_created_and_revoked_on_a_page,
    the_database_and_the_pages_never_show_a_key_again,
);

async fn get(api: &Api, header: Option<(&str, &str)>, path: &str) -> Answer {
    let mut request = Request::get(path);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    api.send(request.body(Body::empty()).unwrap()).await
}

async fn a_key_is_required(api: Api) {
    let id = api.post(user("a")).await.id();
    let basic = format!("Basic {}", api.key);
    let cookie = format!("{}; lethe_key={}", api.desk.cookie, api.key);
    let shorter = format!("Bearer {}", &api.key[..api.key.len() - 1]);
    let upper = format!("Bearer {}", api.key.to_uppercase());
    let in_query = format!("/scim/v2/Users?access_token={}", api.key);
    for path in [
        "/scim/v2/Users",
        "/scim/v2/ServiceProviderConfig",
        "/scim/v2/nothing",
        &in_query,
        &format!("/scim/v2/Users/{id}"),
    ] {
        for header in [
            None,
            Some(("authorization", "")),
            Some(("authorization", "Bearer")),
            Some(("authorization", "Bearer ")),
            Some(("authorization", basic.as_str())),
            Some(("authorization", shorter.as_str())),
            Some(("authorization", upper.as_str())),
            Some(("cookie", cookie.as_str())),
        ] {
            let answer = get(&api, header, path).await;
            assert!(
                matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS),
                "{path} {header:?}: {}",
                answer.status
            );
            if answer.status == StatusCode::UNAUTHORIZED {
                let challenge = answer.headers[WWW_AUTHENTICATE].to_str().unwrap();
                assert!(challenge.starts_with("Bearer realm=\"Lethe\""), "{challenge}");
            }
        }
    }
    // A key opens no page, and the session of a browser opens no API.
    let request = Request::get("/users").header(AUTHORIZATION, format!("Bearer {}", api.key));
    let answer =
        tower::ServiceExt::oneshot(api.desk.router.clone(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        get(&api, Some((COOKIE.as_str(), &api.desk.cookie)), "/scim/v2/Users").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(api.get("/Users").await.status, StatusCode::OK, "the right key still works");
}

async fn a_key_does_what_its_scopes_say(mut api: Api) {
    let id = api.post(user("a")).await.id();
    let path = format!("/Users/{id}");
    api.key = key(&api.desk, true, false).await;
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    for answer in [
        api.post(user("b")).await,
        api.put(&id, user("a")).await,
        api.set_active(&id, false).await,
        api.delete(&id).await,
    ] {
        assert_eq!(answer.error(), (403, ""));
        let challenge = answer.headers[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains("insufficient_scope") && challenge.contains("write_users"), "{challenge}");
    }
    assert_eq!(
        api.text("SELECT detail FROM audit_events WHERE action = 'refused'").await,
        "api_key=2,edit_users"
    );
    api.key = key(&api.desk, false, true).await;
    assert_eq!(api.set_active(&id, false).await.status, StatusCode::OK);
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
    for answer in [
        api.get("/Users").await,
        api.get(&path).await,
        api.write(Method::POST, "/Users/.search", &search).await,
    ] {
        assert_eq!(answer.error(), (403, ""));
    }
    assert_eq!(api.get("/Schemas").await.status, StatusCode::OK);
}

async fn a_revoked_or_expired_key_is_rejected(mut api: Api) {
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    let today = policy::dates::iso(api.desk.store.clock.today());
    assert_eq!(api.text("SELECT CAST(last_used_on AS TEXT) FROM api_keys WHERE id = 1").await, today);
    let store = &api.desk.store;
    assert!(api_key::revoke(store, Actor::COMMAND_LINE, ApiKeyId(1)).await.unwrap());
    assert!(!api_key::revoke(store, Actor::COMMAND_LINE, ApiKeyId(1)).await.unwrap());
    assert!(api_key::revoke(store, Actor::COMMAND_LINE, ApiKeyId(99)).await.is_err());
    assert_eq!(api.get("/Users").await.error(), (401, ""));
    api.key = key(&api.desk, true, true).await;
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    api.execute("UPDATE api_keys SET expires_at = '2018-01-15T12:00:00+00:00' WHERE id = 2").await;
    assert_eq!(api.get("/Users").await.error(), (401, ""));
}

async fn keys_are_created_and_revoked_on_a_page(mut api: Api) {
    let (status, _, page) = api.desk.get("/api-keys").await;
    assert!(status == StatusCode::OK && page.contains("Campus") && page.contains("Create an API key"));
    let (status, _, page) = api
        .desk
        .post(
            "/do/create_api_key?page=/api-keys",
            "form[name]=<b>Okta</b>&form[read_users]=true&form[days]=30",
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    let shown = page.split("<code class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(page.contains("&lt;b&gt;Okta&lt;/b&gt;") && page.contains("will not be shown again"));
    let full = std::mem::replace(&mut api.key, shown.clone());
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    assert_eq!(api.post(user("a")).await.error(), (403, ""));
    let (_, _, page) = api.desk.get("/api-keys").await;
    assert!(!page.contains(&shown), "the key is shown once");
    for (form, problem) in [
        ("form[read_users]=true", "Enter a name"),
        ("form[name]=x", "Choose what the key may do"),
        ("form[name]=x&form[read_users]=true&form[days]=731", "Enter a number of days from 1 to 730"),
        ("form[name]=x&form[read_users]=true&form[days]=0", "Enter a number of days from 1 to 730"),
        ("form[name]=x&form[read_users]=true&form[scopes]=administer", "could not be read"),
    ] {
        let (status, _, page) = api.desk.post("/do/create_api_key?page=/api-keys", form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(page.contains(problem), "{form}: {page}");
    }
    let (status, location, _) = api.desk.post("/do/revoke_api_key?page=/api-keys", "form[key]=2").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.starts_with("/api-keys?done=api-key-revoked&"), "{location}");
    assert_eq!(api.get("/Users").await.error(), (401, ""));
    api.key = full;
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    let events = "SELECT action || ' ' || detail FROM audit_events WHERE subject_kind = 'api_key' AND subject_id = 2 \
                  ORDER BY id";
    assert_eq!(api.text(&format!("{events} LIMIT 1")).await, "api_key_created read_users,days=30");
    assert_eq!(api.text(&format!("{events} DESC LIMIT 1")).await, "api_key_revoked ");
    // A manager with an old sign-in confirms it first; other staff have no access.
    api.execute("UPDATE sessions SET signed_in_at = '2018-01-15T12:00:00+00:00'").await;
    let (status, location, _) =
        api.desk.post("/do/create_api_key?page=/api-keys", "form[name]=x&form[read_users]=true").await;
    assert!(status == StatusCode::SEE_OTHER && location.starts_with("/sign-in/again"), "{location}");
    api.desk.staff("lib", &[Role::Librarian]).await;
    api.desk.sign_in("lib").await;
    assert_eq!(api.desk.get("/api-keys").await.0, StatusCode::FORBIDDEN);
    let (status, ..) =
        api.desk.post("/do/create_api_key?page=/api-keys", "form[name]=x&form[read_users]=true").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(api.text("SELECT CAST(COUNT(*) AS TEXT) FROM api_keys").await, "2");
}

async fn the_database_and_the_pages_never_show_a_key_again(api: Api) {
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    let secret = api.key.strip_prefix("lethe_").unwrap();
    let (_, _, page) = api.desk.get("/api-keys").await;
    assert!(!page.contains(secret));
    for column in ["key_hash", "name", "scopes"] {
        let stored = api.text(&format!("SELECT {column} FROM api_keys")).await;
        assert!(!stored.is_empty() && !stored.contains(secret), "{column}");
    }
    let events = "SELECT CAST(COUNT(*) AS TEXT) FROM audit_events WHERE detail LIKE ";
    assert_eq!(api.text(&format!("{events}'%{secret}%'")).await, "0");
}

/// As with passwords, few wrong keys of one address are looked at, and its right key still works.
#[tokio::test]
async fn wrong_keys_are_rate_limited() {
    let api = Api::new(crate::web::tests::desk::Desk::open().await).await;
    let mut wrong = 0;
    for at in 0..1_000 {
        let header = format!("Bearer lethe_{at:064x}");
        let answer = get(&api, Some(("authorization", &header)), "/scim/v2/Users").await;
        match answer.status {
            StatusCode::UNAUTHORIZED => wrong += 1,
            status => {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                assert!(answer.headers.contains_key(RETRY_AFTER));
            }
        }
    }
    assert!(wrong <= 40, "{wrong}");
    assert_eq!(api.get("/Users").await.status, StatusCode::OK);
    let events = "SELECT CAST(COUNT(*) AS TEXT) FROM audit_events WHERE action = 'api_key_refused'";
    assert_eq!(api.text(events).await, "1", "repeated events are counted");
}
