//! `lethe users`: finds, shows and anonymises users.

use super::runs::{exit_code, single_run_text};
use super::{Output, with_field_problems};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use db::pagination::{MAX_ROWS, Paging};
use policy::dates::{iso, joined};
use policy::forecast::{Forecast, Sentence};
use policy::numbers::{counted, grouped};
use policy::text::inside_sentence;
use policy::user_field::{FieldValue, Section};
use policy::user_search::UserSearch;
use policy::{ErasureReason, RunId, UserNumber};
use records::user::{self, UserQuery, UserRecord, UserRow};
use serde::Serialize;
use std::process::ExitCode;
use task_centre::outlook::{self, Outlook};
use task_centre::run::merge::{self, Pair};
use task_centre::run::{self, SingleOrder};
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Find up to 100 users by number, UserID, any name, e-mail, barcode or phone, as typed, pasted or scanned.
    Find {
        /// Words to search for. All must match, each by its beginning.
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Show the record of a user, and what each active task will do.
    Show {
        /// User number.
        #[arg(value_parser = super::number)]
        number: i64,
    },
    /// Anonymise one user. This cannot be undone.
    Anonymise {
        /// User number.
        #[arg(value_parser = super::number)]
        number: i64,
        /// The user number again, to confirm.
        #[arg(long, value_name = "NUMBER")]
        confirm: String,
        #[command(flatten)]
        grounds: GroundsArguments,
    },
    /// Merge two records of one person: move loans and the like to one, and anonymise the other. This cannot be undone.
    Merge {
        /// Number of the record that stays.
        #[arg(value_parser = super::number)]
        staying: i64,
        /// Number of the duplicate, which is anonymised.
        #[arg(value_parser = super::number)]
        duplicate: i64,
        /// The number of the duplicate again, to confirm.
        #[arg(long, value_name = "NUMBER")]
        confirm: String,
        /// Reference of a case in the library's files. It stays, so it must not identify the user.
        #[arg(long, value_name = "REFERENCE", default_value = "")]
        case: String,
    },
}

/// Why one user is anonymised.
#[derive(Args, Debug)]
pub(crate) struct GroundsArguments {
    /// Reason: `person-request`, `left`, `error` or `other`.
    #[arg(long, value_parser = reason)]
    reason: ErasureReason,
    /// Reference of a case in the library's files. It stays, so it must not identify the user.
    #[arg(long, value_name = "REFERENCE", default_value = "")]
    case: String,
}

impl GroundsArguments {
    /// Returns the order to anonymise the user with the typed number.
    pub(crate) fn order<'a>(&'a self, typed: &'a str) -> SingleOrder<'a> {
        SingleOrder { typed, reason: self.reason.code(), case_reference: &self.case, shown: None }
    }
}

fn reason(code: &str) -> Result<ErasureReason, String> {
    ErasureReason::from_code(&code.replace('-', "_")).ok_or_else(|| {
        let known = ErasureReason::ALL.map(|reason| reason.code().replace('_', "-")).join(", ");
        format!("unknown reason; the reasons are {known}")
    })
}

/// A record, with what each active task will do.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    record: UserRecord,
    outlook: Vec<Outlook>,
}

/// The result of anonymising one user.
#[derive(Serialize)]
struct Anonymised {
    user: UserNumber,
    /// The run that anonymised the user; `None` if the user was already anonymised.
    run: Option<RunId>,
    /// The findings of the residue search that wait for a decision.
    findings: i64,
}

impl Users {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Find { text } => {
                let query = UserQuery { text: text.join(" "), ..UserQuery::default() };
                let paging = Paging { rows: Some(MAX_ROWS), ..Paging::default() };
                let page = user::find(store, &query, &paging).await.map_err(with_field_problems)?;
                let ignored = UserSearch::parse(&query.text).ignored;
                output.print(&page.rows, |rows| found(rows, page.next.is_some(), &ignored))?;
            }
            Self::Show { number } => {
                let number = UserNumber(number);
                let record = user::read(store, number).await?;
                let outlook =
                    if record.is_anonymised() { Vec::new() } else { outlook::of_user(store, number).await? };
                let today = store.clock.today();
                let shown = Shown { record, outlook };
                output.print(&shown, |Shown { record, outlook }| {
                    let tasks = outlook.iter().map(|task| outlook_text(record, task, today));
                    std::iter::once(record_text(record)).chain(tasks).collect::<Vec<_>>().join("\n")
                })?;
            }
            Self::Anonymise { number, confirm, grounds } => {
                let user = UserNumber(number);
                let run = run::anonymise_one_for(store, Actor::COMMAND_LINE, user, &grounds.order(&confirm))
                    .await
                    .map_err(with_field_problems)?;
                let Some(run) = run else {
                    output.print(&Anonymised { user, run: None, findings: 0 }, |_| {
                        format!("User {user} was already anonymised; nothing was changed")
                    })?;
                    return Ok(ExitCode::SUCCESS);
                };
                let run = run::read(store, run).await?;
                let done = Anonymised { user, run: Some(run.id), findings: run.open_findings };
                output
                    .print(&done, |_| format!("User {user} has been anonymised {}", single_run_text(&run)))?;
                return Ok(exit_code(&run));
            }
            Self::Merge { staying, duplicate, confirm, case } => {
                let pair = Pair { staying: UserNumber(staying), losing: UserNumber(duplicate) };
                let order = SingleOrder {
                    typed: &confirm,
                    reason: ErasureReason::Error.code(),
                    case_reference: &case,
                    shown: None,
                };
                let merged = merge::merge(store, Actor::COMMAND_LINE, pair, &order).await;
                let run = run::read(store, merged.map_err(with_field_problems)?).await?;
                let user = pair.losing;
                let done = Anonymised { user, run: Some(run.id), findings: run.open_findings };
                output.print(&done, |_| {
                    format!(
                        "User {user} has been merged into user {staying} and anonymised {}",
                        single_run_text(&run)
                    )
                })?;
                return Ok(exit_code(&run));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn found(rows: &[UserRow], more: bool, ignored: &[String]) -> String {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            format!("{}\t{}\t{}\t{}", row.number, row.name, text(&row.user_id), text(&row.category))
        })
        .collect();
    let shown = counted(i64::try_from(rows.len()).unwrap_or(i64::MAX), "user", "users");
    lines.push(if more { format!("The first {shown}; there are more") } else { shown });
    if !ignored.is_empty() {
        lines.push(format!("Not searched for: {}", ignored.join(", ")));
    }
    lines.join("\n")
}

/// Returns what a task will do with a user, as a line.
fn outlook_text(record: &UserRecord, task: &Outlook, today: NaiveDate) -> String {
    let blocked_by = match task.forecast {
        Forecast::From { blockers, .. } => record.counts.of_blockers(blockers),
        Forecast::Never(_) => String::new(),
    };
    let Sentence { before, after } = task.forecast.sentence(today, task.start, task.waits, &blocked_by);
    format!("task {}\t{before}“{}”{after}", task.task, task.name.description_for(Actor::COMMAND_LINE))
}

/// Returns the record as text, without empty fields.
pub(crate) fn record_text(user: &UserRecord) -> String {
    let month_or_day = |date: NaiveDate, by_month: bool| {
        if by_month { date.format("%Y-%m").to_string() } else { iso(date) }
    };
    let record_date = |date: Option<NaiveDate>| date.map(|date| month_or_day(date, user.dates_by_month));
    let fields = user.shown_fields().map(|(field, value)| {
        let by_month = user.dates_by_month && field.section == Section::Dates;
        let text = match value {
            FieldValue::Empty | FieldValue::Flag(false) => None,
            FieldValue::Text(text) => Some(text.to_owned()),
            FieldValue::Date(date) => Some(month_or_day(date, by_month)),
            FieldValue::Flag(true) => Some("yes".to_owned()),
        };
        (inside_sentence(field.label), text)
    });
    let roles: Vec<&str> = user.roles.iter().map(|role| role.label()).collect();
    let count = |count: i64| (count > 0).then(|| grouped(count));
    let head = [
        ("user number", Some(user.number.to_string())),
        ("name", Some(user.name.clone())),
        ("anonymised", user.anonymised_on.map(iso)),
    ];
    let rest = [
        ("created", record_date(user.created_on)),
        ("last activity", record_date(user.last_activity_on)),
        ("marked for deletion", record_date(user.marked_on)),
        ("anonymising announced", record_date(user.announced_on)),
        ("account kept", record_date(user.kept_on)),
        ("imported", Some(if user.imported { "yes" } else { "no" }.to_owned())),
        ("roles", (!roles.is_empty()).then(|| joined(&roles, "and"))),
        ("guarantor", user.guarantor.as_ref().map(|guarantor| guarantor.number.to_string())),
        ("open loans", count(user.counts.open_loans)),
        ("returned loans", count(user.counts.past_loans)),
        ("open requests", count(user.counts.open_requests)),
        ("unsettled charges", count(user.counts.unsettled_charges)),
        ("messages", count(user.counts.messages)),
        ("catalogue records", count(user.counts.catalogue_records)),
        ("legal holds in force", count(user.counts.legal_holds)),
    ];
    let named = |(label, text): (&str, Option<String>)| (label.to_owned(), text);
    let custom = user.custom.iter().filter(|field| !field.value.is_empty());
    head.into_iter()
        .map(named)
        .chain(fields)
        .chain(rest.into_iter().map(named))
        .filter_map(|(label, value)| value.map(|value| format!("{label}\t{value}")))
        .chain(custom.map(|field| format!("{}\t{}", field.label, field.value)))
        .collect::<Vec<_>>()
        .join("\n")
}
