//! Private searches. Search terms are names, and addresses stay in the browser's history and in proxy logs. A search
//! is therefore posted, and the address of its result contains it encrypted.

use crate::error::AppError;
use crate::state::session;
use crate::url::percent_encoded;
use db::RecordsError;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::collections::BTreeMap;

/// The encrypted query parameter.
const SEALED: &str = "find";
/// The values that may be personal: the search text, and the key of a row on a page.
const PERSONAL: [&str; 3] = ["q", "after", "before"];
/// The maximum size of a search, in bytes. Each field takes 200 characters.
const MAX_BYTES: usize = 4_096;

/// Returns the address of a list for a search. It is encrypted only if a value may be personal.
pub(crate) fn address(path: &str, values: &[(&str, String)]) -> Result<String, RecordsError> {
    let search = encoded(values);
    if search.is_empty() {
        return Ok(path.to_owned());
    }
    if !values.iter().any(|(name, value)| PERSONAL.contains(name) && !value.trim().is_empty()) {
        return Ok(format!("{path}?{search}"));
    }
    let session = session().ok_or(RecordsError::NotFound("session"))?;
    Ok(format!("{path}?{SEALED}={}", session.seal(&search)?))
}

/// Returns names and values as an address has them, without empty ones.
pub(crate) fn encoded(values: &[(&str, String)]) -> String {
    let given = values.iter().filter(|(_, value)| !value.trim().is_empty());
    let given = given.map(|(name, value)| format!("{name}={}", percent_encoded(value.trim())));
    given.collect::<Vec<_>>().join("&")
}

/// Redirects to the list of a posted search.
pub(crate) fn redirect_to_search(path: &str, values: &[(&str, String)]) -> Result<(), AppError> {
    if values.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_BYTES {
        let why = "The search is too long: each field takes up to 200 characters";
        return Err(AppError::Refused(why.to_owned()));
    }
    leptos_axum::redirect(&address(path, values)?);
    Ok(())
}

/// Returns a value of the page's address, encrypted or not. None if the address does not contain it.
pub(crate) fn value(name: &str) -> Option<String> {
    let plain = use_query_map().with_untracked(|query| query.get(name));
    opened().and_then(|mut search| search.remove(name)).or(plain)
}

/// Returns why the encrypted search of the page's address cannot be read. None if it can, or if there is none.
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
