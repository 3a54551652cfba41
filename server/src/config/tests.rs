//! Tests the configuration against the tables in docs/configuration.md.

use super::*;

fn parse(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Config::from_sources(file, environment)
}

#[test]
fn the_environment_overrides_the_file() {
    let config = parse("addr = '127.0.0.1:1'\ntime_zone = 'Asia/Kathmandu'", &[("LETHE_ADDR", "[::1]:2")]);
    let config = config.expect("a valid configuration");
    assert_eq!(config.addr.to_string(), "[::1]:2");
    assert_eq!(config.time_zone, Tz::Asia__Kathmandu);
    assert_eq!(config.database_url, "sqlite://data/lethe.db?mode=rwc");
}

#[test]
fn unknown_keys_and_invalid_values_are_rejected() {
    assert!(parse("adress = 'x'", &[]).is_err());
    assert!(parse("", &[("LETHE_TIMEZONE", "Europe/London")]).is_err());
    assert!(parse("", &[("LETHE_TIME_ZONE", "Europe/Londn")]).is_err());
    assert!(parse("", &[("LETHE_LIMIT_RUN_USERS", "many")]).is_err());
    let safety_limits = parse("limit_run_percent = 5", &[("LETHE_LIMIT_RUN_USERS", "70")])
        .expect("valid")
        .settings()
        .safety_limits;
    assert_eq!((safety_limits.people, safety_limits.percent), (70, 5));
    let limits = parse("", &[("LETHE_LIMIT_MARK_PER_DAY", "7")]).expect("valid").settings().limits;
    assert_eq!(limits, Limits { mark_per_day: 7, ..Limits::default() });
    assert_eq!(parse("", &[]).expect("valid").settings().limits, Limits::default());
    assert_eq!(parse("", &[]).expect("valid").settings().four_eyes, FourEyes::Auto);
    let on = parse("four_eyes = 'off'", &[("LETHE_FOUR_EYES", "on")]).expect("valid");
    assert_eq!(on.settings().four_eyes, FourEyes::On);
    assert!(parse("", &[("LETHE_FOUR_EYES", "yes")]).is_err());
    assert!(matches!(parse("", &[("LETHE_TODAY", "2018-01-21")]), Err(ConfigError::TodayWithoutDemo)));
    let demo = parse("", &[("LETHE_TODAY", "2018-01-21"), ("LETHE_DEMO", "1")]).expect("a demonstration");
    assert_eq!(demo.clock().today().to_string(), "2018-01-21");
}

#[test]
fn an_address_that_others_can_reach_requires_tls() {
    assert!(parse("", &[]).is_ok_and(|config| config.listen_on().is_ok()));
    for addr in ["0.0.0.0:3000", "192.0.2.1:80", "[::]:3000"] {
        for more in [&[][..], &[("LETHE_PUBLIC_URL", "http://lethe.example.org")][..]] {
            let environment = [&[("LETHE_ADDR", addr)][..], more].concat();
            let refused = parse("", &environment).expect("a valid configuration").listen_on();
            assert!(matches!(refused, Err(ConfigError::WithoutTls(_))), "{addr}");
        }
        let https = [("LETHE_ADDR", addr), ("LETHE_PUBLIC_URL", "https://lethe.example.org:8443/")];
        let config = parse("", &https).expect("a valid configuration");
        assert!(config.listen_on().is_ok());
        assert_eq!(config.network().name.as_deref(), Some("lethe.example.org"));
        assert_eq!(config.cookies(), Cookies::Secure);
    }
    assert!(matches!(parse("", &[("LETHE_PUBLIC_URL", "lethe")]), Err(ConfigError::NotAnAddress)));
    assert!(matches!(parse("", &[("LETHE_TRUSTED_PROXIES", "proxy")]), Err(ConfigError::NotAProxy)));
    let proxies = parse("", &[("LETHE_TRUSTED_PROXIES", "10.0.0.1, ::1")]).expect("valid").network().proxies;
    assert_eq!(proxies.len(), 2);
}

const MAIL: [(&str, &str); 2] = [("LETHE_SMTP_HOST", "127.0.0.1"), ("LETHE_MAIL_FROM", "lethe@example.org")];
const LOGIN: [(&str, &str); 2] = [("LETHE_SMTP_USER", "lethe"), ("LETHE_SMTP_PASSWORD_FILE", "secret")];

const PROVIDER: [(&str, &str); 2] =
    [("LETHE_OIDC_ISSUER", "https://login.example.org"), ("LETHE_OIDC_CLIENT_ID", "lethe")];

#[test]
fn a_mail_server_needs_sender_and_login_together_and_tls_elsewhere() {
    let read = |variables: &[(&str, &str)]| parse("", variables).map(|config| config.settings().mail);
    assert_eq!(read(&[]).expect("valid"), None);
    let mail = read(&MAIL).expect("valid").expect("a mail server");
    assert_eq!((mail.port, mail.tls, mail.login), (587, MailTls::Starttls, None));
    let mail =
        read(&[&MAIL[..], &LOGIN, &[("LETHE_SMTP_TLS", "tls")]].concat()).expect("valid").expect("one");
    assert_eq!((mail.port, mail.tls, mail.login.is_some()), (465, MailTls::Tls, true));
    for one in MAIL.iter().chain(&LOGIN) {
        assert!(matches!(read(&[*one]), Err(ConfigError::IncompleteMail)), "{one:?}");
    }
    for login in LOGIN {
        assert!(matches!(read(&[&MAIL[..], &[login]].concat()), Err(ConfigError::IncompleteMail)));
    }
    for from in ["lethe", "lethe@", "a@example.org, b@example.org", "a@example.org\r\nBcc: b@example.org"] {
        let variables = [MAIL[0], ("LETHE_MAIL_FROM", from)];
        assert!(matches!(read(&variables), Err(ConfigError::NotASender)), "{from:?}");
    }
    let plain = ("LETHE_SMTP_TLS", "none");
    assert!(read(&[MAIL[0], MAIL[1], plain]).is_ok());
    let elsewhere = [("LETHE_SMTP_HOST", "mail.example.org"), MAIL[1], plain];
    assert!(matches!(read(&elsewhere), Err(ConfigError::MailWithoutTls)));
}

#[test]
fn the_password_of_the_mail_server_is_checked_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let path = file.to_str().expect("a path");
    let variables = [&MAIL[..], &[LOGIN[0], ("LETHE_SMTP_PASSWORD_FILE", path)]].concat();
    let config = parse("", &variables).expect("valid");
    assert!(matches!(config.check_mail_password(), Err(ConfigError::NoMailPassword)), "no file");
    for (text, is_usable) in [("", false), (" \n", false), ("s3cret\n", true)] {
        std::fs::write(&file, text).expect("a file");
        assert_eq!(config.check_mail_password().is_ok(), is_usable, "{text:?}");
    }
    assert!(parse("", &[]).expect("valid").check_mail_password().is_ok(), "no mail server");
}

#[test]
fn a_provider_needs_issuer_client_id_and_tls() {
    let [issuer, client_id] = PROVIDER;
    assert!(parse("", &[]).expect("valid").provider("http://localhost").expect("valid").is_none());
    assert!(parse("", &PROVIDER).expect("valid").provider("http://localhost").expect("valid").is_some());
    assert!(matches!(parse("", &[issuer]), Err(ConfigError::IncompleteProvider)));
    assert!(matches!(parse("", &[client_id]), Err(ConfigError::IncompleteProvider)));
    for (issuer, is_valid) in [
        ("https://login.example.org/realms/staff", true),
        ("http://localhost:8080", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://login.example.org", false),
        ("http://localhost.example.org", false),
        ("http://127.0.0.1.example.org", false),
        ("ftp://localhost", false),
        ("login.example.org", false),
        ("", false),
    ] {
        let read = parse("", &[("LETHE_OIDC_ISSUER", issuer), client_id]);
        let is_accepted = match read {
            Ok(_) => true,
            Err(ConfigError::NotAnIssuer) => false,
            Err(other) => panic!("{issuer}: {other}"),
        };
        assert_eq!(is_accepted, is_valid, "{issuer}");
    }
}

#[test]
fn the_client_secret_is_the_trimmed_text_of_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    let with_file = || {
        let file = file.to_str().expect("a path");
        parse("", &[&PROVIDER[..], &[("LETHE_OIDC_SECRET_FILE", file)]].concat()).expect("valid")
    };
    let read = || with_file().provider("https://lethe.example.org/").map(|provider| provider.is_some());
    assert!(matches!(read(), Err(ConfigError::NoSecret)), "no file");
    for (text, secret) in [("", None), (" \r\n", None), ("s3cret\n", Some("s3cret")), ("a b", Some("a b"))] {
        std::fs::write(&file, text).expect("a file");
        assert_eq!(secret_file::read(&file).as_deref(), secret, "{text:?}");
        assert_eq!(read().is_ok(), secret.is_some(), "{text:?}");
    }
    std::fs::write(&file, [0xff, 0xfe]).expect("a file");
    assert!(matches!(read(), Err(ConfigError::NoSecret)), "no text");
}

/// A value of each documented variable that is not its default.
const VALUES: [(&str, &str); 45] = [
    ("LETHE_DATABASE_URL", "postgres://lethe@localhost/lethe"),
    ("LETHE_ADDR", "127.0.0.1:4000"),
    ("LETHE_PUBLIC_URL", "https://lethe.example.org"),
    ("LETHE_TRUSTED_PROXIES", "127.0.0.1"),
    ("LETHE_IDLE_MINUTES", "5"),
    ("LETHE_ALLOW_PASSWORD_ONLY", "1"),
    ("LETHE_OIDC_ISSUER", "https://login.example.org"),
    ("LETHE_OIDC_CLIENT_ID", "007"),
    ("LETHE_OIDC_SECRET_FILE", "secret"),
    ("LETHE_OIDC_NAME", "12"),
    ("LETHE_OIDC_SECOND_FACTOR", "1"),
    ("LETHE_SMTP_HOST", "127.0.0.1"),
    ("LETHE_SMTP_PORT", "2525"),
    ("LETHE_SMTP_TLS", "none"),
    ("LETHE_SMTP_USER", "007"),
    ("LETHE_SMTP_PASSWORD_FILE", "password"),
    ("LETHE_MAIL_FROM", "Town Library <lethe@example.org>"),
    ("LETHE_WEBHOOK_PRIVATE_ADDRESSES", "1"),
    ("LETHE_LOG", "json"),
    ("LETHE_TIME_ZONE", "Asia/Kathmandu"),
    ("LETHE_ASSETS_DIR", "elsewhere"),
    ("LETHE_LEDGER_FILE", "a.ledger"),
    ("LETHE_KEY_FILE", "a.key"),
    ("LETHE_SUPPRESSION_KEY_FILE", "a.suppression"),
    ("LETHE_SUPPRESSION_MONTHS", "12"),
    ("LETHE_AUDIT_ANCHOR_FILE", "a.audit"),
    ("LETHE_UPLOAD_DIR", "elsewhere"),
    ("LETHE_IMPORT_DIR", "arriving"),
    ("LETHE_MAX_UPLOAD_MB", "7"),
    ("LETHE_LIMIT_RUN_USERS", "0"),
    ("LETHE_LIMIT_RUN_PERCENT", "0"),
    ("LETHE_LIMIT_RUN_TIMES_MEDIAN", "0"),
    ("LETHE_FOUR_EYES", "off"),
    ("LETHE_LEASE_SECONDS", "5"),
    ("LETHE_VACUUM_UP_TO_MB", "0"),
    ("LETHE_DEMO", "1"),
    ("LETHE_METRICS_ADDR", "127.0.0.1:9100"),
    ("LETHE_METRICS_TOKEN_FILE", "/run/secrets/metrics"),
    ("LETHE_LIMIT_ANONYMISE_PER_HOUR", "7"),
    ("LETHE_LIMIT_ANONYMISE_PER_DAY", "7"),
    ("LETHE_LIMIT_MARK_PER_HOUR", "7"),
    ("LETHE_LIMIT_MARK_PER_DAY", "7"),
    ("LETHE_LIMIT_MANUAL_PER_RUN", "7"),
    ("LETHE_LIMIT_IMPORT_USERS", "7"),
    ("LETHE_LIMIT_IMPORT_PERCENT", "7"),
];

/// Returns the variables that a variable requires.
fn required_with(name: &str) -> Vec<(&'static str, &'static str)> {
    match name {
        "LETHE_OIDC_ISSUER" => vec![PROVIDER[1]],
        "LETHE_OIDC_CLIENT_ID" => vec![PROVIDER[0]],
        "LETHE_TODAY" => vec![("LETHE_DEMO", "1")],
        "LETHE_SMTP_HOST" => vec![MAIL[1]],
        "LETHE_MAIL_FROM" => vec![MAIL[0]],
        "LETHE_SMTP_TLS" => MAIL.into(),
        "LETHE_SMTP_USER" => [MAIL.as_slice(), &[LOGIN[1]]].concat(),
        "LETHE_SMTP_PASSWORD_FILE" => [MAIL.as_slice(), &[LOGIN[0]]].concat(),
        _ => Vec::new(),
    }
}

/// Returns the variables in the first columns of the tables in docs/configuration.md.
fn documented() -> Vec<String> {
    let page = include_str!("../../../docs/configuration.md");
    let rows = page.lines().filter(|line| line.starts_with("| `LETHE_"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells
        .flat_map(|cell| cell.split('`').filter(|word| word.starts_with("LETHE_")))
        .map(str::to_owned)
        .collect()
}

fn value_of(name: &str) -> &'static str {
    let today = [("LETHE_TODAY", "2018-01-21")];
    let mut values = VALUES.iter().chain(&today);
    values.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("a value for {name}")).1
}

#[test]
fn every_documented_variable_works_in_the_environment_and_in_the_file() {
    let default = format!("{:?}", parse("", &[]).expect("the defaults"));
    let names = documented();
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        let value = value_of(name);
        let required = required_with(name);
        let base = format!("{:?}", parse("", &required).unwrap_or_else(|_| Config::default()));
        let by_environment = parse("", &[&[(name.as_str(), value)][..], &required].concat());
        let by_environment =
            format!("{:?}", by_environment.unwrap_or_else(|error| panic!("{name}: {error}")));
        assert_ne!(by_environment, base, "{name} changes nothing");
        assert_ne!(by_environment, default, "{name} changes nothing");
        let key = name.trim_start_matches("LETHE_").to_ascii_lowercase();
        let typed = if value.parse::<u32>().is_ok_and(|number| number.to_string() == value) {
            value.to_owned()
        } else {
            format!("'{value}'")
        };
        for text in [typed, format!("'{value}'")] {
            let by_file = parse(&format!("{key} = {text}"), &required);
            let by_file = format!("{:?}", by_file.unwrap_or_else(|error| panic!("{key} = {text}: {error}")));
            assert_eq!(by_file, by_environment, "{key} = {text}");
        }
    }
    for (name, _) in VALUES {
        assert!(
            names.iter().any(|documented| documented == name),
            "{name} is missing in docs/configuration.md"
        );
    }
}

#[test]
fn every_key_is_documented() {
    let refused = parse("no_such_key = 1", &[]).expect_err("an unknown key").to_string();
    let (_, known) = refused.split_once("Known settings: ").expect("the known keys");
    let names = documented();
    let known: Vec<String> = known
        .split(", ")
        .map(|key| format!("LETHE_{}", key.trim_end_matches('.').to_ascii_uppercase()))
        .collect();
    assert_eq!(known.len(), names.len(), "{known:?} {names:?}");
    for key in known {
        assert!(names.contains(&key), "{key} is not in docs/configuration.md");
    }
}

#[test]
fn a_switch_accepts_1_true_on_and_0_false_off() {
    for (word, on) in
        [("1", true), ("true", true), ("on", true), ("0", false), ("false", false), ("off", false)]
    {
        let read = parse("", &[("LETHE_ALLOW_PASSWORD_ONLY", word)]).expect("valid");
        assert_eq!(read.settings().sign_in.allow_password_only, on, "{word}");
    }
}

#[test]
fn an_error_names_the_key_the_value_and_the_expected_values() {
    for (name, value, expected) in [
        ("LETHE_IDLE_MINUTES", "soon", "a whole number from 1"),
        ("LETHE_IDLE_MINUTES", "0", "a whole number from 1"),
        ("LETHE_IDLE_MINUTES", "-1", "a whole number from 1"),
        ("LETHE_IDLE_MINUTES", "2.5", "a whole number from 1"),
        ("LETHE_LEASE_SECONDS", "99999999999", "a whole number from 1"),
        ("LETHE_VACUUM_UP_TO_MB", "-1", "a whole number from 0"),
        ("LETHE_VACUUM_UP_TO_MB", "", "a whole number from 0"),
        ("LETHE_LIMIT_RUN_USERS", "5,000", "a whole number from 0"),
        ("LETHE_ALLOW_PASSWORD_ONLY", "maybe", "1 or 0"),
        ("LETHE_ADDR", "localhost", "an address and port such as 127.0.0.1:3000"),
        ("LETHE_TIME_ZONE", "Europe/Londn", "a time zone such as Europe/London"),
        ("LETHE_LOG", "xml", "text or json"),
        ("LETHE_FOUR_EYES", "two", "auto, on or off"),
        ("LETHE_SMTP_TLS", "ssl", "starttls, tls or none"),
        ("LETHE_SMTP_PORT", "70000", "a port from 0 to 65535"),
        ("LETHE_WEBHOOK_PRIVATE_ADDRESSES", "maybe", "1 or 0"),
        ("LETHE_TODAY", "21.1.2018", "a date such as 2018-01-21"),
    ] {
        let refused = parse("", &[(name, value)]).expect_err(name).to_string();
        for part in [name, &format!("“{value}”"), expected] {
            assert!(refused.contains(part), "{name}={value}: {refused}");
        }
        let key = name.trim_start_matches("LETHE_").to_ascii_lowercase();
        let refused = parse(&format!("{key} = '{value}'"), &[]).expect_err(name).to_string();
        for part in [key.as_str(), "lethe.toml", &format!("“{value}”"), expected] {
            assert!(refused.contains(part), "{key} = {value}: {refused}");
        }
    }
}

#[test]
fn no_error_shows_the_database_url() {
    for file in [
        "database_url = ['postgres://lethe:s3cret@localhost/lethe']",
        "database_url = 'postgres://lethe:s3cret@localhost/lethe",
        "[database_url]\nurl = 's3cret'",
        "database_url = 'postgres://lethe:s3cret@localhost/lethe'\ndatabase_url = 's3cret'",
    ] {
        let refused = parse(file, &[]).expect_err(file);
        assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{refused}");
        assert!(
            refused.to_string().contains("database_url") || refused.to_string().contains("Line "),
            "{refused}"
        );
    }
}

#[test]
fn an_unknown_variable_is_named_without_its_value() {
    let refused = parse("", &[("LETHE_DATABASE_PASSWORD", "s3cret")]).expect_err("unknown").to_string();
    assert!(refused.contains("LETHE_DATABASE_PASSWORD") && !refused.contains("s3cret"), "{refused}");
    let refused = parse("idle_minute = 5", &[]).expect_err("unknown").to_string();
    assert!(refused.contains("idle_minute in lethe.toml") && refused.contains("idle_minutes"), "{refused}");
}

#[test]
fn the_public_name_has_no_port() {
    for (address, name) in [
        ("https://lethe.example.org", "lethe.example.org"),
        ("https://lethe.example.org:8443/", "lethe.example.org"),
        ("https://192.0.2.1:8443", "192.0.2.1"),
        ("https://[2001:db8::1]", "[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]"),
    ] {
        let config = parse("", &[("LETHE_PUBLIC_URL", address)]).expect(address);
        assert_eq!(config.network().name.as_deref(), Some(name), "{address}");
    }
    for address in ["https://", "https://:8443", "https://[2001:db8::1"] {
        assert!(
            matches!(parse("", &[("LETHE_PUBLIC_URL", address)]), Err(ConfigError::NotAnAddress)),
            "{address}"
        );
    }
}
