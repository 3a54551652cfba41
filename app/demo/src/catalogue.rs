//! Catalogue records and items with invented titles and authors. A record can be regenerated from its id, so loans
//! and messages need not store it.

use super::fixed_users::CATALOGUERS;
use super::rng::SeededRng;
use super::vocabularies::BRANCHES;
use chrono::{Duration, NaiveDate};
use db::entity::{catalogue_records, items};

/// The records of the items of four records: one, one, two and three copies.
const COPIES: [i64; 7] = [0, 1, 2, 2, 3, 3, 3];

/// The size of the catalogue and the seed of its content.
#[derive(Clone, Copy)]
pub(super) struct Catalogue {
    seed: u64,
    today: NaiveDate,
    pub(super) records: i64,
    pub(super) items: i64,
}

impl Catalogue {
    /// Returns a catalogue for this many users.
    pub(super) fn for_users(users: u32, seed: u64, today: NaiveDate) -> Self {
        let fours = (i64::from(users) / 8).max(50);
        Self { seed, today, records: fours * 4, items: fours * 7 }
    }

    /// Returns the record of an item.
    pub(super) fn record_of(item: i64) -> i64 {
        let place = item - 1;
        let copies = usize::try_from(place % 7).map_or(0, |place| COPIES[place]);
        place / 7 * 4 + copies + 1
    }

    /// Returns the title of a record.
    pub(super) fn title(&self, record: i64) -> String {
        title(&mut SeededRng::for_one(self.seed, record))
    }

    /// Returns the branch of an item.
    pub(super) fn branch(&self, item: i64) -> &'static str {
        let mut rng = SeededRng::for_one(self.seed, -item - self.records);
        if rng.percent(50) { BRANCHES[0].0 } else { rng.pick(&BRANCHES).0 }
    }

    /// Returns a record.
    pub(super) fn record(&self, id: i64) -> catalogue_records::Model {
        let mut rng = SeededRng::for_one(self.seed, id);
        let title = title(&mut rng);
        let author = format!("{}, {}", rng.pick(&AUTHORS_FAMILY), rng.pick(&AUTHORS_GIVEN));
        let created_on = self.today - Duration::days(rng.between(60, 3_500));
        let changed = rng.percent(35);
        catalogue_records::Model {
            id,
            title,
            author: rng.percent(94).then_some(author),
            year: rng.percent(97).then(|| i32::try_from(rng.between(1921, 2024)).unwrap_or_default()),
            created_by: Some(*rng.pick(&CATALOGUERS)),
            created_on,
            changed_by: changed.then(|| *rng.pick(&CATALOGUERS)),
            changed_on: changed.then(|| rng.day(created_on, self.today - Duration::days(45))),
        }
    }

    /// Returns an item.
    pub(super) fn item(&self, id: i64) -> items::Model {
        let record = Self::record_of(id);
        let mut rng = SeededRng::for_one(self.seed, -id);
        let mark = rng.fill("###.# @@");
        items::Model {
            id,
            record_id: record,
            barcode: format!("31{id:09}"),
            branch: self.branch(id).to_owned(),
            shelf_mark: rng.percent(96).then_some(mark),
        }
    }
}

fn title(rng: &mut SeededRng) -> String {
    let (subject, place, noun, other) =
        (*rng.pick(&SUBJECTS), *rng.pick(&PLACES), *rng.pick(&NOUNS), *rng.pick(&NOUNS));
    let adjective = *rng.pick(&ADJECTIVES);
    match rng.below(10) {
        0 => format!("An introduction to {subject}"),
        1 => format!("{} in {place}", capital(subject)),
        2 => format!("The {adjective} {noun}"),
        3 => format!("The {noun} of {place}"),
        4 => format!("A short history of {subject}"),
        5 => format!("Notes on {subject} and the {noun}"),
        6 => format!("{} {noun}, {adjective} {other}", capital(adjective)),
        7 => format!("The {noun} and the {other}"),
        8 => format!("Problems of {adjective} {subject}"),
        _ => format!("{} for beginners", capital(subject)),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const SUBJECTS: [&str; 24] = [
    "thermodynamics",
    "contract law",
    "number theory",
    "counterpoint",
    "medieval trade",
    "organic chemistry",
    "public health",
    "grammar",
    "bridge building",
    "marine biology",
    "macroeconomics",
    "optics",
    "translation",
    "botany",
    "cartography",
    "Roman law",
    "acoustics",
    "statistics",
    "anatomy",
    "typography",
    "soil science",
    "harmony",
    "immunology",
    "robotics",
];
const PLACES: [&str; 16] = [
    "the Fenlands",
    "Trieste",
    "the North Sea",
    "Samarkand",
    "the Hebrides",
    "Lisbon",
    "the Carpathians",
    "Kyoto",
    "the Rhine valley",
    "Cairo",
    "Patagonia",
    "Flanders",
    "the Aegean",
    "Tartu",
    "Bengal",
    "the Jura",
];
const NOUNS: [&str; 24] = [
    "lighthouse",
    "orchard",
    "ledger",
    "clockmaker",
    "harbour",
    "archive",
    "garden",
    "river",
    "compass",
    "violin",
    "glacier",
    "market",
    "letter",
    "bridge",
    "staircase",
    "winter",
    "translator",
    "observatory",
    "meadow",
    "tide",
    "dictionary",
    "signal",
    "lantern",
    "atlas",
];
const ADJECTIVES: [&str; 16] = [
    "silent",
    "forgotten",
    "northern",
    "applied",
    "modern",
    "hidden",
    "slow",
    "invisible",
    "last",
    "wandering",
    "elementary",
    "unwritten",
    "comparative",
    "blue",
    "practical",
    "quiet",
];
/// No user has the name of an author, so a name in the catalogue is never a borrower's name.
const AUTHORS_FAMILY: [&str; 20] = [
    "Abernethy",
    "Bellweather",
    "Corvidale",
    "Dovecote",
    "Elmsworth",
    "Farthingale",
    "Grimshawe",
    "Hartmoor",
    "Ivesdale",
    "Kirkbright",
    "Loxwood",
    "Mossgrove",
    "Nightingham",
    "Osterhagen",
    "Pellingrove",
    "Quarmby",
    "Rookwood",
    "Silverthorne",
    "Tarrowby",
    "Wychcombe",
];
const AUTHORS_GIVEN: [&str; 16] = [
    "Agatha",
    "Barnaby",
    "Cordelia",
    "Desmond",
    "Euphemia",
    "Ferdinand",
    "Griselda",
    "Horatio",
    "Isidora",
    "Josiah",
    "Leopold",
    "Millicent",
    "Octavia",
    "Percival",
    "Rosalind",
    "Thaddeus",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_record_and_every_record_an_item() {
        let today = NaiveDate::from_ymd_opt(2018, 1, 21).expect("a date");
        let catalogue = Catalogue::for_users(2_000, 1, today);
        let mut records: Vec<i64> = (1..=catalogue.items).map(Catalogue::record_of).collect();
        records.dedup();
        assert_eq!(records, (1..=catalogue.records).collect::<Vec<_>>());
        assert_eq!(catalogue.title(7), catalogue.record(7).title);
        assert_eq!(catalogue.item(9).branch, catalogue.branch(9));
    }
}
