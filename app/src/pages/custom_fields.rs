//! The custom fields of user records, each with its class in the register of personal data.

use crate::components::flash;
use crate::components::{
    AskFirst, Column, DataTable, FieldProblem, PageLayout, ProblemSummary, guarded_page, query, task_links,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, can_open, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::ImportProfileId;
use policy::custom_field::{CustomFieldClass, CustomFieldForm};
use policy::numbers::grouped;
use records::custom_field::{self, CustomField};
use serde::{Deserialize, Serialize};

const HERE: &str = "/custom-fields";

/// Identifies a custom field.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomFieldRef {
    key: String,
}

/// Adds a custom field.
#[server(prefix = "/do", endpoint = "add_custom_field", input = PostUrl)]
pub(super) async fn add_custom_field(form: CustomFieldForm) -> Result<(), AppError> {
    custom_field::add(&store(), actor(), &form).await?;
    flash::redirect("/custom-fields?done=custom-field-added");
    Ok(())
}

/// Changes name and class of a custom field.
#[server(prefix = "/do", endpoint = "change_custom_field", input = PostUrl)]
pub(super) async fn change_custom_field(form: CustomFieldForm) -> Result<(), AppError> {
    custom_field::change(&store(), actor(), &form).await?;
    flash::redirect("/custom-fields?done=custom-field-changed");
    Ok(())
}

/// Removes a custom field without values.
#[server(prefix = "/do", endpoint = "remove_custom_field", input = PostUrl)]
pub(super) async fn remove_custom_field(form: CustomFieldRef) -> Result<(), AppError> {
    custom_field::remove(&store(), actor(), &form.key).await?;
    flash::redirect("/custom-fields?done=custom-field-removed");
    Ok(())
}

/// Shows the custom fields, and the form that adds or changes one.
#[component]
pub fn CustomFieldsPage() -> impl IntoView {
    let wanted = query("field");
    guarded_page(async move {
        let fields = custom_field::list(&store(), actor()).await?;
        let chosen = fields.iter().find(|field| field.key == wanted).cloned();
        let path = if chosen.is_some() { ChangeCustomField::PATH } else { AddCustomField::PATH };
        let (typed, error) = match failed_submission::<CustomFieldForm>(path) {
            Some((typed, error)) => (typed, Some(error)),
            None => (chosen.as_ref().map(form_of).unwrap_or_default(), error_for(path)),
        };
        let list = if fields.is_empty() {
            view! { <p class="empty">"There are no custom fields. Add one below to store more about a user."</p> }
                .into_any()
        } else {
            let rows = fields.into_iter().map(row).collect_view();
            let columns = vec![
                Column::text("Name"),
                Column::text("Key"),
                Column::text("Class"),
                Column::number("Users with a value"),
                Column::text("Kept by"),
                Column::text("Filled by"),
                Column::text("Actions"),
            ];
            view! { <DataTable label="Custom fields" columns>{rows}</DataTable> }.into_any()
        };
        Ok(view! {
            <PageLayout title="Custom fields"
                lead="Fields that the library adds to its user records. Their class decides what a task may keep.">
                <ProblemSummary error=error.clone().or_else(|| error_for(RemoveCustomField::PATH)) />
                {list}
                {form(typed, chosen, error)}
            </PageLayout>
        })
    })
}

fn form_of(field: &CustomField) -> CustomFieldForm {
    CustomFieldForm {
        key: field.key.clone(),
        label: field.label.clone(),
        class: field.class.code().to_owned(),
    }
}

fn row(field: CustomField) -> impl IntoView {
    let tasks = task_links(&field.kept_by);
    let profiles = profile_links(&field.filled_by);
    let remove = (field.users == 0).then(|| {
        let values = vec![("key", field.key.clone())];
        view! {
            <AskFirst function=RemoveCustomField::PATH page=HERE values label="Remove field"
                about=format!("“{}”", field.label)
                consequence="The field disappears from forms and files. No user has a value in it." />
        }
    });
    let edit = format!("{HERE}?field={}#define", field.key);
    view! {
        <tr>
            <th scope="row">{field.label.clone()}</th>
            <td><code>{field.key}</code></td>
            <td>{field.class.label()}</td>
            <td class="number">{grouped(field.users)}</td>
            <td>{tasks}</td>
            <td>{profiles}</td>
            <td>
                <a href=edit>"Change field" <span class="hidden">" “"{field.label}"”"</span></a>
                {remove}
            </td>
        </tr>
    }
}

/// Renders the import profiles that fill a field, as links if the member of staff may open them.
fn profile_links(profiles: &[(ImportProfileId, String)]) -> impl IntoView + use<> {
    let of = |(place, (id, name)): (usize, &(ImportProfileId, String))| {
        let href = format!("/users/import/profiles/{id}");
        let name = name.clone();
        let link =
            if can_open(&href) { view! { <a href=href>{name}</a> }.into_any() } else { name.into_any() };
        view! { {(place > 0).then_some(", ")} {link} }
    };
    profiles.iter().enumerate().map(of).collect_view()
}

/// Returns what a class means, for a librarian.
const fn description(class: CustomFieldClass) -> &'static str {
    match class {
        CustomFieldClass::Identifier => {
            "Identifier: identifies one person, such as a matriculation number. Always removed when a user is anonymised"
        }
        CustomFieldClass::QuasiIdentifier => {
            "Quasi-identifier: can identify a person together with other data, such as a course. A task removes or keeps it"
        }
        CustomFieldClass::FreeText => {
            "Free text: may contain anything, such as remarks. A task removes or keeps it"
        }
        CustomFieldClass::NotPersonal => {
            "Not personal: says nothing about a person, such as a statistics code. A task removes or keeps it"
        }
    }
}

fn form(typed: CustomFieldForm, chosen: Option<CustomField>, error: Option<AppError>) -> impl IntoView {
    let errors = field_errors(error.as_ref());
    let wrong = |field: &str| errors.message(field).is_some().then_some("true");
    let (heading, button, path) = match &chosen {
        Some(field) => (format!("Change “{}”", field.label), "Change field", ChangeCustomField::PATH),
        None => ("Add a custom field".to_owned(), "Add field", AddCustomField::PATH),
    };
    let page = chosen.as_ref().map_or_else(|| HERE.to_owned(), |field| format!("{HERE}?field={}", field.key));
    let key = match &chosen {
        // The key of a field never changes, because files and tasks refer to it.
        Some(field) => view! { <input type="hidden" name="form[key]" value=field.key.clone() /> }.into_any(),
        None => view! {
            <div class="field">
                <label for="key">"Key"</label>
                <input id="key" name="form[key]" data-shortcut="n" value=typed.key autocomplete="off" aria-invalid=wrong("key")
                    aria-describedby="key-help key-problem" />
                <p class="hint" id="key-help">
                    "Names the column in files, as custom.KEY. It cannot be changed later."
                </p>
                <FieldProblem field="key" errors=errors.clone() />
            </div>
        }
        .into_any(),
    };
    let classes = CustomFieldClass::ALL.map(|class| {
        let id = format!("class-{}", class.code());
        view! {
            <div class="choice">
                <input id=id.clone() name="form[class]" type="radio" value=class.code()
                    checked=typed.class == class.code() />
                <label for=id>{description(class)}</label>
            </div>
        }
    });
    view! {
        <section aria-labelledby="define">
            <h2 id="define">{heading}</h2>
            <form method="post" action=action(path, &page) class="narrow" novalidate>
                <Token />
                {key}
                <div class="field">
                    <label for="label">"Name"</label>
                    <input id="label" name="form[label]" value=typed.label autocomplete="off"
                        aria-invalid=wrong("label") aria-describedby="label-problem" />
                    <FieldProblem field="label" errors=errors.clone() />
                </div>
                <fieldset>
                    <legend>"Class"</legend>
                    {classes.collect_view()}
                    <FieldProblem field="class" errors=errors.clone() />
                </fieldset>
                <div class="buttons">
                    <button type="submit">{button}</button>
                    {chosen.map(|_| view! { <a href=HERE>"Add another field instead"</a> })}
                </div>
            </form>
        </section>
    }
}
