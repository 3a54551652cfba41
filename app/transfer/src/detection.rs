//! What was detected about an uploaded file, to show before its import.

use super::import_history;
use super::order::ImportOrder;
use super::problem::{FileProblems, LineProblem, TransferError};
use super::reader::{line_problem, plan};
use super::upload;
use super::watch::Watch;
use db::RecordsError;
use import_file::{Detected, ImportFile};
use policy::import_options::{EmptyCells, ImportMode, ImportOptions};
use policy::import_profile::{DateFormat, ImportProfile};
use policy::{Action, ImportId};
use records::custom_field;
use serde::Serialize;
use trail::{Actor, Store};

/// What was detected about a file, and the problems of the whole file.
#[derive(Clone, Debug, Serialize)]
pub struct Detection {
    /// What was detected.
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
    // The whole file is read.
    let detected = tokio::task::spawn_blocking(move || {
        let watch = Watch::default();
        let order = ImportOrder::on_command_line(&file.main, profile, &watch);
        let plan = plan(&file, &order, &custom)?;
        let mut problems = FileProblems::default();
        plan.problems().iter().for_each(|problem| problems.add(line_problem(problem)));
        Ok(Detection { detected: plan.detected().clone(), problems: problems.problems })
    });
    detected.await.map_err(|_| std::io::Error::from(std::io::ErrorKind::Interrupted))?
}

/// Detects the format of an uploaded file.
pub async fn of_upload(
    store: &Store,
    actor: Actor,
    import: &import_history::Import,
) -> Result<Detection, TransferError> {
    let gone = || RecordsError::Refused(upload::GONE.to_owned());
    let name = import.upload.as_deref().ok_or_else(gone)?;
    let files = upload::files(&upload::folder_of(store, name)?).map_err(|_| gone())?;
    of_file(store, actor, files, import.profile.clone()).await
}

/// How an uploaded file is imported, as chosen on its page.
#[derive(Clone, Copy, Debug)]
pub struct ChosenOptions {
    /// The notation of dates, if the file has any.
    pub dates: Option<DateFormat>,
    /// What a wrong line does to the others.
    pub mode: ImportMode,
    /// What an empty cell does.
    pub empty_cells: EmptyCells,
}

/// Chooses how an uploaded file is imported. It must be checked again.
pub async fn choose_options(
    store: &Store,
    actor: Actor,
    id: ImportId,
    chosen: ChosenOptions,
) -> Result<(), RecordsError> {
    actor.require(Action::Import)?;
    let import = import_history::read(store, actor, id).await?;
    let ChosenOptions { dates, mode, empty_cells } = chosen;
    let profile = ImportProfile { dates: dates.unwrap_or(import.profile.dates), ..import.profile };
    let options = ImportOptions { mode, empty_cells, ..import.options };
    let tx = store.begin().await?;
    import_history::change_reading(&tx, id, profile, options).await?;
    store.commit(tx).await
}
