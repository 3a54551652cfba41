//! Tests of the checks before a start.

use super::*;

#[test]
fn a_clock_that_was_never_set_is_a_problem() {
    let at = |text: &str| text.parse().expect("an instant");
    assert!(clock(at("1970-01-01T00:00:05Z")).problem.is_some_and(|problem| problem.contains("1970-01-01")));
    assert!(clock(at("2026-11-27T00:00:00Z")).problem.is_none());
}

#[test]
fn the_assets_are_the_files_that_hash_txt_names() {
    let site = tempfile::tempdir().expect("a folder");
    let site = site.path();
    let problem = || assets(&Site::Folder(site.to_owned()));
    assert!(problem().is_some_and(|words| words.contains("lethe.css") && words.contains("LETHE_ASSETS_DIR")));
    std::fs::create_dir(site.join("pkg")).expect("a folder");
    for end in [".css", ".js", "_bg.wasm"] {
        std::fs::write(site.join(format!("pkg/lethe{end}")), "").expect("written");
    }
    assert_eq!(problem(), None);
    std::fs::write(site.join("hash.txt"), "0123abcd\n").expect("written");
    assert!(problem().is_some_and(|words| words.contains("lethe.0123abcd_bg.wasm")));
}

#[test]
fn a_folder_instead_of_a_file_is_a_problem() {
    let folder = tempfile::tempdir().expect("a folder");
    for file_use in [FileUse::Read, FileUse::Append, FileUse::ReadAndWrite] {
        let problem = access::file(folder.path(), file_use, "LETHE_KEY_FILE").expect("a problem");
        assert!(problem.contains("is a folder") && problem.contains("LETHE_KEY_FILE"), "{problem}");
        let below_a_file = folder.path().join("file/below");
        std::fs::write(folder.path().join("file"), "").expect("written");
        assert!(access::file(&below_a_file, file_use, "LETHE_KEY_FILE").is_some(), "{file_use:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_permissions_of_other_users_are_removed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["a.key", "b.key"].map(|name| folder.path().join(name));
    for (file, mode) in files.iter().zip([0o644, 0o600]) {
        std::fs::write(file, "").expect("written");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).expect("set");
    }
    assert!(modes::warning(&files[0]).is_some_and(|problem| problem.contains("chmod 600")));
    assert_eq!(modes::tighten(&files), files[..1]);
    assert_eq!(modes::warning(&files[0]), None);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("set");
    assert!(modes::warning(folder.path()).is_some_and(|problem| problem.contains("chmod 700")));
}
