//! Users: list, read, create, replace, patch and delete.

use super::authenticate::lacks;
use super::query::{self, ListQuery};
use super::{ApiError, host_of, json, stale};
use ::scim::{
    Document, MEDIA_TYPE, Projection, ScimError, ScimType, Wanted, apply_patch, discovery, location, to_json,
};
use app::state::AppState;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use db::RecordsError;
use policy::ApiScope;
use policy::user_form::UserForm;
use records::user::provision::{self, Membership, ProvisionedUser};
use serde_json::Value;
use trail::Actor;

/// Maximum number of attempts for a change if other changes come first. A change with If-Match is tried once.
const MAX_ATTEMPTS: usize = 5;

/// Returns early with the answer to a key that lacks a scope.
macro_rules! require {
    ($state:expr, $actor:expr, $scope:ident) => {
        if let Some(answer) = lacks($state, $actor, ApiScope::$scope).await {
            return Ok(answer);
        }
    };
}

pub(super) async fn list(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
) -> Result<Response, ApiError> {
    require!(&state, actor, ReadUsers);
    found(&state, actor, &headers, query::of_address(address.as_deref())?).await
}

pub(super) async fn search(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    require!(&state, actor, ReadUsers);
    found(&state, actor, &headers, query::of_body(&read_body(&headers, &body)?)?).await
}

async fn found(
    state: &AppState,
    actor: Actor,
    headers: &HeaderMap,
    query: ListQuery,
) -> Result<Response, ApiError> {
    let ListQuery { condition, projection, start, count } = query;
    let (total, users) = provision::find(&state.store, actor, &condition, (start - 1, count)).await?;
    let host = host_of(state, headers);
    let users: Vec<Value> = users.iter().map(|user| projection.apply(to_json(user, &host))).collect();
    Ok(json(StatusCode::OK, &discovery::list_from(&users, total, start)))
}

pub(super) async fn read(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    require!(&state, actor, ReadUsers);
    let projection = query::projection(address.as_deref())?;
    let user = provision::read(&state.store, actor, &id).await?;
    if names_version(&headers, &IF_NONE_MATCH, user.version) == Some(true) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag(&user))]).into_response());
    }
    Ok(answer(&state, &headers, StatusCode::OK, &user, &projection))
}

pub(super) async fn create(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    require!(&state, actor, WriteUsers);
    let projection = query::projection(address.as_deref())?;
    let mut document = Document::default();
    document.take_over(&read_body(&headers, &body)?)?;
    let Wanted { form, active } = document.wanted(&UserForm::default())?;
    if form.user_id.trim().is_empty() {
        return Err(ScimError::bad(ScimType::InvalidValue, "userName is required").into());
    }
    let membership = if active == Some(false) { Membership::Deactivate } else { Membership::Activate };
    let user = provision::create(&state.store, actor, &form, membership).await?;
    let mut response = answer(&state, &headers, StatusCode::CREATED, &user, &projection);
    if let Ok(address) = HeaderValue::try_from(location(&user, &host_of(&state, &headers))) {
        response.headers_mut().insert(LOCATION, address);
    }
    Ok(response)
}

pub(super) async fn replace(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    require!(&state, actor, WriteUsers);
    let body = read_body(&headers, &body)?;
    let change = |document: &mut Document| document.take_over(&body);
    changed(&state, actor, &headers, (&id, address.as_deref()), change).await
}

pub(super) async fn patch(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    require!(&state, actor, WriteUsers);
    let body = read_body(&headers, &body)?;
    let change = |document: &mut Document| apply_patch(document, &body);
    changed(&state, actor, &headers, (&id, address.as_deref()), change).await
}

pub(super) async fn delete(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    require!(&state, actor, WriteUsers);
    for attempt in 1..=MAX_ATTEMPTS {
        let user = current(&state, actor, &headers, &id).await?;
        match provision::delete(&state.store, actor, &id, &user.form).await {
            Err(RecordsError::Stale) if may_repeat(&headers, attempt) => {}
            deleted => {
                deleted?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        }
    }
    Err(stale().into())
}

/// Changes a user. Reads the user again and repeats the change if another one came first.
async fn changed(
    state: &AppState,
    actor: Actor,
    headers: &HeaderMap,
    (id, address): (&str, Option<&str>),
    change: impl Fn(&mut Document) -> Result<(), ScimError>,
) -> Result<Response, ApiError> {
    let projection = query::projection(address)?;
    for attempt in 1..=MAX_ATTEMPTS {
        let user = current(state, actor, headers, id).await?;
        let mut document = Document::for_user(&user);
        change(&mut document)?;
        let Wanted { form, active } = document.wanted(&user.form)?;
        if form.user_id.trim().is_empty() && !user.form.user_id.is_empty() {
            return Err(ScimError::bad(ScimType::InvalidValue, "userName is required").into());
        }
        let membership = match active.filter(|active| *active != user.active) {
            Some(true) => Membership::Activate,
            Some(false) => Membership::Deactivate,
            None => Membership::Keep,
        };
        match provision::change(&state.store, actor, id, &form, membership).await {
            Err(RecordsError::Stale) if may_repeat(headers, attempt) => {}
            saved => return Ok(answer(state, headers, StatusCode::OK, &saved?, &projection)),
        }
    }
    Err(stale().into())
}

/// Reads the user to be changed. Rejects a request that names another version.
async fn current(
    state: &AppState,
    actor: Actor,
    headers: &HeaderMap,
    id: &str,
) -> Result<ProvisionedUser, ApiError> {
    let user = provision::read_for_writing(&state.store, actor, id).await?;
    if names_version(headers, &IF_MATCH, user.version) == Some(false) {
        return Err(stale().into());
    }
    Ok(user)
}

fn may_repeat(headers: &HeaderMap, attempt: usize) -> bool {
    attempt < MAX_ATTEMPTS && !headers.contains_key(IF_MATCH)
}

/// Returns whether a condition of the request names this version. `None` without such a condition.
fn names_version(headers: &HeaderMap, name: &HeaderName, version: i32) -> Option<bool> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let version = version.to_string();
    let mut tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    Some(tags.any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == version
    }))
}

fn etag(user: &ProvisionedUser) -> String {
    format!("W/\"{}\"", user.version)
}

/// Answers with a user.
fn answer(
    state: &AppState,
    headers: &HeaderMap,
    status: StatusCode,
    user: &ProvisionedUser,
    projection: &Projection,
) -> Response {
    let body = projection.apply(to_json(user, &host_of(state, headers)));
    let mut response = json(status, &body);
    if let Ok(tag) = HeaderValue::try_from(etag(user)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Parses the body of a request.
fn read_body(headers: &HeaderMap, body: &Bytes) -> Result<Value, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or(MEDIA_TYPE);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if ![MEDIA_TYPE, "application/json"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Err(ScimError::of_status(415, format!("Send {MEDIA_TYPE} or application/json")).into());
    }
    // The message of the parser can contain a part of the body.
    serde_json::from_slice(body)
        .map_err(|_| ScimError::bad(ScimType::InvalidSyntax, "The body is not valid JSON").into())
}
