//! The list of keyboard shortcuts. The WebAssembly activates the element that has a shortcut in `data-shortcut`.

use super::modules::modules;
use crate::state::can_open;
use leptos::prelude::*;

/// Keys and effects of the shortcuts that are not those of a module.
const COMMON: [(&str, &str); 4] = [
    ("?", "Show the keyboard shortcuts"),
    ("n", "Create a user, task, field, key or webhook, on the page that lists them"),
    ("s", "Save the form"),
    ("g o", "Go to the overview"),
];

/// Shows the button that opens the list, and the list. Both are hidden without WebAssembly.
#[component]
pub(crate) fn Shortcuts() -> impl IntoView {
    let search = can_open("/users").then_some(("/", "Find a user"));
    let common = search.into_iter().chain(COMMON).map(|(keys, effect)| row(keys, effect.to_owned()));
    let pages = modules().filter_map(|one| Some(row(one.shortcut?, format!("Go to {}", one.label))));
    view! {
        <button class="keys scripted" type="button" popovertarget="shortcuts" data-shortcut="?"
            aria-label="Keyboard shortcuts" title="Keyboard shortcuts">
            "?"
        </button>
        <div id="shortcuts" popover="auto" role="dialog" aria-labelledby="shortcuts-heading">
            <h2 id="shortcuts-heading">"Keyboard shortcuts"</h2>
            <dl class="key-list">{common.collect_view()} {pages.collect_view()}</dl>
            <label class="choice">
                <input id="use-shortcuts" type="checkbox" checked autocomplete="off" />
                " Use keyboard shortcuts in this browser"
            </label>
            <p>
                <button type="button" popovertarget="shortcuts" popovertargetaction="hide">"Close list"</button>
            </p>
        </div>
    }
}

fn row(keys: &'static str, effect: String) -> impl IntoView {
    let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> " " });
    view! { <dt>{keys.collect_view()}</dt><dd>{effect}</dd> }
}
