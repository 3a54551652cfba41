//! The settings of the task type *Import users*: which files a task imports, how, and when it stops.

use crate::import_limits::ImportLimits;
use crate::import_options::{Absence, EmptyCells, ImportMode, ImportOptions};
use crate::import_profile::FileKind;
use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

/// The code of the profile of Lethe's own format.
pub const OWN_PROFILE: &str = "lethe";

coded_enum! {
    /// The treatment of a watched file after its import.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ImportedFile: "treatment of the imported file" {
        /// It is overwritten and deleted, because it holds names.
        #[default]
        Erase = "erase",
        /// It stays.
        Keep = "keep",
    }
}

impl ImportedFile {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Erase => "Overwrite and delete the file",
            Self::Keep => "Keep the file",
        }
    }
}

/// Which files a task imports, how, and when it stops.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// The records in the files.
    pub kind: FileKind,
    /// Code of the import profile, which describes the files.
    pub profile: String,
    /// Path below the folder of imports. Empty means that folder itself.
    pub folder: String,
    /// Pattern of the file names.
    pub pattern: String,
    /// The effects of wrong lines, empty cells and absence.
    pub options: ImportOptions,
    /// The safety limits.
    pub limits: ImportLimits,
    /// The treatment of an imported file.
    pub imported_file: ImportedFile,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            kind: FileKind::Users,
            profile: OWN_PROFILE.to_owned(),
            folder: String::new(),
            pattern: "*.csv".to_owned(),
            options: ImportOptions::default(),
            limits: ImportLimits::default(),
            imported_file: ImportedFile::default(),
        }
    }
}

impl ImportSettings {
    /// Returns whether these settings go beyond confirmed ones: they read other files, or change more with them.
    pub fn extend_beyond(&self, confirmed: &Self) -> bool {
        let options = (self.options, confirmed.options);
        let sets_leaving_dates =
            options.0.absence == Absence::SetLeavingDate && options.1.absence == Absence::Nothing;
        let clears = options.0.empty_cells == EmptyCells::Clear && options.1.empty_cells == EmptyCells::Keep;
        let passes_wrong_lines =
            options.0.mode == ImportMode::ValidLinesOnly && options.1.mode == ImportMode::AllOrNothing;
        (self.kind, &self.profile, &self.folder, &self.pattern)
            != (confirmed.kind, &confirmed.profile, &confirmed.folder, &confirmed.pattern)
            || sets_leaving_dates
            || clears
            || passes_wrong_lines
            || self.limits.permit_more_than(&confirmed.limits)
    }

    /// Returns which files are imported, as a sentence.
    pub fn sentence(&self) -> String {
        let place = if self.folder.is_empty() {
            "the folder of imports".to_owned()
        } else {
            format!("the folder {}", self.folder)
        };
        let after = match self.imported_file {
            ImportedFile::Erase => "overwritten and deleted",
            ImportedFile::Keep => "kept",
        };
        format!(
            "{} from files {} in {place}, oldest first; imported files are {after}.",
            self.kind.label(),
            self.pattern
        )
    }

    /// Returns the options as sentences: wrong lines, empty cells, absence.
    pub const fn option_labels(&self) -> [&'static str; 3] {
        [
            self.options.mode.label(),
            self.options.empty_cells.label(),
            if matches!(self.kind, FileKind::Users) {
                self.options.absence.label()
            } else {
                Absence::Nothing.label()
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_change_more_must_be_confirmed_again() {
        let confirmed = ImportSettings::default();
        let wider: [fn(&mut ImportSettings); 7] = [
            |s| s.kind = FileKind::Loans,
            |s| s.folder = "other".to_owned(),
            |s| s.pattern = "*".to_owned(),
            |s| s.options.absence = Absence::SetLeavingDate,
            |s| s.options.empty_cells = EmptyCells::Clear,
            |s| s.options.mode = ImportMode::ValidLinesOnly,
            |s| s.limits.missing = None,
        ];
        for change in wider {
            let mut settings = confirmed.clone();
            change(&mut settings);
            assert!(settings.extend_beyond(&confirmed), "{settings:?}");
        }
        let kept = ImportSettings { imported_file: ImportedFile::Keep, ..confirmed.clone() };
        assert!(!kept.extend_beyond(&confirmed) && !confirmed.extend_beyond(&confirmed));
    }
}
