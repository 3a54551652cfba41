//! The server functions of imports.

use super::LIST;
use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::ImportId;
use policy::form::{FieldErrors, Problem};
use policy::import_options::{EmptyCells, ImportMode};
use policy::import_profile::DateFormat;
use serde::{Deserialize, Serialize};
use transfer::detection::{self, ChosenOptions};
use transfer::import_approval;
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

/// The import, and how it reads its file. What is missing stays as it is; a file without dates has no format of dates.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CheckImportForm {
    import: i64,
    dates: Option<String>,
    mode: Option<String>,
    empty_cells: Option<String>,
}

impl CheckImportForm {
    fn options(&self) -> Result<ChosenOptions, FieldErrors> {
        let mut errors = FieldErrors::default();
        let chosen = ChosenOptions {
            dates: choice(&mut errors, "dates", self.dates.as_deref(), DateFormat::from_code),
            mode: choice(&mut errors, "mode", self.mode.as_deref(), ImportMode::from_code),
            empty_cells: choice(
                &mut errors,
                "empty_cells",
                self.empty_cells.as_deref(),
                EmptyCells::from_code,
            ),
        };
        if errors.is_empty() { Ok(chosen) } else { Err(errors) }
    }
}

/// Reads the choice of a field. Returns `None` if the field is missing.
fn choice<T>(
    errors: &mut FieldErrors,
    field: &str,
    code: Option<&str>,
    from_code: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    code.and_then(|code| errors.take(field, from_code(code).ok_or(Problem::UnknownChoice)))
}

/// Requests approval to import a file beyond the safety limits.
#[server(prefix = "/do", endpoint = "request_import_approval", input = PostUrl)]
pub(super) async fn request_import_approval(form: ImportRef) -> Result<(), AppError> {
    import_approval::request(&store(), actor(), ImportId(form.import)).await?;
    flash::redirect(&format!("{LIST}/{}?done=approval-requested", form.import));
    Ok(())
}

/// Stores how an uploaded file is read, and checks it: counts what an import would do, and changes nothing.
#[server(prefix = "/do", endpoint = "check_import", input = PostUrl)]
pub(super) async fn check_import(form: CheckImportForm) -> Result<(), AppError> {
    let chosen = form.options().map_err(AppError::Invalid)?;
    detection::choose_options(&store(), actor(), ImportId(form.import), chosen).await?;
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
