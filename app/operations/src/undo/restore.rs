//! Restores the previous state of each kind of change, under the user's lock and if nothing has changed since.

use super::{Restored, moved_on, refused};
use chrono::NaiveDate;
use db::RecordsError;
use db::entity::{audit_events, charges, findings, loans, requests, user_roles, users};
use erasure::residue;
use identity::{session, staff};
use policy::{Action, Role, UserNumber};
use records::circulation::CANCELLED;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, Set,
};
use trail::audit::{self, AuditAction, Subject};
use trail::person::lock;
use trail::undoable::Change;
use trail::{Actor, Store, Undo, roles};

/// Returns the permission for undoing a change: the same as for making it.
pub(super) const fn required_action(change: &Change) -> Action {
    match change {
        Change::LoanReturned { .. }
        | Change::RequestCancelled { .. }
        | Change::ChargeSettled { .. }
        | Change::Mark { .. }
        | Change::SignInRemoved { .. } => Action::EditUsers,
        Change::RoleRevoked { .. } | Change::SignInDisabled { .. } => Action::ManageStaff,
        Change::FindingDecided { .. } => Action::DecideResidue,
    }
}

/// Events that end or restore a user's sign-in.
const SIGN_IN: [AuditAction; 4] = [
    AuditAction::StaffDisabled,
    AuditAction::StaffEnabled,
    AuditAction::SignInRemoved,
    AuditAction::SignInRestored,
];

/// The context of an undo.
struct Within<'a> {
    tx: &'a DatabaseTransaction,
    store: &'a Store,
    actor: Actor,
    undo: &'a Undo,
}

/// Restores the state before the change.
pub(super) async fn restore(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    undo: &Undo,
) -> Result<Restored, RecordsError> {
    let within = Within { tx, store, actor, undo };
    match &undo.change {
        Change::LoanReturned { loan, on, was_anonymised } => within.loan(*loan, *on, *was_anonymised).await,
        Change::RequestCancelled { request, on, status, was_anonymised } => {
            within.request(*request, *on, status, *was_anonymised).await
        }
        Change::ChargeSettled { charge, on, was_anonymised } => {
            within.charge(*charge, *on, *was_anonymised).await
        }
        Change::Mark { user, before, after } => within.mark(*user, *before, *after).await,
        Change::RoleRevoked { user, role, granted_on } => within.role(*user, *role, *granted_on).await,
        Change::SignInDisabled { user } => within.sign_in(*user).await,
        Change::SignInRemoved { user } => within.user_sign_in(*user).await,
        Change::FindingDecided { finding } => within.finding(*finding).await,
    }
}

impl Within<'_> {
    async fn loan(&self, id: i64, on: NaiveDate, was_anonymised: bool) -> Result<Restored, RecordsError> {
        let find = || loans::Entity::find_by_id(id);
        let number = find().one(self.tx).await?.ok_or_else(moved_on)?.user_number;
        let user = self.locked(number, was_anonymised).await?;
        let loan = find().one(self.tx).await?.ok_or_else(moved_on)?;
        let detail = format!("loan={id}");
        if loan.user_number != number || loan.returned_on != Some(on) {
            return Err(moved_on());
        }
        self.require_newest(number, &[AuditAction::LoanReturned, AuditAction::LoanReopened], Some(&detail))
            .await?;
        if let Some(item) = loan.item_id {
            let on_loan = loans::Entity::find()
                .filter(loans::Column::ItemId.eq(item))
                .filter(loans::Column::ReturnedOn.is_null());
            if on_loan.count(self.tx).await? > 0 {
                return Err(refused("The item is on loan again"));
            }
        }
        loans::ActiveModel { id: Set(id), returned_on: Set(None), ..Default::default() }
            .update(self.tx)
            .await?;
        self.record(AuditAction::LoanReopened, number, &detail).await?;
        Ok(Restored::Loan(UserNumber(user.number)))
    }

    async fn request(
        &self,
        id: i64,
        on: NaiveDate,
        status: &str,
        was_anonymised: bool,
    ) -> Result<Restored, RecordsError> {
        let find = || requests::Entity::find_by_id(id);
        let number = find().one(self.tx).await?.ok_or_else(moved_on)?.user_number;
        self.locked(number, was_anonymised).await?;
        let request = find().one(self.tx).await?.ok_or_else(moved_on)?;
        let detail = format!("request={id}");
        if request.user_number != number || request.status != CANCELLED || request.closed_on != Some(on) {
            return Err(moved_on());
        }
        self.require_newest(
            number,
            &[AuditAction::RequestCancelled, AuditAction::RequestReopened],
            Some(&detail),
        )
        .await?;
        requests::ActiveModel {
            id: Set(id),
            status: Set(status.to_owned()),
            closed_on: Set(None),
            ..Default::default()
        }
        .update(self.tx)
        .await?;
        self.record(AuditAction::RequestReopened, number, &detail).await?;
        Ok(Restored::Request(UserNumber(number)))
    }

    async fn charge(&self, id: i64, on: NaiveDate, was_anonymised: bool) -> Result<Restored, RecordsError> {
        let find = || charges::Entity::find_by_id(id);
        let number = find().one(self.tx).await?.ok_or_else(moved_on)?.user_number;
        self.locked(number, was_anonymised).await?;
        let charge = find().one(self.tx).await?.ok_or_else(moved_on)?;
        let detail = format!("charge={id}");
        if charge.user_number != number || charge.settled_on != Some(on) {
            return Err(moved_on());
        }
        self.require_newest(
            number,
            &[AuditAction::ChargeSettled, AuditAction::ChargeReopened],
            Some(&detail),
        )
        .await?;
        charges::ActiveModel { id: Set(id), settled_on: Set(None), ..Default::default() }
            .update(self.tx)
            .await?;
        self.record(AuditAction::ChargeReopened, number, &detail).await?;
        Ok(Restored::Charge(UserNumber(number)))
    }

    async fn mark(
        &self,
        number: i64,
        before: Option<NaiveDate>,
        after: Option<NaiveDate>,
    ) -> Result<Restored, RecordsError> {
        let user = self.locked(number, false).await?;
        if user.marked_on != after {
            return Err(moved_on());
        }
        self.require_newest(number, &[AuditAction::UserMarked, AuditAction::UserUnmarked], None).await?;
        users::ActiveModel {
            number: Set(number),
            marked_on: Set(before),
            version: Set(user.version + 1),
            ..Default::default()
        }
        .update(self.tx)
        .await?;
        let (action, restored) = match before {
            Some(_) => (AuditAction::UserMarked, Restored::Mark(UserNumber(number))),
            None => (AuditAction::UserUnmarked, Restored::NoMark(UserNumber(number))),
        };
        self.record(action, number, "marked_on,undo").await?;
        Ok(restored)
    }

    async fn role(&self, number: i64, role: Role, granted_on: NaiveDate) -> Result<Restored, RecordsError> {
        let user = self.locked(number, false).await?;
        let held = user_roles::Entity::find_by_id((number, role)).one(self.tx).await?;
        if held.is_some() || user.fictitious {
            return Err(moved_on());
        }
        self.require_newest(number, &[AuditAction::RoleRevoked, AuditAction::RoleGranted], Some(role.code()))
            .await?;
        user_roles::ActiveModel { user_number: Set(number), role: Set(role), granted_on: Set(granted_on) }
            .insert(self.tx)
            .await?;
        // As for any granted role, the next sign-in requires the factors that the role needs.
        session::forget(self.tx, UserNumber(number)).await?;
        self.record(AuditAction::RoleGranted, number, &format!("{},undo", role.code())).await?;
        Ok(Restored::Role)
    }

    async fn sign_in(&self, number: i64) -> Result<Restored, RecordsError> {
        self.locked(number, false).await?;
        self.require_newest(number, &SIGN_IN, None).await?;
        if !staff::set_aside::give_back(self.tx, UserNumber(number)).await? {
            return Err(moved_on());
        }
        self.record(AuditAction::StaffEnabled, number, "undo").await?;
        Ok(Restored::SignIn)
    }

    async fn user_sign_in(&self, number: i64) -> Result<Restored, RecordsError> {
        self.locked(number, false).await?;
        self.require_newest(number, &SIGN_IN, None).await?;
        let user = UserNumber(number);
        // Only staff managers can restore the sign-in of staff.
        let is_staff = !roles::roles_of(self.tx, user).await?.is_empty();
        if is_staff || !staff::set_aside::give_back(self.tx, user).await? {
            return Err(moved_on());
        }
        self.record(AuditAction::SignInRestored, number, "undo").await?;
        Ok(Restored::UserSignIn(user))
    }

    async fn finding(&self, id: i64) -> Result<Restored, RecordsError> {
        let finding = findings::Entity::find_by_id(id).lock_exclusive().one(self.tx).await?;
        let decided_by_them =
            |finding: &findings::Model| finding.decided_by == self.undo.by && finding.decision.is_some();
        let finding = finding.filter(decided_by_them).ok_or_else(moved_on)?;
        residue::reopen_within(self.tx, self.store, self.actor, &finding).await?;
        Ok(Restored::Finding)
    }

    /// Locks the user. Returns an error if the user was anonymised after the change.
    async fn locked(&self, number: i64, was_anonymised: bool) -> Result<users::Model, RecordsError> {
        let user = lock(self.tx, UserNumber(number)).await?;
        if user.anonymised_on.is_some() == was_anonymised { Ok(user) } else { Err(moved_on()) }
    }

    /// Returns an error unless the change is the latest of these events about the user, or about the object in
    /// `detail`.
    async fn require_newest(
        &self,
        user: i64,
        actions: &[AuditAction],
        detail: Option<&str>,
    ) -> Result<(), RecordsError> {
        let about = |detail: &str| {
            Condition::any()
                .add(audit_events::Column::Detail.eq(detail))
                .add(audit_events::Column::Detail.like(format!("{detail},%")))
        };
        let newest: Option<Option<i64>> = audit_events::Entity::find()
            .select_only()
            .column_as(audit_events::Column::Id.max(), "newest")
            .filter(audit_events::Column::SubjectKind.eq("user"))
            .filter(audit_events::Column::SubjectId.eq(user))
            .filter(audit_events::Column::Action.is_in(actions.iter().map(|action| action.code())))
            .filter(detail.map_or_else(Condition::all, about))
            .into_tuple()
            .one(self.tx)
            .await?;
        if newest.flatten() == Some(self.undo.event) { Ok(()) } else { Err(moved_on()) }
    }

    async fn record(&self, action: AuditAction, user: i64, detail: &str) -> Result<(), RecordsError> {
        let subject = Subject::User(user);
        Ok(audit::record_event(self.tx, &self.store.clock, self.actor, action, subject, None, detail).await?)
    }
}
