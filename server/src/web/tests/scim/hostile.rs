//! Hostile requests: each gets an error in the format of SCIM, and changes nothing.

use super::{Api, user};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use db::Fault;
use serde_json::{Value, json};
use trail::vitals::Seen;

on_both!(
    crate::web::tests::scim::Api::new;
    large_and_nested_filters_are_rejected,
    large_and_damaged_bodies_are_rejected,
    values_of_wrong_types_change_nothing,
    the_id_of_the_address_counts,
    values_are_text_everywhere,
    an_unreachable_database_is_a_503,
);

async fn large_and_nested_filters_are_rejected(api: Api) {
    let nested = format!("{}id%20pr{}", "(".repeat(5_000), ")".repeat(5_000));
    let negated = format!("{}id%20pr{}", "not%20(".repeat(5_000), ")".repeat(5_000));
    let chain = vec!["id%20pr"; 4_000].join("%20or%20");
    for filter in [
        "x".repeat(60_000),
        nested,
        negated,
        chain,
        "%22".repeat(9_000),
        "%5B".repeat(9_000),
        "%FF".to_owned(),
    ] {
        let answer = api.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.json);
        answer.error();
    }
    let many: Vec<String> = (0..100).map(|at| format!("userName co \"{at}\"")).collect();
    assert_eq!(api.found(&many[..100].join(" or ")).await.len(), 0);
    let wide = "attributes=".to_owned() + &"a,".repeat(20_000);
    assert_eq!(api.get(&format!("/Users?{wide}")).await.error(), (400, "invalidValue"));
}

async fn large_and_damaged_bodies_are_rejected(api: Api) {
    let id = api.post(user("a")).await.id();
    let path = format!("/Users/{id}");
    let send = async |method: Method, body: String| {
        let path = if method == Method::POST { "/Users" } else { path.as_str() };
        api.send(api.request(method, path).body(Body::from(body)).unwrap()).await
    };
    let operation = r#"{"op":"remove","path":"title"},"#.repeat(200_000);
    let large = format!(r#"{{"Operations":[{operation}]}}"#);
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let deep_object = r#"{"a":"#.repeat(10_000);
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        assert_eq!(send(method.clone(), large.clone()).await.error(), (413, ""), "{method}");
        for body in ["", "{", "null", "[]", "7", "\"x\"", "{\"schemas\":7}", "\u{0}", &deep, &deep_object] {
            assert_eq!(
                send(method.clone(), body.to_owned()).await.error(),
                (400, "invalidSyntax"),
                "{method} {}",
                body.len()
            );
        }
        let bytes = api.request(method.clone(), &path).body(Body::from(vec![b'"', 0xFF, b'"'])).unwrap();
        assert!(api.send(bytes).await.status.is_client_error(), "{method}");
    }
    let many: Vec<Value> = vec![json!({ "op": "remove", "path": "title" }); 1_000];
    assert_eq!(api.patch(&id, json!(many)).await.error(), (400, "invalidSyntax"));
    let mails: Vec<Value> = (0..1_000).map(|at| json!({ "value": format!("{at}@example.org") })).collect();
    assert_eq!(api.put(&id, json!({ "emails": mails })).await.error(), (400, "invalidValue"));
    let form = api.request(Method::POST, "/Users").header(CONTENT_TYPE, "text/plain");
    let mut form = form.body(Body::from("{}")).unwrap();
    form.headers_mut().insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    assert_eq!(api.send(form).await.error(), (415, ""));
    assert_eq!(api.get(&path).await.json["meta"]["version"], "W/\"1\"");
}

async fn values_of_wrong_types_change_nothing(api: Api) {
    let id = api.post(user("a")).await.id();
    for body in [
        json!({ "userName": 7 }),
        json!({ "userName": ["a"] }),
        json!({ "name": "Ng" }),
        json!({ "name": [{ "familyName": "X" }] }),
        json!({ "emails": "a@example.org" }),
        json!({ "emails": [["a@example.org"]] }),
        json!({ "active": "yes" }),
        json!({ "active": { "value": true } }),
    ] {
        assert_eq!(api.put(&id, body.clone()).await.error(), (400, "invalidValue"), "{body}");
    }
    for (path, value) in [
        ("userName", json!({ "a": 1 })),
        ("name", json!("x")),
        ("emails[type eq \"work\"]", json!("x")),
        ("active", json!(0)),
    ] {
        let operation = json!([{ "op": "add", "path": path, "value": value }]);
        assert_eq!(api.patch(&id, operation).await.error(), (400, "invalidValue"), "{path}");
    }
    assert_eq!(api.get(&format!("/Users/{id}")).await.json["meta"]["version"], "W/\"1\"");
}

/// An id in the body changes no other user, and internal columns are out of reach.
async fn the_id_of_the_address_counts(api: Api) {
    let first = api.post(user("a")).await.id();
    let second = api.post(user("b")).await.id();
    let body = json!({ "id": second, "number": 1, "userName": "c", "anonymised_on": "2018-01-15", "imported": false,
        "fictitious": true, "meta": { "version": "W/\"9\"" }, "displayName": "Other" });
    let answer = api.put(&first, body).await;
    assert_eq!((answer.status, answer.id()), (StatusCode::OK, first.clone()));
    assert_eq!(api.get(&format!("/Users/{second}")).await.json["userName"], "b");
    let stored = "SELECT CAST(COUNT(*) AS TEXT) FROM users WHERE user_id = 'c' AND imported AND NOT fictitious AND \
                  anonymised_on IS NULL AND version = 2";
    assert_eq!(api.text(stored).await, "1");
    for id in [
        "..%2F..%2Fusers",
        "1",
        "'%20OR%201=1--",
        "%2e%2e",
        &"x".repeat(20_000),
        "a'%3B%20DROP%20TABLE%20users",
    ] {
        assert_eq!(api.get(&format!("/Users/{id}")).await.error(), (404, ""), "{id}");
        assert_eq!(api.delete(id).await.error(), (404, ""), "{id}");
    }
    assert!(api.get("/Users/%00").await.status.is_client_error());
    assert_eq!(api.text("SELECT CAST(COUNT(*) AS TEXT) FROM users WHERE leaving_on IS NOT NULL").await, "0");
}

async fn values_are_text_everywhere(api: Api) {
    let script = "<script>alert(1)</script>";
    let sql = "'; DROP TABLE users; --";
    let body = json!({ "userName": sql, "externalId": "=cmd()", "name": { "familyName": script, "givenName": "{{7*7}}" },
        "title": "%00", "nickName": "\\' OR 1=1" });
    let created = api.post(body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    assert_eq!(
        (&created.json["userName"], &created.json["name"]["familyName"]),
        (&json!(sql), &json!(script))
    );
    assert_eq!(api.found(&format!("userName eq \"{sql}\"")).await, [sql]);
    assert_eq!(api.found("nickName co \"\\\\' OR\"").await, [sql]);
    let number = api.text("SELECT CAST(number AS TEXT) FROM users WHERE external_id = '=cmd()'").await;
    let (status, _, page) = api.desk.get(&format!("/users/{number}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains(script));
}

async fn an_unreachable_database_is_a_503(api: Api) {
    let id = api.post(user("a")).await.id();
    api.desk.store.vitals.set(Seen { database: Some(Fault::Unreachable), ..Seen::default() });
    for answer in [api.get("/Users").await, api.post(user("b")).await, api.set_active(&id, false).await] {
        assert_eq!(answer.error(), (503, ""));
        assert!(answer.headers.contains_key("retry-after"));
    }
    api.desk.store.vitals.set(Seen::default());
    assert_eq!(api.get(&format!("/Users/{id}")).await.json["active"], true);
}
