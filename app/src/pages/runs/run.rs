//! One run or preview: chooses the page to render.

use super::members::{MemberPage, MemberSearch};
use super::{preview, result};
use crate::components::{guarded_page, path_param};
use crate::pages::approvals::second_person::SecondPerson;
use crate::state::{actor, store};
use leptos::prelude::*;
use policy::{RunId, RunKind};
use task_centre::run;

/// Shows one run or preview.
#[component]
pub fn RunPage() -> impl IntoView {
    let id = path_param::<RunId>("run");
    let search = MemberSearch::from_page();
    guarded_page(async move {
        let store = store();
        let run = run::read(&store, id?).await?;
        let members = MemberPage::read(&store, &run, &search).await?;
        if run.kind == RunKind::Preview {
            let why_not = run::why_not(&store, run.id).await?;
            let second = SecondPerson::read(&store, actor(), run.id).await?;
            let newer = run::newer_preview(&store, run.id).await?;
            Ok(preview::page(run, preview::PreviewStatus { why_not, newer }, second, search, members)
                .into_any())
        } else {
            Ok(result::page(run, store.settings.safety_limits, search, members).into_any())
        }
    })
}
