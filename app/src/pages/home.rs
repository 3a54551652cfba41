//! The start page: what waits, the first steps, the next and last runs, the evidence, and the modules.

mod evidence;
mod first_steps;
mod runs;
mod waiting;

pub(crate) use evidence::VerifyAudit;

use crate::components::{PageLayout, ProblemSummary, guarded_page, modules};
use crate::form::error_for;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use operations::dashboard;
use policy::Action;

/// Shows what concerns the signed-in member of staff today.
#[component]
pub fn HomePage() -> impl IntoView {
    guarded_page(async {
        let (store, actor) = (store(), actor());
        let waiting = dashboard::waiting(&store, actor).await?;
        let steps = dashboard::first_steps(&store, actor).await?;
        let next = dashboard::next_runs(&store, actor).await?;
        let last = dashboard::last_runs(&store, actor).await?;
        let evidence = if actor.may(Action::SeeAudit) {
            let erasures = dashboard::erasures(&store, actor).await?;
            Some(evidence::section(&dashboard::evidence(&store, actor).await?, &erasures))
        } else {
            None
        };
        let runs = actor.may(Action::SeeTasks).then(|| runs::sections(next, last));
        Ok(view! {
            <PageLayout title="Overview" lead="Forget people, keep what the library learned.">
                <ProblemSummary error=error_for(VerifyAudit::PATH) />
                {first_steps::section(&steps)}
                {waiting::section(&waiting)}
                {runs}
                {evidence}
                {module_list()}
            </PageLayout>
        })
    })
}

fn module_list() -> impl IntoView {
    let modules = modules()
        .map(|one| view! { <li><a href=one.href><b>{one.label}</b><span>{one.about}</span></a></li> });
    view! {
        <h2>"Modules"</h2>
        <ul class="modules">{modules.collect_view()}</ul>
    }
}
