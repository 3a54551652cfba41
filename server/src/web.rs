//! The web server: routes, layers, start and stop.

mod auth;
mod body_limit;
mod down;
mod events;
mod files;
mod health;
mod http_server;
mod listed_file;
mod logo;
mod maintenance;
mod metrics;
mod photo;
mod print;
mod readable;
mod request_kind;
mod request_log;
mod scim;
mod shares;
mod single_sign_on;
#[cfg(test)]
mod tests;
mod upload;

use crate::config::Config;
use crate::network::NetworkConfig;
use crate::scheduler::{self, Heartbeat};
use crate::site::Site;
use anyhow::Context as _;
use app::form_post;
use app::routes::{App, Document};
use app::state::{AppState, Cookies, SingleSignOn};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get, post};
use body_limit::{InFlightProbes, InFlightRequests};
use erasure::ledger::{self, LedgerStatus, Receipt};
use health::Probes;
use http_server::ClientTimeouts;
use leptos::prelude::provide_context;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::{LeptosRoutes, generate_route_list_with_exclusions};
use listed_file::LISTED_FILE_ROUTE;
use logo::LOGO_UPLOAD_ROUTE;
use maintenance::MaintenanceGate;
use operations::heartbeat;
use std::sync::Arc;
use std::time::Duration;
use task_centre::replay;
use tokio::net::TcpListener;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use trail::Store;
use upload::UPLOAD_ROUTE;

/// Maximum duration of open requests, and of a run in the middle of a batch, after the shutdown signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Maximum duration of a request until its response begins. A preview of a million users takes about 20 seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(2);
/// Maximum duration of the upload of a file.
const UPLOAD_TIMEOUT: Duration = Duration::from_hours(1);
/// Maximum pause of a client while it sends a body.
const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum duration of sending a whole form.
const FORM_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum number of requests that are answered at the same time. Further requests wait.
const MAX_CONCURRENT_REQUESTS: usize = 256;

/// Serves the pages and runs the scheduler until the shutdown signal. After a restore, all requests get the maintenance
/// page until the ledger is replayed.
pub(crate) async fn serve(config: &Config, store: Store) -> anyhow::Result<()> {
    let addr = config.listen_on()?;
    let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
    let address = config.address(listener.local_addr()?);
    let network = NetworkConfig {
        provider: config.provider(&address)?,
        metrics_token: config.metrics_token()?,
        ..config.network()
    };
    config.check_mail_password()?;
    if config.cookies() == Cookies::Secure && network.proxies.is_empty() {
        tracing::warn!(
            "LETHE_TRUSTED_PROXIES is not set: all requests appear to come from the proxy, so an attacker \
             who tries passwords blocks sign-in for all staff"
        );
    }
    let heartbeat = Heartbeat::default();
    let monitoring = serve_monitoring(config, &store, &heartbeat).await?;
    let site = config.site();
    let state = state(&site, store.clone(), config.cookies(), &network);
    let routes = router(&state, &site, &network, heartbeat.clone());
    let gate = maintenance_gate(&store, network.clone()).await?;
    let app = gate.as_ref().map_or_else(|| routes.clone(), MaintenanceGate::router);
    tracing::info!("Lethe is at {address}");
    if !records::accounts::any_sign_in_configured(&store).await? {
        tracing::warn!("No user can sign in yet. Run: lethe staff add NAME --role administrator");
    }
    let stopping = store.clone();
    let serving =
        Box::pin(http_server::listen(listener, app, ClientTimeouts::default(), &network, async move {
            shutdown_signal().await;
            tracing::info!("stopping");
            stopping.stop();
        }));
    let background = async {
        if let Some(gate) = gate {
            replay(&store, &gate).await?;
            gate.open(routes);
        }
        // After a restore Lethe writes nothing before the ledger is replayed.
        Box::pin(remember_protections(&store, config)).await?;
        scheduler::run_until_stopped(store.clone(), heartbeat).await;
        anyhow::Ok(())
    };
    let watching = async {
        heartbeat::watch(&store).await;
        anyhow::Ok(())
    };
    let grace_is_over = async {
        store.stopped().await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        ended = async {
            tokio::try_join!(async { anyhow::Ok(serving.await?) }, monitoring, watching, background)
        } => { ended?; }
        () = grace_is_over => tracing::warn!("some requests or tasks did not end in time and were \
                                                cancelled"),
    }
    Ok(())
}

/// Stores the protective settings, to detect later whether they were weakened. Tries again while the database cannot be
/// written.
async fn remember_protections(store: &Store, config: &Config) -> anyhow::Result<()> {
    while let Err(error) = safeguards::protection::remember(store, &config.settings()).await {
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

/// Serves health and metrics at their own address, if one is set, until the process stops.
async fn serve_monitoring(
    config: &Config,
    store: &Store,
    heartbeat: &Heartbeat,
) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + use<>> {
    let listener = match config.metrics_addr {
        None => None,
        Some(addr) => {
            let listener = TcpListener::bind(addr).await;
            Some(listener.with_context(|| format!("LETHE_METRICS_ADDR: cannot listen on {addr}"))?)
        }
    };
    let routes = Probes::at_own_address(store.clone(), heartbeat.clone()).routes();
    let store = store.clone();
    let network = config.network();
    Ok(async move {
        let Some(listener) = listener else { return Ok(()) };
        tracing::info!("health and metrics are at http://{}", listener.local_addr()?);
        let stop = async move { store.stopped().await };
        http_server::listen(listener, routes, ClientTimeouts::default(), &network, stop).await?;
        Ok(())
    })
}

/// Returns a closed gate if the ledger is ahead of the database, or `None` if they match. Fails if the ledger is
/// unusable.
async fn maintenance_gate(store: &Store, network: NetworkConfig) -> anyhow::Result<Option<MaintenanceGate>> {
    let status = ledger::status(store).await?;
    let LedgerStatus::Ahead { people, .. } = status else {
        status.refuse_unless_level()?;
        return Ok(None);
    };
    tracing::warn!(people, "a backup was restored: pages are served after the ledger has been replayed");
    Ok(Some(MaintenanceGate::new(people, network)))
}

/// Anonymises again the users that a restored backup brought back.
async fn replay(store: &Store, gate: &MaintenanceGate) -> anyhow::Result<()> {
    if let Some(receipt) = replay::replay(store, |people| gate.set_progress(people)).await? {
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

/// Waits for Ctrl-C or SIGTERM.
async fn shutdown_signal() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// Returns the routes that are not pages, with their handlers.
fn handlers(network: &NetworkConfig) -> Vec<(&'static str, MethodRouter<AppState>)> {
    let mut handlers = vec![
        (FUNCTIONS, post(form_post::submit).get(form_post::redirect_to_page)),
        (ISLANDS, post(answer_island)),
        ("/events/runs/{id}", get(events::run_events)),
        ("/users/{id}/photo", get(photo::photo)),
        ("/users/{id}/data.json", get(app::pages::user_data_json)),
        ("/library/logo", get(logo::logo)),
        ("/tasks/{id}/export", get(files::export_task)),
        ("/runs/{id}/certificate.json", get(files::certificate)),
        ("/runs/{id}/users.csv", get(app::pages::members_csv)),
        ("/print.css", get(print::print_style)),
        ("/reports/{report}/csv", get(app::pages::report_csv)),
        ("/audit/csv", get(app::pages::audit_csv)),
        ("/users/import/{id}/lines.csv", get(app::pages::import_report_csv)),
    ];
    handlers.extend(single_sign_on::handlers(network));
    handlers
}

/// Maximum number of bytes that are read of a form with a small file. A handler keeps far fewer, but answers only then.
const MAX_SMALL_FILE_FORM_BYTES: usize = 32 * 1024 * 1024;
/// The routes that receive a file. They stream it, and have their own limits.
const UPLOAD_ROUTES: [&str; 3] = [UPLOAD_ROUTE, LISTED_FILE_ROUTE, LOGO_UPLOAD_ROUTE];
/// The route of all server functions.
const FUNCTIONS: &str = "/do/{*function}";
/// The route of the server functions that islands call.
const ISLANDS: &str = "/api/{*function}";

/// Returns the routes of the pages.
fn pages() -> Vec<leptos_axum::AxumRouteListing> {
    // Without this list Leptos would route each server function past `form_post`.
    let functions = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    generate_route_list_with_exclusions(App, Some(functions))
}

/// Builds all routes with their layers.
fn router(state: &AppState, site: &Site, network: &NetworkConfig, heartbeat: Heartbeat) -> Router {
    let context = state.clone();
    let document = Document::new(state);
    let pages = handlers(network)
        .into_iter()
        .fold(Router::new(), |routes, (route, answer)| routes.route(route, answer))
        .leptos_routes_with_context(state, pages(), move || provide_context(context.clone()), {
            let document = document.clone();
            move || document.clone().view()
        })
        .with_state(state.clone())
        .fallback({
            let state = state.clone();
            move |request| page_not_found(state.clone(), request)
        });
    let pages = guarded(pages, state, network);
    let small_file = DefaultBodyLimit::max(MAX_SMALL_FILE_FORM_BYTES);
    let uploads = Router::new()
        .route(UPLOAD_ROUTE, post(upload::receive).layer(DefaultBodyLimit::disable()))
        .route(LISTED_FILE_ROUTE, post(listed_file::receive).layer(small_file))
        .route(LOGO_UPLOAD_ROUTE, post(logo::receive).layer(small_file))
        .with_state(state.clone());
    let upload_timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, UPLOAD_TIMEOUT);
    let probes = Probes::at_main_address(state.store.clone(), heartbeat, network.metrics_token.clone());
    site.routes()
        .merge(pages)
        .merge(scim::routes(state, network))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .merge(guarded(uploads, state, network).layer(upload_timeout))
        .layer(GlobalConcurrencyLimitLayer::new(MAX_CONCURRENT_REQUESTS))
        .layer(from_fn_with_state(
            (state.clone(), network.clone(), InFlightRequests::default()),
            body_limit::limit_requests,
        ))
        .merge(probes.routes().layer(from_fn_with_state(
            (network.clone(), InFlightProbes::default()),
            body_limit::limit_probes,
        )))
        .layer(from_fn(down::fill_empty_503))
        .layer(RequestBodyTimeoutLayer::new(BODY_IDLE_TIMEOUT))
        .layer(CsrfLayer::new())
        .layer(from_fn(readable::reject_non_text_uri))
        .layer(from_fn_with_state(network.clone(), auth::reject_foreign_host))
        .layer(CatchPanicLayer::new())
        .layer(from_fn(scim::errors_as_scim))
        // Pages set their own policy. No other response may be shown as a page.
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

/// Adds authentication, authorization and the request log to routes. No answer of theirs is cached.
fn guarded(routes: Router, state: &AppState, network: &NetworkConfig) -> Router {
    routes
        .route_layer(from_fn_with_state(state.clone(), auth::authorize))
        .route_layer(from_fn(request_log::log_request))
        .layer(from_fn_with_state((state.clone(), network.clone()), auth::authenticate))
        .layer(from_fn_with_state(state.clone(), down::reject_while_down))
        .layer(header(CACHE_CONTROL, "no-store"))
}

/// Returns the state that pages and handlers share.
fn state(site: &Site, store: Store, cookies: Cookies, network: &NetworkConfig) -> AppState {
    let single_sign_on = network.provider.as_ref().map(|provider| SingleSignOn(provider.name().into()));
    AppState {
        options: site.options(),
        store,
        rate_limits: Arc::default(),
        cookies,
        single_sign_on,
        form_time: FORM_TIMEOUT,
    }
}

/// Answers a server function that an island calls.
async fn answer_island(
    axum::extract::State(state): axum::extract::State<AppState>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let answer =
        leptos_axum::handle_server_fns_with_context(move || provide_context(state.clone()), request).await;
    form_post::with_error_status(answer.into_response()).await
}

/// An address without a page.
const NOWHERE: &str = "/nowhere";

async fn page_not_found(state: AppState, request: axum::extract::Request) -> axum::response::Response {
    let (parts, _) = request.into_parts();
    // Do not render the requested address: it was not authorized, and Leptos may match it to a page.
    form_post::render(&state, NOWHERE, parts.extensions, || ()).await
}

fn header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
