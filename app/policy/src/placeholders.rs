//! Texts with placeholders such as `{name}`, which are filled for each user.

use crate::form::Problem;

/// The placeholders of one kind of text.
pub(crate) trait Placeholders: Copy {
    /// Returns the placeholder with this word between its braces, or `None` if there is none.
    fn from_word(word: &str) -> Option<Self>;
}

/// A part of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part<'a, P> {
    Text(&'a str),
    Placeholder(P),
}

/// Splits a text at its placeholders.
fn parts<P: Placeholders>(text: &str) -> Result<Vec<Part<'_, P>>, Problem> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let unknown = |word: &str| Problem::UnknownPlaceholder { word: word.chars().take(40).collect() };
        let (word, after) = after.split_once('}').ok_or_else(|| unknown(after))?;
        let placeholder = P::from_word(word).ok_or_else(|| unknown(word))?;
        parts.extend([Part::Text(before), Part::Placeholder(placeholder)]);
        rest = after;
    }
    if rest.contains('}') {
        return Err(Problem::UnknownPlaceholder { word: String::new() });
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// Returns the placeholders of a text. Rejects unknown ones.
pub(crate) fn in_text<P: Placeholders>(text: &str) -> Result<Vec<P>, Problem> {
    let of_part = |part| match part {
        Part::Text(_) => None,
        Part::Placeholder(placeholder) => Some(placeholder),
    };
    Ok(parts(text)?.into_iter().filter_map(of_part).collect())
}

/// Fills the placeholders of a validated text. A placeholder in a value stays text.
pub(crate) fn filled<P: Placeholders>(text: &str, value: impl Fn(P) -> String) -> String {
    let Ok(parts) = parts(text) else { return text.to_owned() };
    let part = |part: Part<'_, P>| match part {
        Part::Text(text) => text.to_owned(),
        Part::Placeholder(placeholder) => value(placeholder),
    };
    parts.into_iter().map(part).collect()
}
