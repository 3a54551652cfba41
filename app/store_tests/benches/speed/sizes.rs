//! The sizes of the measured libraries. Each can be set in the environment.

use anyhow::Context as _;

/// The sizes of the measured libraries.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Users of the anonymised library, which has ten loans, one request and three messages per user.
    pub users: i64,
    /// Users of a smaller library, whose run is measured separately.
    pub few: i64,
    /// Number of measurements of each side. The median counts.
    pub rounds: usize,
    /// Users of the two libraries whose peak memory is compared.
    pub memory: [i64; 2],
    /// Users of the library for the preview.
    pub preview: i64,
    /// Users of the libraries for the numbers of affected users.
    pub affected: [i64; 3],
    /// Whether a missed target is a failure. In a small library, targets mean nothing.
    pub judged: bool,
}

impl Sizes {
    /// Returns the sizes of the published targets. `BENCH_USERS`, `BENCH_FEW_USERS`, `BENCH_ROUNDS`,
    /// `BENCH_MEMORY_USERS`, `BENCH_PREVIEW_USERS` and `BENCH_AFFECTED_USERS` replace them. For the memory and the affected
    /// users, it is the largest library.
    ///
    /// With `BENCH_SMALL`, and in a test, the sizes are small. The benchmark then takes some seconds, and only shows
    /// that it works and that both sides change the same rows.
    pub fn from_environment(test: bool) -> anyhow::Result<Self> {
        let full = Self {
            users: 100_000,
            few: 12_500,
            rounds: 3,
            memory: [1_000, 200_000],
            preview: 1_000_000,
            affected: [10_000, 100_000, 1_000_000],
            judged: true,
        };
        let small = Self {
            users: 2_000,
            few: 500,
            rounds: 1,
            memory: [500, 2_000],
            preview: 5_000,
            affected: [500, 1_000, 2_000],
            judged: false,
        };
        let sizes = if test || std::env::var_os("BENCH_SMALL").is_some() { small } else { full };
        let [few, more, most] = sizes.affected;
        Ok(Self {
            users: number("BENCH_USERS", sizes.users)?,
            few: number("BENCH_FEW_USERS", sizes.few)?,
            rounds: number("BENCH_ROUNDS", sizes.rounds)?.max(1),
            memory: [sizes.memory[0], number("BENCH_MEMORY_USERS", sizes.memory[1])?],
            preview: number("BENCH_PREVIEW_USERS", sizes.preview)?,
            affected: [few, more, number("BENCH_AFFECTED_USERS", most)?],
            judged: sizes.judged,
        })
    }
}

fn number<N: std::str::FromStr<Err = std::num::ParseIntError>>(name: &str, default: N) -> anyhow::Result<N> {
    match std::env::var(name) {
        Ok(text) => text.replace('_', "").parse().with_context(|| format!("{name} is not a number")),
        Err(_) => Ok(default),
    }
}
