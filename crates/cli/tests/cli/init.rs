//! `siaga init` where there is no configuration yet: from a file of answers, and from a person.

use crate::agent::FakeAgent;
use crate::pty::Pty;
use crate::{Said, run, siaga};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const ANSWERS: &str = r#"
language = "en"
site_name = "RSUD Contoh"
time_zone = "Asia/Jakarta"
operators = "budi"
this_node = "serverdb"
this_addresses = ["198.51.100.11"]
this_hardware = "02:00:5e:00:53:11"
other_node = "backup"
other_addresses = "198.51.100.12"
other_hardware = "02:00:5e:00:53:21"
service = "simrs"
data_dir = "/srv/simrs-of-a-test/15/main"
bin_dir = "/usr/lib/postgresql/15/bin"
config_file = ""
port = 5433
os_user = "root"
socket_dir = ""
check_user = ""
mount_point = "/srv/simrs-of-a-test"
file_system = "ext4"
mount_options = ""
driver = ""
device = "/dev/disk/by-id/wwn-0x5000000000000001"
virtual_ip = "192.0.2.50"
interface = "eno1"
"#;

struct Place {
    dir: TempDir,
}

impl Place {
    fn new(answers: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("answers"), answers).expect("written");
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn args(&self) -> Vec<String> {
        let shown = |p: &Path| p.display().to_string();
        let mut args = vec!["init".to_owned(), "--config".into()];
        args.push(shown(&self.path("etc/siaga.toml")));
        args.extend(["--state-dir".into(), shown(&self.path("state"))]);
        args
    }

    fn init(&self, more: &[&str]) -> Said {
        let mut command = siaga();
        command.args(self.args()).args(more);
        command.output().expect("it starts").into()
    }

    fn answered(&self) -> Said {
        let answers = self.path("answers").display().to_string();
        self.init(&["--answers", &answers])
    }

    fn nothing_is_written(&self) -> bool {
        !self.path("etc/siaga.toml").exists() && !self.path("state").exists()
    }
}

#[test]
fn whole_answers_make_a_configuration_and_a_site() {
    let place = Place::new(ANSWERS);
    let made = place.answered();
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(
        made.out.contains("siaga token create --for backup"),
        "{}",
        made.out
    );
    assert!(made.err.contains("no fence for serverdb"), "{}", made.err);
    assert!(place.path("state/keys/ca.sealed").exists());
    let config = place.path("etc/siaga.toml");
    let text = std::fs::read_to_string(&config).expect("written");
    assert!(
        text.contains("port = 5433") && text.contains("# What moves as one."),
        "{text}"
    );
    let check = run(&["config", "check", "--config", &config.display().to_string()]);
    assert_eq!(check.code, 0, "{}", check.err);
    // Never over another file, also not one that is the same.
    let again = place.answered();
    assert_eq!(again.code, 3, "{}", again.err);
    assert!(again.err.contains("not overwritten"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(&config).expect("there"), text);
    // Nothing half written is left beside it.
    assert_eq!(place.path("etc").read_dir().expect("a folder").count(), 1);
}

/// One row in the log of the first node, as an agent would write it.
fn row(state: &Path) -> siaga_journal::OpenReport {
    let clock = Box::new(siaga_journal::SystemClock);
    let opened = siaga_journal::Journal::open(state, "serverdb".into(), clock);
    let (mut journal, report) = opened.expect("a journal");
    let event = siaga_model::event::Event {
        service: None,
        run: None,
        actor: None,
        body: siaga_model::event::EventBody::PauseEnded,
    };
    let sync = siaga_journal::Durability::Sync;
    journal.append(event, sync).expect("a row");
    report
}

#[test]
fn a_backup_has_no_secret_and_comes_back_as_a_log_that_counts_as_lost() {
    let place = Place::new(ANSWERS);
    assert_eq!(place.answered().code, 0);
    let shown = |name: &str| place.path(name).display().to_string();
    let first = row(&place.path("state"));
    let file = shown("backup.jsonl");
    let on = |verb: &[&str], config: &str, state: &str| {
        let mut args = vec!["state"];
        args.extend(verb);
        let (config, state) = (shown(config), shown(state));
        args.extend(["--config", &config, "--state-dir", &state]);
        run(&args)
    };
    let backup = ["backup", "--out", &file, "--json"];
    let made = on(&backup, "etc/siaga.toml", "state");
    assert_eq!(made.code, 0, "{}", made.err);
    let text = std::fs::read_to_string(&file).expect("written");
    for key in ["node.key", "ca.sealed", "seal.key"] {
        let key = std::fs::read_to_string(place.path("state/keys").join(key)).expect("a key");
        let told = key.lines().filter(|l| l.len() > 30 && !l.contains("--"));
        assert!(told.clone().count() > 0);
        assert_eq!(told.filter(|l| text.contains(*l)).count(), 0, "{key}");
    }
    assert_eq!(
        on(&backup, "etc/siaga.toml", "state").code,
        1,
        "not over a file"
    );

    // Cut off it is none, and nothing is written.
    let cut: Vec<&str> = text.lines().collect();
    let part = cut[..cut.len() - 1].join("\n");
    std::fs::write(place.path("cut.jsonl"), part).expect("written");
    let refused = on(
        &["restore", &shown("cut.jsonl")],
        "new/siaga.toml",
        "new/state",
    );
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(!place.path("new").exists());

    let restore = ["restore", &file];
    let put = on(&restore, "new/siaga.toml", "new/state");
    assert_eq!(put.code, 0, "{}", put.err);
    assert_eq!(on(&restore, "new/siaga.toml", "new/state").code, 3);
    // The site begins anew: other keys, and a log that goes on and counts as lost until somebody says otherwise.
    let (config, state) = (shown("new/siaga.toml"), shown("new/state"));
    let args = [
        "init",
        "--node",
        "serverdb",
        "--config",
        &config,
        "--state-dir",
        &state,
    ];
    let again = run(&args);
    assert_eq!(again.code, 0, "{}", again.err);
    let next = row(&place.path("new/state"));
    assert!(next.incarnation > first.incarnation);
    assert!(
        matches!(next.history, siaga_journal::History::Unconfirmed { .. }),
        "{next:?}"
    );
}

#[test]
fn what_is_missing_or_wrong_is_named_and_nothing_is_written() {
    let without = |line: &str| {
        ANSWERS
            .lines()
            .filter(|l| !l.starts_with(line))
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (answers, code, said) in [
        (without("other_node"), 2, "other_node"),
        (
            ANSWERS.replace("192.0.2.50", "198.51.100.12"),
            2,
            "virtual_ip",
        ),
        (ANSWERS.replace("site_name", "site_nam"), 2, "site_name"),
        (ANSWERS.replace("5433", "true"), 2, "port"),
        ("{".to_owned(), 2, "answers"),
    ] {
        let place = Place::new(&answers);
        let refused = place.answered();
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (code, ""),
            "{}",
            refused.err
        );
        assert!(refused.err.contains(said), "{said}: {}", refused.err);
        assert!(place.nothing_is_written(), "{said}");
    }
    let place = Place::new("");
    let nobody = place.init(&[]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("--answers"), "{}", nobody.err);
    let indonesian = place.init(&["--lang", "id"]);
    assert!(
        indonesian.err.contains("tidak ada yang dapat ditanya"),
        "{}",
        indonesian.err
    );
    assert!(place.nothing_is_written());
}

#[test]
fn what_it_would_write_is_printed() {
    let place = Place::new(&ANSWERS.replace("language = \"en\"", "language = \"id\""));
    let answers = place.path("answers").display().to_string();
    let printed = place.init(&["--print", "--answers", &answers]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(
        printed.out.contains("[service.database]"),
        "{}",
        printed.out
    );
    let json = place.init(&["--json", "--answers", &answers]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["missing"], serde_json::json!([]));
    assert_eq!(json["errors"], serde_json::json!([]));
    assert_eq!(json["answers"]["virtual_ip"], "192.0.2.50");
    assert!(json["found"]["cards"].is_array() && json["questions"].is_array());
    assert!(place.nothing_is_written());
}

/// Types the answers in the order of the questions; a dash where there is none.
fn type_until(screen: &mut Pty, last: &str) {
    let answers: serde_json::Value = {
        let table: Vec<(String, String)> = ANSWERS
            .lines()
            .filter_map(|l| l.split_once(" = "))
            .map(|(k, v)| (k.to_owned(), v.trim_matches(['"', '[', ']']).to_owned()))
            .collect();
        table.into_iter().collect()
    };
    for question in siaga_model::question::Question::ALL {
        let key = question.key();
        if key == last {
            return;
        }
        // Their own drivers and fences ask for these, and a database whose WAL lies elsewhere.
        if key.contains("_fence_")
            || matches!(
                key,
                "volume_group"
                    | "reserved_disk"
                    | "replica_below"
                    | "resource"
                    | "further_file_systems"
            )
        {
            continue;
        }
        let language = siaga_model::config::Language::English;
        screen.expect(siaga_words::question(language, *question));
        let answer = answers[key].as_str().filter(|a| !a.is_empty());
        screen.line(answer.unwrap_or("-"));
    }
}

#[test]
fn an_answer_that_can_not_be_right_is_asked_again_and_the_rest_is_written() {
    let place = Place::new("");
    let agent = FakeAgent::start("en", |_| None);
    let args = place.args();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut screen = Pty::start(&agent, &args);
    screen.expect("Ctrl-C");
    type_until(&mut screen, "time_zone");
    screen.expect("Time zone");
    screen.line("Asia/Jakrta");
    screen.expect("That can't be");
    screen.expect("Asia/Jakarta");
    screen.expect("Time zone");
    screen.line("Asia/Jakarta");
    for (key, answer) in [
        ("operators", "-"),
        ("this_node", "serverdb"),
        ("this_addresses", "198.51.100.11"),
        ("this_hardware", "02:00:5e:00:53:11"),
    ] {
        let question = siaga_model::question::Question::of_key(key).expect("a question");
        screen.expect(siaga_words::question(
            siaga_model::config::Language::English,
            question,
        ));
        screen.line(answer);
    }
    screen.expect("Name of the other server");
    screen.line("");
    screen.expect("This needs an answer");
    screen.expect("Name of the other server");
    screen.key(3);
    assert_eq!(screen.ended(), 130);
    assert!(
        screen.text().contains("Nothing was written"),
        "{}",
        screen.text()
    );
    assert!(place.nothing_is_written());

    let mut screen = Pty::start(&agent, &args);
    type_until(&mut screen, "");
    screen.expect("[service.database]");
    screen.expect("(yes/no)");
    assert!(place.nothing_is_written(), "before the yes");
    screen.line("yes");
    screen.expect("first node of RSUD Contoh");
    assert_eq!(screen.ended(), 0);
    assert!(place.path("etc/siaga.toml").exists());
}
