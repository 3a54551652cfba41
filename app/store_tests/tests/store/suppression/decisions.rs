//! The four decisions about held lines, and the same decisions in the form of a new user.

use super::{ONE, anonymised, counts, held, import, last_detail, users_of};
use crate::legal_holds::staff_actor;
use crate::support::for_each_database;
use db::RecordsError;
use db::entity::{audit_events, users};
use db::pagination::Paging;
use policy::form::Problem;
use policy::suppression::HeldDecision;
use policy::user_form::UserForm;
use policy::{Action, HeldLineId, Role, UserNumber};
use records::{accounts, user};
use safeguards::suppression::held_line::{self, Chosen, Show};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use trail::{Actor, Store};

/// The line of [`ONE`] with another name.
const CHANGED: &str = "external_id,user_id,barcode,email,last_name,leaving_on\n\
                       E1,ng,B1,ng@example.org,Ngo,2018-01-02\n";

async fn decide(store: &Store, decision: HeldDecision) {
    let lines = held(store).await.into_iter().map(|line| HeldLineId(line.id)).collect();
    held_line::decide(store, Actor::COMMAND_LINE, &Chosen::Lines(lines), decision).await.unwrap();
}

#[tokio::test]
async fn an_ignored_line_is_skipped_until_it_changes() {
    for_each_database(async |store| {
        anonymised(&store).await;
        import(&store, ONE).await;
        decide(&store, HeldDecision::Ignore).await;
        for _ in 0..2 {
            assert_eq!(counts(&import(&store, ONE).await), [0, 0, 0, 0, 1, 0]);
        }
        assert_eq!(held(&store).await[0].decision, Some(HeldDecision::Ignore));
        assert_eq!(counts(&import(&store, CHANGED).await), [0, 0, 0, 1, 0, 0], "the line has changed");
        assert_eq!(held(&store).await[0].decision, None, "Lethe asks again");
        assert_eq!((held(&store).await.len(), held(&store).await[0].times_seen), (1, 4));
    })
    .await;
}

#[tokio::test]
async fn an_always_ignored_line_is_skipped_even_if_it_changes() {
    for_each_database(async |store| {
        anonymised(&store).await;
        import(&store, ONE).await;
        decide(&store, HeldDecision::AlwaysIgnore).await;
        for content in [ONE, CHANGED, ONE] {
            assert_eq!(counts(&import(&store, content).await), [0, 0, 0, 0, 1, 0]);
        }
        assert_eq!(held(&store).await[0].decision, Some(HeldDecision::AlwaysIgnore));
    })
    .await;
}

#[tokio::test]
async fn two_decisions_let_the_next_import_create_the_user_once() {
    for decision in [HeldDecision::NewMembership, HeldDecision::DifferentPerson] {
        for_each_database(async |store| {
            anonymised(&store).await;
            import(&store, ONE).await;
            decide(&store, decision).await;
            assert_eq!(users_of(&store).await, 1, "a decision alone creates no user");
            assert_eq!(counts(&import(&store, CHANGED).await), [1, 0, 0, 0, 0, 0], "{decision:?}");
            assert!(held(&store).await.is_empty(), "the decision is used");
            assert_eq!(counts(&import(&store, CHANGED).await), [0, 0, 1, 0, 0, 0]);

            // Anonymised again, the user is held again.
            super::anonymise_leavers(&store).await;
            assert_eq!(counts(&import(&store, CHANGED).await), [0, 0, 0, 1, 0, 0]);
        })
        .await;
    }
}

#[tokio::test]
async fn all_undecided_lines_are_decided_at_once_and_each_is_audited() {
    for_each_database(async |store| {
        let content = "external_id,last_name,leaving_on\nE1,A,2018-01-02\nE2,B,2018-01-02\nE3,C,2018-01-02\n";
        import(&store, content).await;
        super::anonymise_leavers(&store).await;
        assert_eq!(import(&store, content).await.suppressed, 3);
        let list = async |show| {
            held_line::list(&store, Actor::COMMAND_LINE, show, &Paging::default()).await.unwrap().rows
        };
        let first = list(Show::Undecided).await;
        assert_eq!(first.iter().map(|line| line.line).collect::<Vec<_>>(), [4, 3, 2]);
        let one = Chosen::Lines(vec![first[0].id]);
        held_line::decide(&store, Actor::COMMAND_LINE, &one, HeldDecision::AlwaysIgnore).await.unwrap();
        assert_eq!((list(Show::Undecided).await.len(), list(Show::Decided).await.len()), (2, 1));
        let all = async |seen, decision| {
            held_line::decide(
                &store,
                Actor::COMMAND_LINE,
                &Chosen::Undecided { seen, newest: None },
                decision,
            )
            .await
        };
        for seen in [0, 1, 3] {
            let refused = all(seen, HeldDecision::NewMembership).await;
            assert!(
                matches!(&refused, Err(RecordsError::Refused(why)) if why.starts_with("2 lines are now waiting")),
                "{refused:?}"
            );
        }
        assert_eq!(list(Show::Undecided).await.len(), 2, "lines that came meanwhile are not decided unseen");
        assert_eq!(all(2, HeldDecision::NewMembership).await.unwrap(), 2);
        assert_eq!(counts(&import(&store, content).await), [2, 0, 0, 0, 1, 0]);
        let events = audit_events::Entity::find()
            .filter(audit_events::Column::Action.eq("held_line_decided"))
            .filter(audit_events::Column::SubjectKind.eq("held_line"));
        assert_eq!(events.count(&store.db).await.unwrap(), 3);
        assert_eq!(last_detail(&store, "held_line_decided").await, "decision=new_membership");
        let none = all(0, HeldDecision::Ignore).await;
        assert!(matches!(none, Err(RecordsError::Refused(_))), "{none:?}");
        let gone = held_line::decide(&store, Actor::COMMAND_LINE, &one, HeldDecision::Ignore).await;
        assert!(gone.is_ok(), "an earlier decision can be replaced");
        let unknown = Chosen::Lines(vec![first[0].id, HeldLineId(9_999)]);
        let unknown = held_line::decide(&store, Actor::COMMAND_LINE, &unknown, HeldDecision::Ignore).await;
        assert!(matches!(unknown, Err(RecordsError::NotFound(_))), "{unknown:?}");
    })
    .await;
}

/// Two people have the same page open.
#[tokio::test]
async fn a_decision_that_was_not_seen_is_not_replaced() {
    for_each_database(async |store| {
        let content = "external_id,last_name,leaving_on\nE1,A,2018-01-02\nE2,B,2018-01-02\n";
        import(&store, content).await;
        super::anonymise_leavers(&store).await;
        import(&store, content).await;
        let lines: Vec<HeldLineId> = held(&store).await.into_iter().map(|line| HeldLineId(line.id)).collect();
        let decide = async |chosen: Chosen, decision| {
            held_line::decide(&store, Actor::COMMAND_LINE, &chosen, decision).await
        };
        let undecided = || Chosen::Seen(vec![(lines[0], None)]);
        decide(undecided(), HeldDecision::Ignore).await.unwrap();
        let refused = decide(undecided(), HeldDecision::NewMembership).await;
        assert!(matches!(&refused, Err(RecordsError::Refused(why)) if why.contains("Ignore")), "{refused:?}");
        assert_eq!(held(&store).await[0].decision, Some(HeldDecision::Ignore));
        let seen = Chosen::Seen(vec![(lines[0], Some(HeldDecision::Ignore))]);
        decide(seen, HeldDecision::AlwaysIgnore).await.unwrap();

        // One line was decided and another one came: there are as many as before.
        let all = |newest| Chosen::Undecided { seen: 1, newest: Some(newest) };
        let refused = decide(all(lines[0]), HeldDecision::NewMembership).await;
        assert!(matches!(refused, Err(RecordsError::Refused(_))), "{refused:?}");
        assert_eq!(decide(all(lines[1]), HeldDecision::NewMembership).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_staff_who_may_create_users_decide() {
    for_each_database(async |store| {
        anonymised(&store).await;
        import(&store, ONE).await;
        for role in [Role::Dpo, Role::Cataloguer, Role::Statistics] {
            let actor = staff_actor(UserNumber(77), role);
            let decided = held_line::decide(
                &store,
                actor,
                &Chosen::Undecided { seen: 1, newest: None },
                HeldDecision::NewMembership,
            )
            .await;
            assert!(matches!(decided, Err(RecordsError::Forbidden(Action::EditUsers))), "{role:?}");
            let listed = held_line::list(&store, actor, Show::All, &Paging::default()).await;
            assert!(matches!(listed, Err(RecordsError::Forbidden(Action::EditUsers))), "{role:?}");
        }
        assert_eq!(held(&store).await[0].decision, None);
    })
    .await;
}

#[tokio::test]
async fn the_form_of_a_new_user_asks_for_the_decision_at_each_suppressed_field() {
    for_each_database(async |store| {
        anonymised(&store).await;
        import(&store, ONE).await;
        let form = |change: fn(&mut UserForm)| {
            let mut form = UserForm {
                external_id: "e1".to_owned(),
                barcode: "B1".to_owned(),
                last_name: "Ng".to_owned(),
                ..UserForm::default()
            };
            change(&mut form);
            form
        };
        let refused = user::save(&store, Actor::COMMAND_LINE, &form(|_| ())).await;
        let Err(RecordsError::Invalid(errors)) = refused else { panic!("{refused:?}") };
        for field in ["external_id", "barcode"] {
            assert_eq!(errors.message(field), Some(Problem::Suppressed.to_string()), "{field}");
        }
        assert_eq!(errors.0.len(), 2);
        for code in ["ignore", "always_ignore", "yes"] {
            let mut typed = form(|_| ());
            typed.suppressed = code.to_owned();
            let refused = user::save(&store, Actor::COMMAND_LINE, &typed).await;
            assert!(
                matches!(&refused, Err(RecordsError::Invalid(errors)) if errors.message("suppressed").is_some())
            );
        }
        // Another person's weak key with an external identifier passes.
        let other = form(|form| form.external_id = "E2".to_owned());
        user::save(&store, Actor::COMMAND_LINE, &other).await.unwrap();
        assert_eq!(held(&store).await.len(), 1);

        let decided = form(|form| {
            form.barcode = String::new();
            form.suppressed = "different_person".to_owned();
        });
        let number = user::save(&store, Actor::COMMAND_LINE, &decided).await.unwrap();
        let created = users::Entity::find_by_id(number.0).one(&store.db).await.unwrap().unwrap();
        assert_eq!(created.external_id.as_deref(), Some("e1"));
        assert_eq!(last_detail(&store, "user_created").await, "suppressed=different_person");
        assert!(held(&store).await.is_empty(), "no decision is waiting any more");
    })
    .await;
}

#[tokio::test]
async fn a_new_member_of_staff_with_a_suppressed_user_id_is_refused() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let added = accounts::add(&store, Actor::COMMAND_LINE, "ng", Role::Librarian).await;
        assert!(
            matches!(&added, Err(RecordsError::Refused(why)) if why.contains("Create user")),
            "{added:?}"
        );
        assert_eq!(users_of(&store).await, 1);
    })
    .await;
}
