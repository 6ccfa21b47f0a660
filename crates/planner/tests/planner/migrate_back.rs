//! The way back of a data directory, and what is left of a move: when it may be gone on with, and in which order.

use crate::migrate::{FORWARD, GIB, device, refused, seen, wish};
use siaga_model::config::FileSystemKind;
use siaga_model::migrate::*;
use siaga_planner::migrate::{back, job, may_go_on, plan};

fn sides(new: NewSide) -> Sides {
    Sides {
        new,
        mounted: new != NewSide::NotMounted,
        configured: Configured::No,
        of_a_site: false,
        is_root: true,
        old_there: true,
        ahead: None,
    }
}

#[test]
fn the_old_place_never_starts_before_the_new_one_can_not() {
    let job = job(&plan(&seen(), &wish()).unwrap());
    for (new, as_it_was) in [
        (NewSide::Untouched, false),
        (NewSide::Untouched, true),
        (NewSide::Written, false),
        (NewSide::Written, true),
        (NewSide::Unknown, true),
    ] {
        let (_, steps) = back(&job, &sides(new), as_it_was).unwrap();
        let at = |step: Step| steps.iter().position(|s| *s == step);
        let enabled = at(Step::EnableOld).or(at(Step::EnableOldAsItWas)).unwrap();
        assert!(at(Step::StopNew) < at(Step::DisableNew), "{steps:?}");
        assert!(at(Step::DisableNew).unwrap() < enabled, "{steps:?}");
        assert!(enabled < at(Step::StartOld).unwrap(), "{steps:?}");
        // What was written counts, unless its loss was asked for by name.
        let kept = steps.contains(&Step::CopyBackRest);
        assert_eq!(kept, new == NewSide::Written && !as_it_was, "{steps:?}");
    }
    let forward = |step: Step| FORWARD.iter().position(|s| *s == step).unwrap();
    assert!(forward(Step::Stop) < forward(Step::DisableOld));
    assert!(forward(Step::DisableOld) < forward(Step::CopyRest));
    assert!(forward(Step::KeepOld) < forward(Step::EnableNew));
}

#[test]
fn the_way_back_is_refused_where_it_would_lose_or_guess() {
    let mut job = job(&plan(&seen(), &wish()).unwrap());
    let code = |job: &Job, sides: &Sides, as_it_was| {
        let refused = back(job, sides, as_it_was).map_err(|r| r.code());
        refused.map(|(direction, _)| direction)
    };
    assert_eq!(
        code(&job, &sides(NewSide::Unknown), false),
        Err("MIGRATE_NEW_UNKNOWN")
    );
    let service = Configured::Carries {
        service: "simrs".into(),
        data_dir: "/d".into(),
    };
    let siaga = Sides {
        configured: service,
        ..sides(NewSide::Written)
    };
    assert_eq!(code(&job, &siaga, false), Err("MIGRATE_CONFIGURED"));
    let nobody = Sides {
        is_root: false,
        ..sides(NewSide::Written)
    };
    assert_eq!(code(&job, &nobody, false), Err("MIGRATE_NOT_ROOT"));
    let gone = Sides {
        old_there: false,
        ..sides(NewSide::Written)
    };
    assert_eq!(code(&job, &gone, false), Err("MIGRATE_OLD_GONE"));
    let (direction, left) = back(&job, &sides(NewSide::Written), false).unwrap();
    (job.direction, job.left) = (direction, left);
    // The same way goes on; the other one is closed.
    assert_eq!(
        code(&job, &sides(NewSide::Written), false),
        Ok(Direction::Back)
    );
    assert_eq!(
        code(&job, &sides(NewSide::Written), true),
        Err("MIGRATE_NOT_AS_IT_WAS")
    );
    job.left.clear();
    assert_eq!(
        code(&job, &sides(NewSide::Written), false),
        Err("MIGRATE_NOTHING_TO_GO_BACK")
    );
}

#[test]
fn a_node_of_a_site_goes_on_only_with_what_is_mounted_there() {
    let on = |sides: Sides| Sides {
        of_a_site: true,
        ..sides
    };
    let mut job = job(&plan(&seen(), &wish()).unwrap());
    let may = |job: &Job, sides: Sides| may_go_on(job, &sides).map_err(|r| r.code());
    let refused = Err("MIGRATE_SITE_NODE");
    assert_eq!(may(&job, on(sides(NewSide::NotMounted))), refused);
    assert_eq!(may(&job, on(sides(NewSide::Written))), Ok(()));
    assert_eq!(may(&job, sides(NewSide::NotMounted)), Ok(()));
    // Nothing of what is left is done in the new place.
    let left = std::mem::replace(&mut job.left, vec![Step::StartOld]);
    assert_eq!(may(&job, on(sides(NewSide::NotMounted))), Ok(()));
    job.left = left;

    let code = |job: &Job, sides: Sides| back(job, &sides, false).map_err(|r| r.code());
    assert_eq!(
        code(&job, on(sides(NewSide::NotMounted))).unwrap_err(),
        "MIGRATE_SITE_NODE"
    );
    assert_eq!(
        code(&job, sides(NewSide::NotMounted)).unwrap_err(),
        "MIGRATE_NOT_MOUNTED"
    );
    assert!(code(&job, on(sides(NewSide::Written))).is_ok());
    (job.direction, job.left) = back(&job, &sides(NewSide::Written), false).unwrap();
    assert_eq!(
        code(&job, on(sides(NewSide::NotMounted))).unwrap_err(),
        "MIGRATE_SITE_NODE"
    );
}

#[test]
fn a_node_of_a_site_plans_only_for_a_device_that_is_mounted_already() {
    let site = |s: &mut Seen| s.of_a_site = true;
    assert_eq!(refused(site), ["MIGRATE_SITE_NODE"]);
    let mut mounted = seen();
    site(&mut mounted);
    mounted.place = Place::Mounted { device: 2 };
    mounted.device = device(Carries::Mounted {
        kind: Some(FileSystemKind::Ext4),
        uuid: None,
        free_bytes: 90 * GIB,
        entries: Vec::new(),
    });
    assert!(plan(&mounted, &wish()).is_ok());
}
