//! How much of what is found is true, in a library in which many people have the same names.

use super::{a_loan, hits, results};
use crate::anonymising::run_all;
use crate::support::{execute, for_each_database};
use policy::{Residue, RunId, TaskId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use records::entity::{tasks, users};
use records::pagination::Paging;
use records::residue::{FindingQuery, Now, findings};
use records::{Actor, Store, demo};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

const SEED: u64 = 20_180_121;

/// Letters and digits only, each word by itself.
fn words(text: &str) -> Vec<String> {
    let plain: String = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect();
    plain
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_owned)
        .filter(|word| !word.is_empty())
        .collect()
}

fn mentions(text: &[String], value: Option<&String>) -> bool {
    let value = value.map(|value| words(value)).unwrap_or_default();
    !value.is_empty() && text.windows(value.len()).any(|window| window == value)
}

/// Whether a text is about this person and not about the one to whom the row belongs: it has a value that is theirs
/// alone, both names, or a last name that nobody else has.
fn is_about(text: &str, person: &users::Model, owner: Option<&users::Model>, is_only_one: bool) -> bool {
    let text = words(text);
    let owner_has = |of: fn(&users::Model) -> &Option<String>| {
        owner.is_some_and(|owner| of(owner).is_some() && of(owner) == of(person))
    };
    let distinctive: [fn(&users::Model) -> &Option<String>; 6] = [
        |user| &user.user_id,
        |user| &user.email,
        |user| &user.barcode,
        |user| &user.phone,
        |user| &user.mobile,
        |user| &user.street,
    ];
    distinctive.iter().any(|of| mentions(&text, of(person).as_ref()) && !owner_has(*of))
        || is_only_one && mentions(&text, person.last_name.as_ref())
        || mentions(&text, person.last_name.as_ref())
            && [&person.first_name, &person.preferred_name]
                .iter()
                .any(|given| mentions(&text, given.as_ref()))
            && !(owner_has(|user| &user.last_name) && owner_has(|user| &user.first_name))
}

/// The texts at all places of a run, with the users to whom the rows belong.
async fn what_stands(store: &Store, run: RunId) -> BTreeMap<(String, String, String), (String, Option<i64>)> {
    let query = FindingQuery { run: Some(run), ..FindingQuery::default() };
    let mut stands = BTreeMap::new();
    let mut paging = Paging::default();
    loop {
        let page = findings(store, &query, &paging).await.unwrap();
        for found in page.rows {
            if let Now::Text { text, owner, .. } = found.now {
                let owner = owner.map(|owner| owner.0);
                stands.insert((found.table, found.column, found.row), (text, owner));
            }
        }
        if page.next.is_none() {
            return stands;
        }
        paging.after = page.next;
    }
}

/// Lets staff write into the loans of people who stay: the name of somebody, whole or the last name only; not only
/// of those who leave.
async fn notes_about_others(store: &Store, people: &BTreeMap<i64, users::Model>) {
    let mut dice = StdRng::seed_from_u64(SEED);
    let people: Vec<_> =
        people.values().filter(|user| user.last_name.is_some() && !user.fictitious).collect();
    let staying: Vec<_> = people.iter().filter(|user| user.leaving_on.is_none()).collect();
    for id in 1_000_000..1_000_600 {
        let named = people[dice.random_range(0..people.len())];
        let owner = staying[dice.random_range(0..staying.len())];
        let last = named.last_name.as_deref().unwrap();
        let note = match named.first_name.as_deref() {
            Some(first) if dice.random_range(0..4) > 0 => format!("{first} {last} returned it"),
            _ => format!("Ask family {last}"),
        };
        a_loan(store, id, owner.number, &note).await;
    }
}

#[tokio::test]
async fn most_of_what_is_found_in_the_demo_library_is_true() {
    for_each_database(async |store| {
        demo::fill(&store, Actor::COMMAND_LINE, 2_000, 1).await.unwrap();
        // Nobody is there to approve the run.
        execute(&store, "DELETE FROM credentials WHERE user_number < 10").await;
        let before: BTreeMap<i64, users::Model> = users::Entity::find()
            .all(store.database())
            .await
            .unwrap()
            .into_iter()
            .map(|user| (user.number, user))
            .collect();
        let task = tasks::Entity::find()
            .filter(tasks::Column::SingleDefault.eq(true))
            .one(store.database())
            .await
            .unwrap()
            .unwrap();
        notes_about_others(&store, &before).await;
        let (id, _) = run_all(&store, TaskId(task.id)).await;
        let (mut all, mut correct) = (0_u32, 0_u32);
        let mut kinds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        let stands = what_stands(&store, id).await;
        for hit in hits(&store, id).await {
            let spot = (hit.table_name.clone(), hit.column_name.clone(), hit.row_key.clone());
            let (text, owner) = stands.get(&spot).cloned().unwrap_or_default();
            let owner = owner.and_then(|owner| before.get(&owner));
            let is_true = {
                let person = &before[&hit.user_number];
                let bearers = before.values().filter(|user| user.last_name == person.last_name).count();
                is_about(&text, person, owner, bearers == 1)
            };
            all += 1;
            correct += u32::from(is_true);
            let kind =
                kinds.entry(format!("{}.{} {}", hit.table_name, hit.column_name, hit.what)).or_default();
            kind.0 += 1;
            kind.1 += u32::from(is_true);
            if !is_true && kind.0 - kind.1 <= 5 {
                let person = &before[&hit.user_number];
                eprintln!("wrong: {text:?} for {:?} {:?}, {}", person.first_name, person.last_name, hit.what);
            }
        }
        let done = results(&store, id).await;
        let clean = done.values().filter(|result| **result == Some(Residue::Clean)).count();
        eprintln!("{} people, {clean} clean; {correct} of {all} places are true: {kinds:?}", done.len());
        assert!(all > 0, "nothing was found");
        assert!(f64::from(correct) >= 0.9 * f64::from(all), "{correct} of {all}");
    })
    .await;
}
