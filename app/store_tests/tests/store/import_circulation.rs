//! Import of loans, requests and charges.

mod legal_holds;
mod limits;
mod pairing;

use crate::import_modes::{accounted, valid_lines};
use crate::support::{add, execute, for_each_database, leaver};
use crate::transfer::file;
use chrono::NaiveDate;
use db::entity::{catalogue_records, charges, loans, requests, users};
use db::pagination::Paging;
use policy::import_profile::FileKind;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use trail::Store;
use transfer::ImportSummary;

async fn import(store: &Store, kind: FileKind, content: &str) -> ImportSummary {
    let imported = valid_lines(store, kind, file(content).path(), false).await;
    assert_eq!(accounted(&imported.summary), imported.summary.lines, "{:?}", imported.summary);
    imported.summary
}

/// The kinds of files, each with its columns.
const KINDS: [(FileKind, &str); 3] = [
    (FileKind::Loans, "user_id,item_barcode,branch,issued_on,due_on,returned_on,note"),
    (FileKind::Requests, "user_id,title,branch,placed_on,closed_on,note"),
    (FileKind::Charges, "user_id,kind,amount,charged_on,settled_on,note"),
];

/// Returns a line about a loan, request or charge of 1 December 2017, which differs from those with another number.
fn line(kind: FileKind, at: usize, (end, note): (&str, &str)) -> String {
    match kind {
        FileKind::Loans => format!("Ng-id,I{at},main,2017-12-01,2018-01-01,{end},{note}\n"),
        FileKind::Requests => format!("Ng-id,Title {at},main,2017-12-01,{end},{note}\n"),
        FileKind::Charges | FileKind::Users => format!("Ng-id,fine,{at}.50,2017-12-01,{end},{note}\n"),
    }
}

/// Returns a file of these lines without notes, with an end for each.
fn file_of(kind: FileKind, lines: std::ops::Range<usize>, end: impl Fn(usize) -> String) -> String {
    let columns = KINDS.iter().find(|(of, _)| *of == kind).unwrap().1;
    let lines = lines.map(|at| line(kind, at, (&end(at), "")));
    format!("{columns}\n{}", lines.collect::<String>())
}

/// Returns the ends of all loans, requests or charges.
async fn ends(store: &Store, kind: FileKind) -> Vec<Option<NaiveDate>> {
    match kind {
        FileKind::Loans => {
            let loans = loans::Entity::find().order_by_asc(loans::Column::Id).all(&store.db).await.unwrap();
            loans.into_iter().map(|loan| loan.returned_on).collect()
        }
        FileKind::Requests => {
            all_requests(store).await.into_iter().map(|request| request.closed_on).collect()
        }
        FileKind::Charges | FileKind::Users => {
            all_charges(store).await.into_iter().map(|charge| charge.settled_on).collect()
        }
    }
}

fn counts(summary: &ImportSummary) -> [u64; 5] {
    [summary.created, summary.changed, summary.unchanged, summary.skipped, summary.rejected]
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

async fn last_activity(store: &Store, user: i64) -> Option<NaiveDate> {
    users::Entity::find_by_id(user).one(&store.db).await.unwrap().unwrap().last_activity_on
}

async fn all_requests(store: &Store) -> Vec<requests::Model> {
    requests::Entity::find().order_by_asc(requests::Column::Id).all(&store.db).await.unwrap()
}

async fn all_charges(store: &Store) -> Vec<charges::Model> {
    charges::Entity::find().order_by_asc(charges::Column::Id).all(&store.db).await.unwrap()
}

#[tokio::test]
async fn requests_are_created_once_and_closed_once() {
    for_each_database(async |store| {
        let ng = add(&store, leaver("Ng")).await.number;
        execute(&store, &format!("UPDATE users SET last_activity_on = '2017-01-05' WHERE number = {ng}"))
            .await;
        let open = "user_id,title,record,branch,placed_on,closed_on,note\n\
                    Ng-id,Middlemarch,,main,2017-03-01,,twice\n\
                    Ng-id,Middlemarch,,main,2017-03-01,,twice\n\
                    Ng-id,,77,main,2017-02-01,2017-06-01,\n";
        assert_eq!(counts(&import(&store, FileKind::Requests, open).await), [3, 0, 0, 0, 0]);
        let before = all_requests(&store).await;
        let statuses: Vec<&str> = before.iter().map(|request| request.status.as_str()).collect();
        assert_eq!(statuses, ["open", "open", "closed"]);
        assert_eq!(before[0].record_id, before[1].record_id);
        let titles = catalogue_records::Entity::find().order_by_asc(catalogue_records::Column::Title);
        let titles: Vec<String> =
            titles.all(&store.db).await.unwrap().into_iter().map(|record| record.title).collect();
        assert_eq!(titles, ["(no title, record 77)", "Middlemarch"]);
        let found = records::catalogue::list(&store, "middlemar", &Paging::default()).await.unwrap();
        assert_eq!(found.rows.len(), 1, "an imported title is found");
        assert_eq!(last_activity(&store, ng).await, day("2017-03-01"), "the day of placing, not of closing");

        assert_eq!(counts(&import(&store, FileKind::Requests, open).await), [0, 0, 3, 0, 0]);
        assert_eq!(all_requests(&store).await, before, "the same file changes nothing");

        let closed = open.replacen("2017-03-01,,", "2017-03-01,2017-04-01,", 1);
        assert_eq!(counts(&import(&store, FileKind::Requests, &closed).await), [0, 1, 2, 0, 0]);
        assert_eq!(counts(&import(&store, FileKind::Requests, open).await), [0, 0, 3, 0, 0]);
        let after = all_requests(&store).await;
        let dates: Vec<_> = after.iter().map(|request| request.closed_on).collect();
        assert_eq!(dates, [day("2017-04-01"), None, day("2017-06-01")], "an old file opens no request again");
        assert_eq!(last_activity(&store, ng).await, day("2017-03-01"));
    })
    .await;
}

#[tokio::test]
async fn charges_are_created_once_and_settled_once() {
    for_each_database(async |store| {
        let ng = add(&store, leaver("Ng")).await.number;
        let file = "user_id,kind,amount,charged_on,settled_on\n\
                    Ng-id,fine,2.50,2017-03-01,\n\
                    Ng-id,fine,\"2,5\",2017-03-01,\n\
                    Ng-id,credit,-10,2017-03-02,2017-03-03\n\
                    Ng-id,fee,,2017-03-04,\n\
                    Ng-id,fee,\"1,234\",2017-03-04,\n\
                    Ng-id,,5,2017-03-04,\n\
                    Ng-id,fine,5,2091-01-01,\n";
        assert_eq!(counts(&import(&store, FileKind::Charges, file).await), [4, 0, 0, 0, 3]);
        let before = all_charges(&store).await;
        let cents: Vec<Option<i64>> = before.iter().map(|charge| charge.cents).collect();
        assert_eq!(cents, [Some(250), Some(250), Some(-1000), None]);
        assert_eq!(counts(&import(&store, FileKind::Charges, file).await), [0, 0, 4, 0, 3]);

        let settled = file.replacen("2017-03-01,\n", "2017-03-01,2017-05-01\n", 1);
        assert_eq!(counts(&import(&store, FileKind::Charges, &settled).await), [0, 1, 3, 0, 3]);
        assert_eq!(counts(&import(&store, FileKind::Charges, file).await), [0, 0, 4, 0, 3]);
        let dates: Vec<_> = all_charges(&store).await.into_iter().map(|charge| charge.settled_on).collect();
        assert_eq!(dates, [day("2017-05-01"), None, day("2017-03-03"), None]);

        // Charges are no activity, and one of an unknown amount blocks as any other.
        assert_eq!(last_activity(&store, ng).await, leaver("Ng").last_activity_on.take().flatten());
        execute(&store, "UPDATE charges SET settled_on = '2017-05-01' WHERE cents IS NOT NULL").await;
        let user = records::user::read(&store, policy::UserNumber(ng)).await.unwrap();
        assert_eq!((user.counts.unsettled_charges, user.counts.charges), (1, 4));
    })
    .await;
}

#[tokio::test]
async fn lines_about_anonymised_and_unknown_users_are_left_out() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let gone = add(&store, leaver("Gone")).await.number;
        let sql = format!("UPDATE users SET anonymised_on = '2018-01-02' WHERE number = {gone}");
        execute(&store, &sql).await;
        let lines = format!("user_number,user_id,branch,placed_on\n{gone},,main,2017-01-01\n,unknown-id,main,2017-01-01\n,Ng-id,main,2017-01-01\nx,,main,2017-01-01\n,,main,2017-01-01\n");
        let summary = import(&store, FileKind::Requests, &lines).await;
        assert_eq!(counts(&summary), [1, 0, 0, 1, 3]);
        let lines = lines.replace("branch,placed_on", "kind,charged_on");
        assert_eq!(counts(&import(&store, FileKind::Charges, &lines).await), [1, 0, 0, 1, 3]);
        let of_gone = requests::Entity::find().filter(requests::Column::UserNumber.eq(gone));
        assert_eq!(of_gone.count(&store.db).await.unwrap(), 0);
    })
    .await;
}
