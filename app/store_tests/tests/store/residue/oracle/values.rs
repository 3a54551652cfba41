//! The values of an anonymised user: their kind, their weight, and their delimiters in a text.

use super::{Letter, letters, plain};
use db::entity::users;
use erasure::residue::ValueKind;

/// Where a value counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Weight {
    /// In the user's own rows only.
    Own,
    /// In free text: it could be a word.
    Weak,
    /// Anywhere.
    Strong,
}

/// The delimiters of a value in a text.
#[derive(Clone, Debug)]
pub enum Rule {
    Words,
    Number,
    LongKey,
    LongNumber,
    Email,
    Name,
    Phone { country: String, one: bool },
}

/// A value of a user, in one spelling.
#[derive(Clone, Debug)]
pub struct Value {
    pub kind: ValueKind,
    pub weight: Weight,
    pub rule: Rule,
    pub letters: Vec<Letter>,
    /// Its letters, as a word.
    pub word: String,
    /// Number of letters and digits that count.
    pub size: usize,
}

impl Value {
    pub fn is_name(&self) -> bool {
        use ValueKind::{FirstName, FullName, LastName, MiddleName, PreferredName};
        matches!(self.kind, FullName | LastName | FirstName | MiddleName | PreferredName)
    }
}

/// A kind and a text, as they are in a record.
pub type Field = (ValueKind, String);

/// Returns the identifying fields of a user record.
pub fn fields_of(user: &users::Model) -> Vec<Field> {
    let columns = [
        (ValueKind::UserId, &user.user_id),
        (ValueKind::FirstName, &user.first_name),
        (ValueKind::MiddleName, &user.middle_name),
        (ValueKind::LastName, &user.last_name),
        (ValueKind::PreferredName, &user.preferred_name),
        (ValueKind::Email, &user.email),
        (ValueKind::Phone, &user.phone),
        (ValueKind::Phone, &user.mobile),
        (ValueKind::Street, &user.street),
        (ValueKind::Postcode, &user.postcode),
        (ValueKind::Barcode, &user.barcode),
        (ValueKind::ExternalId, &user.external_id),
    ];
    let filled = columns.into_iter().filter_map(|(kind, text)| Some((kind, text.clone()?)));
    filled.filter(|(_, text)| !text.trim().is_empty()).collect()
}

/// Returns the forms in which letters and lists write the name of a user.
pub fn full_names(fields: &[Field]) -> Vec<String> {
    let part = |kind| {
        let found = fields.iter().find(|(found, _)| *found == kind);
        found.map(|(_, text)| text.trim().to_owned()).unwrap_or_default()
    };
    let [first, middle, preferred, last] =
        [ValueKind::FirstName, ValueKind::MiddleName, ValueKind::PreferredName, ValueKind::LastName]
            .map(part);
    let mut given = vec![preferred.clone(), first.clone()];
    if !first.is_empty() && !middle.is_empty() {
        given.push(format!("{first} {middle}"));
        given.push(format!("{first} {}.", middle.chars().next().unwrap_or_default()));
    }
    if !first.is_empty() && !preferred.is_empty() && first != preferred {
        given.push(format!("{first} ({preferred})"));
    }
    given.retain(|given| !given.is_empty() && !last.is_empty());
    given.iter().flat_map(|given| [format!("{given} {last}"), format!("{last}, {given}")]).collect()
}

/// Returns all values to search for: the fields of the record, the full name, custom fields, and addresses of
/// messages that no field contains.
pub fn values(fields: &[Field], custom: &[String], recipients: &[String]) -> Vec<Value> {
    let mut values = Vec::new();
    for (kind, text) in fields {
        for part in parts(*kind, text) {
            spell(&mut values, *kind, &part);
        }
    }
    for name in full_names(fields) {
        spell(&mut values, ValueKind::FullName, &name);
    }
    for text in custom {
        spell(&mut values, ValueKind::CustomValue, text);
    }
    for text in recipients {
        let text_letters = letters(text);
        let is_known = values.iter().any(|value| {
            value.weight == Weight::Strong
                && value.kind != ValueKind::FullName
                && !super::occurrences(value, &text_letters).is_empty()
        });
        let digits = text_letters.iter().filter(|letter| letter.plain.is_ascii_digit()).count();
        let kind = match text {
            text if text.contains('@') => ValueKind::Email,
            _ if digits >= 7 && digits + 2 >= text_letters.len() => ValueKind::Phone,
            _ => ValueKind::Address,
        };
        if !is_known && kind != ValueKind::Address {
            for part in parts(kind, text) {
                spell(&mut values, kind, &part);
            }
        } else if !is_known {
            spell(&mut values, kind, text);
        }
    }
    values
}

/// Splits a field with several numbers or addresses.
fn parts(kind: ValueKind, text: &str) -> Vec<String> {
    match kind {
        ValueKind::Phone => {
            // A plus sign begins a number, but before a zero it means "and".
            let text = text.replace('+', ",+");
            let mut numbers = Vec::new();
            for part in text.split(|char: char| ",;|&\n".contains(char) || char.is_alphabetic()) {
                let digits = part.trim_start_matches(|char: char| !char.is_numeric());
                let part = if digits.starts_with('0') { part.trim_start_matches('+') } else { part };
                let mut number = String::new();
                for piece in part.split('/') {
                    number += piece;
                    if count_digits(&number) >= 6 {
                        numbers.push(std::mem::take(&mut number));
                    }
                }
                numbers.push(number);
            }
            let several: Vec<String> = numbers.iter().flat_map(|number| runs(number)).collect();
            numbers.extend(several);
            numbers
        }
        ValueKind::Email => {
            let parts = text.split([' ', ',', ';', '<', '>', '(', ')', '"', '\n', '\t']);
            let parts: Vec<String> = parts.filter(|part| is_address(part)).map(str::to_owned).collect();
            if parts.is_empty() { vec![text.to_owned()] } else { parts }
        }
        _ => vec![text.to_owned()],
    }
}

fn count_digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// Splits more digits than one number has. Where each number begins is unknown.
fn runs(number: &str) -> Vec<String> {
    if !(16..=60).contains(&count_digits(number)) {
        return Vec::new();
    }
    let groups: Vec<&str> = number.split(|char: char| char != '+' && !char.is_numeric()).collect();
    let groups: Vec<&str> = groups.into_iter().filter(|group| !group.is_empty()).collect();
    let starts = 0..groups.len();
    let runs = starts.flat_map(|from| (from..groups.len()).map(move |to| (from, to)));
    runs.map(|(from, to)| groups[from..=to].join(" "))
        .filter(|run| (8..=15).contains(&count_digits(run)))
        .collect()
}

fn is_address(text: &str) -> bool {
    text.trim_matches('.')
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// Adds a value as it is, and as it is written without umlauts.
fn spell(values: &mut Vec<Value>, kind: ValueKind, text: &str) {
    values.extend(value(kind, text));
    let pairs = [("ä", "ae"), ("ö", "oe"), ("ø", "oe"), ("ü", "ue"), ("å", "aa")];
    let capitals = [("Ä", "Ae"), ("Ö", "Oe"), ("Ø", "Oe"), ("Ü", "Ue"), ("Å", "Aa")];
    let written =
        pairs.iter().chain(&capitals).fold(text.to_owned(), |text, (one, two)| text.replace(one, two));
    if written != text {
        values.extend(value(kind, &written));
    }
}

/// Returns a value, or `None` if it is too short or too common to be searched for.
pub fn value(kind: ValueKind, text: &str) -> Option<Value> {
    let (letters, phone) = if kind == ValueKind::Phone {
        let (local, rule) = phone(text);
        (letters(&local), Some(rule))
    } else {
        (letters(text), None)
    };
    let size = letters.len() + letters.iter().filter(|letter| letter.is_word).count();
    let has_digits = letters.iter().any(|letter| letter.plain.is_ascii_digit());
    let has_others = !letters.iter().all(|letter| letter.plain.is_ascii_digit());
    let strong_if = |strong: bool, or: Weight| if strong { Weight::Strong } else { or };
    let key = |rule: Rule| {
        let address = is_address(&plain(&letters)) && size >= 6;
        if address { (Weight::Strong, Rule::Email) } else { (Weight::Weak, rule) }
    };
    let (least, weight, rule) = match kind {
        ValueKind::UserId | ValueKind::Barcode | ValueKind::ExternalId | ValueKind::Identifier => {
            let rule = match (has_others, size >= 10) {
                (true, true) => Rule::LongKey,
                (true, false) => Rule::Words,
                (false, true) => Rule::LongNumber,
                (false, false) => Rule::Number,
            };
            let enough = if has_digits && has_others {
                5
            } else if has_digits {
                7
            } else {
                8
            };
            let (weight, rule) = key(rule);
            (3, strong_if(size >= enough, weight), rule)
        }
        ValueKind::Email => match key(Rule::Words) {
            (Weight::Strong, rule) => (3, Weight::Strong, rule),
            (_, rule) => (3, Weight::Own, rule),
        },
        ValueKind::CustomValue => {
            let (weight, rule) = key(if has_others { Rule::Words } else { Rule::Number });
            let is_enough = size >= 8 || has_digits || weight == Weight::Strong;
            (4, if is_enough { weight } else { Weight::Own }, rule)
        }
        ValueKind::Phone => (5, strong_if(size >= 7, Weight::Weak), phone?),
        ValueKind::FullName => (3, strong_if(size >= 5, Weight::Weak), Rule::Name),
        ValueKind::LastName => (0, Weight::Weak, Rule::Name),
        ValueKind::Street | ValueKind::Address => {
            (4, strong_if(has_digits && has_others && size >= 6, Weight::Own), Rule::Words)
        }
        ValueKind::FirstName | ValueKind::MiddleName | ValueKind::PreferredName => {
            (2, Weight::Own, Rule::Name)
        }
        ValueKind::Postcode => (4, Weight::Own, Rule::Words),
    };
    let is_enough = if kind == ValueKind::LastName { letters.len() >= 2 } else { size >= least };
    is_enough.then_some(Value { kind, weight, rule, word: plain(&letters), letters, size })
}

/// Returns the digits of a phone number, and whether a plus sign precedes them.
fn digits_of(text: &str) -> (String, bool) {
    let mut digits = String::new();
    for letter in letters(text) {
        match letter.plain {
            digit if digit.is_ascii_digit() => digits.push(digit),
            _ if digits.len() >= 6 => break,
            _ => {}
        }
    }
    let written = text.trim_start_matches(|char: char| char != '+' && !char.is_numeric());
    (digits, written.starts_with('+'))
}

/// Returns whether a field for phone numbers contains this number as a whole.
pub fn has_number(field: &str, value: &Value) -> bool {
    let Rule::Phone { country, one } = &value.rule else { return false };
    parts(ValueKind::Phone, field).iter().any(|part| {
        let (digits, plus) = digits_of(part);
        digits.strip_suffix(&value.word).is_some_and(|prefix| super::may_precede(prefix, plus, country, *one))
    })
}

/// Returns the digits of a phone number without country code and zeros, and the rule for its prefix.
fn phone(text: &str) -> (String, Rule) {
    let (digits, plus) = digits_of(text);
    let international = if plus { Some(&*digits) } else { digits.strip_prefix("00") };
    let (country, local) = match international {
        Some(digits) => {
            let code = COUNTRY_CODES.iter().find(|code| digits.starts_with(**code)).copied();
            let code = code.unwrap_or(&digits[..digits.len().min(3)]);
            (code.to_owned(), digits[code.len()..].to_owned())
        }
        None => (String::new(), digits.clone()),
    };
    let one = country.is_empty() && local.len() == 10 && !local.starts_with('0');
    (local.trim_start_matches('0').to_owned(), Rule::Phone { country, one })
}

/// The country codes of one and two digits; all others have three.
const COUNTRY_CODES: [&str; 46] = [
    "1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66",
    "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];
