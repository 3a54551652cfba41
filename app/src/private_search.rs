//! What was looked for, in the addresses of lists. Whoever looks for a user types names, and an address stays in the
//! browser's history and in a proxy's log: so a search is posted, and leads to an address that holds it sealed.

use crate::components::percent_encoded;
use crate::error::AppError;
use crate::state::session;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use records::RecordsError;
use std::collections::BTreeMap;

/// The part of an address that is sealed.
const SEALED: &str = "find";
/// The values that may be personal: what was typed, and the key of the last row on a page.
const PERSONAL: [&str; 2] = ["q", "after"];
/// The longest search, in bytes. Each field has room for 200 characters.
const MAX_BYTES: usize = 4_096;

/// The address of a list for a search. Only what may be personal makes it a sealed one.
pub(crate) fn address(path: &str, values: &[(&str, String)]) -> Result<String, RecordsError> {
    let given: Vec<_> = values.iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    if given.is_empty() {
        return Ok(path.to_owned());
    }
    let search: Vec<String> =
        given.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value.trim()))).collect();
    let search = search.join("&");
    if !given.iter().any(|(name, _)| PERSONAL.contains(name)) {
        return Ok(format!("{path}?{search}"));
    }
    let session = session().ok_or(RecordsError::NotFound("session"))?;
    Ok(format!("{path}?{SEALED}={}", session.seal(&search)?))
}

/// Goes to the list that a posted search asks for.
pub(crate) fn redirect_to_search(path: &str, values: &[(&str, String)]) -> Result<(), AppError> {
    if values.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_BYTES {
        let why = "The search is too long: each field takes up to 200 characters";
        return Err(AppError::Refused(why.to_owned()));
    }
    leptos_axum::redirect(&address(path, values)?);
    Ok(())
}

/// A value of the page's address, whether it is sealed or not; None where it is not given.
pub(crate) fn value(name: &str) -> Option<String> {
    let plain = use_query_map().with_untracked(|query| query.get(name));
    opened().and_then(|mut search| search.remove(name)).or(plain)
}

/// Why the search in the page's address cannot be read, if it cannot.
pub(crate) fn problem() -> Option<AppError> {
    let why = "This search address is incomplete or belongs to another member of staff. Search again";
    (sealed().is_some() && opened().is_none()).then(|| AppError::Refused(why.to_owned()))
}

fn sealed() -> Option<String> {
    use_query_map().with_untracked(|query| query.get(SEALED))
}

fn opened() -> Option<BTreeMap<String, String>> {
    let search = session()?.open(&sealed()?)?;
    serde_qs::from_str(&search).ok()
}
