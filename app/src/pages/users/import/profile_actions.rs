//! The server functions that create, change and delete import profiles.

use super::LIST;
use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::import_profile::ProfileForm;
use policy::{ImportId, ImportProfileId};
use serde::{Deserialize, Serialize};
use transfer::custom_profile;

/// The address of the list of profiles.
pub(super) const PROFILES: &str = "/users/import/profiles";

/// Identifies a profile.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileRef {
    pub(super) profile: i64,
}

/// Creates an import profile for an uploaded file.
#[server(prefix = "/do", endpoint = "create_import_profile", input = PostUrl)]
pub(super) async fn create_import_profile(form: ProfileForm) -> Result<(), AppError> {
    let import: i64 = number("import", &form.import)?;
    custom_profile::create(&store(), actor(), ImportId(import), &form).await?;
    flash::redirect(&format!("{LIST}/{import}?done=import-profile-created"));
    Ok(())
}

/// Changes an import profile.
#[server(prefix = "/do", endpoint = "change_import_profile", input = PostUrl)]
pub(super) async fn change_import_profile(form: ProfileForm) -> Result<(), AppError> {
    let id = number("id", &form.id)?;
    custom_profile::change(&store(), actor(), ImportProfileId(id), &form).await?;
    flash::redirect(&format!("{PROFILES}?done=import-profile-changed"));
    Ok(())
}

/// Deletes an import profile that no task uses.
#[server(prefix = "/do", endpoint = "delete_import_profile", input = PostUrl)]
pub(super) async fn delete_import_profile(form: ProfileRef) -> Result<(), AppError> {
    custom_profile::delete(&store(), actor(), ImportProfileId(form.profile)).await?;
    flash::redirect(&format!("{PROFILES}?done=import-profile-deleted"));
    Ok(())
}

fn number(field: &str, typed: &str) -> Result<i64, AppError> {
    typed.trim().parse().map_err(|_| AppError::Invalid(FieldErrors::one(field, Problem::NotANumber)))
}
