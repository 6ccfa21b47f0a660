//! What a real server asks of a host that would take it over, and what it tells of its collations.

use super::database::{start, stop};
use super::{World, in_own_namespace};
use crate::act::postgres::{collations, needs};
use siaga_model::readiness::{CollationLook, DatabaseNeeds, HugeNeed};

/// `statement` in that database.
pub fn query_in(world: &World, database: &str, statement: &str) -> String {
    let output = world
        .psql(statement)
        .args(["-d", database])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn all_needs(world: &World) -> DatabaseNeeds {
    world.hands.all_database_needs(&world.service).unwrap()
}

fn compared(world: &World) -> (u64, CollationLook) {
    let needs = all_needs(world);
    (needs.collations_changed, needs.collation_look)
}

#[test]
fn collations_of_every_database_are_compared_the_default_ones_too() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        world.query("create database simrs");
        assert_eq!(compared(&world), (0, CollationLook::All));

        // As after an upgrade of the library that sorts.
        query_in(
            &world,
            "simrs",
            "update pg_collation set collversion = '0' \
             where oid in (select oid from pg_collation where collversion is not null limit 2)",
        );
        assert_eq!(compared(&world), (2, CollationLook::All));
        world.query("update pg_database set datcollversion = '0' where datname = 'simrs'");
        assert_eq!(compared(&world), (3, CollationLook::All));

        // One that lets nobody in: what the others tell counts all the same.
        world.query("create database closed");
        let own = world.database.data_dir.join("pg_hba.conf");
        let rules = std::fs::read_to_string(&own).unwrap();
        std::fs::write(&own, format!("local closed all reject\n{rules}")).unwrap();
        world.query("select pg_reload_conf()");
        let look = CollationLook::NotAll { not_asked: 1 };
        super::until("the new rule", || compared(&world) == (3, look));
        // One that may not be connected to is no such database.
        world.query("alter database closed allow_connections false");
        assert_eq!(compared(&world), (3, CollationLook::All));

        // Cheap, for whoever does not want to know of them.
        let cheap = world.hands.database_needs(&world.service).unwrap();
        assert_eq!(cheap.collation_look, CollationLook::Unknown);
        // Of the default ones, only what is not the same everywhere could change.
        let server = || world.query(collations::SERVER);
        let told = server();
        assert!(told.ends_with(" 0\npostgres\nsimrs\ntemplate1"), "{told}");
        world.query("update pg_database set datcollate = 'id_ID.utf8' where datname = 'simrs'");
        let told = server();
        assert!(told.ends_with(" 1\npostgres\nsimrs\ntemplate1"), "{told}");
        stop(&world).unwrap();
        assert_eq!(world.hands.all_database_needs(&world.service), None);
    });
}

#[test]
fn the_server_tells_how_many_huge_pages_it_takes() {
    in_own_namespace(|| {
        let world = World::with_cluster("huge_pages = off", |_| {});
        start(&world).unwrap();
        let told = all_needs(&world);
        assert_eq!((told.shared_mebibytes, told.huge_pages), (16, false));
        // Its own sum, and more than its shared buffers.
        let mebibytes: u64 = world
            .query("select pg_size_bytes(current_setting('shared_memory_size')) / 1048576")
            .parse()
            .unwrap();
        let HugeNeed::Exactly { mebibytes: all } = told.huge_need else {
            panic!("{told:?}");
        };
        // A page that is begun counts whole.
        let page = crate::observe::host::huge_page_kibibytes().unwrap() / 1024;
        assert!(mebibytes > 16 && all >= mebibytes && all < mebibytes + page + 1);
        assert_eq!(told.huge_page_kibibytes, None);
        // One that does not know these settings yet.
        let older = needs::NEEDS
            .replace("shared_memory_size_in_huge_pages", "not_yet")
            .replace("huge_page_size", "not_yet_either");
        let older = needs::parse(&world.query(&older), Some(2048)).unwrap();
        assert_eq!(older.huge_need, HugeNeed::About { mebibytes: 48 });
        stop(&world).unwrap();
    });
}
