//! The forms of a page, as a browser reads, fills and sends them.

use scraper::{ElementRef, Html, Selector};

/// A form on a page.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    /// Where it is sent to.
    pub(super) action: String,
    /// Whether it is posted.
    pub(super) posts: bool,
    /// Its named fields, in their order.
    pub(super) fields: Vec<Field>,
}

/// A named field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What stands in it; of a tick or radio button, what it sends.
    pub(super) value: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Hidden,
    Text,
    Date,
    Picker,
    Lines,
    /// A tick or a radio button, and whether it is set.
    Tick(bool),
    Radio(bool),
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
            Kind::Lines
        }
        ("select", _) => {
            let options = select(element, "option");
            let code = |option: &ElementRef<'_>| option.attr("value").unwrap_or_default().to_owned();
            let chosen = options.iter().find(|option| option.attr("selected").is_some()).or(options.first());
            value = chosen.map(code).unwrap_or_default();
            Kind::List(options.iter().map(code).collect())
        }
        (_, "hidden") => Kind::Hidden,
        (_, "checkbox") => Kind::Tick(is_set),
        (_, "radio") => Kind::Radio(is_set),
        (_, "date") => Kind::Picker,
        _ if element.attr("class") == Some("date") && !name.contains("time") => Kind::Date,
        _ => Kind::Text,
    };
    Some(Field { name, kind, value })
}

/// Every form of a page.
pub(super) fn forms(page: &str) -> Vec<Rendered> {
    let page = Html::parse_document(page);
    select(page.root_element(), "form")
        .into_iter()
        .map(|form| Rendered {
            action: form.attr("action").unwrap_or_default().to_owned(),
            posts: form.attr("method") == Some("post"),
            fields: select(form, "input, select, textarea").into_iter().filter_map(field).collect(),
        })
        .collect()
}

/// The form of a page whose address begins so, and that has something to fill in.
pub(super) fn form(page: &str, action: &str) -> Rendered {
    let fits = |form: &Rendered| form.action.starts_with(action) && form.shown().next().is_some();
    // The quick search in the frame posts to the same function as the search itself.
    let found = forms(page).into_iter().filter(fits).max_by_key(|form| form.fields.len());
    found.unwrap_or_else(|| panic!("there is no form for {action}"))
}

impl Rendered {
    /// The fields that a person fills.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !matches!(field.kind, Kind::Hidden | Kind::Picker))
    }

    /// Sets a field. A radio button or tick is set by what it sends.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let mut found = false;
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            found = true;
            match &mut field.kind {
                Kind::Tick(set) | Kind::Radio(set) => *set = field.value == value,
                _ => value.clone_into(&mut field.value),
            }
        }
        assert!(found, "{name} is no field of {}", self.action);
    }

    /// What a browser sends, decoded, without the token, which the desk adds.
    fn pairs(&self) -> Vec<(String, String)> {
        let sent =
            self.fields.iter().filter(|field| !matches!(field.kind, Kind::Tick(false) | Kind::Radio(false)));
        sent.filter(|field| field.name != "form_token")
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect()
    }

    /// What a browser sends.
    pub(super) fn body(&self) -> String {
        let pairs = self.pairs();
        let encoded = |text: &str| app::components::percent_encoded(text);
        pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect::<Vec<_>>()
            .join("&")
    }

    /// What was entered: a value for each field that is shown, dates as pages print them.
    pub(super) fn entered(&self) -> Vec<(String, String)> {
        let shown =
            self.shown().filter(|field| !matches!(field.kind, Kind::Tick(false) | Kind::Radio(false)));
        shown
            .map(|field| (field.name.clone(), policy::dates::as_shown(&field.value).trim().to_owned()))
            .collect()
    }
}
