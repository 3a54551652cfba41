//! The web server: routes, layers, listening.

mod auth;
mod body_limit;
mod down;
mod events;
mod files;
mod health;
mod http_server;
mod maintenance;
mod metrics;
mod photo;
mod print;
mod readable;
mod request_log;
mod shares;
mod single_sign_on;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::oidc::Provider;
use crate::scheduler::{self, Heartbeat};
use anyhow::Context as _;
use app::form_post;
use app::routes::{App, Document};
use app::state::{AppState, Cookies, SingleSignOn};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use body_limit::{Arrivals, Watching};
use health::Watched;
use http_server::Patience;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::{LeptosRoutes, generate_route_list_with_exclusions};
use maintenance::Door;
use records::ledger::{self, LedgerStatus, Receipt};
use records::{Store, vitals};
pub(crate) use single_sign_on::RETURN;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

/// How long whoever is being answered, and a run in the middle of a batch, may take when the process is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a request may take until its answer begins. A preview of a million users takes some 20 seconds.
const LONGEST: Duration = Duration::from_mins(2);
/// How long whoever sends a form may be silent in the middle of it.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(30);
/// How many requests are answered at once; the others wait.
const AT_ONCE: usize = 256;

/// Serves, and lets tasks start by their schedules, until the process is told to stop. After a backup was restored
/// nobody is let in before the ledger is replayed.
pub(crate) async fn serve(config: &Config, store: Store) -> anyhow::Result<()> {
    let addr = config.listen_on()?;
    let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
    let address = config.address(listener.local_addr()?);
    let outside = Outside {
        provider: config.provider(&address)?,
        metrics_token: config.metrics_token()?,
        ..config.outside()
    };
    if config.cookies() == Cookies::Secure && outside.proxies.is_empty() {
        tracing::warn!(
            "LETHE_TRUSTED_PROXIES is not set: all requests appear to come from the proxy, so an attacker \
             who tries passwords blocks sign-in for all staff"
        );
    }
    let pulse = Heartbeat::default();
    let apart = apart(config, &store, &pulse).await?;
    let state = state(&config.assets_dir, store.clone(), config.cookies(), &outside);
    let desk = router(&state, &outside, pulse.clone());
    let door = maintenance_page(&store, outside.clone()).await?;
    let app = door.as_ref().map_or_else(|| desk.clone(), Door::router);
    tracing::info!("Lethe is at {address}");
    if !records::staff::anybody(&store).await? {
        tracing::warn!("No user can sign in yet. Run: lethe staff add NAME --role administrator");
    }
    let asked = store.clone();
    let serving = Box::pin(http_server::listen(listener, app, Patience::default(), &outside, async move {
        shutdown_signal().await;
        tracing::info!("stopping");
        asked.stop();
    }));
    let behind_the_desk = async {
        if let Some(door) = door {
            replay(&store, &door).await?;
            door.open(desk);
        }
        // After a restore nothing is written before the ledger is replayed.
        Box::pin(remember_protections(&store, config)).await?;
        scheduler::look(store.clone(), pulse).await;
        anyhow::Ok(())
    };
    let watching = async {
        vitals::watch(&store).await;
        anyhow::Ok(())
    };
    let out_of_patience = async {
        store.stopped().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = async {
            tokio::try_join!(async { anyhow::Ok(serving.await?) }, apart, watching, behind_the_desk)
        } => { ended?; }
        () = out_of_patience => tracing::warn!("some requests or tasks did not end in time and were \
                                                cancelled"),
    }
    Ok(())
}

/// Notes the settings that protect. While the database cannot be written it is tried again.
async fn remember_protections(store: &Store, config: &Config) -> anyhow::Result<()> {
    while let Err(error) = records::protection::remember(store, &config.settings()).await {
        if error.fault().is_none() {
            return Err(error.into());
        }
        tracing::warn!(code = error.code(), "the safety settings will be stored later");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = store.stopped() => return Ok(()),
        }
    }
    Ok(())
}

/// Listens at the address for those who watch the service, where there is one, until the process is asked to stop.
async fn apart(
    config: &Config,
    store: &Store,
    pulse: &Heartbeat,
) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + use<>> {
    let listener = match config.metrics_addr {
        None => None,
        Some(addr) => {
            let listener = TcpListener::bind(addr).await;
            Some(listener.with_context(|| format!("LETHE_METRICS_ADDR: cannot listen on {addr}"))?)
        }
    };
    let (asked, routes) = (store.clone(), Watched::apart(store.clone(), pulse.clone()).routes());
    let outside = config.outside();
    Ok(async move {
        let Some(listener) = listener else { return Ok(()) };
        tracing::info!("health and metrics are at http://{}", listener.local_addr()?);
        let stop = async move { asked.stopped().await };
        http_server::listen(listener, routes, Patience::default(), &outside, stop).await?;
        Ok(())
    })
}

/// The door that stays closed while the ledger is ahead of the database; none where they agree. Refuses to serve
/// where the ledger is of no use.
async fn maintenance_page(store: &Store, outside: Outside) -> anyhow::Result<Option<Door>> {
    let status = ledger::status(store).await?;
    let LedgerStatus::Ahead { people, .. } = status else {
        status.refuse_unless_level()?;
        return Ok(None);
    };
    tracing::warn!(people, "a backup was restored: the desk opens after the ledger has been replayed");
    Ok(Some(Door::closed(people, outside)))
}

/// Anonymises again whom a restored backup has brought back.
async fn replay(store: &Store, door: &Door) -> anyhow::Result<()> {
    if let Some(receipt) = ledger::replay(store, |people| door.tell(people)).await? {
        let Receipt { id, people, anonymised, already, absent, .. } = receipt;
        tracing::warn!(
            receipt = id,
            people,
            anonymised,
            already,
            absent,
            "the ledger was replayed and verified"
        );
    }
    Ok(())
}

/// Waits until somebody presses Ctrl-C or ends the service.
async fn shutdown_signal() {
    let pressed = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let ended = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut ended) => _ = ended.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let ended = std::future::pending::<()>();
    tokio::select! {
        () = pressed => {}
        () = ended => {}
    }
}

/// What the server knows of the outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// The name under which Lethe is asked for, besides those of this computer.
    pub(crate) name: Option<String>,
    /// Proxies that say the truth about from where a request comes.
    pub(crate) proxies: Vec<IpAddr>,
    /// The identity provider, where the library has one.
    pub(crate) provider: Option<Arc<Provider>>,
    /// The token that opens figures and conditions, where there is one.
    pub(crate) metrics_token: Option<Arc<str>>,
}

/// What is no page: its route, and what answers.
fn handlers(outside: &Outside) -> Vec<(&'static str, MethodRouter<AppState>)> {
    let mut handlers = vec![
        (FUNCTIONS, post(form_post::submit).get(form_post::back)),
        (ISLANDS, post(answer_island)),
        ("/events/runs/{id}", get(events::run_events)),
        ("/users/{id}/photo", get(photo::photo)),
        ("/tasks/{id}/export", get(files::export_task)),
        ("/runs/{id}/certificate.json", get(files::certificate)),
        ("/print.css", get(print::print_style)),
        ("/reports/{report}/csv", get(app::pages::report_csv)),
        ("/audit/csv", get(app::pages::audit_csv)),
    ];
    handlers.extend(single_sign_on::handlers(outside));
    handlers
}

/// The routes of all server functions.
const FUNCTIONS: &str = "/do/{*function}";
const ISLANDS: &str = "/api/{*function}";

/// The pages.
fn pages() -> Vec<leptos_axum::AxumRouteListing> {
    // Left to itself Leptos would give each server function a route of its own, past the handling of plain forms.
    let functions = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    generate_route_list_with_exclusions(App, Some(functions))
}

/// All routes, with what every answer carries.
fn router(state: &AppState, outside: &Outside, pulse: Heartbeat) -> Router {
    let context = state.clone();
    let document = Document::of(state);
    let pages = handlers(outside)
        .into_iter()
        .fold(Router::new(), |routes, (route, answer)| routes.route(route, answer))
        .leptos_routes_with_context(state, pages(), move || provide_context(context.clone()), {
            let document = document.clone();
            move || document.clone().view()
        })
        .with_state(state.clone())
        .route_layer(from_fn_with_state(state.clone(), auth::authorize))
        .route_layer(from_fn(request_log::logged))
        .fallback({
            let state = state.clone();
            move |request| page_not_found(state.clone(), request)
        })
        .layer(from_fn_with_state((state.clone(), outside.clone()), auth::authenticate))
        .layer(from_fn_with_state(state.clone(), down::while_up))
        .layer(header(CACHE_CONTROL, "no-store"));
    let watched = Watched::at_the_desk(state.store.clone(), pulse, outside.metrics_token.clone());
    let site = Path::new(&*state.options.site_root);
    Router::new()
        .nest_service("/pkg", assets(&site.join("pkg")))
        .route_service("/favicon.svg", tower_http::services::ServeFile::new(site.join("favicon.svg")))
        .merge(pages)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST))
        .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
        .layer(from_fn_with_state((state.clone(), outside.clone(), Arrivals::default()), body_limit::arrive))
        .merge(
            watched
                .routes()
                .layer(from_fn_with_state((outside.clone(), Watching::default()), body_limit::watch)),
        )
        .layer(from_fn(down::never_empty))
        .layer(RequestBodyTimeoutLayer::new(SILENCE))
        .layer(CsrfLayer::new())
        .layer(from_fn(readable::only_text))
        .layer(from_fn_with_state(outside.clone(), auth::only_under_own_name))
        .layer(CatchPanicLayer::new())
        // Pages have a policy of their own; nothing else is to be shown as a page.
        .layer(header(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(REFERRER_POLICY, "same-origin"))
        .layer(header(STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"))
        .layer(header(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(header(
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ))
}

/// What the pages share.
fn state(site: &Path, store: Store, cookies: Cookies, outside: &Outside) -> AppState {
    let single_sign_on = outside.provider.as_ref().map(|provider| SingleSignOn(provider.name().into()));
    AppState {
        options: options(site),
        store,
        throttle: Arc::default(),
        cookies,
        single_sign_on,
        form_time: FORM_TIME,
    }
}

/// Answers a question of an island in the browser.
async fn answer_island(
    axum::extract::State(state): axum::extract::State<AppState>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let answer =
        leptos_axum::handle_server_fns_with_context(move || provide_context(state.clone()), request).await;
    form_post::with_status(answer.into_response()).await
}

/// An address at which there is no page.
const NOWHERE: &str = "/nowhere";

async fn page_not_found(state: AppState, request: axum::extract::Request) -> axum::response::Response {
    let (parts, _) = request.into_parts();
    // Never the page of the address itself: it came past the doors, and Leptos may read it as the address of a page.
    form_post::render(&state, NOWHERE, parts.extensions, || ()).await
}

fn header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Compiled assets under hashed names: compressed beforehand, cached for ever. One that is not there may come later.
fn assets(folder: &Path) -> Router {
    let files = ServeDir::new(folder).precompressed_br().precompressed_gzip();
    let cache = |response: &Response| {
        let is_found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        let cache = if is_found { "public, max-age=31536000, immutable" } else { "no-store" };
        Some(HeaderValue::from_static(cache))
    };
    Router::new().fallback_service(files).layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, cache))
}

/// How Leptos finds the compiled assets.
fn options(site: &Path) -> LeptosOptions {
    let hashes = std::path::absolute(site.join("hash.txt")).unwrap_or_else(|_| site.join("hash.txt"));
    let present = hashes.exists();
    LeptosOptions::builder()
        .output_name("lethe")
        .site_root(site.to_string_lossy().into_owned())
        .site_pkg_dir("pkg")
        .hash_files(present)
        .hash_file(hashes.to_string_lossy().as_ref().into())
        .build()
}
