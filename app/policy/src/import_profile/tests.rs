use super::*;

const fn no_custom(_: &str) -> bool {
    false
}

#[test]
fn every_built_in_profile_is_valid_and_comes_back_from_json() {
    let profiles = built_in_profiles();
    for profile in &profiles {
        assert_eq!(profile.validate(no_custom), Ok(()), "{} {:?}", profile.code, profile.kind);
        let json = serde_json::to_string(profile).expect("JSON");
        assert_eq!(&serde_json::from_str::<ImportProfile>(&json).expect("a profile"), profile);
        assert_eq!(built_in(&profile.code, profile.kind).as_ref(), Some(profile));
    }
    assert!(built_in("koha", FileKind::Loans).is_none());
    let unknown = serde_json::to_string(&profiles[0]).expect("JSON").replacen('{', "{\"colour\":1,", 1);
    assert!(serde_json::from_str::<ImportProfile>(&unknown).is_err());
}

#[test]
fn codes_are_those_of_the_json() {
    fn same<T: serde::Serialize>(value: T, code: &str) {
        assert_eq!(serde_json::to_string(&value).expect("JSON"), format!("\"{code}\""));
    }
    for value in FileKind::ALL {
        same(value, value.code());
    }
    for value in TextEncoding::ALL {
        same(value, value.code());
    }
    for value in Delimiter::ALL {
        same(value, value.code());
    }
    for value in DateFormat::ALL {
        same(value, value.code());
    }
    for value in DecimalFormat::ALL {
        same(value, value.code());
    }
    for value in OtherColumns::ALL {
        same(value, value.code());
    }
}

#[test]
fn an_invalid_profile_is_explained_at_its_fields() {
    let column = |source: &str, target: &str| ColumnMapping {
        source: source.to_owned(),
        target: Some(target.to_owned()),
        ..ColumnMapping::default()
    };
    let profile = ImportProfile {
        code: "Bad code".to_owned(),
        name: " ".to_owned(),
        format: FileFormat::Delimited(Delimited { header_line: Some(0), ..Delimited::default() }),
        columns: vec![
            column("a", "first_name"),
            column("b", "first_name"),
            column("b", "shoe_size"),
            column("c", "custom.locker"),
            ColumnMapping { dates: Some(DateFormat::Iso), ..column("d", "notes") },
            column("e", "notes"),
        ],
        never: vec![String::new()],
        ..built_in("lethe", FileKind::Users).expect("a profile")
    };
    let errors = profile.validate(no_custom).expect_err("an error");
    let fields: Vec<&str> = errors.0.iter().map(|error| error.field.as_str()).collect();
    let expected = [
        "name",
        "code",
        "header_line",
        "columns.1.target",
        "columns.2.source",
        "columns.2.target",
        "columns.3.target",
        "columns.4.dates",
        "columns",
        "columns",
        "never",
    ];
    assert_eq!(fields, expected, "{errors:?}");
}

#[test]
fn common_headings_are_recognised() {
    for (name, target) in [
        ("User_ID", "user_id"),
        ("First name", "first_name"),
        ("E-Mail", "email"),
        ("NACHNAME", "last_name"),
        ("Straße", "street"),
        ("Fakultät", "department"),
        ("Prénom", "first_name"),
        ("Date de naissance", "birth_date"),
        ("Code-barres", "barcode"),
        ("custom.locker", "custom.locker"),
    ] {
        assert_eq!(target_of_name(FileKind::Users, name).as_deref(), Some(target), "{name}");
    }
    for name in ["", "ID", "Name", "x"] {
        assert_eq!(target_of_name(FileKind::Users, name), None, "{name}");
    }
    assert_eq!(target_of_name(FileKind::Loans, "Titel").as_deref(), Some("title"));
}

#[test]
fn no_heading_has_two_meanings() {
    for kind in FileKind::ALL {
        for target in targets(kind) {
            assert_eq!(target_of_name(kind, target.name).as_deref(), Some(target.name));
        }
    }
}

#[test]
fn names_of_other_systems_are_suggested() {
    let custom = [("locker".to_owned(), "Spind".to_owned())];
    for (name, target) in [
        ("Patron ID", "external_id"),
        ("cardnumber", "barcode"),
        ("Expiry date", "leaving_on"),
        ("E-mail", "email"),
        ("Nom", "last_name"),
        ("Apellidos", "last_name"),
        ("Correo electrónico", "email"),
        ("Código postal", "postcode"),
        ("spind", "custom.locker"),
        ("custom.locker", "custom.locker"),
    ] {
        assert_eq!(suggested_target(FileKind::Users, name, &custom).as_deref(), Some(target), "{name}");
    }
    for name in ["", "#", "Remarks of the week", "custom.other"] {
        assert_eq!(suggested_target(FileKind::Users, name, &custom), None, "{name}");
    }
    assert_eq!(suggested_target(FileKind::Loans, "spind", &custom), None);
    assert_eq!(suggested_target(FileKind::Loans, "Fecha de préstamo", &[]).as_deref(), Some("issued_on"));
}

#[test]
fn every_offered_field_has_a_label_of_its_own() {
    for kind in FileKind::ALL {
        let mut labels: Vec<String> =
            offered_targets(kind).map(|target| label_of(kind, target.name)).collect();
        let count = labels.len();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), count, "{kind:?}");
        for needed in required_of(kind).iter().chain(keys_of(kind)) {
            assert!(offered_targets(kind).any(|target| target.name == *needed), "{kind:?} {needed}");
        }
    }
}
