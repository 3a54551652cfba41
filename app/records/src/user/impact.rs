//! The impact of anonymising a single user: the register of personal data, counted for this user.

use db::RecordsError;
use db::entity::{custom_fields, custom_values, loans};
use policy::personal_data::{Column, DataClass, ErasureAction, RowOwner, TABLES, Table};
use policy::{Policy, Treatment, UserNumber};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use std::collections::BTreeMap;
use std::iter;
use trail::Store;

/// The data that is affected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ImpactKind {
    /// A value of the record, named as in the register or the field settings.
    Value(String),
    /// The value of a custom field, by its label.
    Custom(String),
    /// Texts in a column of rows that stay: column and table, named as in the register.
    Texts(&'static str, &'static str),
    /// Rows of a table.
    Rows(&'static str),
}

/// The affected data, its treatment and the count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImpactCount {
    /// The affected data.
    pub what: ImpactKind,
    /// The treatment.
    pub treatment: Treatment,
    /// Number of values, texts or rows.
    pub count: i64,
}

/// The impact by treatment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Impact {
    /// Removed data.
    pub removed: Vec<ImpactCount>,
    /// Generalised data.
    pub generalised: Vec<ImpactCount>,
    /// Kept data.
    pub kept: Vec<ImpactCount>,
}

impl Impact {
    fn add(&mut self, what: ImpactKind, treatment: Treatment, count: i64) {
        let list = match treatment {
            Treatment::Remove => &mut self.removed,
            Treatment::Keep => &mut self.kept,
            _ => &mut self.generalised,
        };
        match list.iter_mut().find(|impact| impact.what == what) {
            Some(impact) => impact.count += count,
            None => list.push(ImpactCount { what, treatment, count }),
        }
    }
}

/// Counts what anonymising this user with this policy would remove, generalise and keep.
pub async fn impacts(store: &Store, number: UserNumber, policy: &Policy) -> Result<Impact, RecordsError> {
    let mut impacts = Impact::default();
    for table in TABLES.iter().filter(|table| table.owner != RowOwner::NoUser) {
        let counted = counted(&store.db, table, number).await?;
        if table.name == "users" {
            of_record(&mut impacts, &counted, policy);
        } else if table.deletes_rows() {
            impacts.add(ImpactKind::Rows(table.label), Treatment::Remove, counted.rows);
        } else if table.with_action(ErasureAction::ByCustomField).next().is_some() {
            of_custom_fields(&mut impacts, store, number, policy).await?;
        } else {
            impacts.add(ImpactKind::Rows(table.label), Treatment::Keep, counted.rows);
            for (column, count) in counted.values {
                match column.action {
                    ErasureAction::Clear | ErasureAction::ClearText => {
                        impacts.add(ImpactKind::Texts(column.label, table.label), Treatment::Remove, count);
                    }
                    ErasureAction::ByPolicy(field) => {
                        let treatment = policy.treatment(field);
                        impacts.add(ImpactKind::Texts(column.label, table.label), treatment, count);
                    }
                    _ => (),
                }
            }
        }
    }
    Ok(impacts)
}

/// Adds the record itself: what is always removed, and what the policy decides for each field.
fn of_record(impacts: &mut Impact, counted: &Counted, policy: &Policy) {
    for (column, count) in &counted.values {
        match column.action {
            ErasureAction::Clear => {
                impacts.add(ImpactKind::Value(column.label.to_owned()), Treatment::Remove, *count);
            }
            // A field can consist of several columns.
            ErasureAction::ByPolicy(field) => {
                impacts.add(ImpactKind::Value(field.label().to_owned()), policy.treatment(field), *count);
            }
            _ => (),
        }
    }
}

async fn of_custom_fields(
    impacts: &mut Impact,
    store: &Store,
    number: UserNumber,
    policy: &Policy,
) -> Result<(), DbErr> {
    let fields = custom_fields::Entity::find().all(&store.db).await?;
    let labels: BTreeMap<String, String> = fields.into_iter().map(|field| (field.key, field.label)).collect();
    let values = custom_values::Entity::find()
        .filter(custom_values::Column::UserNumber.eq(number.0))
        .all(&store.db)
        .await?;
    for value in values {
        let kept = policy.keep_custom.contains(&value.field_key);
        let treatment = if kept { Treatment::Keep } else { Treatment::Remove };
        let label = labels.get(&value.field_key).cloned().unwrap_or(value.field_key);
        impacts.add(ImpactKind::Custom(label), treatment, 1);
    }
    Ok(())
}

struct Counted {
    rows: i64,
    /// Personal columns with their number of values.
    values: Vec<(&'static Column, i64)>,
}

/// Counts the rows of one table that belong to a user, and the values in its personal columns.
async fn counted(db: &impl ConnectionTrait, table: &Table, number: UserNumber) -> Result<Counted, DbErr> {
    let theirs = match table.owner {
        RowOwner::User(column) => Expr::col(column).eq(number.0),
        RowOwner::Loan(column) => {
            let loans = loans::Entity::find().select_only().column(loans::Column::Id);
            let loans = loans.filter(loans::Column::UserNumber.eq(number.0));
            Expr::col(column).in_subquery(loans.into_query())
        }
        RowOwner::NoUser => return Ok(Counted { rows: 0, values: Vec::new() }),
    };
    let columns: Vec<&'static Column> =
        table.columns.iter().filter(|column| column.class != DataClass::NotPersonal).collect();
    let counts = columns.iter().map(|column| Expr::col(column.name).count());
    let all = Expr::col(Asterisk).count();
    let query =
        Query::select().exprs(iter::once(all).chain(counts)).from(table.name).and_where(theirs).take();
    let Some(row) = db.query_one(&query).await? else {
        return Ok(Counted { rows: 0, values: Vec::new() });
    };
    let values = iter::zip(columns, 1..)
        .map(|(column, place)| Ok((column, row.try_get_by_index(place)?)))
        .collect::<Result<_, DbErr>>()?;
    Ok(Counted { rows: row.try_get_by_index(0)?, values })
}
