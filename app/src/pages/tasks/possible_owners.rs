//! The members of staff offered as owners of a task.

use db::RecordsError;
use task_centre::task;
use trail::Store;
use trail::person::Person;

/// Returns the members of staff who may own a task: number and name.
pub(super) async fn choices(store: &Store) -> Result<Vec<(String, String)>, RecordsError> {
    let owners = task::possible_owners(store).await?;
    let named = |person: Person| (person.number.to_string(), format!("{} ({})", person.name, person.number));
    Ok(owners.into_iter().map(named).collect())
}

/// Adds the chosen owner. The form would lose an owner that is not among the choices.
pub(super) fn keep(owners: &mut Vec<(String, String)>, chosen: &str) {
    let chosen = chosen.trim();
    if !chosen.is_empty() && owners.iter().all(|(number, _)| number != chosen) {
        owners.push((chosen.to_owned(), format!("User {chosen}, who cannot own tasks")));
    }
}
