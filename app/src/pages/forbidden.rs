//! The page shown instead of one without permission.

use crate::components::{PageLayout, query};
use leptos::prelude::*;

/// The address under which the page is rendered. The browser keeps the address of the requested page.
pub const FORBIDDEN: &str = "/forbidden";

/// Shows the missing permission.
#[component]
pub fn ForbiddenPage() -> impl IntoView {
    let what = policy::Action::ALL.into_iter().find(|action| action.code() == query("what"));
    let label = what.map_or("see this page", policy::Action::label);
    view! {
        <PageLayout title="Not allowed">
            <p>"You do not have permission to " {label} ". Ask an administrator for a role that has it."</p>
            <p><a href="/">"Go to the overview"</a></p>
        </PageLayout>
    }
}
