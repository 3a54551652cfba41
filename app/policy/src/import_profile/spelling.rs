//! Recognises the fields that column names stand for.

use super::{CUSTOM, FileKind, Target, targets};

/// Returns a column name without case, spaces and punctuation: `User_ID` becomes `userid`.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(plain).collect()
}

/// Returns a letter without its accent, for the accents of German and French.
const fn plain(c: char) -> char {
    match c {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        other => other,
    }
}

/// Returns the field that a column name means: its own name, or a common English, German or French heading.
///
/// Headings with several meanings (`ID`, `Name`, `Number`) are not recognised.
pub fn target_of_name(kind: FileKind, name: &str) -> Option<String> {
    let name = name.trim();
    if kind == FileKind::Users && name.starts_with(CUSTOM) {
        return Some(name.to_owned());
    }
    let name = folded(name);
    if name.is_empty() {
        return None;
    }
    let is_own = |target: &Target| target.name.bytes().filter(|byte| *byte != b'_').eq(name.bytes());
    let own = targets(kind).find(is_own).map(|target| target.name);
    let known = |list: &[(&'static str, &[&str])]| {
        list.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(target, _)| *target)
    };
    let of_kind = || match kind {
        FileKind::Users => known(OF_USERS),
        FileKind::Loans => known(OF_LOANS),
        FileKind::Requests => known(OF_REQUESTS),
        FileKind::Charges => known(OF_CHARGES),
    };
    own.or_else(|| known(KEYS)).or_else(of_kind).map(str::to_owned)
}

const KEYS: &[(&str, &[&str])] = &[
    ("external_id", &["externalid", "externalidentifier", "externalsystemid", "externekennung", "externeid"]),
    (
        "user_id",
        &[
            "userid",
            "userlogin",
            "username",
            "login",
            "loginname",
            "benutzername",
            "benutzerkennung",
            "anmeldename",
            "nomdutilisateur",
            "identifiant",
        ],
    ),
    (
        "barcode",
        &[
            "barcode",
            "userbarcode",
            "cardnumber",
            "librarycard",
            "librarycardnumber",
            "ausweisnummer",
            "bibliotheksausweis",
            "codebarres",
            "codeabarres",
            "numerodecarte",
        ],
    ),
];

const OF_USERS: &[(&str, &[&str])] = &[
    ("last_name", &["surname", "familyname", "nachname", "familienname", "nom", "nomdefamille"]),
    ("first_name", &["givenname", "forename", "vorname", "prenom"]),
    ("middle_name", &["middlenames", "zweitervorname", "deuxiemeprenom"]),
    ("preferred_name", &["nickname", "rufname", "nomusuel"]),
    ("title", &["salutation", "anrede", "titel", "civilite"]),
    (
        "category",
        &[
            "usercategory",
            "patroncategory",
            "usergroup",
            "patrongroup",
            "benutzergruppe",
            "kategorie",
            "categorie",
        ],
    ),
    ("department", &["faculty", "abteilung", "fakultat", "fachbereich", "departement", "service"]),
    ("branch", &["library", "homebranch", "homelibrary", "zweigstelle", "bibliothek", "bibliotheque"]),
    (
        "leaving_on",
        &[
            "leavingdate",
            "expirydate",
            "expirationdate",
            "enddate",
            "dateexpiry",
            "austrittsdatum",
            "ablaufdatum",
            "exmatrikulation",
            "datededepart",
            "datedexpiration",
        ],
    ),
    (
        "created_on",
        &[
            "createdon",
            "creationdate",
            "registrationdate",
            "enrollmentdate",
            "dateenrolled",
            "anmeldedatum",
            "datedinscription",
        ],
    ),
    (
        "last_activity_on",
        &["lastactivity", "lastactivitydate", "lastseen", "letzteaktivitat", "derniereactivite"],
    ),
    ("marked_on", &["markedfordeletion"]),
    ("email", &["emailaddress", "mail", "emailadresse", "courriel", "adressemail", "adresseemail"]),
    ("phone", &["telephone", "phonenumber", "telefon", "telefonnummer", "numerodetelephone"]),
    (
        "mobile",
        &[
            "mobilephone",
            "mobilenumber",
            "cell",
            "cellphone",
            "mobil",
            "handy",
            "mobiltelefon",
            "portable",
            "telephoneportable",
        ],
    ),
    ("street", &["streetaddress", "address", "straße", "strasse", "adresse", "rue"]),
    ("postcode", &["postalcode", "zip", "zipcode", "plz", "postleitzahl", "codepostal"]),
    ("city", &["town", "ort", "stadt", "wohnort", "ville"]),
    ("country", &["land", "pays"]),
    ("birth_date", &["dateofbirth", "dob", "birthday", "geburtsdatum", "geburtstag", "datedenaissance"]),
    ("gender", &["sex", "geschlecht", "sexe", "genre"]),
    ("language", &["lang", "sprache", "langue"]),
    (
        "notes",
        &[
            "note",
            "comment",
            "comments",
            "remarks",
            "bemerkung",
            "bemerkungen",
            "notiz",
            "notizen",
            "remarques",
            "commentaire",
        ],
    ),
    ("guarantor_user_id", &["guarantor", "guarantoruserid"]),
];

const OF_LOANS: &[(&str, &[&str])] = &[
    (
        "item_barcode",
        &["itembarcode", "copybarcode", "exemplarbarcode", "mediennummer", "codebarresexemplaire"],
    ),
    ("title", &["itemtitle", "titel", "titre"]),
    ("branch", &["library", "circlib", "zweigstelle", "bibliothek", "bibliotheque"]),
    ("issued_on", &["issuedate", "issued", "loandate", "checkoutdate", "ausleihdatum", "datedepret"]),
    ("due_on", &["duedate", "due", "faelligkeit", "falligkeit", "falligam", "leihfristende", "datederetour"]),
    ("returned_on", &["returndate", "returned", "checkindate", "ruckgabedatum", "ruckgabe"]),
    ("note", &["notes", "bemerkung"]),
];

const OF_REQUESTS: &[(&str, &[&str])] = &[
    ("title", &["itemtitle", "titel", "titre"]),
    ("branch", &["pickuplibrary", "pickupbranch", "library", "zweigstelle", "abholort", "bibliotheque"]),
    ("placed_on", &["requestdate", "reservedate", "holddate", "placed", "vormerkdatum", "datedereservation"]),
    ("closed_on", &["closeddate", "closed"]),
    ("note", &["notes", "bemerkung"]),
];

const OF_CHARGES: &[(&str, &[&str])] = &[
    ("kind", &["type", "chargetype", "art"]),
    ("amount", &["betrag", "montant"]),
    ("charged_on", &["date", "chargedate", "datum"]),
    ("settled_on", &["paidon", "paymentdate", "settled", "bezahltam"]),
    ("note", &["notes", "description", "bemerkung"]),
];
