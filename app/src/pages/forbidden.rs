//! What somebody sees who may not see a page.

use crate::components::{PageLayout, query};
use leptos::prelude::*;

/// The address under which it is rendered. It stands in the place of the page that was asked for.
pub const FORBIDDEN: &str = "/forbidden";

/// Says what somebody may not do.
#[component]
pub fn ForbiddenPage() -> impl IntoView {
    let what = policy::Action::ALL.into_iter().find(|action| action.code() == query("what"));
    let label = what.map_or("see this page", policy::Action::label);
    view! {
        <PageLayout title="Not allowed">
            <p>"You do not have permission to " {label} ". Ask an administrator for a role that does."</p>
            <p><a href="/">"Go to the start page"</a></p>
        </PageLayout>
    }
}
