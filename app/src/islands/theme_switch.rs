//! The colour theme: light, dark, or that of the system.

use leptos::prelude::*;

/// The choices: the value of `data-theme`, and the label.
const THEMES: [(&str, &str); 3] = [("auto", "Auto"), ("light", "Light"), ("dark", "Dark")];

/// Switches the theme. Without WebAssembly the setting of the system applies and the switch is hidden.
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
