//! Updates a page in place: fetches it again and replaces the regions (`data-live`) that have changed. The page never
//! reloads itself, because that would cancel what a user has begun.
//!
//! A region with the focus, selected text or typed text is replaced later. All regions wait while a dialog is open or
//! the browser leaves the page.

use super::cards;
use super::dom::elements;
use crate::background_request::BACKGROUND_QUERY;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::Cell;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::js_sys::{Date, Promise};
use web_sys::{
    Document, DomParser, Element, HtmlDetailsElement, HtmlInputElement, HtmlTextAreaElement, Node, Response,
    SupportedType,
};

/// Duration for which a navigation counts as under way, in milliseconds. A download never leaves the page.
const NAVIGATION_TIMEOUT_MS: f64 = 10_000.0;
/// The interval at which a region in use is checked again.
const IN_USE_INTERVAL_MS: i32 = 500;
/// The interval at which the page is fetched again while something on it is under way or the server is not reached,
/// in milliseconds.
const FETCH_INTERVAL_MS: i32 = 3_000;

/// The attribute that names a region.
const REGION: &str = "data-live";
/// The selector of elements whose classes follow those of the new page.
const CLASSES: &str = "[data-live-class]";
/// The selector of something under way: the page will change again.
const PENDING: &str = "[data-pending]";

thread_local! {
    /// The time at which the browser last began to leave the page.
    static LEFT_AT: Cell<Option<f64>> = const { Cell::new(None) };
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Records from now on when the browser begins to leave the page.
pub(super) fn watch_navigation() {
    if IS_WATCHING.replace(true) {
        return;
    }
    let leaves = Closure::<dyn Fn()>::new(|| LEFT_AT.set(Some(Date::now())));
    let _ = window().add_event_listener_with_callback("beforeunload", leaves.as_ref().unchecked_ref());
    leaves.forget();
}

/// Returns whether the browser is leaving the page.
pub(super) fn is_navigating() -> bool {
    LEFT_AT.get().is_some_and(|at| Date::now() - at < NAVIGATION_TIMEOUT_MS)
}

/// The result of fetching the page.
enum FetchResult {
    Page(Document),
    /// The server was not reached or did not answer.
    None,
    /// The session has ended, or the page no longer exists.
    Closed,
}

/// Updates the page until nothing on it is under way.
pub(super) fn bring_up_to_date() {
    watch_navigation();
    spawn_local(async {
        loop {
            match fetch_page().await {
                FetchResult::Page(new) => {
                    while !replace_regions(&new) {
                        sleep(IN_USE_INTERVAL_MS).await;
                    }
                    if !has(&new, PENDING) {
                        return;
                    }
                }
                FetchResult::None => {}
                FetchResult::Closed => return,
            }
            sleep(FETCH_INTERVAL_MS).await;
        }
    });
}

/// Fetches this page by a background request, which does not extend the session.
async fn fetch_page() -> FetchResult {
    let location = window().location();
    let (path, search) = (location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    let mark = if search.is_empty() { '?' } else { '&' };
    let address = format!("{path}{search}{mark}{BACKGROUND_QUERY}");
    let Ok(response) = JsFuture::from(window().fetch_with_str(&address)).await else {
        return FetchResult::None;
    };
    let Ok(response) = response.dyn_into::<Response>() else { return FetchResult::None };
    match response.status() {
        200 => {}
        401 | 403 | 404 => return FetchResult::Closed,
        _ => return FetchResult::None,
    }
    let page = async {
        let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
        DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)
    };
    let Ok(page) = page.await else { return FetchResult::None };
    cards::label(&page);
    FetchResult::Page(page)
}

/// Replaces the changed regions of the page. Returns false if a region in use was left out.
fn replace_regions(new: &Document) -> bool {
    if is_navigating() || has(&document(), "dialog[open], :popover-open") {
        return false;
    }
    let mut is_whole = true;
    for region in elements(&document().query_selector_all(&format!("[{REGION}]"))) {
        let name = region.get_attribute(REGION).unwrap_or_default();
        let Ok(Some(fresh)) = new.query_selector(&format!("[{REGION}=\"{name}\"]")) else { continue };
        // An island of the new page would not be hydrated: its region is still under way.
        if has_within(&fresh, "leptos-island") || fresh.inner_html() == region.inner_html() {
            continue;
        }
        if is_in_use(&region) {
            is_whole = false;
        } else {
            keep_open(&region, &fresh);
            region.set_inner_html(&fresh.inner_html());
        }
    }
    for element in elements(&document().query_selector_all(CLASSES)) {
        if let Ok(Some(fresh)) = new.query_selector(CLASSES) {
            element.set_class_name(&fresh.class_name());
        }
    }
    is_whole
}

/// Returns whether a region is in use.
fn is_in_use(region: &Element) -> bool {
    let has_focus = document().active_element().is_some_and(|one| region.contains(Some(one.as_ref())));
    has_focus || has_selection(region) || has_typed_text(region)
}

/// Returns whether text of the region is selected.
fn has_selection(region: &Element) -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| {
        let node: &Node = region;
        !selection.is_collapsed()
            && selection.contains_node_with_allow_partial_containment(node, true).unwrap_or(true)
    })
}

fn has_typed_text(region: &Element) -> bool {
    elements(&region.query_selector_all("input, textarea")).iter().any(|one| {
        let input = one.dyn_ref::<HtmlInputElement>().map(|input| {
            input.value() != input.default_value() || input.checked() != input.default_checked()
        });
        let text = one
            .dyn_ref::<HtmlTextAreaElement>()
            .map(|text| text.default_value().is_ok_and(|before| before != text.value()));
        input.or(text).unwrap_or(false)
    })
}

/// Opens the disclosures of the new region that are open in the old one.
fn keep_open(region: &Element, fresh: &Element) {
    let all = |of: &Element| elements(&of.query_selector_all("details"));
    let title = |details: &Element| {
        details.query_selector("summary").ok().flatten().and_then(|summary| summary.text_content())
    };
    let old = all(region);
    for new in all(fresh) {
        let same = old.iter().find(|one| title(one) == title(&new));
        let is_open = same.and_then(|one| one.dyn_ref::<HtmlDetailsElement>()).map(HtmlDetailsElement::open);
        if let (Some(is_open), Some(new)) = (is_open, new.dyn_ref::<HtmlDetailsElement>()) {
            new.set_open(is_open);
        }
    }
}

fn has(page: &Document, selector: &str) -> bool {
    page.query_selector(selector).is_ok_and(|found| found.is_some())
}

fn has_within(region: &Element, selector: &str) -> bool {
    region.query_selector(selector).is_ok_and(|found| found.is_some())
}

async fn sleep(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}
