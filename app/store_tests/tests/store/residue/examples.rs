//! The table that defines residue. Each line is checked with both the oracle and the search.
//!
//! A line contains a value of an anonymised user and a text in a record of another user. It states whether the text is
//! residue of that value. Known false positives are listed as such: an ambiguous text is found.

use super::oracle::library::{self, Finding};
use super::{a_loan, a_message, execute_with, findings_of, neighbour, policy_that_removes_everything};
use crate::anonymising::run_all;
use crate::support::{add, add_task, execute, for_each_database};
use db::entity::users;
use erasure::residue::ValueKind::{
    self, Barcode, CustomValue, Email, ExternalId, FullName, LastName, Phone, Street, UserId,
};
use policy::UserNumber;
use policy::search_words::SearchWords;
use sea_orm::Set;
use std::collections::BTreeSet;
use trail::Store;

/// Kind and value, a text, and whether the value occurs in it. A full name is first name, `|`, last name.
const TEXTS: &[(ValueKind, &str, &str, bool)] = &[
    // E-mail addresses end at characters that can't be part of them.
    (Email, "ann@x.org", "write to ann@x.org please", true),
    (Email, "ann@x.org", "ann@x.org", true),
    (Email, "ann@x.org", "Write to ANN@X.ORG.", true),
    (Email, "ann@x.org", "Is it ann@x.org? Or not", true),
    (Email, "ann@x.org", "Ann <ann@x.org>, later", true),
    (Email, "ann@x.org", "mailto:ann@x.org?subject=books", true),
    (Email, "ann@x.org", "bob@y.org;ann@x.org;eve@z.org", true),
    (Email, "ann@x.org", "bob@y.org/ann@x.org", true),
    (Email, "ann@x.org", "(ann@x.org)", true),
    (Email, "ann@x.org", "'ann@x.org'", true),
    (Email, "ann@x.org", "l'ann@x.org's box", true),
    (Email, "ann@x.org", "email=ann@x.org", true),
    (Email, "ann@x.org", "…see ann@x.org…", true),
    (Email, "ann@x.org", "ann@x.org:25", true),
    (Email, "ann@x.org", "ann @ x.org", true),
    (Email, "ann@x.org", "mail to ann@x.org.uk please", false),
    (Email, "ann@x.org", "mail to ann@x.org.", true),
    (Email, "ann@x.org", "joann@x.org", false),
    (Email, "ann@x.org", "jo.ann@x.org", false),
    (Email, "ann@x.org", "jo-ann@x.org", false),
    (Email, "ann@x.org", "jo_ann@x.org", false),
    (Email, "ann@x.org", "library+ann@x.org", false),
    (Email, "ann@x.org", "50%ann@x.org", false),
    (Email, "ann@x.org", "ann+library@x.org", false),
    (Email, "ann@x.org", "ann@mail.x.org", false),
    (Email, "ann@x.org", "ann@x.org-team.net", false),
    (Email, "ann@x.org", "ann@x.organic", false),
    (Email, "ann@x.org", "ann@x.org2", false),
    (Email, "ann@x.org", "1ann@x.org", false),
    (Email, "ann@x.org", "an.n@x.org", false),
    (Email, "ann@x.org", "ann@xo.rg", false),
    (Email, "ann@x.org", "ann@x.org.Then call", false),
    (Email, "ann@x.org", "ann (at) x.org", false),
    (Email, "zoë.müller@x.org", "zoe.mueller@x.org", true),
    (Email, "zoë.müller@x.org", "zoemuller@x.org", true),
    (Email, "ann.lee@my-x.org", "ann.lee@my-x.org!", true),
    (Email, "ann.lee@my-x.org", "ann.lee@not-my-x.org", false),
    (Email, "ann.lee@my-x.org", "lee@my-x.org", false),
    (Email, "kay+lib@x.org", "kay+lib@x.org", true),
    (Email, "kay+lib@x.org", "kay@x.org", false),
    (Email, "Tim Day <tim.day@x.org>", "to tim.day@x.org", true),
    (UserId, "uma@x.org", "login uma@x.org", true),
    (UserId, "uma@x.org", "login uma@x.org.uk", false),
    (UserId, "uma@x.org", "login p.uma@x.org", false),
    // Phone numbers, with and without prefixes.
    (Phone, "+41 79 555 01 23", "call +41 79 555 01 23", true),
    (Phone, "+41 79 555 01 23", "call 079 555 01 23", true),
    (Phone, "+41 79 555 01 23", "call 0795550123 or wait", true),
    (Phone, "+41 79 555 01 23", "0041795550123", true),
    (Phone, "+41 79 555 01 23", "+41795550123", true),
    (Phone, "+41 79 555 01 23", "41 79-555-01-23", true),
    (Phone, "+41 79 555 01 23", "+41 (0)79 555 01 23", true),
    (Phone, "+41 79 555 01 23", "+41(0)795550123", true),
    (Phone, "+41 79 555 01 23", "+410795550123", true),
    (Phone, "+41 79 555 01 23", "+41.79.555.01.23.", true),
    (Phone, "+41 79 555 01 23", "Tel.:079/555 01 23", true),
    (Phone, "+41 79 555 01 23", "079 555 01 23/24", true),
    (Phone, "+41 79 555 01 23", "tel0795550123", true),
    (Phone, "+41 79 555 01 23", "795550123", true),
    (Phone, "+41 79 555 01 23", "1795550123", false),
    (Phone, "+41 79 555 01 23", "7955501234", false),
    (Phone, "+41 79 555 01 23", "079 555 01 234", false),
    (Phone, "+41 79 555 01 23", "079 555 01 23-4", false),
    (Phone, "+41 79 555 01 23", "ISBN 978-3-79555-012-3", false),
    (Phone, "+41 79 555 01 23", "+43795550123", false),
    (Phone, "+41 79 555 01 23", "41417955501231", false),
    (Phone, "+41 79 555 01 23", "555 01 23", false),
    // A known false positive: another number precedes it, separated by a space.
    (Phone, "+41 79 555 01 23", "12 795550123", true),
    (Phone, "01632 960123", "+44 1632 960123", true),
    (Phone, "01632 960123", "+441632960123", true),
    (Phone, "01632 960123", "00441632960123", true),
    (Phone, "01632 960123", "01632-960-123", true),
    (Phone, "01632 960123", "+44-1632-960123", true),
    (Phone, "01632 960123", "441632960123", false),
    (Phone, "01632 960123", "11632960123", false),
    (Phone, "01632 960123", "016329601239", false),
    (Phone, "(212) 555-0199", "1-212-555-0199", true),
    (Phone, "(212) 555-0199", "+1 212 555 0199", true),
    (Phone, "(212) 555-0199", "3212 5550199", false),
    (Phone, "030/7654321", "0307654321", true),
    (Phone, "030/7654321", "+49 30 7654321", true),
    (Phone, "0170 1112223, 01632 444555 (work)", "ring 01632-444555", true),
    (Phone, "0170 1112223, 01632 444555 (work)", "ring 01701112223", true),
    (Phone, "01632 888777 ext 12", "01632 888777", true),
    // Several numbers in one field, separated by a word or punctuation, or more digits than one number has.
    (Phone, "01632 111222 or 0170 3334445", "ring 01632 111222", true),
    (Phone, "01632 111222 or 0170 3334445", "ring 0170-3334445", true),
    (Phone, "01632 111223 | 0170 3334446", "ring 01632 111223", true),
    (Phone, "01632 111223 | 0170 3334446", "ring +441703334446", true),
    (Phone, "01632 111224 +41 79 555 02 24", "ring 01632 111224", true),
    (Phone, "01632 111224 +41 79 555 02 24", "ring 079 555 02 24", true),
    (Phone, "01632 111225 + 0170 3334447", "ring 01703334447", true),
    (Phone, "01632 111226 & 0170 3334448", "ring 0170 3334448", true),
    (Phone, "01632 111227/0170 3334449", "ring 0170 3334449", true),
    (Phone, "2nd: 01632 111228", "ring 01632 111228", true),
    (Phone, "01632 111229 0170 3334450", "ring 01632 111229", true),
    (Phone, "01632 111229 0170 3334450", "ring 0170 3334450", true),
    (Phone, "06 12 34 05 67 06 98 76 04 32", "ring 06-12-34-05-67", true),
    (Phone, "06 12 34 05 67 06 98 76 04 32", "ring 06 98 76 04 32", true),
    (Phone, "06 12 34 05 67 06 98 76 04 32", "ring 06 98 76 99 32", false),
    // A known false positive: the first 8 digits alone could be a number too.
    (Phone, "06 12 34 05 67 06 98 76 04 32", "ring 06 98 76 04 99", true),
    // Not found: two short numbers separated only by a space read like one long number.
    (Phone, "558 0123 558 0124", "ring 558 0124", false),
    (Phone, "558 0123 558 0124", "ring 558 0123 558 0124", true),
    // A short number could be any other, so it counts only in free text and as a separate word.
    (Phone, "61 47 2", "extension 61472", true),
    (Phone, "61 47 2", "ring 061472", true),
    (Phone, "61 47 2", "ring 61-47-2.", true),
    (Phone, "61 47 2", "card x61472", false),
    (Phone, "61 47 2", "card 61472x", false),
    (Phone, "61 47 2", "card 614723", false),
    (Phone, "61 47 2", "61472.50", false),
    (Phone, "834 567", "tel 834567", true),
    (Phone, "834 567", "tel834567", false),
    (Phone, "8345", "tel 8345", false),
    // Card numbers and other identifiers.
    (Barcode, "29001234", "card 29001234.", true),
    (Barcode, "29001234", "card 2900 1234", true),
    (Barcode, "29001234", "card 29001234-lost", true),
    (Barcode, "29001234", "card 29001234/2", true),
    (Barcode, "29001234", "card 129001234", false),
    (Barcode, "29001234", "card 290012345", false),
    (Barcode, "29001234", "card 1290012345", false),
    (Barcode, "29001234", "card 1-29001234", false),
    (Barcode, "29001234", "card 29001234-5", false),
    (Barcode, "29001234", "29001234.50", false),
    (Barcode, "29001234", "x29001234", false),
    // A known false positive: two groups of other numbers.
    (Barcode, "29001234", "shelf 2900, 1234 books", true),
    (Barcode, "290055667788", "card x290055667788y", true),
    (Barcode, "290055667788", "card 1290055667788", false),
    (Barcode, "290055667788", "card 290055667788.1", false),
    (UserId, "u4711", "login u4711 blocked", true),
    (UserId, "u4711", "U-4711", true),
    (UserId, "u4711", "photo_u4711.jpg", true),
    (UserId, "u4711", "u4711-carer", true),
    (UserId, "u4711", "u47112", false),
    (UserId, "u4711", "xu4711", false),
    (UserId, "annbellows77", "id annbellows77", true),
    (UserId, "annbellows77", "joannbellows77", false),
    (UserId, "annbellows77", "annbellows775", false),
    (UserId, "annbellows77", "77annbellows77x", true),
    (UserId, "wren", "the user wren wrote", true),
    (UserId, "wren", "wren@y.org", false),
    (UserId, "wren", "wrens", false),
    (ExternalId, "HR/0001234", "see HR-0001234", true),
    (ExternalId, "HR/0001234", "see XHR/0001234", false),
    (ExternalId, "HR/0001234", "see HR/00012345", false),
    // Names.
    (FullName, "Ann|Quill", "Ann Quill", true),
    (FullName, "Ann|Quill", "QUILL, ANN", true),
    (FullName, "Ann|Quill", "Ann Quill's book", true),
    (FullName, "Ann|Quill", "Mary Ann Quill", true),
    (FullName, "Ann|Quill", "Joann Quill", false),
    (FullName, "Ann|Quill", "Ann Quillon", false),
    (FullName, "Ann|Quill", "ann.quill@y.org", true),
    (FullName, "Ann|Quill", "Ann Quill-Jones", true),
    (FullName, "Jo|Ng", "ask Jo Ng", true),
    (FullName, "王|小明", "请找王小明", true),
    (LastName, "Quastel", "Mrs Quastel called", true),
    (LastName, "Quastel", "Quastels", true),
    (LastName, "Quastel", "quastel@y.org", true),
    (LastName, "Quastel", "Quastelbaum", false),
    (LastName, "Müllerin", "Frau MUELLERIN", true),
    (LastName, "Ander", "an der Ecke", false),
    (LastName, "Шевчук", "пан шевчук", true),
    (Street, "12 Abbey Lane", "at 12 ABBEY LANE", true),
    (Street, "12 Abbey Lane", "Flat 3, 12 Abbey Lane", true),
    (Street, "12 Abbey Lane", "112 Abbey Lane", false),
    (Street, "12 Abbey Lane", "12 Abbey Lanes", false),
    (CustomValue, "Rosebud cottage", "the Rosebud cottage", true),
    (CustomValue, "Rosebud cottage", "Rosebud cottages", false),
    // A short value counts only in free text and only with a digit. Without one, it is an ordinary word.
    (CustomValue, "K-4711", "locker K-4711 is jammed", true),
    (CustomValue, "K-4711", "locker k4711", true),
    (CustomValue, "K-4711", "locker K 4711", true),
    (CustomValue, "K-4711", "locker K-47112", false),
    (CustomValue, "K-4711", "locker AK-4711", false),
    (CustomValue, "4812", "locker 4812", true),
    (CustomValue, "4812", "locker 4812.50", false),
    (CustomValue, "4812", "locker 48123", false),
    (CustomValue, "K-9", "locker K-9", false),
    (CustomValue, "cello", "plays the cello", false),
    (CustomValue, "eve@x.org", "eve@x.org", true),
    (CustomValue, "eve@x.org", "eve@x.org.uk", false),
];

/// Adds a user who left, with only this value.
pub async fn leaver_with(store: &Store, kind: ValueKind, value: &str, at: usize) -> i64 {
    let some = |text: &str| Set(Some(text.to_owned()));
    let mut user = users::ActiveModel {
        user_id: Set(None),
        first_name: Set(None),
        last_name: Set(None),
        ..crate::support::leaver(&format!("leaver {at}"))
    };
    set(&mut user, kind, value);
    if kind == FullName {
        let (first, last) = value.split_once('|').unwrap();
        (user.first_name, user.last_name) = (some(first), some(last));
    }
    let number = add(store, user).await.number;
    if kind == CustomValue {
        custom(store, number, value).await;
    }
    number
}

fn set(user: &mut users::ActiveModel, kind: ValueKind, value: &str) {
    let value = Set(Some(value.to_owned()));
    match kind {
        UserId => user.user_id = value,
        Email => user.email = value,
        Phone => user.phone = value,
        Street => user.street = value,
        Barcode => user.barcode = value,
        ExternalId => user.external_id = value,
        LastName => user.last_name = value,
        ValueKind::FirstName => user.first_name = value,
        _ => {}
    }
}

async fn custom(store: &Store, user: i64, value: &str) {
    execute(store, "INSERT INTO custom_fields (key, label) VALUES ('more', 'More') ON CONFLICT DO NOTHING")
        .await;
    let sql = format!(
        "INSERT INTO custom_values (user_number, field_key, value) VALUES ({user}, 'more', ?) \
         ON CONFLICT (user_number, field_key) DO UPDATE SET value = excluded.value"
    );
    execute_with(store, &sql, &[value]).await;
}

/// Returns what the oracle expects of all leavers and what the search finds, by user, table, column, row and kind.
pub async fn both(store: &Store) -> (BTreeSet<Finding>, BTreeSet<Finding>) {
    let people = library::people(store, |user| user.leaving_on.is_some()).await;
    let task = add_task(store, &policy_that_removes_everything()).await;
    let (run, _) = run_all(store, task).await;
    let expected = library::residue(&people, &library::cells(store).await);
    let found = findings_of(store, run).await.into_iter().map(|finding| {
        (finding.user_number, finding.table_name, finding.column_name, finding.row_key, finding.what)
    });
    (expected, found.collect())
}

/// Returns the words of the search index for these keys.
fn search_words(keys: &[&str]) -> BTreeSet<String> {
    let mut words = SearchWords::default();
    for key in keys {
        words.key(key);
    }
    words.into_set()
}

#[tokio::test]
async fn values_are_found_exactly_where_the_table_says() {
    for_each_database(async |store| {
        let stays = neighbour(&store, "stays", crate::support::leaver("Zzyzx")).await;
        let mut leavers: Vec<(ValueKind, &str, i64)> = Vec::new();
        for (id, (kind, value, text, _)) in (1..).zip(TEXTS) {
            if !leavers.iter().any(|(known, of, _)| (known, of) == (kind, value)) {
                let number = leaver_with(&store, *kind, value, leavers.len()).await;
                leavers.push((*kind, value, number));
            }
            a_loan(&store, id, stays, text).await;
        }
        let (expected, found) = both(&store).await;
        let mut wrong = Vec::new();
        for (id, (kind, value, text, is_residue)) in (1..).zip(TEXTS) {
            let (.., user) = leavers.iter().find(|(known, of, _)| (known, of) == (kind, value)).unwrap();
            let (table, column) = ("loans".to_owned(), "note".to_owned());
            let finding: Finding = (*user, table, column, i64::to_string(&id), *kind);
            for (name, findings) in [("oracle", &expected), ("search", &found)] {
                if findings.contains(&finding) != *is_residue {
                    wrong.push(format!("{name}: {kind:?} {value:?} in {text:?} should be {is_residue}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(expected, found);
    })
    .await;
}

/// Kind and value of the anonymised user; kind and value of another user, who stays. Then a text with its table and
/// column in the record of that user; whether it is residue.
const CASES: &[(ValueKind, &str, ValueKind, &str, &str, &str, bool)] = &[
    // A value shorter than the other user's own value doesn't belong to that user.
    (Email, "annb@x.org", Email, "carer.annb@x.org", "users.notes", "write to annb@x.org", true),
    (Email, "bea@x.org", Email, "bea@x.org.uk", "users.notes", "write to bea@x.org", true),
    (Email, "cy@x.org", Email, "cy.cy@x.org.uk", "messages.body", "write to cy@x.org", true),
    (UserId, "v4711", UserId, "carer-v4711", "users.notes", "account v4711", true),
    (UserId, "w4711", UserId, "w4711.carer", "loans.note", "account w4711", true),
    (Barcode, "29004444", Barcode, "1-29004444", "users.notes", "card 29004444", true),
    (Barcode, "29005555", Barcode, "1 29005555 1", "custom_values.value", "card 29005555", true),
    (ExternalId, "EX-777888", ExternalId, "OLD-EX-777888", "users.notes", "see EX-777888", true),
    (FullName, "Ida|Bellweather", FullName, "Ada Ida|Bellweather", "users.notes", "Ida Bellweather", true),
    (FullName, "Eva|Hearn", FullName, "Eva|Hearn Jones", "loans.note", "for Eva Hearn", true),
    (Phone, "01632 700111", Phone, "01632 7001112", "users.notes", "call 01632 700111", true),
    (Street, "5 Mill Road", Street, "Flat 2, 5 Mill Road", "users.notes", "lives at 5 Mill Road", true),
    // Nor does it inside that value, in the field itself.
    (UserId, "y4711", UserId, "y4711-carer", "users.user_id", "y4711-carer", true),
    (UserId, "z4711", UserId, "z4711-carer", "user_words.word", "for-z4711-carer", false),
    (Barcode, "29006666", Barcode, "1 29006666 1", "users.barcode", "1 29006666 1", true),
    (ExternalId, "EX-888999", ExternalId, "OLD-EX-888999", "users.external_id", "OLD-EX-888999", true),
    (Street, "15 Mill Road", Street, "Flat 2, 15 Mill Road", "users.street", "Flat 2, 15 Mill Road", true),
    // A known false positive: the neighbouring house.
    (Street, "Mill Road 35", Street, "Mill Road 35 a", "users.street", "Mill Road 35 a", true),
    (Phone, "700 4441", Phone, "01632 700 4441", "users.phone", "01632 700 4441", true),
    (Phone, "01632 700445", Phone, "12 01632 700445", "users.phone", "12 01632 700445", true),
    (CustomValue, "tan budgie", CustomValue, "old tan budgie", "custom_values.value", "old tan budgie", true),
    // The whole field is the other user's, however it is written. A field can contain several addresses or numbers.
    (UserId, "aa4711", UserId, "AA-4711", "users.user_id", "AA-4711", false),
    (Street, "16 Mill Road", Street, "16, Mill Road", "users.street", "16, Mill Road", false),
    (Email, "some@x.org", Email, "Some One <some@x.org>", "users.email", "Some One <some@x.org>", false),
    (Email, "more@x.org", Email, "less@x.org, more@x.org", "users.email", "less@x.org, more@x.org", false),
    (Phone, "01632 700446", Phone, "+44 1632 700446", "users.mobile", "+44 1632 700446", false),
    (Phone, "(212) 700-4470", Phone, "1-212-700-4470", "users.phone", "1-212-700-4470", false),
    (Phone, "01632 700448", Phone, "0", "users.phone", "0170 1112223 or 01632 700448", false),
    (Phone, "01632 700449", Phone, "01632 700449", "users.phone", "0170 1112223 01632 700449", false),
    // A full name belongs to the other user in name fields and search words, not in other fields.
    (FullName, "Ann|Quince", LastName, "Other", "users.street", "c/o Ann Quince, 5 Mill Road", true),
    (FullName, "Ben|Quince", LastName, "Other", "users.phone", "01632 700555 (Ben Quince)", true),
    (FullName, "Cat|Quince", LastName, "Other", "users.external_id", "for Cat Quince", true),
    (FullName, "Dan|Quince", LastName, "Other", "users.barcode", "Dan Quince", true),
    (FullName, "Eli|Quince", LastName, "Other", "users.last_name", "Other, for Eli Quince", false),
    (FullName, "Fay|Quince", LastName, "Other", "user_words.word", "fay.quince@y.org", false),
    // An e-mail address or UserID of another user can be derived from the same name. It is found, because it can
    // also be the address of the anonymised user in the record of a relative.
    (FullName, "Guy|Quince", LastName, "Other", "users.email", "guy.quince@y.org", true),
    (FullName, "Hal|Quince", LastName, "Quince", "users.email", "hal.quince@y.org", true),
    (FullName, "Ian|Quince", LastName, "Other", "users.user_id", "ian.quince", true),
    (FullName, "Ivy|Quince", FullName, "Ivy|Quince", "users.email", "ivy.quince@y.org", false),
    (FullName, "Jan|Quince", FullName, "Jan Mia|Quince", "users.email", "jan.mia.quince@y.org", false),
    (FullName, "Kay|Quince", FullName, "Mia Kay|Quince", "users.email", "mia.kay.quince@y.org", true),
    (FullName, "Lee|Quince", FullName, "Lee|Quince", "users.street", "c/o Lee Quince", false),
    // A user with the name as a UserID isn't a namesake.
    (FullName, "Max|Quince", UserId, "maxquince", "users.notes", "Max Quince called", true),
    (FullName, "Ned|Quince", CustomValue, "Ned Quince", "users.notes", "Ned Quince called", true),
    (CustomValue, "Ned Quince", CustomValue, "Ned Quince", "messages.body", "for Ned Quince", false),
    // Weak values count in free text only.
    (LastName, "Quintrell", LastName, "Other", "users.street", "c/o Quintrell", false),
    (Phone, "70 66 1", Phone, "70 66 1", "users.notes", "ring 70661", true),
    (Phone, "70 66 2", LastName, "Other", "users.mobile", "70 66 2", false),
    (CustomValue, "K-8123", CustomValue, "K-8123", "loans.note", "locker K-8123", true),
    (CustomValue, "K-8124", CustomValue, "K-8124", "messages.body", "Your locker is K-8124", false),
    (CustomValue, "K-8125", LastName, "Other", "users.external_id", "K-8125", false),
    // The same value belongs to the other user in its own column and in messages to them, not in notes about them.
    (Email, "same@x.org", Email, "same@x.org", "users.notes", "write to same@x.org", true),
    (Email, "both@x.org", Email, "both@x.org", "loans.note", "both@x.org", true),
    (Email, "mine@x.org", Email, "mine@x.org", "messages.recipient", "mine@x.org", false),
    (Email, "ours@x.org", Email, "ours@x.org", "messages.body", "We wrote to ours@x.org.", false),
    (Phone, "01632 700222", Phone, "+44 1632 700222", "messages.body", "We called 01632-700222", false),
    (Phone, "01632 700333", Phone, "+44 1632 700333", "requests.note", "Call 01632-700333", true),
    (Street, "6 Mill Road", Street, "6 Mill Road", "messages.recipient", "6 Mill Road\nLN1 Lincoln", false),
    (Street, "7 Mill Road", Street, "7 Mill Road", "charges.note", "sent to 7 Mill Road", true),
    (Email, "late@x.org", Email, "new@x.org", "messages.recipient", "late@x.org", true),
    // Names are often shared: in rows of a namesake, a name belongs to the namesake.
    (FullName, "Kim|Larch", FullName, "Kim|Larch", "users.notes", "Kim Larch called", false),
    (FullName, "Lia|Larch", FullName, "Lia|Larch", "messages.body", "Dear Lia Larch", false),
    (FullName, "Mia|Larch", FullName, "Mia Ann|Larch", "messages.body", "Dear Mia Larch", true),
    // A value in a field for another kind of value counts.
    (UserId, "xk20304", Email, "xk20304@x.org", "loans.note", "nothing", false),
    (Email, "odd@x.org", ValueKind::FirstName, "odd@x.org", "loans.note", "nothing", false),
    (CustomValue, "green budgie", CustomValue, "green budgie", "messages.body", "the green budgie", false),
    (CustomValue, "brown budgie", CustomValue, "old brown budgie", "loans.note", "the brown budgie", true),
];

#[tokio::test]
async fn a_value_of_another_user_is_ignored_in_its_own_column_only() {
    for_each_database(async |store| {
        let mut rows = Vec::new();
        for (at, (kind, value, own_kind, own, target, text, _)) in CASES.iter().enumerate() {
            let user = leaver_with(&store, *kind, value, at).await;
            let mut other = users::ActiveModel {
                user_id: Set(None),
                first_name: Set(None),
                last_name: Set(None),
                ..crate::support::leaver("other")
            };
            set(&mut other, *own_kind, own);
            if let Some((first, last)) = own.split_once('|') {
                other.first_name = Set(Some(first.to_owned()));
                other.last_name = Set(Some(last.to_owned()));
            }
            let other = neighbour(&store, &at.to_string(), other).await;
            let column = target.strip_prefix("users.");
            let is_found_by =
                column.is_some_and(|column| !["notes", "street", "phone", "mobile"].contains(&column));
            for word in search_words(&[*own, *text][..if is_found_by { 2 } else { 1 }]) {
                let sql = format!("INSERT INTO user_words (word, user_number) VALUES (?, {other})");
                execute_with(&store, &sql, &[&word]).await;
            }
            if *own_kind == CustomValue {
                custom(&store, other, own).await;
            }
            let id = i64::try_from(at).unwrap() + 1;
            let key = write(&store, target, id, other, text).await;
            rows.push((user, key));
        }
        let (expected, found) = both(&store).await;
        let mut wrong = Vec::new();
        for ((user, key), (kind, value, _, own, target, text, is_residue)) in rows.into_iter().zip(CASES) {
            let (table, column) = target.split_once('.').unwrap();
            let finding: Finding = (user, table.to_owned(), column.to_owned(), key, *kind);
            for (name, findings) in [("oracle", &expected), ("search", &found)] {
                if findings.contains(&finding) != *is_residue {
                    wrong
                        .push(format!("{name}: {value:?} beside {own:?} in {target} {text:?}: {is_residue}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(expected, found);
    })
    .await;
}

/// Writes a text into a row of a user. Returns the key of the row.
pub async fn write(store: &Store, target: &str, id: i64, user: i64, text: &str) -> String {
    match target {
        "user_words.word" => {
            let sql = format!(
                "INSERT INTO user_words (word, user_number) VALUES (?, {user}) ON CONFLICT DO NOTHING"
            );
            execute_with(store, &sql, &[text]).await;
            return user.to_string();
        }
        "custom_values.value" => {
            custom(store, user, text).await;
            return format!("{user},more");
        }
        "loans.note" => a_loan(store, id, user, text).await,
        "messages.body" => a_message(store, id, user, "", text).await,
        "messages.recipient" => a_message(store, id, user, text, "").await,
        "requests.note" => {
            let sql = format!(
                "INSERT INTO requests (id, user_number, branch, placed_on, status, closed_on, note) VALUES \
                 ({id}, {user}, 'main', '2017-05-01', 'filled', '2017-05-02', ?)"
            );
            execute_with(store, &sql, &[text]).await;
        }
        "charges.note" => {
            let sql = format!(
                "INSERT INTO charges (id, user_number, kind, cents, charged_on, settled_on, note) VALUES \
                 ({id}, {user}, 'fine', 100, '2017-05-01', '2017-05-02', ?)"
            );
            execute_with(store, &sql, &[text]).await;
        }
        "renewals.note" => {
            a_loan(store, id, user, "").await;
            let sql = format!(
                "INSERT INTO renewals (id, loan_id, renewed_on, due_on, note) VALUES \
                 ({id}, {id}, '2017-05-01', '2017-05-02', ?)"
            );
            execute_with(store, &sql, &[text]).await;
        }
        target => {
            let column = target.strip_prefix("users.").unwrap();
            execute_with(store, &format!("UPDATE users SET {column} = ? WHERE number = {user}"), &[text])
                .await;
            return user.to_string();
        }
    }
    id.to_string()
}

/// Notes about users whose own values contain a shorter one, and the fields with those values.
#[tokio::test]
async fn a_shorter_value_inside_another_users_own_value_is_found() {
    for_each_database(async |store| {
        let some = |text: &str| Set(Some(text.to_owned()));
        let gone = users::ActiveModel {
            user_id: some("u4711"),
            email: some("annb@x.org"),
            barcode: some("29001234"),
            external_id: some("HR-778899"),
            first_name: some("Ann"),
            last_name: some("Bell"),
            ..crate::support::leaver("Bell")
        };
        let gone = add(&store, gone).await.number;
        let others = [
            ("user_id", "u4711-carer", "u4711 is at home", true),
            ("user_id", "carer.u4711", "for u4711", true),
            ("barcode", "29001234-9", "card 29001234", false),
            ("barcode", "1 29001234", "card 29001234", true),
            ("external_id", "X-HR-778899", "see HR-778899", true),
            ("first_name", "Mary Ann", "daughter of Ann Bell", false),
            ("email", "carer.annb@x.org", "write to annb@x.org", false),
        ];
        let mut cells = BTreeSet::new();
        for (at, (column, own, note, is_in_field)) in others.into_iter().enumerate() {
            let last_name = if column == "first_name" { some("Bell") } else { Set(None) };
            let other = users::ActiveModel {
                user_id: Set(None),
                first_name: Set(None),
                last_name,
                notes: some(note),
                ..crate::support::leaver("other")
            };
            let other = neighbour(&store, &at.to_string(), other).await;
            cells.insert(("notes", other.to_string()));
            if is_in_field {
                cells.insert((column, other.to_string()));
            }
            execute_with(&store, &format!("UPDATE users SET {column} = ? WHERE number = {other}"), &[own])
                .await;
            for word in search_words(&[own]) {
                let sql = format!("INSERT INTO user_words (word, user_number) VALUES (?, {other})");
                execute_with(&store, &sql, &[&word]).await;
            }
        }
        let (expected, found) = both(&store).await;
        assert_eq!(expected, found);
        let found_in = found.iter().map(|(_, _, column, key, _)| (column.as_str(), key.clone()));
        assert_eq!(found_in.collect::<BTreeSet<_>>(), cells);
        assert!(found.iter().all(|(user, ..)| *user == UserNumber(gone).0));
    })
    .await;
}
