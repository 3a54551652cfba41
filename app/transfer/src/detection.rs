//! The detected properties of an uploaded file, to show before its import.

use super::import_history;
use super::order::ImportOrder;
use super::problem::{FileProblems, LineProblem, TransferError};
use super::reader::{line_problem, plan};
use super::upload;
use super::upload_notes::{Note, remembered};
use super::watch::Watch;
use db::RecordsError;
use import_file::{Detected, ImportFile};
use policy::import_options::{EmptyCells, ImportMode, ImportOptions};
use policy::import_profile::{DateFormat, ImportProfile};
use policy::{Action, ImportId};
use records::custom_field;
use serde::{Deserialize, Serialize};
use trail::{Actor, Store};

/// The detected properties of a file, and the problems of the whole file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Detection {
    /// The detected properties.
    #[serde(flatten)]
    pub detected: Detected,
    /// The problems. With one, nothing can be imported.
    pub problems: Vec<LineProblem>,
}

impl Detection {
    /// Returns whether the dates of a column have two meanings, so that their format must be chosen.
    pub fn is_ambiguous(&self) -> bool {
        self.detected.columns.iter().any(|column| column.is_ambiguous)
    }
}

/// Detects the format of a file.
pub async fn of_file(
    store: &Store,
    actor: Actor,
    file: ImportFile,
    profile: ImportProfile,
) -> Result<Detection, TransferError> {
    actor.require_permission_to_see(Action::Import)?;
    let custom = custom_field::keys(&store.db).await?;
    in_background(move || detect(&file, profile, &custom)).await
}

/// Detects the format of a file. Reads the whole file.
fn detect(file: &ImportFile, profile: ImportProfile, custom: &[String]) -> Result<Detection, TransferError> {
    let watch = Watch::default();
    let order = ImportOrder::on_command_line(&file.main, profile, &watch);
    let plan = plan(file, &order, custom)?;
    let mut problems = FileProblems::default();
    plan.problems().iter().for_each(|problem| problems.add(line_problem(problem)));
    Ok(Detection { detected: plan.detected().clone(), problems: problems.problems })
}

async fn in_background(
    work: impl FnOnce() -> Result<Detection, TransferError> + Send + 'static,
) -> Result<Detection, TransferError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| std::io::Error::from(std::io::ErrorKind::Interrupted))?
}

/// Returns the detected format of an uploaded file. Reads the file only if the profile or the custom fields have changed
/// since it was detected.
pub async fn of_upload(
    store: &Store,
    actor: Actor,
    import: &import_history::Import,
) -> Result<Detection, TransferError> {
    let gone = || RecordsError::Refused(upload::GONE.to_owned());
    actor.require_permission_to_see(Action::Import)?;
    let name = import.upload.as_deref().ok_or_else(gone)?;
    let folder = upload::folder_of(store, name)?;
    let files = upload::files(&folder).map_err(|_| gone())?;
    let (profile, custom) = (import.profile.clone(), custom_field::keys(&store.db).await?);
    in_background(move || {
        let circumstances = (profile.clone(), custom.clone());
        remembered(&folder, Note::Detection, circumstances, || detect(&files, profile, &custom))
    })
    .await
}

/// Detects the format of a waiting file now, so that its page need not.
pub async fn prepare(store: &Store, actor: Actor, id: ImportId) {
    let detected = match import_history::read(store, actor, id).await {
        Ok(import) => of_upload(store, actor, &import).await.map(|_| ()),
        Err(error) => Err(error.into()),
    };
    // The page says why.
    if let Err(error) = detected {
        tracing::debug!(%error, "the format of an uploaded file could not be detected");
    }
}

/// The import options of an uploaded file, as chosen on its page. `None` keeps the current option.
#[derive(Clone, Copy, Debug)]
pub struct ChosenOptions {
    /// The notation of dates, if the file has any.
    pub dates: Option<DateFormat>,
    /// The effect of a wrong line on the others.
    pub mode: Option<ImportMode>,
    /// The effect of an empty cell.
    pub empty_cells: Option<EmptyCells>,
}

/// Chooses how an uploaded file is imported. If anything changes, the file must be checked again.
pub async fn choose_options(
    store: &Store,
    actor: Actor,
    id: ImportId,
    chosen: ChosenOptions,
) -> Result<(), RecordsError> {
    actor.require(Action::Import)?;
    let import = import_history::read(store, actor, id).await?;
    let ChosenOptions { dates, mode, empty_cells } = chosen;
    let profile = ImportProfile { dates: dates.unwrap_or(import.profile.dates), ..import.profile.clone() };
    let options = ImportOptions {
        mode: mode.unwrap_or(import.options.mode),
        empty_cells: empty_cells.unwrap_or(import.options.empty_cells),
        ..import.options
    };
    if (&profile, options) == (&import.profile, import.options) {
        return Ok(());
    }
    let tx = store.begin().await?;
    import_history::change_reading(&tx, id, profile, options).await?;
    store.commit(tx).await?;
    prepare(store, actor, id).await;
    Ok(())
}
