//! Definitions of custom fields.

use crate::legal_holds::{staff, staff_actor};
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::{audit_events, custom_values, tasks};
use policy::custom_field::CustomFieldForm;
use policy::import_profile::{ColumnMapping, FileKind, ImportProfile};
use policy::{Policy, Role, TaskId, UserNumber};
use records::custom_field;
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set};
use trail::{Actor, Store};
use transfer::custom_profile;

fn form(key: &str, label: &str, class: &str) -> CustomFieldForm {
    CustomFieldForm { key: key.to_owned(), label: label.to_owned(), class: class.to_owned() }
}

async fn fields(store: &Store) -> Vec<(String, String, &'static str, i64, Vec<TaskId>)> {
    let fields = custom_field::list(store, Actor::COMMAND_LINE).await.unwrap().into_iter();
    fields
        .map(|field| {
            let tasks = field.kept_by.into_iter().map(|(task, _)| task).collect();
            (field.key, field.label, field.class.code(), field.users, tasks)
        })
        .collect()
}

fn refusal(result: Result<(), RecordsError>) -> String {
    match result {
        Err(RecordsError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_field_is_added_changed_and_removed() {
    for_each_database(async |store| {
        let actor = Actor::COMMAND_LINE;
        custom_field::add(&store, actor, &form("course", "Course", "quasi_identifier")).await.unwrap();
        let again = custom_field::add(&store, actor, &form("course", "Other", "free_text")).await;
        assert!(matches!(again, Err(RecordsError::Invalid(errors)) if errors.message("key").is_some()));
        custom_field::change(&store, actor, &form("course", "Course of study", "free_text")).await.unwrap();
        refusal(custom_field::change(&store, actor, &form("course", "Course of study", "free_text")).await);
        let missing = custom_field::change(&store, actor, &form("shoe", "Shoe", "free_text")).await;
        assert!(matches!(missing, Err(RecordsError::NotFound(_))));

        let user = add(&store, leaver("Ng")).await.number;
        let value = custom_values::ActiveModel {
            user_number: Set(user),
            field_key: Set("course".to_owned()),
            value: Set("History".to_owned()),
        };
        value.insert(&store.db).await.unwrap();
        let expected = ("course".to_owned(), "Course of study".to_owned(), "free_text", 1, Vec::new());
        assert_eq!(fields(&store).await, [expected]);
        assert!(refusal(custom_field::remove(&store, actor, "course").await).contains("Users have values"));
        custom_values::Entity::delete_many().exec(&store.db).await.unwrap();
        custom_field::remove(&store, actor, "course").await.unwrap();
        assert!(fields(&store).await.is_empty());

        let events = audit_events::Entity::find().order_by_asc(audit_events::Column::Id);
        let events: Vec<String> =
            events.all(&store.db).await.unwrap().into_iter().map(|event| event.action).collect();
        let own: Vec<&str> =
            events.iter().map(String::as_str).filter(|action| action.starts_with("custom_field")).collect();
        assert_eq!(own, ["custom_field_added", "custom_field_changed", "custom_field_removed"]);
    })
    .await;
}

#[tokio::test]
async fn a_field_that_an_import_profile_fills_is_not_removed() {
    for_each_database(async |store| {
        let actor = Actor::COMMAND_LINE;
        for key in ["course", "locker"] {
            custom_field::add(&store, actor, &form(key, key, "not_personal")).await.unwrap();
        }
        let column = |source: &str, target: &str| ColumnMapping {
            source: source.to_owned(),
            target: Some(target.to_owned()),
            ..Default::default()
        };
        let columns =
            vec![column("id", "external_id"), column("name", "last_name"), column("Fach", "custom.course")];
        let profile = ImportProfile {
            code: "hr".to_owned(),
            name: "HR system".to_owned(),
            columns,
            ..ImportProfile::own_format(FileKind::Users)
        };
        let id = custom_profile::add(&store, actor, profile).await.unwrap();
        let why = refusal(custom_field::remove(&store, actor, "course").await);
        assert!(why.contains("Import profiles fill this field: “HR system”"), "{why}");
        let listed = custom_field::list(&store, actor).await.unwrap();
        assert_eq!(listed[0].filled_by, [(id, "HR system".to_owned())]);
        assert!(listed[1].filled_by.is_empty());
        custom_field::remove(&store, actor, "locker").await.unwrap();
        custom_profile::delete(&store, actor, id).await.unwrap();
        custom_field::remove(&store, actor, "course").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_two_equal_fields_at_once_the_second_is_rejected_at_its_key() {
    for_each_database(async |store| {
        let actor = Actor::COMMAND_LINE;
        for round in 0..5 {
            let form = form(&format!("course{round}"), "Course", "not_personal");
            let (one, other) = tokio::join!(
                custom_field::add(&store, actor, &form),
                custom_field::add(&store, actor, &form)
            );
            let refused = if one.is_ok() { other } else { one };
            assert!(
                matches!(&refused, Err(RecordsError::Invalid(errors)) if errors.message("key").is_some()),
                "{refused:?}"
            );
        }
        assert_eq!(fields(&store).await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn no_task_keeps_an_identifier() {
    for_each_database(async |store| {
        let actor = Actor::COMMAND_LINE;
        custom_field::add(&store, actor, &form("matriculation", "Matriculation", "not_personal"))
            .await
            .unwrap();
        let policy = Policy { keep_custom: vec!["matriculation".to_owned()], ..five_days() };
        let task = add_task(&store, &policy).await;
        assert_eq!(fields(&store).await[0].4, [task]);
        let identifier = form("matriculation", "Matriculation", "identifier");
        assert!(
            refusal(custom_field::change(&store, actor, &identifier).await).contains("Tasks keep this field")
        );
        let why = refusal(custom_field::remove(&store, actor, "matriculation").await);
        assert!(why.contains("Tasks keep this field: “Leavers”"), "{why}");
        // The description of a private task is for its owner only.
        let (owner, other) = (UserNumber(8001), UserNumber(8002));
        for number in [owner, other] {
            staff(&store, number, Role::Administrator).await;
        }
        let private =
            format!("UPDATE tasks SET visibility = 'private', owner_number = {owner}, description = 'Mine'");
        execute(&store, &private).await;
        for (number, is_shown) in [(owner, true), (other, false)] {
            let actor = staff_actor(number, Role::Administrator);
            for why in [
                refusal(custom_field::change(&store, actor, &identifier).await),
                refusal(custom_field::remove(&store, actor, "matriculation").await),
            ] {
                assert_eq!(why.contains("Mine"), is_shown, "{why}");
            }
        }
        tasks::Entity::delete_many().exec(&store.db).await.unwrap();
        custom_field::change(&store, actor, &identifier).await.unwrap();
    })
    .await;
}
