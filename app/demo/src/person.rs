//! Generating users: their data, and the days on which they came and left.

use super::addresses::HOMES;
use super::names::ORIGINS;
use super::rng::SeededRng;
use super::vocabularies::{BRANCHES, DEPARTMENTS};
use chrono::{Duration, NaiveDate};
use db::entity::users;
use unicode_normalization::UnicodeNormalization;

/// A user, with earlier values.
pub(super) struct Person {
    pub(super) user: users::Model,
    /// The category and department up to this day, if they have changed.
    pub(super) earlier: Option<(NaiveDate, Option<String>, Option<String>)>,
}

impl Person {
    /// Returns the category and department on a day.
    pub(super) fn category_and_department_on(&self, day: NaiveDate) -> (Option<String>, Option<String>) {
        match &self.earlier {
            Some((until, category, department)) if day <= *until => (category.clone(), department.clone()),
            _ => (self.user.category.clone(), self.user.department.clone()),
        }
    }

    /// Returns the first and the last day on which the user can have used the library.
    pub(super) fn days(&self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let last = self.user.leaving_on.map_or(today, |day| day.min(today));
        let first = self.user.created_on.unwrap_or(last - Duration::days(900));
        (first.min(last), last)
    }

    /// Returns the name that letters and notes use.
    pub(super) fn called(&self) -> String {
        trail::person::display_name(&self.user)
    }
}

/// Distances from today that conditions often use, and the days just before and after.
const BOUNDARIES: [i64; 6] = [5, 30, 365, 0, 90, 730];

/// Generates users one after another.
pub(super) struct People {
    today: NaiveDate,
    made: usize,
    /// The latest user who can be a guarantor or namesake of another user.
    last: Option<users::Model>,
}

impl People {
    pub(super) const fn new(today: NaiveDate) -> Self {
        Self { today, made: 0, last: None }
    }

    /// Generates the next user, with this user number.
    pub(super) fn next(&mut self, rng: &mut SeededRng, number: i64) -> Person {
        let place = self.made;
        self.made += 1;
        let mut user = blank(rng, number);
        name(rng, &mut user, place);
        if place % 40 == 39
            && let Some(last) = &self.last
        {
            user.first_name.clone_from(&last.first_name);
            user.last_name.clone_from(&last.last_name);
            user.preferred_name = None;
        }
        user.imported = place % 4 != 3;
        keys(rng, &mut user);
        reach(rng, &mut user, place);
        self.life(rng, &mut user, place);
        let guarantor = self.last.as_ref().filter(|_| place % 24 == 20).map(|last| last.number);
        let earlier = self.profile(rng, &mut user, guarantor);
        if guarantor.is_none() {
            self.last = Some(user.clone());
        }
        Person { user, earlier }
    }

    /// Sets the days on which the user came, leaves and was marked for deletion.
    fn life(&self, rng: &mut SeededRng, user: &mut users::Model, place: usize) {
        let ago = |days: i64| self.today - Duration::days(days);
        if place % 8 == 1 {
            let boundary = place / 8;
            let days = BOUNDARIES[boundary / 9 % BOUNDARIES.len()] + [-1, 0, 1][boundary % 3];
            user.leaving_on = Some(ago(days));
            user.marked_on = match boundary / 3 % 3 {
                0 => None,
                1 => Some(ago(days.max(0))),
                _ => Some(ago([4, 5, 6][boundary % 3])),
            };
        } else {
            match rng.below(100) {
                0..=51 => user.leaving_on = Some(ago(-rng.between(20, 1_400))),
                52..=69 => {}
                70..=95 => {
                    let days = rng.between(8, 1_300);
                    user.leaving_on = Some(ago(days));
                    user.marked_on = rng.percent(40).then(|| ago(rng.between(0, days)));
                }
                // Marked before leaving, by mistake or at the user's request.
                _ => user.marked_on = Some(ago(rng.between(0, 60))),
            }
        }
        let last = user.leaving_on.map_or(self.today, |day| day.min(self.today));
        // Records from an older system have no creation date.
        user.created_on = (place % 33 != 30).then(|| last - Duration::days(rng.between(40, 2_600)));
    }

    /// Sets category, department and branch. Returns the earlier values.
    fn profile(
        &self,
        rng: &mut SeededRng,
        user: &mut users::Model,
        guarantor: Option<i64>,
    ) -> Option<(NaiveDate, Option<String>, Option<String>)> {
        if guarantor.is_some() {
            user.guarantor_number = guarantor;
            user.category = Some("child".to_owned());
            user.branch = Some("children".to_owned());
            user.birth_date = Some(self.today - Duration::days(rng.between(5 * 365, 15 * 365)));
            user.title = None;
            return None;
        }
        let (category, before, youngest) = match rng.below(100) {
            0..=39 => ("undergraduate", None, 18),
            40..=57 => ("postgraduate", Some("undergraduate"), 21),
            58..=69 => ("academic", Some("postgraduate"), 28),
            70..=77 => ("support", None, 20),
            78..=85 => ("alumni", Some("undergraduate"), 24),
            86..=94 => ("external", None, 25),
            _ => ("school", None, 14),
        };
        user.category = Some(category.to_owned());
        let studies = !matches!(category, "external" | "school");
        user.department = studies.then(|| rng.pick(&DEPARTMENTS).0.to_owned());
        user.branch = Some(if rng.percent(60) { "main" } else { rng.pick(&BRANCHES).0 }.to_owned());
        user.birth_date =
            rng.percent(93).then(|| self.today - Duration::days(365 * youngest + rng.between(0, 9_000)));
        let first = user.created_on?;
        let last = user.leaving_on.map_or(self.today, |day| day.min(self.today));
        let before = before.filter(|_| rng.percent(45))?;
        let department =
            if rng.percent(30) { Some(rng.pick(&DEPARTMENTS).0.to_owned()) } else { user.department.clone() };
        Some((rng.day(first, last), Some(before.to_owned()), department))
    }
}

/// Returns a user with empty fields except the number.
pub(super) fn blank(rng: &mut SeededRng, number: i64) -> users::Model {
    users::Model::blank(number, rng.uuid())
}

fn name(rng: &mut SeededRng, user: &mut users::Model, place: usize) {
    let origin = &ORIGINS[place % ORIGINS.len()];
    let given = *rng.pick(origin.given);
    user.first_name = Some(given.to_owned());
    user.last_name = Some((*rng.pick(origin.family)).to_owned());
    if rng.percent(25) {
        user.middle_name = Some((*rng.pick(origin.given)).to_owned()).filter(|middle| middle != given);
    }
    if rng.percent(8) {
        user.preferred_name =
            Some((*rng.pick(&["Alex", "Charlie", "Jo", "Max", "Robin", "Sam", "Sasha", "Toni"])).to_owned());
    }
    if rng.percent(20) {
        user.title = Some((*rng.pick(&["Dr", "Mr", "Mrs", "Ms", "Mx", "Prof"])).to_owned());
    }
    user.gender =
        rng.percent(80).then(|| (*rng.pick(&["female", "male", "diverse", "female", "male"])).to_owned());
    let language = if rng.percent(70) { "en" } else { origin.language };
    user.language = rng.percent(90).then(|| language.to_owned());
}

/// Sets UserID, barcode, external identifier and e-mail. All contain the number, so they are unique.
pub(super) fn keys(rng: &mut SeededRng, user: &mut users::Model) {
    let number = user.number;
    let [first, last] =
        [&user.first_name, &user.last_name].map(|name| latin(name.as_deref().unwrap_or_default()));
    let initial = |name: &str| name.chars().next();
    let letter = |rng: &mut SeededRng| char::from(*rng.pick(b"abcdefghklmnprstvwz"));
    let initials: String = [initial(&first), initial(&last)]
        .map(|letter_of| letter_of.unwrap_or_else(|| letter(rng)))
        .iter()
        .collect();
    let user_id = format!("{initials}{:05}", number + 10_000);
    user.email = match rng.below(100) {
        0..=54 if !first.is_empty() && !last.is_empty() => {
            Some(format!("{first}.{last}.{number}@example.org"))
        }
        0..=69 => Some(format!("{user_id}@example.org")),
        70..=92 => Some(format!("{user_id}@example.com")),
        _ => None,
    };
    user.user_id = Some(user_id);
    user.barcode = Some(format!("21{number:08}{:04}", rng.below(10_000)));
    user.external_id = user.imported.then(|| format!("REG-{:06}-{}", number, rng.between(10, 99)));
}

/// Returns the letters a to z of a name, without accents. Empty for other scripts.
fn latin(name: &str) -> String {
    name.nfkd().flat_map(char::to_lowercase).filter(char::is_ascii_lowercase).collect()
}

/// Sets address and phone numbers.
fn reach(rng: &mut SeededRng, user: &mut users::Model, place: usize) {
    let home = if rng.percent(70) { 0 } else { ORIGINS[place % ORIGINS.len()].home };
    let address = HOMES[home].address(rng);
    if !rng.percent(6) {
        user.street = Some(address.street);
        user.postcode = Some(address.postcode);
        user.city = Some(address.city);
        user.country = Some(address.country);
    }
    user.phone = rng.percent(55).then_some(address.phone);
    user.mobile = rng.percent(75).then_some(address.mobile);
    if rng.percent(7) {
        let name = user.first_name.clone().unwrap_or_default();
        let note = *rng.pick(&[
            "asked for large print; call before noon.",
            "lost the card in spring, new one issued at the desk.",
            "needs step-free access, meet at the side door.",
            "collects books for a neighbour as well.",
        ]);
        user.notes = Some(format!("{name} {note}"));
    }
}
