//! The tabs of the form, with the usual keys. Without WebAssembly there are no tabs and all sections are shown.

use super::inputs::Form;
use leptos::prelude::*;
use leptos::web_sys::{HtmlElement, KeyboardEvent};
use policy::numbers::counted;
use policy::task_form::Tab;
use wasm_bindgen::JsCast as _;

/// The tabs, with the number of problems of each.
#[component]
pub(super) fn TabList(form: Form, tab: RwSignal<Tab>, awake: RwSignal<bool>) -> impl IntoView {
    let key = move |event: KeyboardEvent| {
        let here = Tab::ALL.iter().position(|one| *one == tab.get_untracked()).unwrap_or(0);
        let to = match event.key().as_str() {
            "ArrowRight" => (here + 1) % Tab::ALL.len(),
            "ArrowLeft" => (here + Tab::ALL.len() - 1) % Tab::ALL.len(),
            "Home" => 0,
            "End" => Tab::ALL.len() - 1,
            _ => return,
        };
        event.prevent_default();
        tab.set(Tab::ALL[to]);
        focus_when_shown(&button_id(Tab::ALL[to]));
    };
    let buttons = Tab::ALL.map(|one| {
        let selected = move || tab.get() == one;
        let wrong = move || {
            let count = form.problems_of(one);
            (count > 0).then(|| counted(i64::try_from(count).unwrap_or(i64::MAX), "error", "errors"))
        };
        view! {
            <button
                type="button"
                role="tab"
                id=button_id(one)
                aria-controls=one.code()
                aria-selected=move || if selected() { "true" } else { "false" }
                tabindex=move || if selected() { "0" } else { "-1" }
                on:click=move |_| tab.set(one)
            >
                {one.label()} " " <span class="wrong">{wrong}</span>
            </button>
        }
    });
    view! {
        <div class="tabs" role="tablist" aria-label="Parts of the task" hidden=move || !awake.get() on:keydown=key>
            {buttons}
        </div>
    }
}

fn button_id(tab: Tab) -> String {
    format!("{}-tab", tab.code())
}

/// Returns the role of a section: it is a tab panel only if there are tabs.
pub(super) fn panel_role(awake: RwSignal<bool>) -> impl Fn() -> &'static str {
    move || if awake.get() { "tabpanel" } else { "region" }
}

/// Returns the id of the element that names a panel.
pub(super) fn panel_label(tab: Tab) -> String {
    button_id(tab)
}

/// Returns the tab in the fragment of the address, as in `/tasks/new#schedule`.
pub(super) fn named_in_address() -> Option<Tab> {
    let hash = window().location().hash().ok()?;
    Tab::ALL.into_iter().find(|tab| hash.trim_start_matches('#') == tab.code())
}

/// Focuses an element after the page has changed.
pub(super) fn focus_when_shown(id: &str) {
    let id = id.to_owned();
    request_animation_frame(move || {
        let element =
            document().get_element_by_id(&id).and_then(|found| found.dyn_into::<HtmlElement>().ok());
        if let Some(element) = element {
            let _ = element.focus();
        }
    });
}
