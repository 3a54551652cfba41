//! The forms of a page, read, filled and sent as by a browser.

use scraper::{ElementRef, Html, Selector};

/// A form on a page.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    /// The address to which the form is sent.
    pub(super) action: String,
    /// Whether the method is POST.
    pub(super) posts: bool,
    /// The named fields, in their order.
    pub(super) fields: Vec<Field>,
}

/// A named field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: FieldKind,
    /// The content. For a check box or radio button, the value that it sends.
    pub(super) value: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum FieldKind {
    Hidden,
    Text,
    Date,
    Picker,
    Lines,
    /// A check box or a radio button, and whether it is checked.
    Tick(bool),
    Radio(bool),
    File,
    /// A list, with the codes to choose from.
    List(Vec<String>),
}

fn select<'a>(of: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    of.select(&Selector::parse(selector).expect("a selector")).collect()
}

fn field(element: ElementRef<'_>) -> Option<Field> {
    let name = element.attr("name")?.to_owned();
    let mut value = element.attr("value").unwrap_or_default().to_owned();
    let is_set = element.attr("checked").is_some();
    let kind = match (element.value().name(), element.attr("type").unwrap_or("text")) {
        ("textarea", _) => {
            value = element.text().collect();
            FieldKind::Lines
        }
        ("select", _) => {
            let options = select(element, "option");
            let code = |option: &ElementRef<'_>| option.attr("value").unwrap_or_default().to_owned();
            let chosen = options.iter().find(|option| option.attr("selected").is_some()).or(options.first());
            value = chosen.map(code).unwrap_or_default();
            FieldKind::List(options.iter().map(code).collect())
        }
        (_, "hidden") => FieldKind::Hidden,
        (_, "checkbox") => FieldKind::Tick(is_set),
        (_, "radio") => FieldKind::Radio(is_set),
        (_, "date") => FieldKind::Picker,
        (_, "file") => FieldKind::File,
        _ if element.attr("class") == Some("date") && !name.contains("time") => FieldKind::Date,
        _ => FieldKind::Text,
    };
    Some(Field { name, kind, value })
}

/// Returns all forms of a page, apart from uploads, which are tested beside their pages.
pub(super) fn forms(page: &str) -> Vec<Rendered> {
    let page = Html::parse_document(page);
    select(page.root_element(), "form")
        .into_iter()
        .filter(|form| form.attr("enctype").is_none())
        .map(|form| Rendered {
            action: form.attr("action").unwrap_or_default().to_owned(),
            posts: form.attr("method") == Some("post"),
            fields: select(form, "input, select, textarea").into_iter().filter_map(field).collect(),
        })
        .collect()
}

/// Returns the form of a page whose address begins with `action` and that has visible fields.
pub(super) fn form(page: &str, action: &str) -> Rendered {
    let fits = |form: &Rendered| form.action.starts_with(action) && form.shown().next().is_some();
    // The quick search in the page layout posts to the same function as the search page.
    let found = forms(page).into_iter().filter(fits).max_by_key(|form| form.fields.len());
    found.unwrap_or_else(|| panic!("there is no form for {action}"))
}

impl Rendered {
    /// Returns the visible fields.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !matches!(field.kind, FieldKind::Hidden | FieldKind::Picker))
    }

    /// Sets a field. A radio button or check box is checked if it sends this value.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let mut found = false;
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            found = true;
            match &mut field.kind {
                FieldKind::Tick(set) | FieldKind::Radio(set) => *set = field.value == value,
                _ => value.clone_into(&mut field.value),
            }
        }
        assert!(found, "{name} is not a field of {}", self.action);
    }

    /// Returns the fields that a browser sends, decoded. [`Desk`](super::desk::Desk) adds the token.
    fn pairs(&self) -> Vec<(String, String)> {
        let sent = self
            .fields
            .iter()
            .filter(|field| !matches!(field.kind, FieldKind::Tick(false) | FieldKind::Radio(false)));
        sent.filter(|field| field.name != "form_token")
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect()
    }

    /// Returns the body that a browser sends.
    pub(super) fn body(&self) -> String {
        let pairs = self.pairs();
        let encoded = |text: &str| app::url::percent_encoded(text);
        pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect::<Vec<_>>()
            .join("&")
    }

    /// Returns the entries: the values of the visible fields, with dates as pages show them.
    pub(super) fn entered(&self) -> Vec<(String, String)> {
        let shown = self
            .shown()
            .filter(|field| !matches!(field.kind, FieldKind::Tick(false) | FieldKind::Radio(false)));
        shown
            .map(|field| (field.name.clone(), policy::dates::as_shown(&field.value).trim().to_owned()))
            .collect()
    }
}
