//! What was done, in words, shown once after a form was carried out (`?done=code`).

/// The words of a code; nothing for a code that is not known.
pub(crate) fn words(code: &str) -> Option<&'static str> {
    Some(match code {
        "task-saved" => "The task is saved.",
        _ => return None,
    })
}
