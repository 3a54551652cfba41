//! Renders a document. The text is part of the program, not of the library's data.

use super::HELP;
use super::documents::{DOCUMENTS, Document};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Returns the content of the page of a document.
pub(crate) fn html(document: &Document) -> String {
    rendered(document.text)
}

/// Returns the HTML of a text, without its first heading, which is the title of the page.
fn rendered(text: &str) -> String {
    let text = text.split_once('\n').map_or("", |(_, rest)| rest);
    let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut shown = Vec::with_capacity(events.len());
    let (mut links, mut tables) = (Vec::new(), 0);
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let id = Some(CowStr::from(slug(&heading(&events[place + 1..]))));
                let (level, classes, attrs) = (*level, classes.clone(), attrs.clone());
                shown.push(Event::Start(Tag::Heading { level, id, classes, attrs }));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let address = address(dest_url);
                links.push(address.is_some());
                if let Some(address) = address {
                    shown.push(Event::Start(Tag::Link {
                        link_type: *link_type,
                        dest_url: address.into(),
                        title: title.clone(),
                        id: id.clone(),
                    }));
                }
            }
            Event::End(TagEnd::Link) => {
                if links.pop() == Some(true) {
                    shown.push(event.clone());
                }
            }
            // The keyboard scrolls a wide table or listing.
            Event::Start(Tag::Table(_)) => {
                tables += 1;
                let region = format!(
                    "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table {tables}\">"
                );
                shown.extend([Event::Html(region.into()), event.clone()]);
            }
            Event::End(TagEnd::Table) => shown.extend([event.clone(), Event::Html("</div>".into())]),
            Event::Start(Tag::CodeBlock(_)) => shown.push(Event::Html("<pre tabindex=\"0\"><code>".into())),
            Event::End(TagEnd::CodeBlock) => shown.push(Event::Html("</code></pre>".into())),
            Event::Html(text) | Event::InlineHtml(text) => shown.push(Event::Text(text.clone())),
            other => shown.push(other.clone()),
        }
    }
    let mut page = String::with_capacity(text.len() * 2);
    html::push_html(&mut page, shown.into_iter());
    page
}

/// Returns the text of a heading, whose events begin here.
fn heading(events: &[Event<'_>]) -> String {
    let of_heading = events.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    let texts = of_heading.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect()
}

/// Returns the id of a heading, as code hosting sites make it, so that links work in both places.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, '-' | '_')).collect()
}

/// Returns the address to which a link of a document leads. None if its target is not part of the help.
fn address(link: &str) -> Option<String> {
    if link.starts_with('#') || link.starts_with("https://") {
        return Some(link.to_owned());
    }
    let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
    let name = file.strip_suffix(".md")?;
    let document = DOCUMENTS.iter().find(|one| one.name == name)?;
    let heading = heading.map(|heading| format!("#{heading}")).unwrap_or_default();
    Some(format!("{HELP}/{}{heading}", document.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_document_becomes_a_page() {
        let page = rendered(
            "# Title\n\n## One `word`, two\n\nSee [tasks](tasks.md#run), [here](#one-word-two) and \
             [the code](../app/src/lib.rs).\n\n| a | b |\n|---|---|\n| 1 | <b> |\n\n```\nlethe\n```\n",
        );
        for part in [
            "<h2 id=\"one-word-two\">One <code>word</code>, two</h2>",
            "<a href=\"/help/tasks#run\">tasks</a>",
            "<a href=\"#one-word-two\">here</a>",
            "and the code.",
            "aria-label=\"Table 1\"><table>",
            "&lt;b&gt;",
            "<pre tabindex=\"0\"><code>lethe\n</code></pre>",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert!(!page.contains("Title") && !page.contains("lib.rs"));
    }

    #[test]
    fn every_link_leads_to_a_heading() {
        let pages: Vec<(String, String)> = DOCUMENTS.iter().map(|one| (one.address(), html(one))).collect();
        let ids = |html: &str| -> BTreeSet<String> {
            html.split(" id=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
        };
        for (address, html) in &pages {
            for href in html.split("href=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)) {
                if href.starts_with("https://") {
                    continue;
                }
                let (page, heading) = href.split_once('#').unwrap_or((href, ""));
                let page = if page.is_empty() { address } else { page };
                let found = pages.iter().find(|(one, _)| one == page);
                let (_, target) = found.unwrap_or_else(|| panic!("{address} links to {href}"));
                assert!(heading.is_empty() || ids(target).contains(heading), "{address} links to {href}");
            }
        }
    }

    #[test]
    fn every_column_of_a_table_has_a_header() {
        for document in DOCUMENTS {
            assert!(!html(document).contains("<th></th>"), "{}", document.title());
        }
    }
}
