//! Generating blocks of users with all their rows.

use super::batch::Batch;
use super::catalogue::Catalogue;
use super::circulation::Circulation;
use super::fixed_users::{self, DPO};
use super::messages::{Occasion, message};
use super::person::{People, Person};
use super::photo;
use super::rng::SeededRng;
use chrono::{Duration, NaiveDate};
use db::entity::{custom_values, legal_holds, photos, user_roles, user_words};
use policy::LegalHoldReason;
use sea_orm::Set;
use trail::person::search_words;

/// Reasons of legal holds.
const HELD: [LegalHoldReason; 3] =
    [LegalHoldReason::Dispute, LegalHoldReason::DebtCollection, LegalHoldReason::AuthorityOrder];

/// The number of users generated and written together.
const BLOCK: usize = 500;

/// Generates users up to the requested number.
pub(super) struct Generator {
    rng: SeededRng,
    seed: u64,
    today: NaiveDate,
    people: People,
    circulation: Circulation,
    /// The number of the next user.
    next: i64,
    remaining: usize,
    /// The number of users with a role.
    pub(super) staff: u64,
    /// The number of fictitious users.
    pub(super) fictitious: u64,
}

impl Generator {
    pub(super) fn new(users: u32, seed: u64, today: NaiveDate, catalogue: Catalogue) -> Self {
        Self {
            rng: SeededRng::new(seed),
            seed,
            today,
            people: People::new(today),
            circulation: Circulation { today, catalogue, next_loan: 1, next_open_item: 2 },
            next: 1,
            remaining: usize::try_from(users).unwrap_or(usize::MAX),
            staff: 0,
            fictitious: 0,
        }
    }

    /// Returns staff, fictitious users and the first other users.
    pub(super) fn first_block(&mut self) -> (Batch, Vec<user_roles::ActiveModel>) {
        let (cast, roles) = fixed_users::cast(&mut self.rng, self.today);
        let mut batch = Batch::default();
        for person in cast {
            self.fictitious += u64::from(person.user.fictitious);
            self.add(person, &mut batch);
        }
        let with_role: std::collections::BTreeSet<i64> =
            roles.iter().filter_map(|role| role.user_number.clone().take()).collect();
        self.staff = with_role.len() as u64;
        for _ in fixed_users::SIZE..BLOCK.min(fixed_users::SIZE + self.remaining) {
            self.add_next(&mut batch);
        }
        (batch, roles)
    }

    /// Returns the next users. None when there are enough.
    pub(super) fn next_block(&mut self) -> Option<Batch> {
        if self.remaining == 0 {
            return None;
        }
        let mut batch = Batch::default();
        for _ in 0..BLOCK.min(self.remaining) {
            self.add_next(&mut batch);
        }
        Some(batch)
    }

    fn add_next(&mut self, batch: &mut Batch) {
        let person = self.people.next(&mut self.rng, self.next);
        self.add(person, batch);
    }

    fn add(&mut self, mut person: Person, batch: &mut Batch) {
        self.next += 1;
        self.remaining = self.remaining.saturating_sub(1);
        let active = self.circulation.happen(&mut self.rng, &person, batch);
        person.user.last_activity_on = self.last_activity(&person, active);
        if !person.user.fictitious {
            self.write_to(&person, batch);
            self.extras(&person, batch);
        }
        let number = person.user.number;
        let words = search_words(&person.user).into_iter();
        batch.words.extend(words.map(|word| user_words::Model { word, user_number: number }));
        person.user.scim_id = Some(SeededRng::for_one(!self.seed, number).uuid());
        person.user.derive();
        batch.users.push(person.user);
    }

    /// Returns the day of the last loan, renewal, request or later sign-in. None for some users without loans.
    fn last_activity(&mut self, person: &Person, active: Option<NaiveDate>) -> Option<NaiveDate> {
        let (first, last) = person.days(self.today);
        match active {
            None if person.user.fictitious || self.rng.percent(60) => None,
            None => Some(self.rng.day(first, last)),
            Some(day) if self.rng.percent(30) => Some(self.rng.day(day, last.max(day))),
            Some(day) => Some(day),
        }
    }

    fn write_to(&mut self, person: &Person, batch: &mut Batch) {
        let (first, last) = person.days(self.today);
        if first > self.today - Duration::days(2_000) {
            batch.messages.push(message(&mut self.rng, person, Occasion::Welcome, first));
        }
        if person.user.leaving_on.is_some_and(|day| day < self.today + Duration::days(30)) {
            let day = (last - Duration::days(20)).max(first);
            batch.messages.push(message(&mut self.rng, person, Occasion::Leaving, day));
        }
    }

    /// Adds a photo, custom fields and a legal hold to some users.
    fn extras(&mut self, person: &Person, batch: &mut Batch) {
        let number = person.user.number;
        let rng = &mut self.rng;
        if number % 9 == 0 {
            batch.photos.push(photos::Model {
                user_number: number,
                media_type: photo::MEDIA_TYPE.to_owned(),
                bytes: photo::png(rng),
            });
        }
        let mut custom = |key: &str, value: String| {
            batch.custom_values.push(custom_values::Model {
                user_number: number,
                field_key: key.to_owned(),
                value,
            });
        };
        if rng.percent(10) {
            custom("locker", rng.fill("@-###"));
        }
        if matches!(person.user.category.as_deref(), Some("undergraduate" | "postgraduate"))
            && rng.percent(70)
        {
            let degree = *rng.pick(&["BA", "BSc", "MA", "MSc", "LLB", "PhD"]);
            custom(
                "programme",
                format!("{degree}, {}", person.user.department.as_deref().unwrap_or("general")),
            );
        }
        if rng.percent(4) {
            let family = person.user.last_name.as_deref().unwrap_or_default();
            custom("emergency_contact", format!("Family {family}, {}", rng.fill("+44 1632 960###")));
        }
        let [held, released] = [number % 150 == 60, number % 150 == 110];
        if held || released {
            let placed_on = self.today - Duration::days(rng.between(30, 200));
            batch.legal_holds.push(legal_holds::ActiveModel {
                user_number: Set(Some(number)),
                reason: Set(*rng.pick(&HELD)),
                owner_number: Set(Some(DPO)),
                placed_by: Set(Some(DPO)),
                placed_on: Set(placed_on),
                review_on: Set(self.today + Duration::days(rng.between(-20, 180))),
                released_on: Set(released.then(|| placed_on + Duration::days(20))),
                released_by: Set(released.then_some(DPO)),
                ..Default::default()
            });
        }
    }
}
