//! Reads one user's record.

use chrono::NaiveDate;
use db::entity::{custom_fields, custom_values, photos, user_roles, users};
use db::{RecordsError, dialect};
use policy::dates::joined;
use policy::numbers::counted;
use policy::user_field::{FieldValue, UserField};
use policy::{Blocker, Blockers, Role, UserNumber, list_user_fields, with_user_fields};
use safeguards::protection;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use trail::Store;
use trail::person::{Person, display_name};
use trail::terms::{Term, term};

/// Maximum number of users listed under a guarantor.
const MAX_NAMED: u64 = 100;

/// The value of a custom field.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CustomValue {
    /// Key of the field.
    pub key: String,
    /// Its label.
    pub label: String,
    /// The value; empty if the user has none.
    pub value: String,
}

/// Numbers of rows that belong to a user.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct UserCounts {
    /// Open loans.
    pub open_loans: i64,
    /// Returned loans.
    pub past_loans: i64,
    /// Open requests.
    pub open_requests: i64,
    /// All requests.
    pub requests: i64,
    /// Unsettled charges and credits.
    pub unsettled_charges: i64,
    /// All charges and credits.
    pub charges: i64,
    /// Messages sent.
    pub messages: i64,
    /// Catalogue records created or last changed by the user.
    pub catalogue_records: i64,
    /// Active legal holds.
    pub legal_holds: i64,
}

impl UserCounts {
    /// Returns a blocker with its number of rows: `1 open loan`.
    pub fn of_blocker(&self, blocker: Blocker) -> String {
        match blocker {
            Blocker::OpenLoan => counted(self.open_loans, "open loan", "open loans"),
            Blocker::OpenRequest => counted(self.open_requests, "open request", "open requests"),
            Blocker::UnsettledCharge => {
                counted(self.unsettled_charges, "unsettled charge or credit", "unsettled charges or credits")
            }
            Blocker::Guarantor => blocker.label().to_owned(),
            Blocker::LegalHold => counted(self.legal_holds, "legal hold", "legal holds"),
        }
    }

    /// Returns the blockers with their numbers of rows, joined as in a sentence.
    pub fn of_blockers(&self, blockers: Blockers) -> String {
        let all: Vec<String> = blockers.iter().map(|blocker| self.of_blocker(blocker)).collect();
        joined(&all, "and")
    }
}

/// The type of a field in the record.
macro_rules! record_type {
    (Flag) => {
        bool
    };
    (Date) => {
        Option<NaiveDate>
    };
    (PastDate) => {
        Option<NaiveDate>
    };
    (Term) => {
        Option<Term>
    };
    ($kind:ident) => {
        Option<String>
    };
}

/// Returns the value of a field in the record.
macro_rules! record_value {
    (Term, $name:ident, $user:ident, $db:ident) => {
        term($db, stringify!($name), $user.$name).await?
    };
    ($kind:ident, $name:ident, $user:ident, $db:ident) => {
        $user.$name
    };
}

macro_rules! record {
    ($($field:ident: $kind:ident $(, $cell:tt)*;)*) => {
        /// The record of a user, as its page shows it.
        #[derive(Clone, Debug, Serialize)]
        #[allow(missing_docs, reason = "the fields are those of the record; the register describes each")]
        #[allow(clippy::struct_excessive_bools, reason = "these are independent facts of a record")]
        pub struct UserRecord {
            pub number: UserNumber,
            pub version: i32,
            /// Display name.
            pub name: String,
            $(pub $field: record_type!($kind),)*
            pub birth_period: Option<String>,
            pub imported: bool,
            pub created_on: Option<NaiveDate>,
            pub last_activity_on: Option<NaiveDate>,
            pub marked_on: Option<NaiveDate>,
            pub announced_on: Option<NaiveDate>,
            pub kept_on: Option<NaiveDate>,
            pub dates_by_month: bool,
            pub guarantor: Option<Person>,
            /// The users who have this user as guarantor and aren't anonymised; the first hundred.
            pub guarantees_for: Vec<Person>,
            pub replacement: Option<String>,
            pub anonymised_on: Option<NaiveDate>,
            pub rules_version: Option<i32>,
            pub roles: Vec<Role>,
            /// Whether the user lost the last role recently and still counts as staff.
            pub was_staff: bool,
            /// All custom fields of the library, with the user's values.
            pub custom: Vec<CustomValue>,
            pub has_photo: bool,
            /// Whether the user has a password, a second factor, a token or a session.
            pub can_sign_in: bool,
            pub counts: UserCounts,
        }

        /// Reads a user's record.
        pub async fn read(store: &Store, number: UserNumber) -> Result<UserRecord, RecordsError> {
            let db = &store.db;
            let user = users::Entity::find_by_id(number.0).one(db).await?.ok_or(RecordsError::NotFound("user"))?;
            let guarantor = match user.guarantor_number {
                Some(guarantor) => people(db, users::Column::Number.eq(guarantor)).await?.into_iter().next(),
                None => None,
            };
            let guaranteed = users::Column::GuarantorNumber.eq(number.0).and(users::Column::AnonymisedOn.is_null());
            let guarantees_for = people(db, guaranteed).await?;
            let mut roles: Vec<Role> = user_roles::Entity::find()
                .filter(user_roles::Column::UserNumber.eq(number.0))
                .all(db)
                .await?
                .into_iter()
                .map(|row| row.role)
                .collect();
            roles.sort();
            let was_staff = protection::was_staff(db, number).await?;
            let Held { counts, has_photo, can_sign_in } = held(db, number).await?;
            Ok(UserRecord {
                number,
                version: user.version,
                name: display_name(&user),
                $($field: record_value!($kind, $field, user, db),)*
                birth_period: user.birth_period,
                imported: user.imported,
                created_on: user.created_on,
                last_activity_on: user.last_activity_on,
                marked_on: user.marked_on,
                announced_on: user.announced_on,
                kept_on: user.kept_on,
                dates_by_month: user.dates_by_month,
                guarantor,
                guarantees_for,
                replacement: user.replacement,
                anonymised_on: user.anonymised_on,
                rules_version: user.rules_version,
                roles,
                was_staff,
                custom: custom_values(db, number).await?,
                has_photo,
                can_sign_in,
                counts,
            })
        }
    };
}
with_user_fields!(record);
with_user_fields!(list_user_fields, UserRecord);

impl UserRecord {
    /// Returns whether the user has a role or lost the last one recently.
    pub fn is_staff(&self) -> bool {
        !self.roles.is_empty() || self.was_staff
    }

    /// Returns whether the user is anonymised.
    pub fn is_anonymised(&self) -> bool {
        self.anonymised_on.is_some()
    }

    /// Returns every field with its value as the record shows it: the year or decade of birth if only that is kept.
    pub fn shown_fields(&self) -> impl Iterator<Item = (&'static UserField, FieldValue<'_>)> {
        self.fields().map(|(field, value)| match &self.birth_period {
            Some(period) if field.name == "birth_date" => (field, FieldValue::Text(period)),
            _ => (field, value),
        })
    }
}

/// A photo.
#[derive(Clone, Debug)]
pub struct Photo {
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Reads the photo of a user.
pub async fn photo(store: &Store, number: UserNumber) -> Result<Photo, RecordsError> {
    let row =
        photos::Entity::find_by_id(number.0).one(&store.db).await?.ok_or(RecordsError::NotFound("photo"))?;
    Ok(Photo { media_type: row.media_type, bytes: row.bytes })
}

/// Returns the users that meet one condition, with their names.
async fn people(db: &impl ConnectionTrait, condition: Expr) -> Result<Vec<Person>, DbErr> {
    let users = users::Entity::find().filter(condition).order_by_asc(users::Column::Number).limit(MAX_NAMED);
    let person = |user: users::Model| Person { number: UserNumber(user.number), name: display_name(&user) };
    Ok(users.all(db).await?.into_iter().map(person).collect())
}

/// Returns all custom fields with the user's values.
async fn custom_values(db: &impl ConnectionTrait, number: UserNumber) -> Result<Vec<CustomValue>, DbErr> {
    let own_value = custom_fields::Entity::belongs_to(custom_values::Entity)
        .from(custom_fields::Column::Key)
        .to(custom_values::Column::FieldKey)
        .on_condition(move |_, _| custom_values::Column::UserNumber.eq(number.0).into_condition());
    let fields: Vec<(String, String, Option<String>)> = custom_fields::Entity::find()
        .select_only()
        .columns([custom_fields::Column::Key, custom_fields::Column::Label])
        .column(custom_values::Column::Value)
        .join(JoinType::LeftJoin, own_value.into())
        .order_by_asc(custom_fields::Column::Label)
        .order_by_asc(custom_fields::Column::Key)
        .into_tuple()
        .all(db)
        .await?;
    let value = |(key, label, value): (_, _, Option<String>)| CustomValue {
        key,
        label,
        value: value.unwrap_or_default(),
    };
    Ok(fields.into_iter().map(value).collect())
}

struct Held {
    counts: UserCounts,
    has_photo: bool,
    can_sign_in: bool,
}

/// Counts the rows that belong to a user, in one query.
///
/// Raw SQL: scalar counts of nine tables in one statement.
async fn held(db: &impl ConnectionTrait, number: UserNumber) -> Result<Held, DbErr> {
    let of = |table: &str, more: &str| format!("(SELECT COUNT(*) FROM {table} WHERE user_number = ?{more})");
    let counts = [
        of("loans", " AND returned_on IS NULL"),
        of("loans", " AND returned_on IS NOT NULL"),
        of("requests", " AND closed_on IS NULL"),
        of("requests", ""),
        of("charges", " AND settled_on IS NULL AND COALESCE(cents, 1) <> 0"),
        of("charges", ""),
        of("messages", ""),
        "(SELECT COUNT(*) FROM legal_holds WHERE released_on IS NULL AND (user_number = ? \
         OR category = (SELECT category FROM users WHERE number = ?)))"
            .to_owned(),
        of("photos", ""),
        of("credentials", ""),
        of("sessions", ""),
        "(SELECT COUNT(*) FROM (SELECT id FROM catalogue_records WHERE created_by = ? \
         UNION SELECT id FROM catalogue_records WHERE changed_by = ?) made)"
            .to_owned(),
    ];
    let columns: Vec<String> =
        counts.iter().enumerate().map(|(place, count)| format!("{count} AS n{place}")).collect();
    let sql = format!("SELECT {}", columns.join(", "));
    let values = vec![number.0.into(); counts.len() + 2];
    let row = db.query_one_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    let n = |place: usize| row.as_ref().map_or(Ok(0_i64), |row| row.try_get("", &format!("n{place}")));
    Ok(Held {
        counts: UserCounts {
            open_loans: n(0)?,
            past_loans: n(1)?,
            open_requests: n(2)?,
            requests: n(3)?,
            unsettled_charges: n(4)?,
            charges: n(5)?,
            messages: n(6)?,
            legal_holds: n(7)?,
            catalogue_records: n(11)?,
        },
        has_photo: n(8)? > 0,
        can_sign_in: n(9)? + n(10)? > 0,
    })
}
