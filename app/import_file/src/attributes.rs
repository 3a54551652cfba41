//! Attributes of users in one cell, as Koha exports them: `CLASS:2012,"NOTE:likes maps, and atlases"`.

/// Returns the value of an attribute. The case of codes doesn't matter. Several values are joined by semicolons.
pub(crate) fn value(cell: &str, code: &str) -> String {
    let mut values: Vec<String> = Vec::new();
    for attribute in split(cell) {
        if let Some((found, value)) = attribute.split_once(':')
            && found.trim().eq_ignore_ascii_case(code)
        {
            values.push(value.trim().to_owned());
        }
    }
    values.join("; ")
}

/// Returns whether the cell has an attribute with another code than these.
pub(crate) fn has_other<'a>(cell: &str, codes: impl Iterator<Item = &'a str> + Clone) -> bool {
    let is_known = |attribute: &String| {
        let code = attribute.split_once(':').map_or("", |(code, _)| code.trim());
        codes.clone().any(|known| known.eq_ignore_ascii_case(code))
    };
    let attributes = split(cell);
    attributes.iter().filter(|attribute| !attribute.trim().is_empty()).any(|attribute| !is_known(attribute))
}

/// Splits at commas outside quotation marks.
fn split(cell: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = cell.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(last) = parts.last_mut() else { break };
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                last.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => parts.push(String::new()),
            other => last.push(other),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_code() {
        let cell = "CLASS:2012,\"NOTE:likes maps, \"\"old\"\" ones\", club: chess,CLUB:maps,EMPTY:";
        assert_eq!(value(cell, "class"), "2012");
        assert_eq!(value(cell, "note"), "likes maps, \"old\" ones");
        assert_eq!(value(cell, "club"), "chess; maps");
        let codes = ["class", "NOTE", "club", "empty"];
        assert!(!has_other(cell, codes.into_iter()) && !has_other(" ", [].into_iter()));
        assert!(has_other(cell, ["class"].into_iter()) && has_other("no code", codes.into_iter()));
        assert_eq!((value(cell, "empty"), value(cell, "locker"), value("", "class")), <_>::default());
    }
}
