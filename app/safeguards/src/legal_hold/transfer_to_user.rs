//! Transferring legal holds to users who leave a category. A legal hold ends only by its release.

use db::Clock;
use db::entity::legal_holds;
use policy::UserNumber;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use trail::Actor;
use trail::audit::{self, AuditAction, Subject};

/// Places the legal holds on a category on each user who leaves it, with the same reason, owner and review date.
pub async fn transfer_to_user(
    tx: &DatabaseTransaction,
    clock: &Clock,
    actor: Actor,
    leaving: &[(UserNumber, String)],
) -> Result<(), DbErr> {
    if leaving.is_empty() {
        return Ok(());
    }
    let on_categories = legal_holds::Entity::find()
        .filter(legal_holds::Column::ReleasedOn.is_null())
        .filter(legal_holds::Column::Category.is_not_null())
        .all(tx)
        .await?;
    for hold in &on_categories {
        let theirs = leaving.iter().filter(|(_, category)| hold.category.as_ref() == Some(category));
        for (number, _) in theirs {
            let carried = legal_holds::ActiveModel {
                user_number: Set(Some(number.0)),
                reason: Set(hold.reason),
                owner_number: Set(hold.owner_number),
                placed_by: Set(hold.placed_by),
                placed_on: Set(clock.today()),
                review_on: Set(hold.review_on),
                ..Default::default()
            }
            .insert(tx)
            .await?;
            let detail = format!("hold={},reason={},from_hold={}", carried.id, hold.reason.code(), hold.id);
            let subject = Subject::User(number.0);
            audit::record_event(tx, clock, actor, AuditAction::LegalHoldPlaced, subject, None, &detail)
                .await?;
        }
    }
    Ok(())
}
