//! What a start needs, file by file.

use super::*;

#[test]
fn a_clock_that_was_never_set_is_seen() {
    let at = |text: &str| text.parse().expect("an instant");
    assert!(clock(at("1970-01-01T00:00:05Z")).problem.is_some_and(|words| words.contains("1970-01-01")));
    assert!(clock(at("2026-11-27T00:00:00Z")).problem.is_none());
}

#[test]
fn assets_are_those_that_the_hashes_name() {
    let site = tempfile::tempdir().expect("a folder");
    let site = site.path();
    assert!(
        assets(site).is_some_and(|words| words.contains("lethe.css") && words.contains("LETHE_ASSETS_DIR"))
    );
    std::fs::create_dir(site.join("pkg")).expect("a folder");
    for kind in ["css", "js", "wasm"] {
        std::fs::write(site.join(format!("pkg/lethe.{kind}")), "").expect("written");
    }
    assert_eq!(assets(site), None);
    std::fs::write(site.join("hash.txt"), "js: a\nwasm: b\ncss: c\n").expect("written");
    assert!(assets(site).is_some_and(|words| words.contains("lethe.b.wasm")));
}

#[test]
fn a_folder_in_the_place_of_a_file_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    for need in [Need::Read, Need::Append, Need::ReadAndWrite] {
        let words = access::file(folder.path(), need, "LETHE_KEY_FILE").expect("a problem");
        assert!(words.contains("is a folder") && words.contains("LETHE_KEY_FILE"), "{words}");
        let below_a_file = folder.path().join("file/below");
        std::fs::write(folder.path().join("file"), "").expect("written");
        assert!(access::file(&below_a_file, need, "LETHE_KEY_FILE").is_some(), "{need:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_rights_of_others_are_taken_away() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["a.key", "b.key"].map(|name| folder.path().join(name));
    for (file, mode) in files.iter().zip([0o644, 0o600]) {
        std::fs::write(file, "").expect("written");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).expect("set");
    }
    assert!(modes::warning(&files[0]).is_some_and(|words| words.contains("chmod 600")));
    assert_eq!(modes::tighten(&files), files[..1]);
    assert_eq!(modes::warning(&files[0]), None);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("set");
    assert!(modes::warning(folder.path()).is_some_and(|words| words.contains("chmod 700")));
}
