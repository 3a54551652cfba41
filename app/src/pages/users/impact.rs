//! The table of what anonymising a user removes, generalises and keeps.

use crate::components::{Column, DataTable};
use leptos::prelude::*;
use policy::Treatment;
use policy::dates::joined;
use policy::numbers::{counted, grouped};
use policy::text::inside_sentence;
use records::user::{Impact, ImpactCount, ImpactKind};

/// The kinds of things; each has its own line.
const KINDS: [&str; 3] = ["In the record", "Notes and texts", "Entries"];

pub(super) fn table(impacts: &Impact) -> impl IntoView + use<> {
    let all: Vec<&ImpactCount> =
        [&impacts.removed, &impacts.generalised, &impacts.kept].into_iter().flatten().collect();
    let lines: Vec<_> = Treatment::ALL
        .into_iter()
        .flat_map(|treatment| KINDS.map(|kind| (treatment, kind)))
        .filter_map(|(treatment, kind)| line(&all, treatment, kind))
        .collect();
    let empty: Vec<String> = all
        .iter()
        .filter(|impact| in_record(impact) && impact.count == 0)
        .map(|impact| label(impact))
        .collect();
    let empty =
        (!empty.is_empty()).then(|| view! { <p class="hint">"Empty: "{joined(&empty, "and")}"."</p> });
    view! {
        <DataTable label="What happens" caption="What is removed, generalised and kept"
            columns=vec![
                Column::text("What happens"), Column::text("Where"), Column::text("What"),
                Column::number("How many"),
            ]>
            {lines}
        </DataTable>
        {empty}
    }
}

/// Renders the line of one treatment and one kind. None if it has no entry.
fn line(all: &[&ImpactCount], treatment: Treatment, kind: &'static str) -> Option<AnyView> {
    let these: Vec<&ImpactCount> = all
        .iter()
        .copied()
        .filter(|impact| impact.count > 0 && impact.treatment == treatment && kind_of(impact) == kind)
        .collect();
    let count: i64 = these.iter().map(|impact| impact.count).sum();
    let names: Vec<String> = these
        .iter()
        .map(|impact| {
            if in_record(impact) {
                label(impact)
            } else {
                format!("{} ({})", label(impact), grouped(impact.count))
            }
        })
        .collect();
    (count > 0).then(|| {
        view! {
            <tr>
                <td class="nowrap">{happens(treatment)}</td>
                <td class="nowrap">{kind}</td>
                <td>{joined(&names, "and")}</td>
                <td class="number nowrap">{unit(kind, count)}</td>
            </tr>
        }
        .into_any()
    })
}

/// Returns the count with its unit.
fn unit(kind: &'static str, count: i64) -> String {
    let (one, many) = match kind {
        kind if kind == KINDS[0] => ("value", "values"),
        kind if kind == KINDS[1] => ("text", "texts"),
        _ => ("entry", "entries"),
    };
    counted(count, one, many)
}

fn in_record(impact: &ImpactCount) -> bool {
    kind_of(impact) == KINDS[0]
}

const fn kind_of(impact: &ImpactCount) -> &'static str {
    match impact.what {
        ImpactKind::Value(_) | ImpactKind::Custom(_) => KINDS[0],
        ImpactKind::Texts(..) => KINDS[1],
        ImpactKind::Rows(_) => KINDS[2],
    }
}

fn label(impact: &ImpactCount) -> String {
    match &impact.what {
        ImpactKind::Value(label) => label.clone(),
        ImpactKind::Custom(label) => format!("custom field “{label}”"),
        ImpactKind::Texts(column, table) => format!("{table}: {}", inside_sentence(column)),
        ImpactKind::Rows(table) => (*table).to_owned(),
    }
}

fn happens(treatment: Treatment) -> AnyView {
    match treatment {
        Treatment::Remove => view! { <span class="tag bad">"Removed"</span> }.into_any(),
        Treatment::Keep => view! { <span class="tag">"Kept"</span> }.into_any(),
        other => {
            view! { <span class="tag ready">{other.label().replacen("Generalise", "Generalised", 1)}</span> }
                .into_any()
        }
    }
}
