//! The users of a run or preview as a file.

use crate::csv_download::{csv_response, unreadable_query};
use crate::state::AppState;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use db::RecordsError;
use identity::Session;
use policy::form::{FieldErrors, Problem};
use policy::{Outcome, Reason, RunId, VerdictKind, text};
use task_centre::run::{self, MemberQuery, MemberSort};

/// The query of the address: a search in clear, or encrypted as `private_search` does it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemberParams {
    find: String,
    verdict: String,
    reason: String,
    outcome: String,
    q: String,
    sort: String,
    order: String,
}

/// Answers with the users of a run or preview as a CSV file (`/runs/{id}/users.csv`).
pub async fn members_csv(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    query: Result<Query<MemberParams>, QueryRejection>,
) -> Response {
    let Ok(Query(params)) = query else { return unreadable_query() };
    let params = if params.find.is_empty() {
        params
    } else {
        let Some(opened) = session.open(&params.find).and_then(|text| serde_qs::from_str(&text).ok()) else {
            return unreadable_query();
        };
        opened
    };
    csv_response(&state, &format!("run-{id}-users"), file(&state, &session, RunId(id), &params).await)
}

async fn file(
    state: &AppState,
    session: &Session,
    id: RunId,
    params: &MemberParams,
) -> Result<String, RecordsError> {
    let query = params.validate().map_err(RecordsError::Invalid)?;
    let run = run::read(&state.store, id).await?;
    run::members_csv(&state.store, session.actor(), &run, &query).await
}

impl MemberParams {
    /// Returns the filter. An unknown choice is an error, because the list without the filter would be longer.
    fn validate(&self) -> Result<MemberQuery, FieldErrors> {
        let mut errors = FieldErrors::default();
        let query = MemberQuery {
            verdict: chosen(&mut errors, "verdict", &self.verdict, VerdictKind::from_code),
            reason: chosen(&mut errors, "reason", &self.reason, Reason::from_code),
            outcome: chosen(&mut errors, "outcome", &self.outcome, Outcome::from_code),
            text: errors.take("q", text::line(&self.q, text::MAX_SHORT_CHARS)).unwrap_or_default(),
            sort: chosen(&mut errors, "sort", &self.sort, MemberSort::from_code).unwrap_or_default(),
            descending: chosen(&mut errors, "order", &self.order, |code| (code == "desc").then_some(()))
                .is_some(),
        };
        if errors.is_empty() { Ok(query) } else { Err(errors) }
    }
}

fn chosen<T>(
    errors: &mut FieldErrors,
    name: &str,
    code: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    if code.is_empty() {
        return None;
    }
    errors.take(name, read(code).ok_or(Problem::UnknownChoice))
}
