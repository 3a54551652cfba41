//! Manual changes since the last confirmed run, which count towards the limits of the next one.

use db::entity::{manual_changes, run_members, users};
use policy::{Manual, ManualChange, Reason, RunId};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};

/// The manual changes that can anonymise a user or make a user eligible.
const REACHING: [ManualChange; 5] = [
    ManualChange::Anonymised,
    ManualChange::Removed,
    ManualChange::Marked,
    ManualChange::Imported,
    ManualChange::ImportConfirmed,
];

/// Returns the condition that the user of a change is eligible in a preview.
fn in_preview(preview: RunId) -> Expr {
    let member = run_members::Column::UserNumber.into_expr();
    let members = run_members::Entity::find()
        .filter(run_members::Column::RunId.eq(preview.0))
        .filter(run_members::Column::Reason.eq(Reason::Eligible.number()))
        .filter(member.eq(manual_changes::Column::UserNumber.into_expr()));
    Expr::exists(members.into_query())
}

/// Returns the condition that the user of a change is anonymised.
fn gone() -> Expr {
    let user = users::Column::Number.into_expr();
    let users = users::Entity::find()
        .filter(user.eq(manual_changes::Column::UserNumber.into_expr()))
        .filter(users::Column::AnonymisedOn.is_not_null());
    Expr::exists(users.into_query())
}

/// Counts the users with an unconfirmed change that meets a condition.
async fn users(db: &impl ConnectionTrait, condition: Condition) -> Result<i64, DbErr> {
    let users = manual_changes::Entity::find()
        .select_only()
        .column_as(manual_changes::Column::UserNumber.into_expr().count_distinct(), "n")
        .filter(manual_changes::Column::ConfirmedBy.is_null())
        .filter(condition)
        .into_tuple()
        .one(db)
        .await?;
    Ok(users.unwrap_or_default())
}

/// Returns what manual changes since the last confirmed run add to the run of a preview.
pub async fn manual(db: &impl ConnectionTrait, preview: RunId) -> Result<Manual, DbErr> {
    let kind = manual_changes::Column::Kind;
    let marked = Condition::all().add(kind.eq(ManualChange::Marked));
    let by_staff = users(db, marked.clone().add(in_preview(preview))).await?;
    let gone_by_staff = users(db, marked.add(gone())).await?;
    let gone = Condition::all()
        .add(kind.is_in(REACHING))
        .add(Condition::any().add(kind.eq(ManualChange::Removed)).add(gone()))
        .add(in_preview(preview).not());
    let gone = users(db, gone).await?;
    Ok(Manual { by_staff, gone_by_staff, gone })
}

/// Marks the manual changes of the users of a confirmed run, and of anonymised users, as confirmed by this run.
pub async fn confirm(db: &impl ConnectionTrait, run: RunId, preview: RunId) -> Result<(), DbErr> {
    let removed = manual_changes::Column::Kind.eq(ManualChange::Removed);
    manual_changes::Entity::update_many()
        .col_expr(manual_changes::Column::ConfirmedBy, Expr::value(run.0))
        .filter(manual_changes::Column::ConfirmedBy.is_null())
        .filter(manual_changes::Column::UserNumber.is_not_null())
        .filter(Condition::any().add(removed).add(gone()).add(in_preview(preview)))
        .exec(db)
        .await?;
    Ok(())
}
