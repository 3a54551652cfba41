//! After anonymising, no table holds a value or an unkeyed hash of a value, and no row of the list leads to a record.

use super::{ONE, anonymise_leavers, anonymised, import, keys_of};
use crate::support::{add, dump, for_each_database, leaver};
use db::entity::{suppressed_keys, users};
use md5::Md5;
use policy::UserNumber;
use sea_orm::{EntityTrait, Set};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use task_centre::run;
use trail::Actor;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Returns the usual hashes of a value, as typed and in lower case, with and without its kind.
fn unkeyed(kind: &str, value: &str) -> Vec<String> {
    let mut hashes = Vec::new();
    for text in [value.to_owned(), value.to_lowercase(), value.to_uppercase()] {
        for text in [
            text.clone(),
            format!("{text}\n"),
            format!("{kind}{text}"),
            format!("{kind}:{text}"),
            format!("{kind}\0{text}"),
        ] {
            hashes.push(hex(&Md5::digest(&text)));
            hashes.push(hex(&Sha1::digest(&text)));
            hashes.push(hex(&Sha256::digest(&text)));
            hashes.push(hex(&Sha512::digest(&text)));
        }
    }
    hashes
}

#[tokio::test]
async fn no_table_holds_a_value_or_an_unkeyed_hash_of_one() {
    for_each_database(async |store| {
        anonymised(&store).await;
        let single = users::ActiveModel {
            user_id: Set(Some("Canary-User".to_owned())),
            external_id: Set(Some("CANARY-EXT".to_owned())),
            barcode: Set(Some("CANARY-BAR".to_owned())),
            email: Set(Some("Canary@Example.org".to_owned())),
            ..leaver("Canary")
        };
        let number = UserNumber(add(&store, single).await.number);
        run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
        run::background_scans().await;
        import(&store, ONE).await;
        assert_eq!(keys_of(&store).await, 8);

        let after = dump(&store).await.to_lowercase();
        for (kind, value) in [
            ("external_id", "E1"),
            ("user_id", "ng"),
            ("barcode", "B1"),
            ("email", "ng@example.org"),
            ("user_id", "Canary-User"),
            ("external_id", "CANARY-EXT"),
            ("barcode", "CANARY-BAR"),
            ("email", "Canary@Example.org"),
        ] {
            if value.len() > 2 {
                assert!(!after.contains(&value.to_lowercase()), "{value}");
            }
            for hash in unkeyed(kind, value) {
                assert!(!after.contains(&hash[..16]), "a hash of {value}");
            }
        }
    })
    .await;
}

/// The order of the rows is unrelated to the order of the users, and rows have neither a number nor a day.
#[tokio::test]
async fn rows_of_the_list_lead_to_no_record() {
    for_each_database(async |store| {
        let mut content = "external_id,last_name,leaving_on\n".to_owned();
        for number in 0..200 {
            writeln!(content, "E{number},Name{number},2018-01-02").unwrap();
        }
        import(&store, &content).await;
        anonymise_leavers(&store).await;
        // In the order in which the database returns them.
        let rows = suppressed_keys::Entity::find().all(&store.db).await.unwrap();
        assert_eq!(rows.len(), 200);
        let key = std::fs::read_to_string(&store.settings.suppression_key).unwrap();
        let position: BTreeMap<String, usize> =
            rows.iter().enumerate().map(|(at, row)| (row.digest.clone(), at)).collect();
        let positions: Vec<usize> =
            (0..200).map(|number| position[&keyed(key.trim(), &format!("external_id\0e{number}"))]).collect();
        // 100 of 199 steps go up by chance. In the order of the users all of them would.
        let ascending = positions.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((60..140).contains(&ascending), "{ascending} of 199");
        let dates: std::collections::BTreeSet<_> = rows.iter().map(|row| row.added_on).collect();
        assert_eq!(dates.len(), 1, "the month only");
    })
    .await;
}

/// HMAC-SHA-256, written out from its definition.
fn keyed(key: &str, text: &str) -> String {
    let mut block = [0_u8; 64];
    for (at, byte) in block.iter_mut().enumerate().take(32) {
        *byte = u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap();
    }
    let with = |pad: u8, message: &[u8]| {
        let bytes: Vec<u8> = block.iter().map(|byte| byte ^ pad).chain(message.iter().copied()).collect();
        Sha256::digest(bytes)
    };
    let mut digits = hex(&with(0x5c, &with(0x36, text.as_bytes())));
    // The list keeps 128 bits.
    digits.truncate(32);
    digits
}
