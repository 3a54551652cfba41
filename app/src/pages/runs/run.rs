//! One run or preview: chooses the page to render.

use super::members::{MemberPage, MemberSearch};
use super::preview::PreviewStatus;
use super::{announcement_preview, announcement_result, import_preview, import_result, preview, result};
use crate::components::{guarded_page, paging, path_param};
use crate::pages::approvals::second_person::SecondPerson;
use crate::state::{actor, store};
use db::RecordsError;
use leptos::prelude::*;
use policy::{AnnouncementSettings, RunId, RunKind, TaskSettings};
use task_centre::announcement;
use task_centre::run::{self, Run};
use trail::Store;
use transfer::import_history;

/// Shows one run or preview.
#[component]
pub fn RunPage() -> impl IntoView {
    let id = path_param::<RunId>("run");
    let search = MemberSearch::from_page();
    guarded_page(async move {
        let store = store();
        let run = run::read(&store, id?).await?;
        if matches!(run.settings, TaskSettings::ImportUsers(_)) {
            return import_page(&store, run).await;
        }
        let members = MemberPage::read(&store, &run, &search).await?;
        if let TaskSettings::AnnounceAnonymising(settings) = &run.settings {
            let settings = settings.clone();
            return announcement_page(&store, run, &settings, search, members).await;
        }
        if run.kind == RunKind::Preview {
            let around = preview::Surroundings {
                status: status(&store, run.id).await?,
                compared: run::comparison(&store, &run).await?,
                safety_limits: store.settings.safety_limits,
                second: SecondPerson::read(&store, actor(), run.id).await?,
            };
            Ok(preview::page(run, around, search, members).into_any())
        } else {
            Ok(result::page(run, store.settings.safety_limits, search, members).into_any())
        }
    })
}

/// Reads whether a preview can still be used.
async fn status(store: &Store, preview: RunId) -> Result<PreviewStatus, RecordsError> {
    Ok(PreviewStatus {
        why_not: run::why_not(store, preview).await?,
        newer: run::newer_preview(store, preview).await?,
        is_current: run::is_current(store, preview).await?,
    })
}

/// Returns the page of a run or preview that announces anonymising.
async fn announcement_page(
    store: &Store,
    run: Run,
    settings: &AnnouncementSettings,
    search: MemberSearch,
    members: MemberPage,
) -> Result<AnyView, RecordsError> {
    if run.kind != RunKind::Preview {
        let answers = announcement::answers(store, run.id).await?;
        let limits = store.settings.safety_limits;
        return Ok(announcement_result::page(run, (settings.sentence(), limits), answers, search, members)
            .into_any());
    }
    let around = announcement_preview::Surroundings {
        status: status(store, run.id).await?,
        second: SecondPerson::read(store, actor(), run.id).await?,
        example: announcement::example(store, settings).await?,
        cannot_send: announcement::why_not(store),
    };
    Ok(announcement_preview::page(run, settings.sentence(), around, search, members).into_any())
}

/// Returns the page of a run or preview that imports files.
async fn import_page(store: &Store, run: Run) -> Result<AnyView, RecordsError> {
    if run.kind != RunKind::Preview {
        return Ok(import_result::page(run, store.settings.safety_limits).into_any());
    }
    let status = status(store, run.id).await?;
    let second = SecondPerson::read(store, actor(), run.id).await?;
    let is_paged = paging().after.is_some();
    let report = match run.imports.first() {
        Some(import) => {
            let page = import_history::report_of(store, import.id, &paging()).await?;
            let differences = import_history::first_differences_of(store, import.id).await?;
            import_preview::Lines { differences, rows: page.rows, next: page.next, is_paged }
        }
        None => import_preview::Lines { is_paged, ..import_preview::Lines::default() },
    };
    Ok(import_preview::page(run, status, second, report).into_any())
}
