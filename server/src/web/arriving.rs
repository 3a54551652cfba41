//! Forms on their way. Whoever sends one slowly takes no place from those who are answered, and from one address only so
//! many arrive at once.

use super::Outside;
use super::doors::peer_of;
use app::state::AppState;
use app::submission;
use app::throttle::network_of;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many forms may be on their way from one address.
pub(super) const FROM_ONE: usize = 32;
/// How many may be on their way in all: each can have two megabytes.
const IN_ALL: usize = 512;

/// From where forms are on their way, and how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// The place of a form that is on its way.
struct Place {
    arrivals: Arrivals,
    address: IpAddr,
}

impl Arrivals {
    /// A place for one more form from an address.
    fn place(&self, address: IpAddr) -> Option<Place> {
        let address = network_of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.values().sum::<usize>() >= IN_ALL {
            return None;
        }
        let count = counts.entry(address).or_default();
        if *count >= FROM_ONE {
            return None;
        }
        *count += 1;
        Some(Place { arrivals: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.arrivals.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// Waits until a form is there.
pub(super) async fn arrive(
    State((state, outside, arrivals)): State<(AppState, Outside, Arrivals)>,
    request: Request,
    next: Next,
) -> Response {
    // Nobody reads what comes with a question.
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let Some(place) = arrivals.place(outside.address_of(peer_of(&request), request.headers())) else {
        let why = "Too much is on its way to Lethe from where you are. Try again in a moment";
        return (StatusCode::TOO_MANY_REQUESTS, why).into_response();
    };
    let arrived = submission::arrive(request, state.form_time).await;
    drop(place);
    match arrived {
        Ok(request) => next.run(request).await,
        Err(status) => status.into_response(),
    }
}
