//! Escapes text for the two places where Leptos writes text unescaped: the title of the document and the content of a
//! `<textarea>`.

/// Escapes a text for `<title>` and `<textarea>`.
pub(crate) fn escaped(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_text_ends_the_element_around_it() {
        assert_eq!(escaped("</title><b>&amp;"), "&lt;/title&gt;&lt;b&gt;&amp;amp;");
        assert_eq!(escaped("O’Brien “quoted” 'n' \"so\""), "O’Brien “quoted” 'n' \"so\"");
    }
}
