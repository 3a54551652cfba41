//! Notifications: the deliveries to staff and webhooks, the webhooks, and test messages.

mod actions;
mod deliveries;
mod webhooks;

use crate::components::{Notice, PageLayout, PostButton, ProblemSummary, guarded_page, paging};
use crate::error::AppError;
use crate::form::{error_for, failed_submission};
use crate::state::{actor, store};
use actions::{CreateWebhook, DisableWebhook, DiscardDelivery, RetryDelivery, SendTestMail, SendTestWebhook};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use notify::{mail, webhook};
use policy::form::FieldErrors;
use policy::notification::WebhookForm;

const HERE: &str = "/notifications";

/// Shows deliveries and webhooks, and the forms that change them.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    guarded_page(async move {
        let store = store();
        let mut errors = FieldErrors::default();
        let list = deliveries::list(&store, &mut errors, &paging()).await?;
        let hooks = webhook::list(&store, actor()).await?;
        let (typed, error) = match failed_submission::<WebhookForm>(CreateWebhook::PATH) {
            Some((typed, error)) => (typed, Some(error)),
            None => (WebhookForm::default(), error_for(CreateWebhook::PATH)),
        };
        let (secret, typed, error) = match error {
            Some(AppError::Shown(secrets)) => (secrets.into_iter().next(), WebhookForm::default(), None),
            error => (None, typed, error),
        };
        let of_buttons = [
            SendTestMail::PATH,
            SendTestWebhook::PATH,
            DisableWebhook::PATH,
            RetryDelivery::PATH,
            DiscardDelivery::PATH,
        ];
        let shown = error.clone().or_else(|| of_buttons.into_iter().find_map(error_for));
        Ok(view! {
            <PageLayout title="Notifications"
                lead="Lethe notifies staff by e-mail and other systems by webhooks. Messages contain numbers, no names.">
                {secret.map(shown_once)}
                <ProblemSummary error=shown.or(list.error) />
                {email(mail::is_configured(&store))}
                {webhooks::view(hooks)}
                {webhooks::form(typed, error.as_ref())}
                {list.content}
            </PageLayout>
        })
    })
}

fn shown_once(secret: String) -> impl IntoView {
    view! {
        <Notice kind="success">
            <p>
                "Copy this secret into the receiving system now. It will not be shown again. The receiver needs it to \
                 check signatures (Standard Webhooks)."
            </p>
            <p><code class="secret">{secret}</code></p>
        </Notice>
    }
}

fn email(is_configured: bool) -> impl IntoView {
    let content = if is_configured {
        view! {
            <p>"Each member of staff chooses events on the page "<a href="/account">"Your account"</a>"."</p>
            <PostButton function=SendTestMail::PATH page=HERE values=vec![] label="Send test e-mail to me" />
        }
        .into_any()
    } else {
        view! {
            <p>
                "Lethe cannot send e-mail. Set LETHE_SMTP_HOST and LETHE_MAIL_FROM, then restart the server."
            </p>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby="email">
            <h2 id="email">"E-mail"</h2>
            {content}
        </section>
    }
}
