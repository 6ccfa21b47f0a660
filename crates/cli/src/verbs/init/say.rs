//! What `siaga init` found, and what came of it, for people and for scripts.

use super::suggest::{self, Ground};
use super::{Args, checks};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_agent::adopting::Adopted;
use siaga_agent::survey::{Cluster, Disk};
use siaga_config::ConfigError;
use siaga_config::draft::{Answers, Draft};
use siaga_model::config::Language;
use siaga_model::question::Question;
use siaga_words::{FreeOn, Voice, Wizard, bytes, wizard};

/// What became of one service.
pub fn say_adopted(language: Language, adopted: &Adopted) {
    match adopted {
        Adopted::Nothing { service } => out(&wizard(
            language,
            &Wizard::NothingRuns {
                service: service.to_string(),
            },
        )),
        Adopted::GoesOn {
            service,
            postmaster,
        } => out(&wizard(
            language,
            &Wizard::Adopted {
                service: service.to_string(),
                postmaster: *postmaster,
            },
        )),
        Adopted::Refused { service, why } => eprintln!(
            "{}",
            wizard(
                language,
                &Wizard::NotAdopted {
                    service: service.to_string(),
                    why: siaga_words::why(language, why),
                }
            )
        ),
    }
}

/// What is open after the answers: a fence is no must, nor is a person.
pub fn say_open(answers: &Answers) {
    let language = answers.language();
    for (fence, node) in [
        (Question::ThisFence, Question::ThisNode),
        (Question::OtherFence, Question::OtherNode),
    ] {
        if let (None, Some(node)) = (answers.get(fence), answers.get(node)) {
            let node = node.to_owned();
            eprintln!("{}", wizard(language, &Wizard::NoFence { node }));
        }
    }
    if answers.get(Question::Operators).is_none() {
        eprintln!("{}", wizard(language, &Wizard::NoPeople));
    }
}

/// The database that was found, and what stands against taking it as it is. Where none runs: what could be meant.
pub fn say_found(language: Language, ground: &Ground, answers: &Answers) {
    let Some(server) = ground.server() else {
        eprintln!("\n{}", wizard(language, &Wizard::FoundNoServer));
        for text in could_be(language, ground) {
            eprintln!("{}", wizard(language, &text));
        }
        return;
    };
    let found = Wizard::FoundServer {
        version: server.version.clone(),
        pid: server.pid,
        data_dir: server.data_dir.clone(),
        port: server.port,
        unit: server.unit.clone(),
    };
    eprintln!("\n{}", wizard(language, &found));
    say_found_troubles(language, ground, answers);
}

/// Clusters that do not run, and disks that nothing uses.
fn could_be(language: Language, ground: &Ground) -> Vec<Wizard> {
    let found = &ground.found;
    let not_roots = found.not_roots.iter().cloned();
    let mut said: Vec<Wizard> = not_roots
        .map(|program| Wizard::NotRoots { program })
        .collect();
    said.extend(found.stopped.iter().flat_map(stopped));
    said.extend(found.free.iter().map(|disk| free(language, disk)));
    // Those of the system are in use, and of the others the volumes have been told.
    let told = |of: &dyn Fn(&Disk) -> bool| {
        let mounted = found.disks.iter().filter(|d| d.mount_point.is_some());
        mounted.chain(&found.free).any(of)
    };
    for group in &found.volume_groups {
        let name = group.name.clone();
        if !told(&|d| d.volume_group.as_ref() == Some(&name)) {
            said.push(Wizard::FoundGroup { name });
        }
    }
    for resource in found.drbd.iter().cloned() {
        let is = |d: &Disk| [&d.drbd, &d.replica_below].contains(&&Some(resource.clone()));
        if !told(&is) {
            said.push(Wizard::FoundReplica { resource });
        }
    }
    match found.free.len() {
        0 if !ground.has_disk() => said.push(Wizard::NoFreeDisk),
        0 | 1 => {}
        _ => said.push(Wizard::SeveralFree),
    }
    said
}

fn stopped(cluster: &Cluster) -> Vec<Wizard> {
    let mut said = vec![Wizard::FoundStopped {
        version: cluster.version.clone(),
        name: cluster.name.clone(),
        data_dir: cluster.data_dir.clone(),
        port: cluster.port,
    }];
    if suggest::is_local(cluster) {
        said.push(Wizard::NotShared {
            data_dir: cluster.data_dir.clone(),
            mount_point: cluster.disk.as_ref().and_then(|d| d.mount_point.clone()),
        });
    }
    said
}

fn free(language: Language, disk: &Disk) -> Wizard {
    let group = disk.volume_group.clone().map(|name| FreeOn::Group { name });
    let replica = disk
        .drbd
        .clone()
        .map(|resource| FreeOn::Replica { resource });
    let reserved = disk.reserved.as_ref().map(|_| FreeOn::Reservations);
    Wizard::FoundFree {
        device: disk.device.clone(),
        size: bytes(&Voice::new(language, "UTC"), disk.bytes),
        file_system: disk.file_system.clone(),
        on: group.or(replica).or(reserved),
        waits_at: disk.waits_at.clone(),
    }
}

/// What stands against taking the database that was found as it is.
pub fn say_found_troubles(language: Language, ground: &Ground, answers: &Answers) {
    let Some(server) = ground.server() else {
        return;
    };
    let say = |text: Wizard| eprintln!("{}", wizard(language, &text));
    if suggest::disk_that_moves(server).is_none() {
        say(Wizard::NotShared {
            data_dir: server.data_dir.clone(),
            mount_point: server.disk.as_ref().and_then(|d| d.mount_point.clone()),
        });
    }
    // A unit goes on giving them.
    if server.unit.is_none() && !server.other_options.is_empty() {
        let options = server.other_options.clone();
        say(Wizard::OtherOptions { options });
    }
    for part in ground.parts_outside(answers) {
        let link = part.link.to_owned();
        let on = part
            .addable
            .and_then(|d| Some((d.device.clone(), d.mount_point.clone()?)));
        say(match (part.goes_along, on) {
            (true, Some((device, mount_point))) => Wizard::DataFurther {
                link,
                mount_point,
                device,
            },
            (_, on) => Wizard::DataOutside {
                link,
                to: part.to.to_owned(),
                on,
            },
        });
    }
    if !ground.found.boot_units.is_empty() {
        let units = ground.found.boot_units.clone();
        say(Wizard::StartsAtBoot { units });
    }
}

/// What was found and what it makes, and nothing is written.
pub fn print(args: &Args, ground: &Ground, answers: &Answers) -> Result<Exit, Fault> {
    let draft = Draft::of(answers);
    let language = answers.language();
    let missing: Vec<String> = answers
        .missing()
        .iter()
        .map(|q| q.key().to_owned())
        .collect();
    let errors = draft.check(&checks(args)).err().unwrap_or_default();
    if args.json {
        let questions: Vec<_> = Question::ALL
            .iter()
            .map(|q| {
                serde_json::json!({
                    "key": q.key(), "question": siaga_words::question(language, *q),
                    "help": siaga_words::question_help(language, *q), "optional": q.optional(),
                })
            })
            .collect();
        let wrong: Vec<_> = errors
            .iter()
            .map(|(question, e)| {
                serde_json::json!({
                    "question": question.map(Question::key), "code": e.code, "key": e.key,
                    "cause": e.cause_text(language), "remedy": e.remedy_text(language),
                })
            })
            .collect();
        show::json(&serde_json::json!({
            "found": ground.found, "answers": answers.to_json(), "missing": missing,
            "errors": wrong, "questions": questions, "configuration": draft.text(),
        }))?;
        return Ok(Exit::Done);
    }
    say_found(language, ground, answers);
    out(&draft.text());
    if !missing.is_empty() {
        eprintln!("{}", wizard(language, &Wizard::Missing { keys: missing }));
    } else if !errors.is_empty() {
        let said = said(language, &errors);
        eprintln!("{}", wizard(language, &Wizard::Wrong { said }));
    }
    say_open(answers);
    Ok(Exit::Done)
}

/// Errors by their questions.
pub fn said(language: Language, errors: &[(Option<Question>, ConfigError)]) -> String {
    let one = |(question, error): &(Option<Question>, ConfigError)| {
        let of = question.map_or_else(|| error.key.clone(), |q| q.key().to_owned());
        format!(
            "{of}: {}\n  {}\n  {}",
            error.code,
            error.cause_text(language),
            error.remedy_text(language)
        )
    };
    errors.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_agent::survey::{Found, VolumeGroup};

    fn ground(found: Found) -> Ground {
        Ground {
            found,
            time_zone: None,
            operators: Vec::new(),
            language: "en",
        }
    }

    fn disk(device: &str, group: Option<&str>) -> Disk {
        Disk {
            device: device.into(),
            kernel_name: String::new(),
            bytes: 3 << 29,
            mount_point: None,
            file_system: Some("ext4".into()),
            mount_options: Vec::new(),
            volume_group: group.map(str::to_owned),
            drbd: None,
            reserved: None,
            replica_below: None,
            waits_at: Some("/srv/simrs".into()),
        }
    }

    #[test]
    fn where_no_database_runs_what_could_be_meant_is_listed_in_both_languages() {
        let group = |name: &str| VolumeGroup {
            name: name.into(),
            system_id: String::new(),
            disks: Vec::new(),
        };
        let system = Disk {
            mount_point: Some("/".into()),
            ..disk("/dev/vg_system/root", Some("vg_system"))
        };
        let ground = ground(Found {
            disks: vec![system],
            free: vec![
                disk("/dev/vg_simrs/data", Some("vg_simrs")),
                disk("/dev/sdb", None),
            ],
            volume_groups: ["vg_system", "vg_simrs", "vg_empty"].map(group).into(),
            drbd: vec!["simrs".into()],
            ..Found::default()
        });
        for (language, lines) in [
            (
                Language::English,
                [
                    "/dev/vg_simrs/data (1.5 GiB, ext4, of the volume group vg_simrs, in fstab for /srv/simrs)",
                    "/dev/sdb (1.5 GiB, ext4, in fstab for /srv/simrs)",
                    "Volume group here: vg_empty",
                    "DRBD resource here: simrs",
                    "More than one may be the shared disk",
                ],
            ),
            (
                Language::Indonesian,
                [
                    "/dev/vg_simrs/data (1,5 GiB, ext4, dari grup volume vg_simrs, di fstab untuk /srv/simrs)",
                    "/dev/sdb (1,5 GiB, ext4, di fstab untuk /srv/simrs)",
                    "Grup volume di sini: vg_empty",
                    "Sumber daya DRBD di sini: simrs",
                    "Lebih dari satu mungkin disk bersamanya",
                ],
            ),
        ] {
            let said: Vec<String> = could_be(language, &ground)
                .iter()
                .map(|text| wizard(language, text))
                .collect();
            assert_eq!(said.len(), lines.len(), "{said:?}");
            for (said, line) in said.iter().zip(lines) {
                assert!(said.contains(line), "{said}");
            }
        }
        let none = could_be(Language::English, &self::ground(Found::default()));
        assert_eq!(none, [Wizard::NoFreeDisk]);
    }
}
