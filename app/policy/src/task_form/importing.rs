//! The fields of the task type *Import users*: files, options and safety limits.

use super::{TaskForm, choice};
use crate::file_pattern;
use crate::form::{FieldErrors, Problem};
use crate::import_limits::{ImportLimit, ImportLimits, Percent};
use crate::import_options::{Absence, EmptyCells, ImportMode, ImportOptions};
use crate::import_profile::FileKind;
use crate::import_settings::{ImportSettings, ImportedFile};
use crate::text;

impl TaskForm {
    /// Returns the form with the settings of an import in its fields.
    pub(super) fn with_import(self, settings: &ImportSettings) -> Self {
        let percent = |limit: ImportLimit| {
            let percent = settings.limits.share(limit).map(|percent| percent.get().to_string());
            (limit.code().to_owned(), percent.unwrap_or_default())
        };
        Self {
            file_kind: settings.kind.code().to_owned(),
            profile: settings.profile.clone(),
            folder: settings.folder.clone(),
            file_pattern: settings.pattern.clone(),
            import_mode: settings.options.mode.code().to_owned(),
            empty_cells: settings.options.empty_cells.code().to_owned(),
            absence: settings.options.absence.code().to_owned(),
            limits: ImportLimit::ALL.into_iter().map(percent).collect(),
            imported_file: settings.imported_file.code().to_owned(),
            ..self
        }
    }
}

/// Validates the settings. Whether the profile exists is checked where the profiles are stored.
pub(super) fn settings(form: &TaskForm, errors: &mut FieldErrors) -> ImportSettings {
    let default = ImportSettings::default();
    let kind = errors.take("file_kind", choice(FileKind::from_code(&form.file_kind)));
    let profile = errors.take("profile", profile(&form.profile));
    let folder = errors.take("folder", file_pattern::folder(&form.folder));
    let pattern = errors.take("file_pattern", file_pattern::pattern(&form.file_pattern));
    let mode = errors.take("import_mode", choice(ImportMode::from_code(&form.import_mode)));
    let empty_cells = errors.take("empty_cells", choice(EmptyCells::from_code(&form.empty_cells)));
    let absence = errors.take("absence", choice(Absence::from_code(&form.absence)));
    if absence == Some(Absence::SetLeavingDate) && kind.is_some_and(|kind| kind != FileKind::Users) {
        errors.add("absence", Problem::AbsenceOfUsersOnly);
    }
    let limits = limits(form, errors);
    let imported_file = errors.take("imported_file", choice(ImportedFile::from_code(&form.imported_file)));
    ImportSettings {
        kind: kind.unwrap_or(default.kind),
        profile: profile.unwrap_or(default.profile),
        folder: folder.unwrap_or_default(),
        pattern: pattern.unwrap_or(default.pattern),
        options: ImportOptions {
            mode: mode.unwrap_or_default(),
            empty_cells: empty_cells.unwrap_or_default(),
            absence: absence.unwrap_or_default(),
        },
        limits,
        imported_file: imported_file.unwrap_or_default(),
    }
}

fn profile(typed: &str) -> Result<String, Problem> {
    let code = text::line(typed, text::MAX_SHORT_CHARS)?;
    if code.is_empty() { Err(Problem::not_chosen("an import profile")) } else { Ok(code) }
}

fn limits(form: &TaskForm, errors: &mut FieldErrors) -> ImportLimits {
    let mut limits = ImportLimits::default();
    for limit in ImportLimit::ALL {
        let typed = form.limits.get(limit.code()).map_or("", String::as_str);
        if let Some(percent) = errors.take(limit.field(), Percent::parse(typed)) {
            *limits.of_mut(limit) = percent;
        }
    }
    if form.limits.keys().any(|code| ImportLimit::from_code(code).is_none()) {
        errors.add("limits", Problem::UnknownChoice);
    }
    limits
}

/// Reads a text of the form.
type ReadText = fn(&TaskForm) -> &String;

/// Rejects values of these fields while the task has another type: ignoring them would lose what was typed.
pub(super) fn reject_values(form: &TaskForm, errors: &mut FieldErrors) {
    let default = TaskForm::default().with_import(&ImportSettings::default());
    let fields: [(&str, ReadText); 8] = [
        ("file_kind", |form| &form.file_kind),
        ("profile", |form| &form.profile),
        ("folder", |form| &form.folder),
        ("file_pattern", |form| &form.file_pattern),
        ("import_mode", |form| &form.import_mode),
        ("empty_cells", |form| &form.empty_cells),
        ("absence", |form| &form.absence),
        ("imported_file", |form| &form.imported_file),
    ];
    for (name, read) in fields {
        super::reject_value(name, read(form), read(&default), errors);
    }
    for (code, typed) in &form.limits {
        let default = default.limits.get(code).map_or("", String::as_str);
        super::reject_value(&format!("limits.{code}"), typed, default, errors);
    }
}
