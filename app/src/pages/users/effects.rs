//! What anonymising one person removes, generalises and keeps, as a short table.

use leptos::prelude::*;
use policy::Treatment;
use policy::dates::joined;
use policy::numbers::grouped;
use records::user::{Effect, Effects, What};

/// The kinds of things that stand in one line of the table.
const KINDS: [&str; 3] = ["In the record", "Notes and texts", "Entries"];

pub(super) fn table(effects: &Effects) -> impl IntoView + use<> {
    let all: Vec<&Effect> =
        [&effects.removed, &effects.generalised, &effects.kept].into_iter().flatten().collect();
    let lines: Vec<_> = Treatment::ALL
        .into_iter()
        .flat_map(|treatment| KINDS.map(|kind| (treatment, kind)))
        .filter_map(|(treatment, kind)| line(&all, treatment, kind))
        .collect();
    let empty: Vec<String> = all
        .iter()
        .filter(|effect| in_record(effect) && effect.count == 0)
        .map(|effect| words(effect))
        .collect();
    let empty = (!empty.is_empty())
        .then(|| view! { <p class="hint">"Nothing stands in: "{joined(&empty, "and")}"."</p> });
    view! {
        <div class="scroll" role="region" aria-label="What happens" tabindex="0">
            <table>
                <caption class="hidden">"What is removed, generalised and kept"</caption>
                <thead>
                    <tr>
                        <th scope="col">"What happens"</th>
                        <th scope="col">"Where"</th>
                        <th scope="col">"What"</th>
                        <th scope="col" class="number">"How many"</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
        {empty}
    }
}

/// What happens alike to things of one kind. None where there is nothing of it.
fn line(all: &[&Effect], treatment: Treatment, kind: &'static str) -> Option<AnyView> {
    let these: Vec<&Effect> = all
        .iter()
        .copied()
        .filter(|effect| effect.count > 0 && effect.treatment == treatment && kind_of(effect) == kind)
        .collect();
    let count: i64 = these.iter().map(|effect| effect.count).sum();
    let names: Vec<String> = these
        .iter()
        .map(|effect| {
            if in_record(effect) {
                words(effect)
            } else {
                format!("{} ({})", words(effect), grouped(effect.count))
            }
        })
        .collect();
    (count > 0).then(|| {
        view! {
            <tr>
                <td class="nowrap">{happens(treatment)}</td>
                <td class="nowrap">{kind}</td>
                <td>{joined(&names, "and")}</td>
                <td class="number">{grouped(count)}</td>
            </tr>
        }
        .into_any()
    })
}

fn in_record(effect: &Effect) -> bool {
    kind_of(effect) == KINDS[0]
}

const fn kind_of(effect: &Effect) -> &'static str {
    match effect.what {
        What::Value(_) | What::Custom(_) => KINDS[0],
        What::Texts(..) => KINDS[1],
        What::Rows(_) => KINDS[2],
    }
}

fn words(effect: &Effect) -> String {
    match &effect.what {
        What::Value(words) => words.clone(),
        What::Custom(label) => format!("custom field “{label}”"),
        What::Texts(column, table) => format!("{table}: {}", lower(column)),
        What::Rows(table) => (*table).to_owned(),
    }
}

fn happens(treatment: Treatment) -> AnyView {
    match treatment {
        Treatment::Remove => view! { <span class="tag bad">"Removed"</span> }.into_any(),
        Treatment::Keep => view! { <span class="tag">"Kept"</span> }.into_any(),
        other => view! { <span class="tag ready">{other.words()}</span> }.into_any(),
    }
}

/// The register's words in the middle of a line.
fn lower(words: &str) -> String {
    let mut words = words.to_owned();
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    words
}
