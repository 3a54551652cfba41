//! Protecting settings, as the server last used them. A weaker value takes effect after a delay during which it is
//! announced.

use super::{cooling_off_cutoff, put};
use chrono::Duration;
use db::entity::protections;
use db::{Clock, RecordsError, Settings};
use policy::FourEyes;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::BTreeMap;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// The prefix of the row about a weakened setting.
pub const WEAKER: &str = "weaker.";
/// The name of the months for which suppressed keys are kept.
const SUPPRESSION_MONTHS: &str = "suppression_months";
/// The time for which manual changes are kept that no limit counts any more, in days.
const KEPT_DAYS: i64 = 30;

/// Returns the protecting settings as numbers. Greater numbers are weaker.
fn named(settings: &Settings) -> Vec<(&'static str, i64)> {
    let mut all = settings.limits.named().to_vec();
    all.extend([
        ("limit_run_users", settings.safety_limits.people),
        ("limit_run_percent", settings.safety_limits.percent),
        ("limit_run_times_median", settings.safety_limits.times_median),
        (
            "four_eyes",
            match settings.four_eyes {
                FourEyes::On => 0,
                FourEyes::Auto => 1,
                FourEyes::Off => 2,
            },
        ),
        ("allow_password_only", i64::from(settings.sign_in.allow_password_only)),
        // Negative, because a shorter time is weaker: anonymised users could return earlier.
        (SUPPRESSION_MONTHS, -i64::from(settings.suppression_months)),
    ]);
    all
}

type Rows = BTreeMap<String, protections::Model>;

async fn rows(db: &impl ConnectionTrait) -> Result<Rows, DbErr> {
    let all = protections::Entity::find().all(db).await?;
    Ok(all.into_iter().map(|row| (row.name.clone(), row)).collect())
}

/// Returns the value of a setting that applies now: the earlier one while a weaker one cools off.
fn holding(rows: &Rows, name: &str, configured: i64) -> i64 {
    let Some(before) = rows.get(name).and_then(|row| row.value.parse().ok()) else { return configured };
    let has_cooled_off = rows
        .get(&format!("{WEAKER}{name}"))
        .is_some_and(|row| row.value == configured.to_string() && row.at <= cooling_off_cutoff());
    if configured <= before || has_cooled_off { configured } else { before }
}

/// Returns the settings with the limits that apply now. Four eyes are remembered separately, and each sign-in
/// decides whether a password is enough.
pub async fn strictest(db: &impl ConnectionTrait, settings: Settings) -> Result<Settings, DbErr> {
    let rows = rows(db).await?;
    let mut settings = settings;
    for (name, configured) in named(&settings) {
        let value = holding(&rows, name, configured);
        match name {
            "limit_run_users" => settings.safety_limits.people = value,
            "limit_run_percent" => settings.safety_limits.percent = value,
            "limit_run_times_median" => settings.safety_limits.times_median = value,
            SUPPRESSION_MONTHS => {
                settings.suppression_months = u32::try_from(-value).unwrap_or(settings.suppression_months);
            }
            _ => settings.limits.set(name, value),
        }
    }
    Ok(settings)
}

/// Compares the settings of a starting server with the earlier ones. A stricter value applies at once. A weaker
/// one is recorded in the audit and reported by `health` until it has cooled off.
pub async fn remember(store: &Store, configured: &Settings) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let known = rows(&tx).await?;
    for (name, value) in named(configured) {
        let weaker = format!("{WEAKER}{name}");
        let before = known.get(name).and_then(|row| row.value.parse::<i64>().ok());
        if holding(&known, name, value) == value {
            if before != Some(value) {
                put(&tx, name, &value.to_string(), None).await?;
            }
            protections::Entity::delete_by_id(weaker).exec(&tx).await?;
        } else if known.get(&weaker).is_none_or(|row| row.value != value.to_string()) {
            put(&tx, &weaker, &value.to_string(), None).await?;
            tracing::warn!(setting = name, "a protecting setting was weakened");
            let detail = format!("{name},from={},to={}", before.unwrap_or_default().abs(), value.abs());
            let (action, subject) = (AuditAction::ProtectionWeakened, Subject::Library);
            audit::record_event(&tx, &store.clock, Actor::COMMAND_LINE, action, subject, None, &detail)
                .await?;
        }
    }
    forget_old_changes(&tx).await?;
    store.commit(tx).await
}

/// Deletes manual changes that no limit counts any more.
async fn forget_old_changes(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    use db::entity::manual_changes::{Column, Entity};
    let old = Clock::system_now() - Duration::days(KEPT_DAYS);
    let is_settled = Condition::any().add(Column::ConfirmedBy.is_not_null()).add(Column::Kind.is_not_in([
        "anonymised",
        "removed",
        "marked",
        "imported",
    ]));
    Entity::delete_many().filter(Column::At.lt(old)).filter(is_settled).exec(db).await?;
    Ok(())
}
