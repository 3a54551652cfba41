//! The share of correct findings, in a library in which many users share names.

use super::{a_loan, findings_of, results};
use crate::anonymising::run_all;
use crate::support::{execute, for_each_database};
use db::entity::{tasks, users};
use db::pagination::Paging;
use erasure::residue::{CurrentText, FindingQuery, findings};
use policy::{Residue, RunId, TaskId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeMap;
use trail::{Actor, Store};
use unicode_normalization::UnicodeNormalization as _;

const SEED: u64 = 20_180_121;

/// Returns the words of a text, with letters and digits only.
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

/// Returns whether a text is about this user and not about the owner of the row. It must contain a value that only
/// this user has, both names, or a unique last name.
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

/// Returns the texts of all findings of a run, with the owners of the rows.
async fn finding_texts(
    store: &Store,
    run: RunId,
) -> BTreeMap<(String, String, String), (String, Option<i64>)> {
    let query = FindingQuery { run: Some(run), ..FindingQuery::default() };
    let mut texts = BTreeMap::new();
    let mut paging = Paging::default();
    loop {
        let page = findings(store, &query, &paging).await.unwrap();
        for found in page.rows {
            if let CurrentText::Text { text, owner, .. } = found.now {
                let owner = owner.map(|owner| owner.0);
                texts.insert((found.table, found.column, found.row), (text, owner));
            }
        }
        if page.next.is_none() {
            return texts;
        }
        paging.after = page.next;
    }
}

/// Writes notes into the loans of users who stay. Each note names any user, leaver or not, by full name or last name.
async fn notes_about_others(store: &Store, people: &BTreeMap<i64, users::Model>) {
    let mut rng = StdRng::seed_from_u64(SEED);
    let people: Vec<_> =
        people.values().filter(|user| user.last_name.is_some() && !user.fictitious).collect();
    let staying: Vec<_> = people.iter().filter(|user| user.leaving_on.is_none()).collect();
    for id in 1_000_000..1_000_600 {
        let named = people[rng.random_range(0..people.len())];
        let owner = staying[rng.random_range(0..staying.len())];
        let last = named.last_name.as_deref().unwrap();
        let note = match named.first_name.as_deref() {
            Some(first) if rng.random_range(0..4) > 0 => format!("{first} {last} returned it"),
            _ => format!("Ask family {last}"),
        };
        a_loan(store, id, owner.number, &note).await;
    }
}

#[tokio::test]
async fn most_findings_in_the_demo_library_are_correct() {
    for_each_database(async |store| {
        demo::fill(&store, Actor::COMMAND_LINE, 2_000, 1).await.unwrap();
        // Without credentials there are no approvers, so the run needs no approval.
        execute(&store, "DELETE FROM credentials WHERE user_number < 10").await;
        let before: BTreeMap<i64, users::Model> = users::Entity::find()
            .all(&store.db)
            .await
            .unwrap()
            .into_iter()
            .map(|user| (user.number, user))
            .collect();
        let task = tasks::Entity::find()
            .filter(tasks::Column::SingleDefault.eq(true))
            .one(&store.db)
            .await
            .unwrap()
            .unwrap();
        notes_about_others(&store, &before).await;
        let (id, _) = run_all(&store, TaskId(task.id)).await;
        let (mut all, mut correct) = (0_u32, 0_u32);
        let mut kinds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        let texts = finding_texts(&store, id).await;
        for finding in findings_of(&store, id).await {
            let cell = (finding.table_name.clone(), finding.column_name.clone(), finding.row_key.clone());
            let (text, owner) = texts.get(&cell).cloned().unwrap_or_default();
            let owner = owner.and_then(|owner| before.get(&owner));
            let is_true = {
                let person = &before[&finding.user_number];
                let holders = before.values().filter(|user| user.last_name == person.last_name).count();
                is_about(&text, person, owner, holders == 1)
            };
            all += 1;
            correct += u32::from(is_true);
            let kind = kinds
                .entry(format!("{}.{} {}", finding.table_name, finding.column_name, finding.what.code()))
                .or_default();
            kind.0 += 1;
            kind.1 += u32::from(is_true);
            if !is_true && kind.0 - kind.1 <= 5 {
                let person = &before[&finding.user_number];
                let (first, last) = (&person.first_name, &person.last_name);
                eprintln!("wrong: {text:?} for {first:?} {last:?}, {}", finding.what.code());
            }
        }
        let done = results(&store, id).await;
        let clean = done.values().filter(|result| **result == Some(Residue::Clean)).count();
        eprintln!("{} users, {clean} clean; {correct} of {all} findings are correct: {kinds:?}", done.len());
        assert!(all > 0, "nothing was found");
        assert!(f64::from(correct) >= 0.9 * f64::from(all), "{correct} of {all}");
    })
    .await;
}
