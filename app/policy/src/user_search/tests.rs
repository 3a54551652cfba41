use super::*;
use crate::search_words::SearchWords;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A user as the search index knows them.
struct User {
    number: i64,
    words: BTreeSet<String>,
}

fn user(names: &[&str], keys: &[&str], email: &str, phone: &str) -> User {
    let mut words = SearchWords::default();
    for name in names {
        words.name(name);
    }
    for key in keys {
        words.key(key);
    }
    words.email(email);
    words.phone(phone);
    User { number: 301, words: words.into_set() }
}

fn passes(user: &User, test: &Test) -> bool {
    match test {
        Test::Begins(word) => user.words.iter().any(|own| own.starts_with(word.as_str())),
        Test::Is(word) => user.words.contains(word),
        Test::Number(number) => user.number == *number,
        Test::Replacement(_) => false,
    }
}

fn finds(user: &User, text: &str) -> bool {
    let search = UserSearch::parse(text);
    let matches = |term: &Term| term.meanings.iter().any(|tests| tests.iter().all(|test| passes(user, test)));
    let all = !search.terms.is_empty() && search.terms.iter().all(matches);
    all || search.whole.iter().any(|test| passes(user, test))
}

fn niamh() -> User {
    user(&["O'Brien", "Niamh Máire"], &["nob1", "2900 1234 567"], "niamh@x.org", "+353 86 555 01 23")
}

#[test]
fn common_forms_of_a_person_are_understood() {
    for text in [
        "O'Brien, Niamh",
        "O\u{2019}Brien,\u{A0}Niamh",
        "o\u{2B9}brien niamh".replace('\u{2B9}', "\u{2BC}").as_str(),
        "O`Brien Niamh",
        "OBrien Niamh",
        "O Brien Niamh",
        "O'BRIEN N.",
        "N. O'Brien",
        "N.M. O'Brien",
        "N M O'Brien",
        "Dr. Niamh O'Brien",
        "Ms O'Brien",
        "\"O'Brien, Niamh\"",
        "“Niamh O’Brien”",
        "Niamh O'Brien <niamh@x.org>",
        "\"O'Brien, Niamh\" <NIAMH@x.org>;",
        "niamh@x.org;",
        "<niamh@x.org>",
        "(niamh@x.org)",
        "mailto:niamh@x.org",
        "MAILTO:niamh@x.org?subject=Books",
        "niamh@x.org O'Brien",
        "ann@x.org; niamh@x.org",
        "niamh\u{200B}@x.org",
        "#301",
        "# 301",
        "301",
        "user 301",
        "User number: 301",
        "Niamh O'Brien (user 301)",
        "29001234567",
        "2900 1234 567",
        "2900-1234-567",
        "2900\u{2013}1234\u{2013}567",
        "2900\u{A0}1234\u{A0}567",
        "*29001234567*",
        "A29001234567B",
        "nob1,",
        "O'Brien 2900 1234",
        "+353 86 555 01 23",
        "00353 86 5550123",
        "086 555 01 23",
        "tel:+353865550123",
        "Máire",
        "maire",
    ] {
        assert!(finds(&niamh(), text), "{text}: {:?}", UserSearch::parse(text));
    }
    for text in [
        "",
        " ",
        "'",
        "*",
        "#",
        "%",
        "_",
        "O'Brien, Nora",
        "Niamh O'Bryan",
        "niamh@x.com",
        "#302",
        "2900 1234 568",
        "+44 86 555 01 23",
        "Dr",
        "ann@x.org; bob@x.org",
    ] {
        assert!(!finds(&niamh(), text), "{text}: {:?}", UserSearch::parse(text));
    }
}

#[test]
fn letters_and_compound_names_meet() {
    for (stored, typed) in [
        ("Groß", "Gross"),
        ("Gross", "Groß"),
        ("Łukasz", "Lukasz"),
        ("Søren", "Soren"),
        ("Søren", "Soeren"),
        ("Müller", "mueller"),
        ("Mueller", "Müller"),
        ("Müller", "muller"),
        ("McDonald", "Mc Donald"),
        ("Mc Donald", "McDonald"),
        ("de Vries", "DeVries"),
        ("de Vries", "Vries"),
        ("van der Berg", "vanderberg"),
        ("Smith-Jones", "Smith Jones"),
        ("Smith Jones", "Smith-Jones"),
        ("Smith\u{2011}Jones", "jones"),
        ("Þórður", "thordur"),
        ("Đặng", "Dang"),
        ("Ħamrun", "hamrun"),
        ("Yıldız", "yildiz"),
        ("D'Angelo", "dangelo"),
        ("Kaʻahumanu", "Ka'ahumanu"),
    ] {
        assert!(finds(&user(&[stored], &[], "", ""), typed), "{stored} by {typed}");
    }
}

#[test]
fn every_word_counts_or_is_named() {
    let many = user(&["Pablo Diego José Francisco de Paula", "Ruiz y Picasso"], &[], "", "");
    assert!(finds(&many, "Pablo Diego José Francisco de Paula Ruiz y Picasso"));
    assert!(!finds(&many, "Pablo Diego José Francisco de Paula Ruiz y Braque"));
    let ignored = |text| UserSearch::parse(text).ignored;
    assert_eq!(ignored("Prof. Dr. Ana Ng"), ["Prof", "Dr"]);
    assert_eq!(ignored("Ana Ng <a@x.org>"), ["Ana", "Ng"]);
    assert_eq!(ignored("Ana a@x.org"), [""; 0]);
    assert_eq!(ignored("Frau"), [""; 0], "a last name");
}

#[test]
fn a_key_is_recognised_as_a_whole() {
    let exact = |text: &str| UserSearch::parse(text).exact;
    assert_eq!(exact("*2900 1234*").keys, ["2900 1234", "29001234"]);
    assert_eq!(exact("A2900123B").keys, ["A2900123B", "2900123"]);
    assert_eq!(exact(" nob1; ").keys, ["nob1"]);
    assert_eq!(exact("Ann <Ann@x.org>,").keys, ["Ann@x.org"]);
    assert_eq!(exact("Ann ann@x.org").keys, [""; 0]);
    assert_eq!(
        (exact("#301").number, exact("301").number, exact("A301").number),
        (Some(301), Some(301), None)
    );
    assert!(exact("smith").may_be_name && !exact("smith7").may_be_name);
    assert!(exact("").is_empty() && exact("***").is_empty());
}

#[test]
fn the_name_of_an_anonymised_user_finds_the_record() {
    for text in ["Anonymised user 7F3KQ2", "anonymised user 7f3kq2", "“Anonymised user 7F3KQ2”"] {
        let search = UserSearch::parse(text);
        let test = Test::Replacement("Anonymised user 7F3KQ2".to_owned());
        assert_eq!(search.terms, [Term { meanings: vec![vec![test]] }], "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "\\PC{0,60}") {
        let search = UserSearch::parse(&text);
        prop_assert!(search.terms.iter().all(|term| term.meanings.iter().all(|tests| !tests.is_empty())));
        prop_assert!(search.terms.iter().all(|term| !term.meanings.is_empty()));
    }

    #[test]
    fn signs_around_a_search_change_nothing(
        name in "[A-Z][a-z]{3,8}",
        before in "[\"“*(<\u{A0} ]{0,3}",
        after in "[\"”*)>;,.\u{A0} ]{0,3}",
    ) {
        let ann = user(&[&name], &[], "", "");
        let text = format!("{before}{name}{after}");
        prop_assert!(finds(&ann, &text));
    }

    #[test]
    fn last_name_and_first_name_come_in_any_order(last in "[A-Z][a-zß-öø-ÿ]{1,8}", first in "[A-Z][a-zß-öø-ÿ]{1,8}") {
        let user = user(&[&last, &first], &[], "", "");
        for text in [format!("{first} {last}"), format!("{last}, {first}"), format!("{last} {first}")] {
            prop_assert!(finds(&user, &text), "{}", text);
            prop_assert!(finds(&user, &text.to_uppercase()), "{}", text);
        }
    }

    #[test]
    fn a_key_in_groups_finds_its_user(digits in "[0-9]{8,14}", at in 2_usize..6, sign in "[ \\-\u{A0}./]") {
        let user = user(&[], &[&digits], "", "");
        let grouped = format!("{}{sign}{}", &digits[..at], &digits[at..]);
        prop_assert!(finds(&user, &grouped), "{}", grouped);
        prop_assert!(finds(&self::user(&[], &[&grouped], "", ""), &digits), "{}", grouped);
    }
}
