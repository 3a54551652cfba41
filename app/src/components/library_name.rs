//! Logo and name of the library in the top bar.

use crate::state::store;
use leptos::prelude::*;
use trail::library;

/// Shows the logo, if there is one, the product, and the name of the library, with a link to the start page.
#[component]
pub(crate) fn LibraryName() -> impl IntoView {
    let store = store();
    Suspend::new(async move {
        // If the database does not answer, the page itself reports it.
        let library = library::read(&store.db).await.unwrap_or_default();
        view! {
            <a class="product" href="/" data-shortcut="g o">
                {library.logo_digest.map(|digest| view! { <Logo digest /> })} "Lethe"
                {library.name.map(|name| view! { " " <span class="library">{name}</span> })}
            </a>
        }
    })
}

/// Shows the logo. Its address changes with the picture, so that browsers can keep it.
#[component]
pub(crate) fn Logo(
    /// The digest of the picture.
    digest: String,
) -> impl IntoView {
    view! { <img class="logo" src=format!("/library/logo?v={digest}") alt="" /> }
}
