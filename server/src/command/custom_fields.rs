//! `lethe custom-fields`: defines the fields that the library adds to its user records.

use super::{Output, with_field_problems};
use clap::{Args, Subcommand};
use policy::custom_field::{CustomFieldClass, CustomFieldForm};
use policy::numbers::counted;
use records::custom_field::{self, CustomField};
use serde_json::json;
use std::process::ExitCode;
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum CustomFields {
    /// List the custom fields.
    List,
    /// Add a custom field.
    Add(Definition),
    /// Change name and class of a custom field.
    Change(Definition),
    /// Remove a custom field. No user may have a value in it.
    Remove {
        /// The key.
        key: String,
    },
}

/// The definition of a custom field.
#[derive(Debug, Args)]
pub(crate) struct Definition {
    /// The key, which names the column in files: custom.KEY.
    key: String,
    /// The name on forms.
    #[arg(long)]
    name: String,
    /// The class of the values in the register of personal data.
    #[arg(long, value_parser = class)]
    class: CustomFieldClass,
}

fn class(code: &str) -> Result<CustomFieldClass, String> {
    CustomFieldClass::from_code(&code.replace('-', "_")).ok_or_else(|| {
        let known: Vec<String> =
            CustomFieldClass::ALL.iter().map(|class| class.code().replace('_', "-")).collect();
        format!("unknown class; the classes are {}", known.join(", "))
    })
}

impl Definition {
    fn form(&self) -> CustomFieldForm {
        CustomFieldForm {
            key: self.key.clone(),
            label: self.name.clone(),
            class: self.class.code().to_owned(),
        }
    }
}

impl CustomFields {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let actor = Actor::COMMAND_LINE;
        let (key, done) = match self {
            Self::List => {
                output.print(&custom_field::list(store, actor).await?, |fields| listed(fields))?;
                return Ok(ExitCode::SUCCESS);
            }
            Self::Add(definition) => {
                custom_field::add(store, actor, &definition.form()).await.map_err(with_field_problems)?;
                (definition.key, "added")
            }
            Self::Change(definition) => {
                custom_field::change(store, actor, &definition.form()).await.map_err(with_field_problems)?;
                (definition.key, "changed")
            }
            Self::Remove { key } => {
                custom_field::remove(store, actor, &key).await?;
                (key, "removed")
            }
        };
        output.print(&json!({ "key": key, "result": done }), |_| format!("Custom field {key} {done}"))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn listed(fields: &[CustomField]) -> String {
    let mut lines: Vec<String> = fields
        .iter()
        .map(|field| {
            let users = counted(field.users, "user", "users");
            format!("{}\t{}\t{}\t{users}", field.key, field.label, field.class.label())
        })
        .collect();
    let count = i64::try_from(fields.len()).unwrap_or(i64::MAX);
    lines.push(counted(count, "custom field", "custom fields"));
    lines.join("\n")
}
