//! Light, dark, or as the computer has it.

use leptos::prelude::*;

/// The three choices: code for `data-theme`, and words.
const THEMES: [(&str, &str); 3] = [("auto", "Auto"), ("light", "Light"), ("dark", "Dark")];

/// Chooses the colours. Without WebAssembly the computer's own setting counts and the switch is not shown.
#[island]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new("auto".to_owned());
    let awake = RwSignal::new(false);
    Effect::new(move || {
        if let Some(saved) = storage().and_then(|storage| storage.get_item("theme").ok().flatten()) {
            theme.set(saved);
        }
        awake.set(true);
    });
    Effect::new(move || {
        let chosen = theme.get();
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-theme", &chosen);
        }
    });
    let choose = move |event| {
        let chosen = event_target_value(&event);
        if let Some(storage) = storage() {
            let _ = storage.set_item("theme", &chosen);
        }
        theme.set(chosen);
    };
    view! {
        <label class="theme" class:asleep=move || !awake.get()>
            <span class="hidden">"Colours"</span>
            <select on:change=choose prop:value=move || theme.get()>
                {THEMES.map(|(code, label)| view! { <option value=code>{label}</option> }).collect_view()}
            </select>
        </label>
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
