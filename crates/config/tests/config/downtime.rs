//! Units, channels, the on-call list and their rules.

use crate::common::{FULL, MINIMAL, edited, expect, expect_with};
use siaga_config::{HostChecks, parse};
use siaga_model::config::{Language, Role};
use siaga_model::downtime::{ChannelKind, MailTls, Release, Remind};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn the_full_example_is_read() {
    let (config, _) = parse(FULL, &HostChecks::none()).unwrap_or_else(|e| panic!("{e}"));
    let down = &config.downtime;
    let names: Vec<&str> = down.units.iter().map(|u| u.name.as_str()).collect();
    assert_eq!(names, ["igd", "farmasi"]);
    // The site's language where the unit has none of its own.
    assert_eq!(down.units[1].language, Language::Indonesian);
    assert_eq!(down.units[0].contacts[1].channel.as_str(), "ward-group");
    assert!(matches!(
        &down.channels[0].kind,
        ChannelKind::Mail { tls: MailTls::Starttls, port: 587, user: Some(u), .. } if u == "simrs"
    ));
    assert!(matches!(
        &down.channels[3].kind,
        ChannelKind::Telegram { api, .. } if api == "https://api.telegram.org"
    ));
    assert_eq!(down.channels[4].kind, ChannelKind::ByHand);
    assert_eq!(down.on_call[0].person.as_str(), "budi");
    assert_eq!(down.rules.availability_target_milli_pct, Some(99_500));
    assert_eq!(down.rules.release, Release::Anyone);
    assert_eq!(down.rules.bypass_after, Some(Duration::from_secs(600)));
}

#[test]
fn who_is_reminded_is_a_role_or_a_person_who_can_be_told() {
    let rules = |text: &str| parse(text, &HostChecks::none()).unwrap().0.downtime.rules;
    let to = |word: &str| {
        edited(
            FULL,
            &[("remind = \"decider\"", &format!("remind = {word}"))],
        )
    };
    let full = rules(FULL);
    assert_eq!(full.seal_to, Some("lina".into()));
    assert_eq!(full.ack.unwrap().url, "https://simrs.rs.example/baca");
    assert_eq!(
        rules(&to("\"communicator\"")).remind,
        Remind::Role(Role::Communicator)
    );
    let none = rules(MINIMAL);
    let decider = Remind::Role(Role::Decider);
    assert_eq!((none.drill_every_days, none.remind), (90, decider));
    // Who is on call can be told, who has no address at all can't.
    for name in ["lina", "budi"] {
        let person = rules(&to(&format!("\"{name}\""))).remind;
        assert_eq!(person, Remind::Person(name.into()));
    }
    expect(&[("remind = \"decider\"", "remind = ⟦NO_SUCH_PERSON⟧\"dewi\"")]);
    expect(&[("seal_to = \"lina\"", "seal_to = ⟦NO_WAY_TO_TELL⟧\"sari\"")]);
    expect(&[(
        "channel = \"mail\"\naddress = \"lina@",
        "channel = ⟦ALERT_BY_HAND⟧\"ward-group\"\naddress = \"lina@",
    )]);
}

#[test]
fn the_page_for_acknowledgements_is_whole_and_not_open_without_tls() {
    expect(&[(
        "ack_url = \"https://simrs",
        "ack_url = ⟦URL_IN_CLEAR⟧\"http://simrs",
    )]);
    expect(&[(
        "ack_listen = \"127.0.0.1:8790\"",
        "ack_listen = ⟦LISTENS_OPENLY⟧\"192.0.2.9:8790\"",
    )]);
    expect(&[
        ("ack_secret_file = \"/etc/siaga/ack.secret\"", ""),
        ("ack_url = \"https", "ack_url = ⟦MISSING_KEY⟧\"https"),
    ]);
}

#[test]
fn a_bypass_may_be_ruled_out_and_days_may_be_given_for_back_entry() {
    let text = edited(
        FULL,
        &[
            ("bypass_after = \"10m\"", "bypass_after = \"never\""),
            ("back_entry_within = \"24h\"", "back_entry_within = \"72h\""),
        ],
    );
    let rules = parse(&text, &HostChecks::none()).unwrap().0.downtime.rules;
    assert_eq!(rules.bypass_after, None);
    assert_eq!(rules.back_entry_within, Duration::from_secs(72 * 3600));
    expect(&[("\"24h\"   ", "⟦LONG_DURATION⟧\"745h\"   ")]);
}

#[test]
fn names_that_are_nobodys() {
    expect(&[
        (
            "channel = \"mail\"\naddress = \"igd@",
            "channel = ⟦NO_SUCH_CHANNEL⟧\"post\"\naddress = \"igd@",
        ),
        ("person = \"budi\"", "person = ⟦NO_SUCH_PERSON⟧\"dewi\""),
    ]);
}

#[test]
fn names_that_are_given_twice() {
    expect(&[
        ("name = \"board\"", "name = ⟦DUPLICATE⟧\"mail\""),
        ("name = \"farmasi\"", "name = ⟦DUPLICATE⟧\"igd\""),
    ]);
    // One address of one channel is told once.
    expect(&[(
        "[[unit.contact]]\nname = \"grup IGD\"\nchannel = \"ward-group\"\naddress = \"ext. 101\"",
        "[[unit.contact]]\nname = \"wakil\"\nchannel = \"mail\"\naddress = ⟦DUPLICATE⟧\"igd@rs.example\"",
    )]);
    expect(&[(
        "person = \"ratna\"\nchannel = \"mail\"\naddress = \"ratna@rs.example\"",
        "person = ⟦DUPLICATE⟧\"budi\"\nchannel = \"sms\"\naddress = \"+62 800 0000 0001\"",
    )]);
}

#[test]
fn addresses_that_the_channel_cannot_use() {
    for wrong in [
        "igd",
        "igd@",
        "@rs.example",
        "a@b@rs.example",
        "igd@rs.example, x@rs.example",
        "IGD <igd@rs.example>",
    ] {
        let broken = format!("address = ⟦BAD_CONTACT⟧\"{wrong}\"");
        expect(&[("address = \"igd@rs.example\"", &broken)]);
    }
    expect(&[(
        "address = \"-1001234567890\"",
        "address = ⟦BAD_CONTACT⟧\"farmasi\"",
    )]);
    expect(&[(
        "channel = \"bot\"\naddress = \"-1001234567890\"",
        "channel = ⟦MISSING_KEY⟧\"bot\"",
    )]);
    expect(&[(
        "from = \"simrs@rs.example\"",
        "from = ⟦BAD_CONTACT⟧\"simrs\"",
    )]);
    // Where a person sends, a telephone number is as good as none.
    let without = edited(FULL, &[("address = \"ext. 101\"\n", "")]);
    assert!(parse(&without, &HostChecks::none()).is_ok());
}

#[test]
fn an_alert_wakes_somebody() {
    expect(&[(
        "person = \"budi\"\nchannel = \"sms\"",
        "person = \"budi\"\nchannel = ⟦ALERT_BY_HAND⟧\"ward-group\"",
    )]);
}

#[test]
fn a_channel_has_what_its_kind_needs_and_nothing_else() {
    expect(&[
        ("password_file = \"/etc/siaga/mail.secret\"\n", ""),
        ("kind = \"mail\"  ", "kind = ⟦MISSING_KEY⟧\"mail\"  "),
    ]);
    expect(&[
        ("secret_file = \"/etc/siaga/board.secret\"\n", ""),
        ("kind = \"webhook\"", "kind = ⟦MISSING_KEY⟧\"webhook\""),
    ]);
    expect(&[
        ("token_file = \"/etc/siaga/telegram.secret\"\n", ""),
        ("kind = \"telegram\"", "kind = ⟦MISSING_KEY⟧\"telegram\""),
    ]);
    expect(&[(
        "kind = \"by-hand\"",
        "token_file = ⟦NOT_TOGETHER⟧\"/etc/siaga/x.secret\"\nkind = \"by-hand\"",
    )]);
    expect(&[("\"--queue\"", "⟦INLINE_SECRET⟧\"--token=abc\"")]);
}

#[test]
fn nothing_secret_goes_in_the_clear() {
    expect(&[("tls = \"starttls\"", "tls = ⟦PASSWORD_IN_CLEAR⟧\"none\"")]);
    let here = [
        ("server = \"mail.rs.example\"", "server = \"127.0.0.1\""),
        ("tls = \"starttls\"", "tls = \"none\""),
    ];
    assert!(parse(&edited(FULL, &here), &HostChecks::none()).is_ok());
    for wrong in [
        "http://board.rs.example/",
        "http://127.0.0.1.rs.example/",
        "http://192.0.2.9/",
    ] {
        let broken = format!("url = ⟦URL_IN_CLEAR⟧\"{wrong}\"");
        expect(&[("url = \"https://board.rs.example/siaga\"", &broken)]);
    }
    for fine in [
        "http://127.0.0.1:8080/x",
        "http://[::1]:8080/x",
        "http://localhost/x",
    ] {
        let url = format!("url = \"{fine}\"");
        let text = edited(FULL, &[("url = \"https://board.rs.example/siaga\"", &url)]);
        assert!(parse(&text, &HostChecks::none()).is_ok(), "{fine}");
    }
    expect(&[(
        "kind = \"telegram\"",
        "kind = \"telegram\"\napi = ⟦URL_IN_CLEAR⟧\"http://api.telegram.org\"",
    )]);
}

#[test]
fn amounts() {
    expect(&[
        (
            "alert_after = \"10s\"",
            "alert_after = ⟦ZERO_DURATION⟧\"0s\"",
        ),
        (
            "escalate_after = \"5m\"",
            "escalate_after = ⟦BAD_DURATION⟧\"soon\"",
        ),
        (
            "release = \"anyone\"",
            "release = ⟦BAD_CHOICE⟧\"everybody\"",
        ),
        (
            "bypass_after = \"10m\"",
            "bypass_after = ⟦ZERO_DURATION⟧\"0m\"",
        ),
        (
            "availability_target = 99.5",
            "availability_target = ⟦BAD_PERCENT⟧101.0",
        ),
        ("drill_every_days = 90", "drill_every_days = ⟦BAD_COUNT⟧0"),
        ("\"2026-08-01\"", "⟦BAD_DAY⟧\"2026-02-30\""),
    ]);
    expect(&[(
        "timeout = \"15s\"                  # for one",
        "timeout = ⟦ZERO_DURATION⟧\"0s\" # for one",
    )]);
}

#[test]
fn files_on_this_host() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("mail.secret");
    std::fs::write(&secret, "x").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o640)).unwrap();
    let file = format!("⟦SECRET_READABLE⟧\"{}\"", secret.display());
    expect_with(
        &HostChecks::start(),
        FULL,
        &[("\"/etc/siaga/mail.secret\"", &file)],
    );
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = format!("\"{}\"", secret.display());
    let text = edited(FULL, &[("\"/etc/siaga/mail.secret\"", &file)]);
    assert!(parse(&text, &HostChecks::start()).is_ok());

    // A directory that is not there is told by `siaga config check`, and keeps no agent from running.
    let missing = HostChecks {
        secrets_missing: true,
        ..HostChecks::none()
    };
    let rules = format!(
        "\n[downtime]\ntemplate_dir = ⟦TEMPLATE_DIR⟧\"{}/no\"\n",
        dir.path().display()
    );
    let with = format!("os_user = \"postgres\"\n{rules}");
    let base = format!("{MINIMAL}\n# os_user\n");
    let errors = expect_with(
        &missing,
        &base.replace("/etc/siaga/", &format!("{}/", dir.path().display())),
        &[("# os_user", &with.replace("os_user = \"postgres\"\n", ""))],
    );
    assert_eq!(errors.errors.len(), 1);
}
