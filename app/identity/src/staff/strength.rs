//! Checks the strength of new passwords.

use super::breached::{folded, is_breached};
use super::password::opaque;
use policy::form::Problem;
use policy::password;
use std::collections::HashSet;
use zeroize::Zeroizing;

/// The password of all accounts of the demo library. It is public.
pub const DEMO_PASSWORD: &str = "forget me in the library";
/// Minimum strength: log10 of the estimated number of guesses.
const MIN_GUESSES_LOG10: f64 = 9.0;
/// Minimum length of a known word. Shorter ones are part of many other words.
const MIN_KNOWN_CHARACTERS: usize = 3;
/// Words that an attacker would try at a library that uses Lethe.
const CONTEXT: [&str; 6] = ["lethe", "library", "librarian", "bibliothek", "bibliotheque", "biblioteca"];

/// Rejects a new password that is too short, known from a breach, or easy to guess.
///
/// `known` contains values that others know about its owner.
pub(super) fn check(new: &str, known: &[&str]) -> Result<(), Problem> {
    let new = opaque(new);
    password::check(&new)?;
    // The demo password is public.
    if *folded(&new) == *folded(DEMO_PASSWORD) || is_breached(&new) {
        return Err(Problem::PasswordBreached);
    }
    let known = words_of(known);
    let hints: Vec<&str> = known.iter().map(String::as_str).collect();
    let rest = without(&new, &known);
    let is_guessable = [&*new, &*without_repeats(&new, &hints), &*rest, &*without_repeats(&rest, &hints)]
        .into_iter()
        .any(|text| guesses(text, &hints) < MIN_GUESSES_LOG10);
    if is_guessable { Err(Problem::PasswordGuessable) } else { Ok(()) }
}

fn guesses(text: &str, known: &[&str]) -> f64 {
    zxcvbn::zxcvbn(text, known).guesses_log10()
}

/// Returns the values and each of their words in lower case, longest first.
fn words_of(known: &[&str]) -> Vec<String> {
    let values = known.iter().chain(&CONTEXT).map(|value| value.to_lowercase());
    let words: HashSet<String> = values
        .flat_map(|value| {
            let words = value.split(|char: char| !char.is_alphanumeric()).map(str::to_owned);
            words.chain([value.clone(), value.split_whitespace().collect()]).collect::<Vec<_>>()
        })
        .filter(|word| word.chars().count() >= MIN_KNOWN_CHARACTERS)
        .collect();
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words
}

/// Returns a password without the known words, which add no strength.
fn without(password: &str, known: &[String]) -> Zeroizing<String> {
    let lower = Zeroizing::new(password.to_lowercase());
    known.iter().fold(lower, |rest, word| Zeroizing::new(rest.replace(word.as_str(), "")))
}

/// Returns a password without repeated parts, which add almost no strength.
///
/// Parts are runs of letters, of digits and of other characters, and the parts that the estimator identifies.
fn without_repeats(password: &str, known: &[&str]) -> Zeroizing<String> {
    let mut seen = HashSet::new();
    let runs = runs_of(password).into_iter().filter(|run| seen.insert(run.to_lowercase()));
    let once: Zeroizing<String> = Zeroizing::new(runs.collect());
    let mut seen = HashSet::new();
    let parts = zxcvbn::zxcvbn(&once, known);
    let once = parts.sequence().iter().filter(|part| seen.insert(part.token.to_lowercase()));
    Zeroizing::new(once.map(|part| part.token.as_str()).collect())
}

/// Returns the runs of letters, of digits and of other characters.
fn runs_of(text: &str) -> Vec<&str> {
    let kind = |char: char| (char.is_alphabetic(), char.is_numeric());
    let mut runs = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, char) in text.char_indices() {
        if before.is_some_and(|before| before != kind(char)) {
            runs.extend(text.get(start..at));
            start = at;
        }
        before = Some(kind(char));
    }
    runs.extend(text.get(start..));
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["oliver.twist", "Oliver", "Twist", "o.twist@workhouse.example", "City Library"];

    #[test]
    fn guessable_passwords_are_rejected() {
        for guessable in [
            "password1234",
            "qwertyuiop12",
            "aaaaaaaaaaaaaaaa",
            "librarylibrary",
            "oliver.twist1",
            "correct horse battery staple",
            "Correct Horse Battery Staple!",
            "Summer2026!!Summer2026",
            "Summer2026Summer2026!",
            "winter-2025-winter-2025",
            "Welcome1Welcome1Welcome1",
            "OliverTwist2026!Lethe",
            "Oliver-Twist-Library",
            "twistoliver!twistoliver",
            "workhouse.example1",
            "Bibliothek2026!",
            DEMO_PASSWORD,
            "Forget Me In The Library",
            "forgetmeinthelibrary!",
        ] {
            assert!(check(guessable, &KNOWN).is_err(), "{guessable}");
        }
    }

    #[test]
    fn long_and_unusual_passwords_are_accepted() {
        for good in [
            "plum tractor seventeen",
            "another tractor eighteen",
            "gro\u{308}\u{df}ere Ba\u{308}renho\u{308}hle fru\u{308}h",
            "Oliver eats 7 brown biscuits",
            "vK3#pq9!Lz0wXe",
        ] {
            assert_eq!(check(good, &KNOWN), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_length_counts_composed_characters() {
        let decomposed = "e\u{301}\u{f6}".repeat(5);
        assert_eq!(check(&decomposed, &[]), Err(Problem::PasswordTooShort { min: password::MIN_CHARACTERS }));
    }
}
