//! Recognises the fields that column names stand for.

use super::{CUSTOM, FileKind, Target, content_of, targets};

/// Returns a column name without case, spaces and punctuation: `User_ID` becomes `userid`.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(plain).collect()
}

/// Returns a letter without its accent, for the accents of German, French and Spanish.
pub(super) const fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ó' | 'ô' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        other => other,
    }
}

/// Returns the field to suggest for a column name. Recognises more names than [`target_of_name`], because staff check
/// a suggestion: names of keys in other systems, and Spanish. `custom` has the keys and names of the custom fields.
pub fn suggested_target(kind: FileKind, name: &str, custom: &[(String, String)]) -> Option<String> {
    let wanted = folded(name);
    if wanted.is_empty() {
        return None;
    }
    let is_custom = |(key, label): &&(String, String)| folded(key) == wanted || folded(label) == wanted;
    let of_custom = || {
        let found = custom.iter().filter(|_| kind == FileKind::Users).find(is_custom);
        found.map(|(key, _)| format!("{CUSTOM}{key}"))
    };
    let has_field = |target: &String| {
        target.strip_prefix(CUSTOM).is_none_or(|key| custom.iter().any(|(known, _)| known == key))
    };
    let known = |list: &[(&'static str, &[&str])]| {
        let found = list.iter().find(|(_, names)| names.contains(&wanted.as_str()));
        found.map(|(target, _)| (*target).to_owned())
    };
    let fits = |target: &String| content_of(kind, target).is_some();
    target_of_name(kind, name)
        .filter(has_field)
        .or_else(of_custom)
        .or_else(|| known(SUGGESTED_KEYS))
        .or_else(|| known(SPANISH).filter(fits))
        .filter(fits)
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

/// Names of keys in other systems. Alone they are too vague for a file without a profile.
const SUGGESTED_KEYS: &[(&str, &[&str])] = &[
    (
        "external_id",
        &[
            "id",
            "patronid",
            "borrowerid",
            "borrowernumber",
            "studentid",
            "studentnumber",
            "employeeid",
            "personid",
            "matrikelnummer",
            "matrikelnr",
            "matrnr",
            "matriculationnumber",
            "personalnummer",
            "benutzernummer",
            "numeroetudiant",
            "idlector",
            "idusuario",
        ],
    ),
    ("user_id", &["usuario", "nombredeusuario", "kennung"]),
    (
        "barcode",
        &["cardno", "cardid", "ausweisnr", "kartennummer", "codigodebarras", "numerodecarnet", "tarjeta"],
    ),
];

/// Spanish headings of every kind of file.
const SPANISH: &[(&str, &[&str])] = &[
    ("last_name", &["apellido", "apellidos"]),
    ("first_name", &["nombre", "nombres"]),
    ("title", &["titulo", "tratamiento"]),
    ("category", &["categoria", "categoriadeusuario"]),
    ("department", &["departamento", "facultad"]),
    ("branch", &["biblioteca", "sucursal"]),
    ("leaving_on", &["fechadebaja", "fechadecaducidad", "fechadevencimiento", "caducidad"]),
    ("created_on", &["fechadealta", "fechadeinscripcion"]),
    ("email", &["correo", "correoelectronico"]),
    ("phone", &["telefono"]),
    ("mobile", &["movil", "telefonomovil"]),
    ("street", &["direccion", "calle"]),
    ("postcode", &["codigopostal"]),
    ("city", &["ciudad", "localidad"]),
    ("birth_date", &["fechadenacimiento"]),
    ("gender", &["sexo", "genero"]),
    ("language", &["idioma"]),
    ("notes", &["notas", "observaciones"]),
    ("note", &["nota", "notas", "observaciones"]),
    ("item_barcode", &["codigodelejemplar"]),
    ("issued_on", &["fechadeprestamo"]),
    ("due_on", &["fechadedevolucionprevista"]),
    ("returned_on", &["fechadedevolucion"]),
    ("placed_on", &["fechadereserva"]),
    ("amount", &["importe"]),
    ("charged_on", &["fecha"]),
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
    ("guarantor_external_id", &["guarantorid"]),
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
