//! The number of users that the rule of an edited task affects.

use crate::run;
use crate::task;
use db::RecordsError;
use erasure::fact_table;
use policy::affected::{AffectedTexts, AffectedUsers};
use policy::task_form::{TaskForm, conditions_so_far};
use policy::{Action, Policy, TaskId};
use sea_orm::DbErr;
use trail::{Actor, Store};

/// Counts the users that the rule of a task form affects. Returns None while the rule is incomplete.
///
/// The users may be read up to a minute before, see [`fact_table::current`]. Only a preview decides.
pub async fn count(
    store: &Store,
    actor: Actor,
    form: &TaskForm,
) -> Result<Option<AffectedTexts>, RecordsError> {
    actor.require(Action::EditTasks)?;
    let Ok((conditions, scope)) = conditions_so_far(form) else { return Ok(None) };
    let rule = Policy { conditions, scope, ..Policy::default() };
    let (saved, last) = match form.id.trim().parse::<TaskId>() {
        Ok(id) => {
            let saved = task::row_for(&store.db, actor, id).await?.settings.policy().cloned();
            (saved, run::last_runs(&store.db, id).await?)
        }
        Err(_) => (None, Vec::new()),
    };
    let table = fact_table::current(store).await?;
    let today = store.clock.today();
    let counted_at = (store.clock.wall() - table.age()).format("%H:%M:%S").to_string();
    let limits = store.settings.safety_limits;
    let texts = tokio::task::spawn_blocking(move || {
        let counts = AffectedUsers::count(table.users(), &rule, saved.as_ref(), today);
        AffectedTexts::new(&counts, limits, &last, today, counted_at)
    });
    texts.await.map(Some).map_err(|_| DbErr::Custom("the count of users was broken off".to_owned()).into())
}

/// Begins to read the users, because a task is about to be edited.
pub fn prepare(store: &Store) {
    fact_table::renew_in_background(store);
}
