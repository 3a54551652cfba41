//! Elements and forms of a page, as a browser reads them.

use scraper::{ElementRef, Html, Selector};

pub(super) fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

/// Returns the fields of the form that posts to a function, as a browser would send them, without the token.
pub(super) fn form(page: &str, function: &str) -> String {
    let page = Html::parse_document(page);
    let form = all(&page, "form[method=post]")
        .into_iter()
        .find(|form| form.attr("action").unwrap_or_default().starts_with(function))
        .unwrap_or_else(|| panic!("there is no form for {function}"));
    let fields = Selector::parse("input, select, textarea").unwrap();
    let pairs: Vec<String> = form.select(&fields).filter_map(pair).collect();
    pairs.join("&")
}

fn pair(field: ElementRef<'_>) -> Option<String> {
    let name = field.attr("name").filter(|name| *name != "form_token")?;
    let value = match field.value().name() {
        "select" => {
            let chosen = Selector::parse("option[selected]").unwrap();
            field.select(&chosen).next()?.attr("value").unwrap_or_default().to_owned()
        }
        "textarea" => field.text().collect(),
        _ if field.attr("type") == Some("checkbox") && field.attr("checked").is_none() => return None,
        _ => field.attr("value").unwrap_or_default().to_owned(),
    };
    Some(format!("{}={}", name, encoded(&value)))
}

/// Percent-encodes a value.
pub(super) fn encoded(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
            _ => write!(text, "%{byte:02X}").unwrap(),
        }
        text
    })
}
