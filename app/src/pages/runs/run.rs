//! One run or preview: which page it gets.

use super::people::{Listed, People};
use super::{preview, result};
use crate::components::{named_in_path, page};
use crate::pages::approvals::second::Second;
use crate::state::{actor, store};
use leptos::prelude::*;
use policy::{RunId, RunKind};
use records::run;

/// One run or preview.
#[component]
pub fn RunPage() -> impl IntoView {
    let id = named_in_path::<RunId>("run");
    let people = People::asked_for();
    page(async move {
        let store = store();
        let run = run::read(&store, id?).await?;
        let members = Listed::read(&store, &run, &people).await?;
        if run.kind == RunKind::Preview {
            let why_not = run::why_not(&store, run.id).await?;
            let second = Second::of(&store, actor(), run.id).await?;
            let newer = run::newer_preview(&store, run.id).await?;
            Ok(preview::page(run, preview::PreviewStatus { why_not, newer }, second, people, members)
                .into_any())
        } else {
            Ok(result::page(run, store.settings().safety_limits, people, members).into_any())
        }
    })
}
