//! The layout of every page: top bar, breadcrumbs, actions panel, title.

use super::flash;
use super::modules::{Module, modules};
use super::undo::{Done, UndoChange};
use crate::components::{AskFirst, Banner, LibraryName, ProblemSummary, Shortcuts, SignOut, escaped};
use crate::form::{self, error_for};
use crate::help::help_for;
use crate::islands::{SessionWarning, ThemeSwitch, TimeLeft};
use crate::state::{can_open, session, store};
use crate::user_search::FindUsers;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use policy::UserNumber;
use trail::person;

/// One step of the breadcrumbs: label and address.
pub(crate) type Crumb = (String, String);

/// One entry of the actions panel.
#[derive(Clone, Debug)]
pub(crate) enum PageAction {
    /// Links to another page.
    Link {
        /// The label: verb and object.
        label: String,
        /// The page.
        href: String,
    },
    /// Links to the page that creates what this page lists. Has the shortcut `n`.
    Create {
        /// The label: verb and object.
        label: String,
        /// The page.
        href: String,
    },
    /// Links to a page with an irreversible action.
    Danger {
        /// The label: verb and object.
        label: String,
        /// The page.
        href: String,
    },
    /// Posts a form at once.
    Post {
        /// The label: verb and object.
        label: String,
        /// Path of the server function.
        function: &'static str,
        /// Hidden values of its form.
        values: Vec<(&'static str, String)>,
    },
    /// Posts a form after a confirmation.
    Ask {
        /// The label: verb and object.
        label: String,
        /// Path of the server function.
        function: &'static str,
        /// Hidden values of its form.
        values: Vec<(&'static str, String)>,
        /// The consequence, shown before the action.
        consequence: String,
    },
    /// An action that is not available here.
    Unavailable {
        /// The label: verb and object.
        label: String,
        /// The reason, and what to do instead.
        why: String,
    },
}

impl PageAction {
    /// Returns whether the caller has access to the action.
    fn can_open(&self) -> bool {
        match self {
            Self::Link { href, .. } | Self::Create { href, .. } | Self::Danger { href, .. } => can_open(href),
            Self::Post { function, .. } | Self::Ask { function, .. } => can_open(function),
            Self::Unavailable { .. } => true,
        }
    }
}

/// Renders a page: navigation, title, and the content.
#[component]
pub(crate) fn PageLayout(
    /// The title: heading of the page and, with the product's name, of the window.
    #[prop(into)]
    title: String,
    /// The name of the user that the page is about. Only the heading shows it, before the title: the browser's history
    /// keeps the title of the window.
    #[prop(optional_no_strip)]
    name: Option<String>,
    /// One sentence below the title.
    #[prop(optional, into)]
    lead: Option<String>,
    /// The breadcrumbs, without the page itself.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// The entries of the actions panel.
    #[prop(optional)]
    actions: Vec<PageAction>,
    /// The content.
    children: Children,
) -> impl IntoView {
    let here = use_location().pathname.get_untracked();
    let done = flash::code().and_then(|code| flash::message(&code));
    let actions: Vec<PageAction> = actions.into_iter().filter(PageAction::can_open).collect();
    let with_actions = !actions.is_empty();
    let heading = match name {
        Some(name) => {
            view! { <h1><span class="name">{name}</span> " " <small>{title.clone()}</small></h1> }.into_any()
        }
        None => view! { <h1>{title.clone()}</h1> }.into_any(),
    };
    view! {
        <Title text=escaped(&format!("{title} – Lethe")) />
        <a class="skip" href="#content">"Skip to content"</a>
        <WarnBeforeEnd />
        <TopBar here=here.clone() />
        <div data-live="banner"><Banner /></div>
        <div class="desk" class:with-actions=with_actions data-live-class="">
            {(here != "/").then(|| view! { <Crumbs crumbs title=title.clone() /> })}
            <div class="live" data-live="actions"><Actions actions page=here /></div>
            <main id="content" tabindex="-1">
                {heading}
                {lead.map(|lead| view! { <p class="lead" data-live="lead" aria-live="polite">{lead}</p> })}
                <ProblemSummary error=error_for(UndoChange::PATH) />
                {done.map(|label| view! { <Done label /> })}
                {children()}
            </main>
        </div>
    }
}

/// Warns the signed-in member of staff before the session ends.
#[component]
pub(crate) fn WarnBeforeEnd() -> impl IntoView {
    TimeLeft::rounded().map(|time| view! { <SessionWarning time /> })
}

#[component]
fn TopBar(here: String) -> impl IntoView {
    let (shown, more): (Vec<Module>, Vec<Module>) = modules().partition(|one| one.in_top_bar);
    let is_current = |href: &str| here.starts_with(href);
    let is_in_menu = more.iter().any(|one| is_current(one.href));
    let link = |one: Module| {
        let current = is_current(one.href) && !(one.in_top_bar && is_in_menu);
        view! { <li><a href=one.href aria-current=current.then_some("page") data-shortcut=one.shortcut>{one.label}</a></li> }
    };
    let menu = (!more.is_empty()).then(|| {
        view! {
            <li>
                <details class="menu">
                    <summary class:current=is_in_menu>"More"</summary>
                    <ul>{more.into_iter().map(link).collect_view()}</ul>
                </details>
            </li>
        }
    });
    let is_account = here.starts_with("/account");
    view! {
        <header class="top">
            <LibraryName />
            <nav aria-label="Modules"><ul>{shown.into_iter().map(link).collect_view()} {menu}</ul></nav>
            {can_open("/users").then(quick_search)}
            <a class="help" href=help_for(&here)>"Help"</a>
            <Shortcuts />
            <ThemeSwitch />
            {session().map(|session| account(session.user, is_account))}
        </header>
    }
}

fn quick_search() -> impl IntoView {
    view! {
        <form class="quick" role="search" method="post" action=form::action(FindUsers::PATH, "/users")>
            <form::Token />
            <label class="hidden" for="quick">"Find a user"</label>
            <input id="quick" type="search" name="form[q]" data-shortcut="/" placeholder="User number, name, e-mail, barcode" />
            <button type="submit">"Find user"</button>
        </form>
    }
}

/// Renders the name of the signed-in member of staff, the link to the account, and the sign-out button.
fn account(user: UserNumber, is_here: bool) -> impl IntoView {
    let store = store();
    let name = Suspend::new(async move {
        // If the database does not answer, the page itself reports it.
        let name = person::name_of(&store, user).await.ok().flatten();
        name.map(|name| view! { <span class="who">{name}</span> })
    });
    view! {
        <div class="account">
            {name}
            <a href="/account" aria-current=is_here.then_some("page")>"Account"</a>
            <form method="post" action=form::action(SignOut::PATH, "/sign-in")>
                <form::Token />
                <button class="link" type="submit">"Sign out"</button>
            </form>
        </div>
    }
}

#[component]
fn Crumbs(crumbs: Vec<Crumb>, title: String) -> impl IntoView {
    let steps = crumbs.into_iter().map(|(label, href)| view! { <li><a href=href>{label}</a></li> });
    view! {
        <nav class="crumbs" aria-label="Breadcrumbs">
            <ol>
                <li><a href="/">"Overview"</a></li>
                {steps.collect_view()}
                <li aria-current="page">{title}</li>
            </ol>
        </nav>
    }
}

#[component]
fn Actions(actions: Vec<PageAction>, page: String) -> impl IntoView {
    if actions.is_empty() {
        return ().into_any();
    }
    let items = actions.into_iter().map(|action| {
        let item = match action {
            PageAction::Link { label, href } => view! { <a href=href>{label}</a> }.into_any(),
            PageAction::Create { label, href } => {
                view! { <a href=href data-shortcut="n">{label}</a> }.into_any()
            }
            PageAction::Danger { label, href } => view! { <a class="danger" href=href>{label}</a> }.into_any(),
            PageAction::Post { label, function, values } => {
                let hidden = values
                    .into_iter()
                    .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> });
                view! {
                    <form method="post" action=form::action(function, &page)>
                        <form::Token />
                        {hidden.collect_view()}
                        <button class="link" type="submit">{label}</button>
                    </form>
                }
                .into_any()
            }
            PageAction::Ask { label, function, values, consequence } => {
                let page = page.clone();
                view! { <AskFirst function page values label consequence /> }.into_any()
            }
            PageAction::Unavailable { label, why } => {
                view! { <span class="not"><b>{label}</b><small>{why}</small></span> }.into_any()
            }
        };
        view! { <li>{item}</li> }
    });
    view! {
        <nav class="actions" aria-label="Actions">
            <h2>"Actions"</h2>
            <ul>{items.collect_view()}</ul>
        </nav>
    }
    .into_any()
}
