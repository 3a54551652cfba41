//! The text of the letters of a task.

use crate::components::{FieldProblem, PageLayout, ProblemSummary, escaped, flash, guarded_page, path_param};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::TaskId;
use policy::letter::{Placeholder, STANDARD};
use serde::{Deserialize, Serialize};
use task_centre::letter;

/// The text of the letters of a task.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct LetterForm {
    task: i64,
    #[serde(default)]
    text: String,
    /// The digest of the text that the page showed.
    #[serde(default)]
    based_on: Option<String>,
}

/// Saves the text of the letters of a task.
#[server(prefix = "/do", endpoint = "save_letter", input = PostUrl)]
pub(in crate::pages) async fn save_letter(form: LetterForm) -> Result<(), AppError> {
    letter::save(&store(), actor(), TaskId(form.task), (&form.text, form.based_on.as_deref())).await?;
    flash::redirect(&format!("/tasks/{}?done=letter-saved", form.task));
    Ok(())
}

/// Shows the text of the letters of a task, and the form that changes it.
#[component]
pub fn LetterTextPage() -> impl IntoView {
    let id = path_param::<TaskId>("task");
    guarded_page(async move {
        let id = id?;
        let present = letter::read(&store(), actor(), id).await?;
        let (typed, based_on, error) =
            if let Some((typed, error)) = failed_submission::<LetterForm>(SaveLetter::PATH) {
                (typed.text, typed.based_on, Some(error))
            } else {
                let digest = present.digest();
                let text = present.own.unwrap_or_else(|| STANDARD.to_owned());
                (text, Some(digest), error_for(SaveLetter::PATH))
            };
        let errors = field_errors(error.as_ref());
        let wrong = errors.message("text").is_some().then_some("true");
        let here = format!("/tasks/{id}/letter");
        let crumbs = vec![
            ("Task centre".to_owned(), "/tasks".to_owned()),
            (present.task.1.description_for(actor()), format!("/tasks/{id}")),
        ];
        let placeholders = Placeholder::ALL.map(|placeholder| {
            view! { <dt><code>{format!("{{{}}}", placeholder.word())}</code></dt><dd>{placeholder.label()}</dd> }
        });
        Ok(view! {
            <PageLayout title="Letter before erasure" crumbs
                lead="The text of letters to users before this task anonymises them. Print them from a preview or a user record.">
                <ProblemSummary error />
                <form method="post" action=action(SaveLetter::PATH, &here) novalidate data-guard="">
                    <Token />
                    <input type="hidden" name="form[task]" value=id.to_string() />
                    <input type="hidden" name="form[based_on]" value=based_on />
                    <div class="field">
                        <label for="text">"Text"</label>
                        <textarea id="text" name="form[text]" rows="16" aria-invalid=wrong
                            aria-describedby="text-help text-problem">
                            {escaped(&typed)}
                        </textarea>
                        <p class="hint" id="text-help">"If empty, the standard text applies."</p>
                        <FieldProblem field="text" errors />
                    </div>
                    <div class="buttons"><button type="submit" data-shortcut="s">"Save letter text"</button></div>
                </form>
                <h2>"Placeholders"</h2>
                <dl class="facts">{placeholders}</dl>
            </PageLayout>
        })
    })
}
