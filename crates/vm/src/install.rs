//! From two bare servers to agents that hear each other, step by step as `docs/install.md` says.

use crate::bmc::{self, PASSWORD, USER, number};
use crate::kind::Kind;
use crate::machine::{Machine, Role};
use crate::net::Network;
use crate::site::{Site, package};
use crate::{SERVERS, say, storage, wait_until};
use std::fmt::Write as _;

/// How a client reaches the database.
pub(crate) const DSN: &str = "host=192.0.2.50 port=5432 user=postgres dbname=postgres";

/// Carries it all out.
pub(crate) fn site(site: &Site) {
    let device = unpack(site);
    first_server(site, &siaga_toml(site, &device));
    second_server(site);
    client(site);
    site.wait_for_agents();
    say("the agents hear each other");
}

/// The disk set with the cluster on it, and the package on every machine: everything before `siaga init`.
fn unpack(site: &Site) -> String {
    let device = storage::prepare(site);
    if !site.kind.migrates() {
        move_data(&site.serverdb, &device);
    }
    std::thread::scope(|scope| {
        for machine in [&site.serverdb, &site.backup, &site.san] {
            scope.spawn(|| install_package(machine, site.kind));
        }
    });
    say("the package is installed");
    device
}

/// A site that has a database already: Debian's cluster runs on the disk set, by systemd. Gives its first process.
pub(crate) fn running_by_hand(site: &Site) -> String {
    let device = unpack(site);
    let mount = match site.kind.migrates() {
        true => String::new(),
        false => format!("mount -o noatime {device} /srv/simrs"),
    };
    site.serverdb
        .run(&format!(
            "set -e
            {mount}
            systemctl start {UNIT}
            until su postgres -c 'cd / && psql -qXAtc \"select 1\"'; do sleep 1; done
            su postgres -c 'cd / && psql -qXc \"create table kept as select 42 as answer\"'"
        ))
        .expect(0);
    if site.kind.migrates() {
        migrate(&site.serverdb, &device);
    }
    say("a cluster runs on the disk set, by systemd");
    postmaster(&site.serverdb, site.kind)
}

/// From the server's own disk, where the cluster runs, by `siaga migrate`.
fn migrate(server: &Machine, device: &str) {
    say("a cluster runs on serverdb's own disk, by systemd");
    let order = format!("migrate --to {device} --at /srv/simrs --format ext4");
    let planned = server.siaga(&format!("{order} --json")).expect(0).json();
    assert_eq!(planned["outcome"], "planned", "{planned}");
    let done = server
        .siaga(&format!("{order} --yes --json"))
        .expect(0)
        .json();
    assert_eq!(done["outcome"], "done", "{done}");
    let kept = "su postgres -c 'cd / && psql -qXAtc \"select answer from kept\"'";
    assert_eq!(server.run(kept).expect(0).out.trim(), "42");
    say("siaga migrate has moved it");
}

/// Debian's unit of the cluster.
pub(crate) const UNIT: &str = "postgresql@15-main.service";

/// The database's first process, when it was started, and the unit that it is in.
pub(crate) fn postmaster(server: &Machine, kind: Kind) -> String {
    let data = kind.data_dir();
    server
        .run(&format!(
            "pid=$(head -n 1 {data}/postmaster.pid)
            echo $pid $(cut -d ' ' -f 22 /proc/$pid/stat) $(sed -n 's|^0::.*/||p' /proc/$pid/cgroup)",
        ))
        .expect(0)
        .out
        .trim()
        .to_owned()
}

/// `siaga init` with answers, on the server where the database runs, and the rest of the site after it.
pub(crate) fn adopt(site: &Site) {
    let (own, other) = (site.serverdb.role, site.backup.role);
    let both = |of: &dyn Fn(Network) -> String| {
        format!("{}, {}", of(Network::Lan), of(Network::Management))
    };
    let answers = format!(
        "language = \"en\"\nsite_name = \"RSUD Contoh (virtual machines)\"\ntime_zone = \"Asia/Jakarta\"\n\
         this_addresses = \"{}\"\nthis_hardware = \"{}\"\nother_node = \"backup\"\n\
         other_addresses = \"{}\"\nother_hardware = \"{}\"\nvirtual_ip = \"192.0.2.50\"\ninterface = \"eth0\"\n{}",
        both(&|n| n.address(own.number())),
        both(&|n| n.hardware(own)),
        both(&|n| n.address(other.number())),
        both(&|n| n.hardware(other)),
        answers_of(site),
    );
    site.serverdb.write("/root/answers.toml", "0600", &answers);
    let made = site
        .serverdb
        .siaga("init --answers /root/answers.toml")
        .expect(0);
    assert!(made.out.contains("nothing was restarted"), "{made:?}");
    // What nobody is asked for, and emulated machines need: time.
    site.serverdb
        .run(&format!(
            "set -e
            grep -qx 'unit = \"{UNIT}\"' /etc/siaga/siaga.toml
            sed -i '/^unit = /a stop_fast = \"3m\"\\nstart_stalled = \"10m\"' /etc/siaga/siaga.toml
            sed -i '/^kind = \"probe\"/a timeout = \"2m\"' /etc/siaga/siaga.toml
            sed -i '/^kind = \"power\"/a timeout = \"3m\"' /etc/siaga/siaga.toml
            sed -i '/^lanplus = /a cipher = \"3\"' /etc/siaga/siaga.toml
            cat >>/etc/siaga/siaga.toml <<'END'

[[person]]
name = \"budi\"
role = \"decider\"

[policy]
rto = \"30m\"
drill_budget = \"1h\"
witness_fresh = \"30s\"
peer_timeout = \"10s\"
coordinator_silence = \"3m\"
END
            siaga config check
            systemctl enable --now -q siaga"
        ))
        .expect(0);
    wait_until("the first agent answers", || {
        site.serverdb.siaga("status --json").code == Some(0)
    });
    say("siaga init has adopted it");
    second_server(site);
    client(site);
    site.wait_for_agents();
    say("the agents hear each other");
}

/// What only this kind of site answers: its fences. What makes the disk exclusive is found.
fn answers_of(site: &Site) -> String {
    if site.kind == Kind::Block {
        // `unit` tries a site without a fence, and without reservations.
        return "driver = \"block\"\n".to_owned();
    }
    let mut text = String::new();
    for (which, name) in [("this", "serverdb"), ("other", "backup")] {
        let bmc = Network::Management.address(number(site.server(name)));
        let _ = write!(
            text,
            "{which}_fence = \"{bmc}\"\n{which}_fence_user = \"{USER}\"\n\
             {which}_fence_secret = \"/etc/siaga/ipmi.secret\"\n"
        );
    }
    text
}

/// Debian's cluster moves to the shared disk; its configuration stays in /etc, on both servers.
fn move_data(server: &Machine, device: &str) {
    server
        .run(&format!(
            "set -e
            mkfs.ext4 -q {device}
            mount {device} /srv/simrs
            install -d -o postgres -g postgres -m 0700 /srv/simrs/postgresql /srv/simrs/postgresql/15
            cp -a /var/lib/postgresql/15/main /srv/simrs/postgresql/15/main
            umount /srv/simrs"
        ))
        .expect(0);
    say("the database lies on the disk set");
}

fn install_package(machine: &Machine, kind: Kind) {
    machine.send(&package(), "/root/siaga.deb");
    machine.run("dpkg -i /root/siaga.deb").expect(0);
    if machine.role == Role::San {
        return;
    }
    // `siaga migrate` does that where the cluster runs.
    if !(kind.migrates() && machine.role == Role::Serverdb) {
        let data = kind.data_dir();
        machine
            .run(&format!(
                "sed -i \"s|^data_directory.*|data_directory = '{data}'|\" /etc/postgresql/15/main/postgresql.conf"
            ))
            .expect(0);
    }
    machine.write("/etc/siaga/ipmi.secret", "0600", &format!("{PASSWORD}\n"));
}

fn first_server(site: &Site, configuration: &str) {
    site.serverdb
        .write("/etc/siaga/siaga.toml", "0644", configuration);
    site.serverdb.siaga("config check").expect(0);
    site.serverdb.siaga("init --node serverdb").expect(0);
    site.serverdb
        .run("systemctl enable --now -q siaga")
        .expect(0);
    wait_until("the first agent answers", || {
        site.serverdb.siaga("status --json").code == Some(0)
    });
    say("init on serverdb is done");
}

fn second_server(site: &Site) {
    let token = token(site, "--for backup");
    site.backup.write("/root/token", "0600", &token);
    site.backup
        .siaga("join --name backup --token-file /root/token")
        .expect(0);
    site.backup.siaga("config check").expect(0);
    site.backup.run("systemctl enable --now -q siaga").expect(0);
    say("backup has joined");
}

fn client(site: &Site) {
    let mut text = "name = \"client1\"\nservice = \"simrs\"\ninterval = \"2s\"\n\n[sql]\nhost = \"192.0.2.50\"\n\
                    user = \"postgres\"\ndbname = \"postgres\"\n"
        .to_owned();
    for name in SERVERS {
        let address = Network::Lan.address(site.server(name).role.number());
        let _ = write!(
            text,
            "\n[[agent]]\nnode = \"{name}\"\naddresses = [\"{address}:7443\"]\n"
        );
    }
    site.san.write("/etc/siaga/probe.toml", "0644", &text);
    let token = token(site, "--probe client1");
    site.san.write("/root/token", "0600", &token);
    site.san
        .siaga("join --probe --token-file /root/token")
        .expect(0);
    site.san
        .run("systemctl enable --now -q siaga-probe")
        .expect(0);
}

fn token(site: &Site, words: &str) -> String {
    let made = site
        .serverdb
        .siaga(&format!("token create {words} --json"))
        .expect(0)
        .json();
    let token = made["token"].as_str();
    format!("{}\n", token.unwrap_or_else(|| panic!("no token: {made}")))
}

/// A second power fence of `serverdb`, by another protocol.
pub(crate) fn second_fence(site: &Site) -> String {
    let address = Network::Management.address(bmc::second(&site.serverdb));
    format!(
        r#"[[node.fence]]
name = "redfish"
kind = "power"
agent = "/usr/sbin/fence_redfish"
timeout = "3m"
options = {{ ip = "{address}", username = "{USER}", ssl_insecure = "1" }}
secret_files = {{ password = "/etc/siaga/ipmi.secret" }}

"#
    )
}

/// The site's configuration, with times for emulated machines.
fn siaga_toml(site: &Site, device: &str) -> String {
    let mut text = r#"[site]
name = "RSUD Contoh (virtual machines)"
language = "en"
time_zone = "Asia/Jakarta"

[[person]]
name = "budi"
role = "decider"
"#
    .to_owned();
    for name in SERVERS {
        let server = site.server(name);
        let (role, bmc) = (server.role, Network::Management.address(number(server)));
        let on = |network: Network| (network.address(role.number()), network.hardware(role));
        let (lan, lan_card) = on(Network::Lan);
        let (second, second_card) = on(Network::Management);
        let _ = write!(
            text,
            r#"
[[node]]
name = "{name}"
addresses = ["{lan}", "{second}"]
hardware_addresses = ["{lan_card}", "{second_card}"]

[[node.fence]]
name = "ipmi"
kind = "power"
agent = "/usr/sbin/fence_ipmilan"
timeout = "3m"
options = {{ ip = "{bmc}", username = "{USER}", lanplus = "1", cipher = "3" }}
secret_files = {{ password = "/etc/siaga/ipmi.secret" }}
"#
        );
    }
    let _ = write!(
        text,
        r#"
[[service]]
name = "simrs"
preferred_node = "serverdb"

[service.disk_set]
driver = "block"
device = "{device}"

[[service.file_system]]
kind = "ext4"
mount_point = "/srv/simrs"
options = ["noatime"]

[[service.virtual_ip]]
address = "192.0.2.50"
network = "192.0.2.0/24"
interface = "eth0"

[service.database]
bin_dir = "/usr/lib/postgresql/15/bin"
data_dir = "/srv/simrs/postgresql/15/main"
config_file = "/etc/postgresql/15/main/postgresql.conf"
stop_fast = "3m"
start_stalled = "10m"

[[service.client_test]]
name = "rows"
kind = "probe"
timeout = "2m"

[policy]
rto = "30m"
drill_budget = "1h"
witness_fresh = "30s"
peer_timeout = "10s"
coordinator_silence = "3m"
"#
    );
    text
}
