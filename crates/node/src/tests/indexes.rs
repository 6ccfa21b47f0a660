//! Real damage to the indexes of a real server, and what amcheck makes of it.

use super::database::{start, stop};
use super::needs::query_in;
use super::{World, in_own_namespace};
use crate::act::postgres::{amcheck, connect};
use siaga_model::readiness::CollationLook;
use siaga_model::rehearsal::{IndexCheck, Tried};
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

fn look_at_indexes(world: &World) -> IndexCheck {
    let budget = Duration::from_secs(60);
    let looked = world
        .hands
        .look_at_indexes(&world.service, budget, &[], &|| true)
        .check;
    assert_eq!(looked.checked, looked.indexes, "{looked:?}");
    looked
}

#[test]
fn an_index_that_is_really_damaged_is_named_and_no_other() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        // ICU sorts no text without an encoding, as the cluster's own is here.
        world.query("create database simrs encoding 'UTF8' template template0");
        let query = |statement: &str| query_in(&world, "simrs", statement);
        query("create table patient (name text collate \"C\", number int)");
        query(
            "insert into patient select chr(65 + n % 26 + n % 2 * 32) || n, n from generate_series(1, 3000) n",
        );
        query("create index patient_name on patient (name)");
        query("create index patient_number on patient (number)");
        let not_made = world
            .hands
            .look_at_indexes(&world.service, Duration::from_secs(60), &[], &|| true)
            .check;
        assert_eq!(not_made.status, Tried::NotExercised);
        query("create extension amcheck");
        assert_eq!(look_at_indexes(&world).status, Tried::Passed);

        // Text sorts in another way than when the index was built, as after an upgrade of the library: `a` before `B`.
        let order = |collation: &str| {
            query(&format!(
                "update pg_index set indcollation = (select oid::text::oidvector from pg_collation \
                 where collname = '{collation}') where indexrelid = 'patient_name'::regclass"
            ))
        };
        order("und-x-icu");
        let looked = look_at_indexes(&world);
        assert_eq!(looked.status, Tried::Failed);
        let [damaged] = looked.damaged.as_slice() else {
            panic!("{looked:?}");
        };
        assert!(
            damaged.starts_with("simrs: public.patient_name: item order"),
            "{damaged}"
        );
        order("C");
        assert_eq!(look_at_indexes(&world).status, Tried::Passed);

        // A disk that gives back something else than was written.
        let file = query("select pg_relation_filepath('patient_number')");
        stop(&world).unwrap();
        let file = world.database.data_dir.join(file);
        let mut file = std::fs::File::options().write(true).open(file).unwrap();
        file.seek(SeekFrom::Start(8192)).unwrap();
        file.write_all(&[0x5a; 8192]).unwrap();
        drop(file);
        start(&world).unwrap();
        let looked = look_at_indexes(&world);
        assert_eq!(looked.status, Tried::Failed);
        assert_eq!(looked.damaged.len(), 1, "{looked:?}");
        assert!(
            looked.damaged[0].starts_with("simrs: public.patient_number: "),
            "{looked:?}"
        );
        stop(&world).unwrap();
    });
}

/// Names of PostgreSQL's own, put before them in the database simrs by its owner. Who uses one runs what is the owner's.
fn trap(world: &World) {
    world.query("create role owner");
    world.query("create database simrs owner owner");
    let own = |text: &str| query_in(world, "simrs", &format!("set role owner; {text}"));
    own("create schema e");
    own("create table e.caught (name text)");
    own(
        "create function e.catch(name text) returns int language plpgsql security definer as \
         $$ begin insert into e.caught values (name); return 0; end $$",
    );
    for name in [
        "pg_collation",
        "pg_extension",
        "pg_available_extensions",
        "pg_database",
        "pg_class",
    ] {
        own(&format!(
            "create view e.{name} as select * from pg_catalog.{name} where e.catch('{name}') = 0"
        ));
    }
    own(
        "create function e.pg_is_in_recovery() returns bool language sql as \
         $$ select e.catch('recovery') <> 0 $$",
    );
    own("alter database simrs set search_path = e, pg_catalog");
    world.query("alter role postgres in database simrs set search_path = e, pg_catalog");
}

#[test]
fn the_superuser_runs_nothing_of_a_databases_owner() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        trap(&world);
        let caught = || {
            query_in(
                &world,
                "simrs",
                "select string_agg(distinct name, ' ') from e.caught",
            )
        };
        // Any other client falls into it.
        query_in(
            &world,
            "simrs",
            "select count(*) from pg_collation where pg_is_in_recovery()",
        );
        assert_eq!(caught(), "pg_collation recovery");
        query_in(&world, "simrs", "delete from e.caught");

        let needs = world.hands.all_database_needs(&world.service).unwrap();
        assert_eq!(needs.collation_look, CollationLook::All);
        look_at_indexes(&world);
        let server = world.server();
        let ask =
            |database: &str, statement: &str, within| server.ask_in(database, statement, within);
        let ready = ask("simrs", connect::CHECK, Duration::from_secs(20));
        assert_eq!(ready, Ok(Some("f".to_owned())));
        // As in a rehearsal; what is the owner's neither stands in the way nor is it used.
        query_in(&world, "simrs", "drop schema public");
        let looked = amcheck::look(&amcheck::Look {
            databases: &["simrs".to_owned()],
            extension: amcheck::Extension::Make,
            until: Instant::now() + Duration::from_secs(60),
            ask: &ask,
            go_on: &|| true,
            first: &[],
        });
        assert_eq!(looked.check.status, Tried::Passed, "{looked:?}");
        assert_eq!(caught(), "");
        stop(&world).unwrap();
    });
}
