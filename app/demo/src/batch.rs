//! Writing rows together, with few statements.

use db::bulk_insert::insert;
use db::entity::{
    charges, custom_values, legal_holds, loans, messages, photos, renewals, requests, user_words, users,
};
use sea_orm::{ConnectionTrait, DbErr};

/// The rows of a block of users. Rows that others refer to carry their ids.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) users: Vec<users::Model>,
    pub(super) words: Vec<user_words::Model>,
    pub(super) photos: Vec<photos::Model>,
    pub(super) custom_values: Vec<custom_values::Model>,
    pub(super) loans: Vec<loans::Model>,
    pub(super) renewals: Vec<renewals::ActiveModel>,
    pub(super) requests: Vec<requests::ActiveModel>,
    pub(super) charges: Vec<charges::ActiveModel>,
    pub(super) messages: Vec<messages::ActiveModel>,
    pub(super) legal_holds: Vec<legal_holds::ActiveModel>,
}

impl Batch {
    /// Writes the users and the rows that depend only on them.
    pub(super) async fn write_users(&mut self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        insert(db, std::mem::take(&mut self.users)).await?;
        insert(db, std::mem::take(&mut self.words)).await?;
        insert(db, std::mem::take(&mut self.photos)).await?;
        insert(db, std::mem::take(&mut self.custom_values)).await
    }

    /// Writes the activity of the users. Items and catalogue records must exist.
    pub(super) async fn write_activity(&mut self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        insert(db, std::mem::take(&mut self.loans)).await?;
        insert(db, std::mem::take(&mut self.renewals)).await?;
        insert(db, std::mem::take(&mut self.requests)).await?;
        insert(db, std::mem::take(&mut self.charges)).await?;
        insert(db, std::mem::take(&mut self.messages)).await?;
        insert(db, std::mem::take(&mut self.legal_holds)).await
    }
}
