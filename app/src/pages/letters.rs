//! Letters before erasure, to print. The pages are the text of a task, the letter to one user, the letters of a
//! preview, and the receipt after a single erasure.

mod receipt;
mod text;

pub use receipt::ReceiptPage;
pub use text::LetterTextPage;

use crate::components::{
    Crumb, Logo, PageLayout, Pager, guarded_page, paging, path_param, query, task_link, user_address,
};
use crate::state::{actor, can_open, store};
use db::RecordsError;
use db::pagination::{Page, Paging};
use leptos::prelude::*;
use policy::dates;
use policy::{RunId, TaskId, UserNumber};
use task_centre::letter::{self, Letter};
use trail::library::{self, Library};

/// Prints the letter to one user, with the text of the default task or of the one in the address.
#[component]
pub fn UserLetterPage() -> impl IntoView {
    let number = path_param::<UserNumber>("user");
    let wanted = query("task").parse::<i64>().ok().map(TaskId);
    guarded_page(async move {
        let (store, number) = (store(), number?);
        let tasks = letter::tasks_with_letters(&store, actor()).await?;
        let chosen = tasks.iter().find(|(id, _)| Some(*id) == wanted).or(tasks.first()).cloned();
        let crumbs =
            vec![("Users".to_owned(), "/users".to_owned()), (format!("User {number}"), user_address(number))];
        let Some(task) = chosen else {
            return Ok(view! {
                <PageLayout title="Letter" crumbs>
                    <p class="empty">"There is no task that anonymises user data, so there is no letter."</p>
                </PageLayout>
            }
            .into_any());
        };
        let letter = match letter::to_user(&store, actor(), task.0, number).await {
            Ok(letter) => Ok(letter),
            // The letter of another task may be possible.
            Err(RecordsError::Refused(why)) => Err(why),
            Err(error) => return Err(error),
        };
        let library = library::read(&store.db).await?;
        let today = dates::shown(store.clock.today());
        let others = tasks.into_iter().filter(|(id, _)| *id != task.0).map(|(id, name)| {
            let href = format!("/users/{number}/letter?task={id}");
            view! { <li><a href=href>{name.description_for(actor())}</a></li> }
        });
        let others = others.collect_view();
        let edit = format!("/tasks/{}/letter", task.0);
        Ok(view! {
            <PageLayout title=format!("Letter to user {number}") crumbs>
                <div class="on-screen">
                    <p>
                        <button type="button" class="scripted" data-print="">"Print letter"</button>
                        " Print this page. The text is that of the task " {task_link(&task)} ". "
                        {can_open(&edit).then(|| view! { <a href=edit.clone()>"Edit letter text"</a> })}
                    </p>
                    <details class="more"><summary>"Letters of other tasks"</summary><ul>{others}</ul></details>
                </div>
                {match letter {
                    Ok(letter) => sheet(&library, &today, letter).into_any(),
                    Err(why) => view! { <p class="notice warning">{why}"."</p> }.into_any(),
                }}
            </PageLayout>
        }
        .into_any())
    })
}

/// Prints the letters to the eligible users of a preview, one page of them at a time.
#[component]
pub fn PreviewLettersPage() -> impl IntoView {
    let preview = path_param::<RunId>("preview");
    guarded_page(async move {
        let (store, preview) = (store(), preview?);
        let paging = Paging { rows: None, ..paging() };
        let Page { rows, next, .. } = letter::of_preview(&store, actor(), preview, &paging).await?;
        let library = library::read(&store.db).await?;
        let today = dates::shown(store.clock.today());
        let here = format!("/runs/{preview}");
        let crumbs: Vec<Crumb> = vec![
            ("Task centre".to_owned(), "/tasks".to_owned()),
            (format!("Preview {preview}"), here.clone()),
        ];
        let is_empty = rows.is_empty();
        let sheets = rows.into_iter().map(|letter| sheet(&library, &today, letter)).collect_view();
        let paged = paging.after.is_some();
        Ok(view! {
            <PageLayout title=format!("Letters of preview {preview}") crumbs>
                <p class="on-screen">
                    {(!is_empty).then(|| view! {
                        <button type="button" class="scripted" data-print="">"Print letters"</button> " "
                    })}
                    {if is_empty {
                        "The preview has no users to anonymise, so there are no letters."
                    } else {
                        "Print this page: each letter begins on a new sheet. Further letters are on the next page."
                    }}
                </p>
                {sheets}
                <Pager list=format!("{here}/letters") paged next />
            </PageLayout>
        })
    })
}

/// Renders a letter on its own sheet.
fn sheet(library: &Library, today: &str, letter: Letter) -> impl IntoView + use<> {
    let logo = library.logo_digest.clone().map(|digest| view! { <Logo digest /> });
    let sender = [library.name.clone(), library.address.clone()].into_iter().flatten().collect::<Vec<_>>();
    view! {
        <article class="letter" aria-label=format!("Letter to user {}", letter.number)>
            <div class="sender">{logo} <p class="lines">{sender.join("\n")}</p></div>
            <p class="letter-date">{today.to_owned()}</p>
            <p class="lines">{letter.text}</p>
        </article>
    }
}
