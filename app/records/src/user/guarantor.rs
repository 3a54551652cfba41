//! The guarantor that a user may have.

use db::RecordsError;
use db::entity::users;
use policy::UserNumber;
use policy::form::Problem;
use sea_orm::DatabaseTransaction;
use std::collections::HashSet;
use trail::person::lock;

/// Returns why a user can't have this guarantor. The locks prevent anonymising the guarantor at the same time.
///
/// The guarantor of a guarantor must not be the user, at any distance: no user of such a ring could be anonymised. A
/// guarantor that stays is not checked again, so that the other fields of users in an old ring can be edited.
pub(super) async fn problem(
    tx: &DatabaseTransaction,
    user: &users::Model,
    guarantor: UserNumber,
) -> Result<Option<Problem>, RecordsError> {
    let mut next = match lock(tx, guarantor).await {
        Err(RecordsError::NotFound(_)) => return Ok(Some(Problem::NoSuchUser)),
        Err(error) => return Err(error),
        Ok(found) if found.number == user.number || found.anonymised_on.is_some() => {
            return Ok(Some(Problem::NotAGuarantor));
        }
        Ok(found) => found,
    };
    if user.guarantor_number == Some(guarantor.0) {
        return Ok(None);
    }
    let mut passed = HashSet::from([next.number]);
    while let Some(number) = next.guarantor_number.filter(|number| passed.insert(*number)) {
        if number == user.number {
            return Ok(Some(Problem::GuarantorRing));
        }
        next = lock(tx, UserNumber(number)).await?;
    }
    Ok(None)
}
