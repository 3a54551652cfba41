//! The SCIM API with requests to the whole router, on both databases.
#![allow(clippy::unwrap_used, reason = "tests")]

mod access;
mod hostile;
mod users;

use super::desk::Desk;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use identity::api_key;
use policy::api_key::ApiKeyForm;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use trail::Actor;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// An identity system: a library, and an API key with all scopes.
struct Api {
    desk: Desk,
    key: String,
}

/// A response of the API.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    json: Value,
}

impl Answer {
    /// Returns the status and the detail error code.
    fn error(&self) -> (u16, &str) {
        assert_eq!(self.json["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error", "{}", self.json);
        assert_eq!(self.json["status"], self.status.as_u16().to_string());
        assert!(self.json["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        (self.status.as_u16(), self.json["scimType"].as_str().unwrap_or_default())
    }

    fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("{} {}", self.status, self.json)).to_owned()
    }
}

/// Creates an API key.
async fn key(desk: &Desk, read_users: bool, write_users: bool) -> String {
    let form = ApiKeyForm { name: "Campus".to_owned(), read_users, write_users, days: String::new() };
    api_key::create(&desk.store, Actor::COMMAND_LINE, &form).await.unwrap().key.to_string()
}

impl Api {
    async fn new(desk: Desk) -> Self {
        let key = key(&desk, true, true).await;
        Self { desk, key }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let path = request.uri().path().to_owned();
        let answer = self.desk.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 8 << 20).await.unwrap();
        let json = if body.is_empty() {
            Value::Null
        } else {
            assert_eq!(parts.headers[CONTENT_TYPE], "application/scim+json", "{path}: {body:?}");
            serde_json::from_slice(&body).unwrap()
        };
        assert_eq!(parts.headers["cache-control"], "no-store", "{path}");
        Answer { status: parts.status, headers: parts.headers, json }
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        request
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header("host", "localhost")
            .header(CONTENT_TYPE, "application/scim+json")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(self.request(method, path).body(Body::from(body.to_string())).unwrap()).await
    }

    async fn post(&self, user: Value) -> Answer {
        self.write(Method::POST, "/Users", &with_schema(user)).await
    }

    async fn put(&self, id: &str, user: Value) -> Answer {
        self.write(Method::PUT, &format!("/Users/{id}"), &with_schema(user)).await
    }

    async fn patch(&self, id: &str, operations: Value) -> Answer {
        let schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
        let body = json!({ "schemas": [schema], "Operations": operations });
        self.write(Method::PATCH, &format!("/Users/{id}"), &body).await
    }

    async fn set_active(&self, id: &str, active: bool) -> Answer {
        self.patch(id, json!([{ "op": "replace", "path": "active", "value": active }])).await
    }

    async fn delete(&self, id: &str) -> Answer {
        self.send(self.request(Method::DELETE, &format!("/Users/{id}")).body(Body::empty()).unwrap()).await
    }

    /// Lists the users that a filter selects. Returns their `userName`s.
    async fn found(&self, filter: &str) -> Vec<String> {
        let answer = self.get(&format!("/Users?filter={}", app::url::percent_encoded(filter))).await;
        assert_eq!(answer.status, StatusCode::OK, "{filter}: {}", answer.json);
        let users = answer.json["Resources"].as_array().unwrap();
        assert_eq!(answer.json["totalResults"], users.len(), "{filter}");
        users.iter().map(|user| user["userName"].as_str().unwrap_or("–").to_owned()).collect()
    }

    async fn execute(&self, sql: &str) {
        self.desk.store.db.execute_unprepared(sql).await.unwrap();
    }

    /// Returns the result of a query for one text.
    async fn text(&self, sql: &str) -> String {
        let db = &self.desk.store.db;
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        row.and_then(|row| row.try_get_by_index::<Option<String>>(0).unwrap()).unwrap_or_default()
    }

    /// Returns the leaving date of the user with this UserID, or an empty text.
    async fn leaving_on(&self, user_id: &str) -> String {
        self.text(&format!("SELECT CAST(leaving_on AS TEXT) FROM users WHERE user_id = '{user_id}'")).await
    }
}

fn with_schema(mut user: Value) -> Value {
    if user["schemas"].is_null() {
        user["schemas"] = json!([CORE, ENTERPRISE]);
    }
    user
}

/// Returns a small user.
fn user(user_id: &str) -> Value {
    json!({ "userName": user_id, "name": { "familyName": "Ng" } })
}
