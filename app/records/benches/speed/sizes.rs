//! How large the measured libraries are. Each number can be set in the environment.

use anyhow::Context as _;

/// How large the measured libraries are.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Users of the library that is anonymised; it has ten loans, one request and three messages for each.
    pub users: i64,
    /// Users of a smaller one of the same kind, whose run is measured by itself.
    pub few: i64,
    /// How often each side is measured; the middle one of the measurements counts.
    pub rounds: usize,
    /// Users of the smaller and of the larger library whose runs are compared in memory.
    pub memory: [i64; 2],
    /// Users of the library of which a preview is made.
    pub preview: i64,
    /// Whether a missed target is a failure. In a small library it says nothing.
    pub judged: bool,
}

impl Sizes {
    /// What the promises are made about, or what `BENCH_USERS`, `BENCH_FEW_USERS`, `BENCH_ROUNDS`,
    /// `BENCH_MEMORY_USERS` and `BENCH_PREVIEW_USERS` say. With `BENCH_SMALL`, and in a test, all of it takes some seconds, and proves only
    /// that the benchmark works and that both sides do the same.
    pub fn from_environment(test: bool) -> anyhow::Result<Self> {
        let full = Self {
            users: 100_000,
            few: 12_500,
            rounds: 3,
            memory: [1_000, 200_000],
            preview: 1_000_000,
            judged: true,
        };
        let small =
            Self { users: 2_000, few: 500, rounds: 1, memory: [500, 2_000], preview: 5_000, judged: false };
        let sizes = if test || std::env::var_os("BENCH_SMALL").is_some() { small } else { full };
        Ok(Self {
            users: number("BENCH_USERS", sizes.users)?,
            few: number("BENCH_FEW_USERS", sizes.few)?,
            rounds: number("BENCH_ROUNDS", sizes.rounds)?.max(1),
            memory: [sizes.memory[0], number("BENCH_MEMORY_USERS", sizes.memory[1])?],
            preview: number("BENCH_PREVIEW_USERS", sizes.preview)?,
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
