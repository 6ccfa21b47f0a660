//! The written procedure.

use crate::tools::{Pdf, keep};
use siaga_config::HostChecks;
use siaga_model::config::{Argv, Config, Language};
use siaga_report::document::{Block, Document, Step};
use siaga_report::{html, pdf, sop, text};
use siaga_words::Voice;

fn config(name: &str) -> Config {
    let path = format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    siaga_config::load_checked(path.as_ref(), &HostChecks::none())
        .unwrap()
        .0
}

fn paper(config: &Config, language: Language) -> Document {
    sop::document(config, &Voice::new(language, &config.site.time_zone))
}

fn steps_of(blocks: &[Block], all: &mut Vec<Step>) {
    for block in blocks {
        match block {
            Block::Steps(steps) => all.extend(steps.iter().cloned()),
            Block::Section { blocks, .. } => steps_of(blocks, all),
            _ => {}
        }
    }
}

/// The commands of one part, in order.
fn commands(document: &Document, part: char) -> Vec<String> {
    let mut steps = Vec::new();
    steps_of(&document.blocks, &mut steps);
    let of_part = steps.into_iter().filter(|s| s.number.starts_with(part));
    of_part.flat_map(|s| s.commands).collect()
}

fn position(commands: &[String], what: &str) -> usize {
    commands
        .iter()
        .position(|c| c.contains(what))
        .unwrap_or_else(|| panic!("no {what} in {commands:#?}"))
}

fn ordered(commands: &[String], what: &[&str]) {
    let places: Vec<usize> = what.iter().map(|w| position(commands, w)).collect();
    assert!(
        places.is_sorted(),
        "{what:?} at {places:?} in {commands:#?}"
    );
}

const TAKE: [&str; 9] = [
    "blockdev --flushbufs",
    "mount -t ext4 -o noatime /dev/disk/by-id/wwn-0x5000000000000001 /srv/simrs",
    "arping -D",
    "ip addr add 192.0.2.50/32 dev eno1",
    "arping -U",
    "systemctl start postgresql@15-main.service",
    "pg_isready -h /run/postgresql -p 5432",
    "systemctl start tomcat10.service",
    "/usr/local/lib/simrs/bridging start",
];

const RELEASE: [&str; 8] = [
    "/usr/local/lib/simrs/bridging stop",
    "systemctl stop tomcat10.service",
    "systemctl stop postgresql@15-main.service",
    "pg_ctl stop -m immediate -w -t 10",
    "pgrep -a -u postgres",
    "ip addr del 192.0.2.50/32 dev eno1",
    "umount /srv/simrs",
    "/proc/[0-9]*/mountinfo",
];

#[test]
fn the_order_is_take_mount_address_database_and_back() {
    let document = paper(&config("full.toml"), Language::English);
    // D: takeover, E: back, F: drill.
    let takeover = commands(&document, 'D');
    ordered(&takeover, &TAKE);
    assert!(
        !takeover
            .iter()
            .any(|c| c.contains("umount") || c.contains("addr del"))
    );
    let back = commands(&document, 'E');
    // After the look at the repaired server.
    let from = position(&back, "bridging stop");
    ordered(&back[from..], &RELEASE);
    let let_go = from + position(&back[from..], "umount");
    let taken = position(&back, "mount -t ext4");
    assert!(let_go < taken, "nothing is taken before it was let go");
    ordered(&back[let_go..], &TAKE);
    let drill = commands(&document, 'F');
    let many = |what: &str| drill.iter().filter(|c| c.contains(what)).count();
    assert_eq!((many("umount"), many("mount -t")), (2, 2));
}

#[test]
fn a_database_without_a_unit_is_started_and_stopped_as_its_own_user() {
    let mut config = config("full.toml");
    config.services[0].database.unit = None;
    let document = paper(&config, Language::English);
    let back = commands(&document, 'E');
    position(&back, "pg_ctl stop -m fast -w -t 30");
    position(&back, "pg_ctl start -w");
    assert!(!back.iter().any(|c| c.contains("postgresql@15-main")));
}

/// The paper procedure says "take over" where it means "release". Here the release holds no step of a take.
#[test]
fn the_release_takes_nothing() {
    let document = paper(&config("full.toml"), Language::Indonesian);
    let back = commands(&document, 'E');
    let from = position(&back, "bridging stop");
    let until = position(&back, "blockdev --flushbufs");
    let release = &back[from..until];
    for take in ["mount -t", "ip addr add", "pg_ctl start", "systemctl start"] {
        assert!(
            !release.iter().any(|c| c.contains(take)),
            "{take}: {release:#?}"
        );
    }
}

#[test]
fn the_old_server_is_made_safe_before_anything_is_taken() {
    let document = paper(&config("full.toml"), Language::English);
    let safe = commands(&document, 'C');
    assert!(safe[0].contains("action=off") && safe[0].contains("/usr/sbin/fence_ipmilan"));
    assert!(safe[1].contains("action=status"));
    // The secret is read where it is typed, and never printed.
    let all = text::render(&document);
    assert!(
        safe[0].contains("password=\"$(cat /etc/siaga/ipmi-serverdb.secret)\""),
        "{safe:#?}"
    );
    for part in [
        "NEVER SKIP",
        "STOP HERE",
        "Silence is no proof",
        "destroyed",
    ] {
        assert!(all.contains(part), "{part}");
    }
    assert!(!all.contains("action=reboot"));
}

#[test]
fn a_site_without_a_fence_still_has_a_way() {
    let document = paper(&config("minimal.toml"), Language::Indonesian);
    assert_eq!(commands(&document, 'C'), Vec::<String>::new());
    let all = text::render(&document);
    assert!(all.contains("JANGAN PERNAH DILEWATKAN") && all.contains("cabut semua kabel"));
}

#[test]
fn nothing_of_the_configuration_breaks_out_of_its_place() {
    let mut config = config("full.toml");
    config.site.name = "<script>alert(1)</script>".into();
    config.services[0].database.data_dir = "/srv/it's $(reboot)/<main>".into();
    config.services[0].database.unit = None;
    let argv = Argv(vec!["/bin/x".into(), "a; reboot".into(), "<b>".into()]);
    config.services[0].after_move[0].run = argv;
    let document = paper(&config, Language::English);
    let html = html::render(&document);
    assert!(!html.contains("<script>") && !html.contains("<b>\n") && !html.contains("<main>"));
    let takeover = commands(&document, 'D');
    assert!(
        takeover
            .iter()
            .any(|c| c.contains(r"'/srv/it'\''s $(reboot)/<main>'")),
        "{takeover:#?}"
    );
    assert!(
        takeover.iter().any(|c| c == "/bin/x 'a; reboot' '<b>'"),
        "{takeover:#?}"
    );
}

#[test]
fn it_is_the_papers_layout_in_both_languages() {
    let config = config("full.toml");
    for (language, parts) in [
        (
            Language::Indonesian,
            [
                "Pengertian",
                "Tujuan",
                "Kebijakan",
                "Prosedur",
                "Unit terkait",
                "STANDAR PROSEDUR",
            ],
        ),
        (
            Language::English,
            [
                "Definition",
                "Purpose",
                "Policy",
                "Procedure",
                "Related units",
                "STANDARD OPERATING",
            ],
        ),
    ] {
        let document = paper(&config, language);
        let bytes = pdf::render(&document);
        keep(&format!("sop-{language:?}.pdf"), &bytes);
        let file = Pdf::new(&bytes);
        file.is_valid();
        let said = file.text();
        let (html, text) = (html::render(&document), text::render(&document));
        for part in parts {
            assert!(said.contains(part), "{part}");
            assert!(html.to_uppercase().contains(&part.to_uppercase()), "{part}");
            assert!(text.to_uppercase().contains(&part.to_uppercase()), "{part}");
        }
        assert!(said.contains("445/000/SOP/2025") && said.contains("Direktur RSUD Contoh"));
        keep(&format!("sop-{language:?}.txt"), text.as_bytes());
    }
}
