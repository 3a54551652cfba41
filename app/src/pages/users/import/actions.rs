//! The server functions of imports.

use super::LIST;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::ImportId;
use policy::form::{FieldErrors, Problem};
use policy::import_profile::DateFormat;
use serde::{Deserialize, Serialize};
use transfer::detection;
use transfer::job::{self, Step};

/// Identifies the import.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportRef {
    import: i64,
}

/// The import, and the typed number of users if the file exceeds the safety limits.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartImportForm {
    pub(super) import: i64,
    #[serde(default)]
    pub(super) confirm: String,
}

/// The import, and the chosen format of its dates.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportDatesForm {
    import: i64,
    dates: String,
}

/// Chooses the format of the dates in an uploaded file.
#[server(prefix = "/do", endpoint = "choose_import_dates", input = PostUrl)]
pub(super) async fn choose_import_dates(form: ImportDatesForm) -> Result<(), AppError> {
    let format = DateFormat::from_code(&form.dates)
        .ok_or_else(|| AppError::Invalid(FieldErrors::one("dates", Problem::UnknownChoice)))?;
    detection::choose_dates(&store(), actor(), ImportId(form.import), format).await?;
    leptos_axum::redirect(&format!("{LIST}/{}", form.import));
    Ok(())
}

/// Checks an uploaded file: counts what an import would do, and changes nothing.
#[server(prefix = "/do", endpoint = "check_import", input = PostUrl)]
pub(super) async fn check_import(form: ImportRef) -> Result<(), AppError> {
    start(ImportId(form.import), Step::Check).await
}

/// Imports a checked file. The import goes on when the browser is closed.
#[server(prefix = "/do", endpoint = "start_import", input = PostUrl)]
pub(super) async fn start_import(form: StartImportForm) -> Result<(), AppError> {
    let typed = form.confirm.trim();
    let confirmed = match typed {
        "" => None,
        typed => Some(
            typed.parse().map_err(|_| AppError::Invalid(FieldErrors::one("confirm", Problem::NotANumber)))?,
        ),
    };
    start(ImportId(form.import), Step::Import { confirmed }).await
}

/// Cancels an import and deletes the uploaded file.
#[server(prefix = "/do", endpoint = "cancel_import", input = PostUrl)]
pub(super) async fn cancel_import(form: ImportRef) -> Result<(), AppError> {
    job::cancel(&store(), actor(), ImportId(form.import)).await?;
    leptos_axum::redirect(&format!("{LIST}/{}", form.import));
    Ok(())
}

async fn start(id: ImportId, step: Step) -> Result<(), AppError> {
    let work = job::start(&store(), actor(), id, step).await?;
    tokio::spawn(work);
    leptos_axum::redirect(&format!("{LIST}/{id}"));
    Ok(())
}
