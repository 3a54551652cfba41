//! Text for the two places where Leptos writes what it is given as it stands, without a look at it: the title of the
//! document and the content of a `<textarea>`.

/// A text that stays text there, whatever somebody has written into it.
pub(crate) fn escaped(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_ends_the_element_that_it_stands_in() {
        assert_eq!(escaped("</title><b>&amp;"), "&lt;/title&gt;&lt;b&gt;&amp;amp;");
        assert_eq!(escaped("O’Brien “quoted” 'n' \"so\""), "O’Brien “quoted” 'n' \"so\"");
    }
}
