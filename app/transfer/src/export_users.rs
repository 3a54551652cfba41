//! Exports users.

use super::columns::{self, USER_EXPORT_ONLY};
use super::problem::TransferError;
use super::{ExportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::csv_text::escaped;
use db::entity::{custom_fields, custom_values, user_roles, users};
use policy::Action;
use policy::dates::iso;
use policy::import_profile::CUSTOM;
use policy::user_field::{AsFieldValue, FieldValue};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Writes all users as CSV in the format of [`super`]. Of anonymised users, only what their policy kept is
/// written.
pub async fn export_users(
    store: &Store,
    actor: Actor,
    out: impl Write,
) -> Result<ExportSummary, TransferError> {
    actor.require(Action::Administer)?;
    // Record the event before writing the first line, so that no export goes unrecorded.
    audit::record_event_in_own_tx(store, actor, AuditAction::Exported, Subject::Library, "users").await?;
    let custom = custom_fields::Entity::find()
        .order_by_asc(custom_fields::Column::Key)
        .all(&store.db)
        .await?
        .into_iter()
        .map(|field| field.key)
        .collect::<Vec<_>>();
    let mut csv = csv::Writer::from_writer(out);
    let custom_columns = custom.iter().map(|key| format!("{CUSTOM}{key}"));
    let names = USER_EXPORT_ONLY.into_iter().chain(columns::user()).map(str::to_owned);
    csv.write_record(names.chain(custom_columns))?;
    let mut summary = ExportSummary::default();
    let mut after = 0;
    loop {
        let page = users::Entity::find()
            .filter(users::Column::Number.gt(after))
            .order_by_asc(users::Column::Number)
            .limit(ROWS_PER_CHUNK as u64)
            .all(&store.db)
            .await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        let beside = RelatedRows::read(&store.db, &page).await?;
        for user in &page {
            csv.write_record(cells(user, &beside, &custom).iter().map(|cell| escaped(cell).into_owned()))?;
            summary.lines += 1;
        }
    }
    csv.flush()?;
    Ok(summary)
}

/// Rows of other tables about these users.
struct RelatedRows {
    guarantors: HashMap<i64, Option<String>>,
    roles: HashMap<i64, Vec<&'static str>>,
    custom: HashMap<i64, BTreeMap<String, String>>,
}

impl RelatedRows {
    async fn read(db: &DatabaseConnection, users: &[users::Model]) -> Result<Self, DbErr> {
        let numbers: Vec<i64> = users.iter().map(|user| user.number).collect();
        let guarantors: Vec<(i64, Option<String>)> = users::Entity::find()
            .select_only()
            .columns([users::Column::Number, users::Column::UserId])
            .filter(users::Column::Number.is_in(users.iter().filter_map(|user| user.guarantor_number)))
            .into_tuple()
            .all(db)
            .await?;
        let mut roles: HashMap<i64, Vec<&str>> = HashMap::new();
        let rows = user_roles::Entity::find()
            .filter(user_roles::Column::UserNumber.is_in(numbers.iter().copied()))
            .order_by_asc(user_roles::Column::Role)
            .all(db)
            .await?;
        for row in rows {
            roles.entry(row.user_number).or_default().push(row.role.code());
        }
        let mut custom: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
        let rows = custom_values::Entity::find()
            .filter(custom_values::Column::UserNumber.is_in(numbers))
            .all(db)
            .await?;
        for row in rows {
            custom.entry(row.user_number).or_default().insert(row.field_key, row.value);
        }
        Ok(Self { guarantors: guarantors.into_iter().collect(), roles, custom })
    }
}

/// Returns the cells of a user, in column order.
fn cells(user: &users::Model, beside: &RelatedRows, custom: &[String]) -> Vec<String> {
    let date = |date: Option<NaiveDate>| cell(date.as_field_value());
    let guarantor =
        user.guarantor_number.and_then(|number| beside.guarantors.get(&number).cloned().flatten());
    let mut cells = vec![
        user.number.to_string(),
        cell(user.imported.as_field_value()),
        beside.roles.get(&user.number).map(|roles| roles.join(" ")).unwrap_or_default(),
        date(user.anonymised_on),
    ];
    cells.extend(user.fields().map(|(_, value)| cell(value)));
    cells.extend([user.created_on, user.last_activity_on, user.marked_on].map(date));
    cells.push(guarantor.unwrap_or_default());
    let values = beside.custom.get(&user.number);
    cells.extend(
        custom.iter().map(|key| values.and_then(|values| values.get(key)).cloned().unwrap_or_default()),
    );
    cells
}

fn cell(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::Empty => String::new(),
        FieldValue::Text(text) => text.to_owned(),
        FieldValue::Date(date) => iso(date),
        FieldValue::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
    }
}
