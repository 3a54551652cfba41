//! Similar spellings, for a search that finds no user.

use super::{UserQuery, count, find};
use db::entity::user_words;
use db::pagination::Paging;
use db::{RecordsError, dialect};
use policy::letters::fold;
use policy::user_search::{Test, UserSearch, cleaned};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeSet;
use strsim::damerau_levenshtein;
use trail::Store;

/// The maximum number of proposed searches.
const MAX_PROPOSED: usize = 5;
/// The maximum number of searches that are tried.
const MAX_TRIED: usize = 16;
/// The maximum number of words of the text that are corrected, the longest ones first.
const MAX_CORRECTED: usize = 3;
/// The maximum number of similar words for one word.
const MAX_SIMILAR: usize = 5;
/// The number of words of the index that are compared because they begin in the same way.
const NEIGHBOURS: usize = 5_000;
/// The lengths of words that are corrected, in letters. A shorter word is similar to too many.
const CORRECTED: std::ops::RangeInclusive<usize> = 3..=20;
/// The number up to which the users of a proposed search are counted.
pub const MAX_SIMILAR_COUNTED: u64 = 100;
/// Letters that sound alike in names.
const ALIKE: [(&str, &str); 16] = [
    ("ph", "f"),
    ("c", "k"),
    ("ck", "k"),
    ("ch", "k"),
    ("th", "t"),
    ("dt", "t"),
    ("tz", "z"),
    ("sch", "sh"),
    ("v", "w"),
    ("v", "f"),
    ("ei", "ai"),
    ("ey", "ei"),
    ("ay", "ai"),
    ("ei", "ay"),
    ("y", "i"),
    ("ks", "x"),
];

/// A search that finds users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Similar {
    /// The text of the search.
    pub text: String,
    /// The number of users that it finds, up to [`MAX_SIMILAR_COUNTED`].
    pub users: i64,
    /// The word that it lacks, if it differs by that only.
    pub without: Option<String>,
}

/// Returns searches with similar spellings that find users, and those without one of the words. The work has a limit,
/// whatever the number of users is.
pub async fn similar(store: &Store, query: &UserQuery) -> Result<Vec<Similar>, RecordsError> {
    let text = cleaned(&query.text);
    let words: Vec<&str> = text.split(' ').filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let mut corrected: Vec<usize> = (0..words.len()).collect();
    corrected.sort_by_key(|at| std::cmp::Reverse(words[*at].chars().count()));
    let mut variants: Vec<(String, Option<String>)> = Vec::new();
    for at in corrected.into_iter().take(MAX_CORRECTED) {
        for other in similar_words(store, words[at]).await? {
            variants.push((with_word(&words, at, Some(&other)), None));
        }
    }
    if words.len() > 1 {
        for (at, word) in words.iter().enumerate().take(MAX_PROPOSED) {
            variants.push((with_word(&words, at, None), Some((*word).to_owned())));
        }
    }
    let mut proposed: Vec<Similar> = Vec::new();
    for (text, without) in variants.into_iter().take(MAX_TRIED) {
        let tried = UserQuery { text, ..query.clone() };
        let mut users = count(store, &tried, MAX_SIMILAR_COUNTED).await?;
        if users == 0 {
            continue;
        }
        let text = match without {
            None => as_spelled(store, &tried).await?,
            Some(_) => tried.text.clone(),
        };
        if text != tried.text {
            users = count(store, &UserQuery { text: text.clone(), ..tried }, MAX_SIMILAR_COUNTED).await?;
        }
        if !proposed.iter().any(|other| fold(&other.text) == fold(&text)) {
            proposed.push(Similar { text, users, without });
        }
        if proposed.len() == MAX_PROPOSED {
            break;
        }
    }
    Ok(proposed)
}

/// Returns the words with another one at this place, or without it.
fn with_word(words: &[&str], at: usize, other: Option<&str>) -> String {
    let words =
        words.iter().enumerate().filter_map(|(place, word)| if place == at { other } else { Some(word) });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the search with the words as the first user found spells them: `Müller` for `muller`.
async fn as_spelled(store: &Store, query: &UserQuery) -> Result<String, RecordsError> {
    let one = Paging { rows: Some(1), ..Paging::default() };
    let found = find(store, query, &one).await?;
    let Some(user) = found.rows.first() else { return Ok(query.text.clone()) };
    let values = [Some(&user.name), user.user_id.as_ref(), user.email.as_ref(), user.barcode.as_ref()];
    let known: Vec<&str> = values.into_iter().flatten().flat_map(|value| value.split_whitespace()).collect();
    let letters = |word: &str| fold(word).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let spelled = |word: &str| {
        let same = known.iter().find(|known| letters(known) == letters(word));
        same.map_or(word, |known| known.trim_matches(|c: char| !c.is_alphanumeric())).to_owned()
    };
    Ok(query.text.split(' ').map(spelled).collect::<Vec<_>>().join(" "))
}

/// Returns words of the index that are similar to a word, the most similar ones first.
async fn similar_words(store: &Store, word: &str) -> Result<Vec<String>, RecordsError> {
    let search = UserSearch::parse(word);
    let folded = search.terms.first().and_then(|term| {
        term.meanings.iter().flatten().find_map(|test| match test {
            Test::Begins(word) if word.chars().all(char::is_alphanumeric) => Some(word.clone()),
            _ => None,
        })
    });
    let Some(word) = folded.filter(|word| CORRECTED.contains(&word.chars().count())) else {
        return Ok(Vec::new());
    };
    let found: Vec<String> = user_words::Entity::find()
        .select_only()
        .column(user_words::Column::Word)
        .distinct()
        .filter(user_words::Column::Word.is_in(spellings(&word)))
        .into_tuple()
        .all(&store.db)
        .await?;
    let most = if word.chars().count() > 5 { 2 } else { 1 };
    let mut similar: BTreeSet<(usize, String)> =
        found.into_iter().map(|other| (damerau_levenshtein(&word, &other), other)).collect();
    for other in neighbours(store, &word).await? {
        let distance = damerau_levenshtein(&word, &other);
        if distance <= most {
            similar.insert((distance, other));
        }
    }
    let others = similar.into_iter().map(|(_, other)| other).filter(|other| *other != word);
    Ok(others.take(MAX_SIMILAR).collect())
}

/// Returns words of the index with the same first letters.
async fn neighbours(store: &Store, word: &str) -> Result<Vec<String>, RecordsError> {
    let beginning: String = word.chars().take(3).collect();
    let end = format!("{beginning}{}", char::MAX);
    // Raw SQL: the limit is within the DISTINCT, so that a frequent word cannot cost more.
    let sql = format!(
        "SELECT DISTINCT word FROM (SELECT word FROM user_words WHERE word >= ? AND word < ? LIMIT {NEIGHBOURS}) \
         AS near"
    );
    let statement = dialect::bind(store.db.get_database_backend(), &sql, vec![beginning.into(), end.into()]);
    let rows = store.db.query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| row.try_get("", "word")).collect::<Result<_, _>>()?)
}

/// Returns the spellings of a word with one letter more, less, changed or exchanged with its neighbour, or with letters
/// that sound alike.
fn spellings(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = word.chars().collect();
    let digits = if letters.iter().any(char::is_ascii_digit) { '0'..='9' } else { '\u{1}'..='\0' };
    let alphabet: BTreeSet<char> = ('a'..='z').chain(digits).chain(letters.iter().copied()).collect();
    let mut spellings = BTreeSet::new();
    let mut add = |parts: [&[char]; 3]| {
        spellings.insert(parts.concat().into_iter().collect::<String>());
    };
    for at in 0..=letters.len() {
        let (before, after) = letters.split_at(at);
        for letter in &alphabet {
            add([before, &[*letter], after]);
            if let Some(rest) = after.get(1..) {
                add([before, &[*letter], rest]);
            }
        }
        if let Some(rest) = after.get(1..) {
            add([before, &[], rest]);
        }
        if let [one, other, rest @ ..] = after {
            add([before, &[*other, *one], rest]);
        }
    }
    for (one, other) in ALIKE {
        for (from, to) in [(one, other), (other, one)] {
            if word.contains(from) {
                spellings.insert(word.replace(from, to));
                spellings.insert(word.replacen(from, to, 1));
            }
        }
    }
    spellings.remove(word);
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_more_less_other_or_exchanged_is_similar() {
        let all = spellings("meier");
        for word in ["meer", "meiier", "maier", "miere", "meire", "eier", "meyer", "meiers"] {
            assert_eq!(
                all.contains(word),
                damerau_levenshtein("meier", word) == 1 || word == "meyer",
                "{word}"
            );
        }
        assert!(spellings("philip").contains("filip") && spellings("2901").contains("2910"));
        assert!(!all.contains("meier"));
        assert!(spellings("abcdefghijklmnopqrst").len() < 1_200);
    }
}
