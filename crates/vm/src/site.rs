//! The site: three machines, two management processors, the package, and what it says.

use crate::bmc::{self, Bmc, Speaks};
use crate::files::{Folders, images};
use crate::install::{self, DSN};
use crate::kind::Kind;
use crate::load::Load;
use crate::machine::{Machine, Role};
use crate::{SERVERS, net, say, storage, wait_until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Three machines. Gone when dropped, also after a failure.
pub struct Site {
    pub serverdb: Arc<Machine>,
    pub backup: Arc<Machine>,
    pub san: Arc<Machine>,
    pub serverdb_bmc: Bmc,
    /// A second one of `serverdb`. Its configuration knows it where a test says so: [`Site::with_a_second_fence`].
    pub serverdb_second: Bmc,
    pub backup_bmc: Bmc,
    /// What the database lies on.
    pub kind: Kind,
    folders: Folders,
}

/// The machines' own disks.
const SYSTEMS: [&str; 3] = ["serverdb.qcow2", "backup.qcow2", "san.qcow2"];

impl Site {
    /// Bare machines with their power off.
    fn bare(kind: Kind) -> Self {
        let folders = Folders::new();
        let machine = |role| Arc::new(Machine::new(role, kind.second_disk(role), &folders));
        let (serverdb, backup) = (machine(Role::Serverdb), machine(Role::Backup));
        let san = machine(Role::San);
        let (first, second) = (bmc::number(&serverdb), bmc::number(&backup));
        let third = bmc::second(&serverdb);
        net::enter(&[first, second, third]);
        let serverdb_bmc = Bmc::start(&serverdb, &folders, first, Speaks::Ipmi);
        let serverdb_second = Bmc::start(&serverdb, &folders, third, Speaks::Redfish);
        let backup_bmc = Bmc::start(&backup, &folders, second, Speaks::Ipmi);
        Self {
            serverdb,
            backup,
            san,
            serverdb_bmc,
            serverdb_second,
            backup_bmc,
            kind,
            folders,
        }
    }

    /// From bare machines: a cluster that runs on the LUN by systemd, and Siaga not yet set up. Gives the cluster's first
    /// process, as [`Self::postmaster`] does.
    pub fn by_hand(kind: Kind) -> (Self, String) {
        let site = Self::from_images(kind);
        let postmaster = install::running_by_hand(&site);
        (site, postmaster)
    }

    /// `siaga init`, `join` and a probe, around what runs.
    pub fn adopt(&self) {
        install::adopt(self);
    }

    /// The database's first process on that server, when it was started, and the unit that it is in.
    pub fn postmaster(&self, name: &str) -> String {
        install::postmaster(self.server(name), self.kind)
    }

    /// From bare machines: the package installed as `docs/install.md` says, the agents up, nothing started.
    pub fn install() -> Self {
        let site = Self::from_images(Kind::Block);
        install::site(&site);
        site
    }

    fn from_images(kind: Kind) -> Self {
        let site = Self::bare(kind);
        for name in SYSTEMS {
            site.disk(name, Some((&images().join("base.ext4"), "raw")));
        }
        for name in kind.data_disks() {
            site.disk(name, None);
        }
        site.boot();
        site
    }

    /// As after an installation with its first start: from the disks of an earlier run, where there are some of this very
    /// package. The service runs on `serverdb`.
    pub fn running() -> Self {
        Self::running_on(Kind::Block)
    }

    /// The same, with the database on that kind of disk set.
    pub fn running_on(kind: Kind) -> Self {
        let kept = kept(kind);
        if !kept.join(SYSTEMS[0]).exists() {
            Self::set_up(kind).keep();
        }
        let site = Self::bare(kind);
        for disk in SYSTEMS.iter().chain(kind.data_disks()) {
            site.disk(disk, Some((&kept.join(disk), "qcow2")));
        }
        site.boot();
        site.wait_for_agents();
        site.start("first start");
        site
    }

    /// Installed, and nothing runs. What `init` asks for is tried with all but a plain disk.
    fn set_up(kind: Kind) -> Self {
        if kind == Kind::Block {
            return Self::install();
        }
        let (site, _) = Self::by_hand(kind);
        site.adopt();
        site.start("the virtual address");
        site.stop("set up");
        site
    }

    /// That server's LVM reads the disk that DRBD copies, or no more.
    pub fn lvm_past_drbd(&self, name: &str, forgotten: bool) {
        storage::past_drbd(self.server(name), forgotten);
    }

    /// What `siaga check` on `server` says of that server's disk set.
    pub fn disk_set_checks(&self, server: &str) -> Vec<(String, String)> {
        let told = self.server(server).siaga("check --json --all").json();
        let findings = told["findings"].as_array().cloned().unwrap_or_default();
        let of_it = |f: &&Value| f["id"] == "disk_set_driver" && f["node"] == server;
        let text = |f: &Value| {
            (
                f["status"].as_str().unwrap_or_default().to_owned(),
                f.to_string(),
            )
        };
        findings.iter().filter(of_it).map(text).collect()
    }

    /// From now on a processor that speaks Redfish is a second power fence of `serverdb`, after the first.
    pub fn with_a_second_fence(&self) {
        let fence = install::second_fence(self);
        for name in SERVERS {
            let server = self.server(name);
            server.write("/root/second.toml", "0600", &fence);
            server
                .run(
                    "set -e
                    second=$(grep -n '^\\[\\[node]]' /etc/siaga/siaga.toml | sed -n 2p | cut -d : -f 1)
                    sed -i \"$((second - 1))r /root/second.toml\" /etc/siaga/siaga.toml
                    siaga config check
                    systemctl restart siaga",
                )
                .expect(0);
        }
        self.wait_for_agents();
        say("serverdb has a second power fence");
    }

    /// Starts the service on `serverdb`.
    #[track_caller]
    pub fn start(&self, why: &str) {
        let order = format!("start --yes --json --as budi --reason '{why}'");
        self.serverdb.siaga(&order).expect(0);
        self.whole_service_on("serverdb");
        say("the service runs on serverdb");
    }

    /// Stops it everywhere.
    #[track_caller]
    pub fn stop(&self, why: &str) {
        let order = format!("stop --yes --json --as budi --reason '{why}'");
        self.serverdb.siaga(&order).expect(0);
        assert!(self.mounted(&SERVERS).is_empty());
    }

    /// A drill that passes: there and back, measured by the probe, with every client test.
    #[track_caller]
    pub fn drill(&self) {
        self.wait_for_agents();
        let drill = self
            .serverdb
            .siaga("drill --yes --json --as budi --reason 'first rehearsal'")
            .expect(0)
            .json();
        assert_eq!(drill["outcome"], "done", "{drill}");
        let outages = drill["outages"].as_array().expect("outages");
        assert_eq!(outages.len(), 2, "{drill}");
        assert!(outages.iter().all(|o| o["seen_by"] == "probe"), "{drill}");
        let tests = drill["client_tests"].as_array().expect("tests");
        assert!(
            !tests.is_empty() && tests.iter().all(|t| t["passed"] == true),
            "{drill}"
        );
        self.whole_service_on("serverdb");
        say("the drill has passed");
    }

    /// Shuts the machines down, in order, and keeps their disks for `running`.
    pub fn keep(self) {
        for server in [&self.serverdb, &self.backup] {
            server.shut_down();
        }
        self.san.shut_down();
        let kept = kept(self.kind);
        let of_package = kept.parent().expect("a folder of this package");
        let unfinished = kept.with_extension("new");
        let _ = std::fs::remove_dir_all(&unfinished);
        let _ = std::fs::remove_dir_all(&kept);
        // Of other packages nothing is kept: they are large.
        if !of_package.exists() {
            let _ = std::fs::remove_dir_all(images().join("sites"));
        }
        std::fs::create_dir_all(&unfinished).expect("a folder");
        for disk in SYSTEMS.iter().chain(self.kind.data_disks()) {
            std::fs::rename(self.folders.disks.join(disk), unfinished.join(disk)).expect("moved");
        }
        std::fs::rename(&unfinished, &kept).expect("renamed");
        say("the machines' disks are kept for the next test");
    }

    /// The package under test.
    pub fn package(&self) -> PathBuf {
        package()
    }

    /// The same package under a higher version: an upgrade, as far as dpkg and the servers are concerned.
    pub fn newer_package(&self) -> PathBuf {
        let tree = self.folders.disks.join("newer");
        let newer = self.folders.disks.join("newer.deb");
        let run = |command: &mut Command| {
            let done = command.output().expect("it starts");
            assert!(done.status.success(), "{done:?}");
        };
        run(Command::new("dpkg-deb").arg("-R").arg(package()).arg(&tree));
        let control = tree.join("DEBIAN/control");
        run(Command::new("sed")
            .args(["-i", "s/^Version: .*/&+newer/"])
            .arg(control));
        run(Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Zgzip", "--build"])
            .arg(&tree)
            .arg(&newer));
        newer
    }

    fn disk(&self, name: &str, base: Option<(&Path, &str)>) {
        let mut command = Command::new("qemu-img");
        command.args(["create", "-q", "-f", "qcow2"]);
        if let Some((file, format)) = base {
            command.arg("-b").arg(file).args(["-F", format]);
        }
        command.arg(self.folders.disks.join(name));
        if base.is_none() {
            command.arg("2G");
        }
        let done = command.output().expect("qemu-img starts");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name}: {said}");
    }

    /// Power for all, and waits until they are up. The SAN first, as in a building.
    fn boot(&self) {
        say("three machines get power");
        for machine in [&self.san, &self.serverdb, &self.backup] {
            machine.power_on();
        }
        for machine in [&self.san, &self.serverdb, &self.backup] {
            machine.wait_up();
        }
        say("three machines are up");
    }

    /// A server by its name.
    #[track_caller]
    pub fn server(&self, name: &str) -> &Machine {
        match name {
            "serverdb" => &self.serverdb,
            "backup" => &self.backup,
            other => panic!("no server {other}"),
        }
    }

    /// Waits until both agents answer, and hear each other.
    pub fn wait_for_agents(&self) {
        for name in SERVERS {
            self.wait_for_agent(name);
        }
    }

    /// Waits until the agent of this server answers, and hears the other one.
    pub fn wait_for_agent(&self, name: &str) {
        let other = SERVERS.iter().find(|s| **s != name).expect("the other");
        wait_until(&format!("the agents hear each other, on {name}"), || {
            let Some(status) = self.status(name) else {
                return false;
            };
            let agent = &status["services"][0]["observation"]["nodes"][*other]["agent"];
            agent.get("answered").is_some()
        });
    }

    /// `status --json` of this server's agent, where it answers.
    pub fn status(&self, name: &str) -> Option<Value> {
        let status = self.server(name).siaga("status --json");
        (status.code == Some(0)).then(|| status.json())
    }

    /// Where this server's agent says that the service is active.
    pub fn active(&self, name: &str) -> Option<String> {
        let status = self.status(name)?;
        let active = status["services"][0]["verdict"]["active"].as_str();
        active.map(str::to_owned)
    }

    /// The servers among `those` that really have the file system mounted, whatever anybody says.
    pub fn mounted(&self, those: &[&str]) -> Vec<String> {
        let holds = |name: &&&str| {
            let found = self.server(name).run("findmnt -n /srv/simrs");
            assert!(matches!(found.code, Some(0 | 1)), "{found:?}");
            found.code == Some(0)
        };
        those
            .iter()
            .filter(holds)
            .map(|n| (*n).to_owned())
            .collect()
    }

    /// A takeover on this server, done.
    #[track_caller]
    pub fn takeover(&self, name: &str, words: &str) -> Value {
        let order = format!("takeover --yes --json --as budi --reason 'a test' {words}");
        let taken = self.server(name).siaga(&order).expect(0).json();
        assert_eq!(taken["outcome"], "done", "{taken}");
        taken
    }

    /// `backup` takes over from a dead `serverdb`, which it fences.
    #[track_caller]
    pub fn fenced_takeover(&self) {
        self.fenced_takeover_by("");
    }

    /// The same, by the fence of that name.
    #[track_caller]
    pub fn fenced_takeover_by(&self, fence: &str) {
        let taken = self.takeover("backup", "");
        let proof = taken["proof"][0].as_str();
        let expected = format!("fenced serverdb by {fence}");
        assert!(proof.is_some_and(|p| p.starts_with(&expected)), "{taken}");
        assert_eq!(self.mounted(&["backup"]), ["backup"]);
        say("backup has taken over, by a fence");
    }

    /// `serverdb` gets its power back, and takes nothing.
    #[track_caller]
    pub fn back_on(&self) {
        self.backup
            .siaga("power on serverdb --yes --as budi --reason repaired")
            .expect(0);
        self.serverdb.wait_up();
        self.wait_for_agents();
        self.whole_service_on("backup");
        say("serverdb is back, and has taken nothing");
    }

    /// Does the check say that this would start at a boot of that server?
    pub fn warns_of_start(&self, server: &str, what: &str) -> bool {
        let told = self.backup.siaga("check --json").json();
        let findings = told["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().any(|f| {
            f["code"] == "AUTO_START" && f["node"] == server && f.to_string().contains(what)
        })
    }

    /// Waits until a takeover on this server is refused for want of a person's word.
    #[track_caller]
    pub fn needs_attestation(&self, name: &str) {
        wait_until("a takeover needs a person's word", || {
            let refused = self.server(name).siaga("takeover --yes --json --as budi");
            refused.code == Some(3) && refused.json()["code"] == "NEEDS_ATTESTATION"
        });
    }

    /// Checked, and moved home.
    #[track_caller]
    pub fn home_again(&self) {
        wait_until("the check passes", || {
            self.backup.siaga("check").code == Some(0)
        });
        self.serverdb
            .siaga("failback --yes --json --as budi --reason repaired")
            .expect(0);
        self.whole_service_on("serverdb");
        say("the service is at home again");
    }

    /// What of the service is on this server, whatever anybody says: one word a line.
    #[track_caller]
    pub fn has(&self, name: &str) -> String {
        let script = "findmnt -n /srv/simrs >/dev/null && echo mounted
            pgrep -c -x postgres >/dev/null && echo database
            ip -o address show dev eth0 | grep -q 'inet 192.0.2.50/' && echo address
            true";
        self.server(name).run(script).expect(0).out
    }

    /// The one server that has the file system mounted, runs the database and has the address; the other has nothing.
    #[track_caller]
    pub fn whole_service_on(&self, name: &str) {
        for server in SERVERS {
            let has = self.has(server);
            let wanted = if server == name {
                "mounted\ndatabase\naddress\n"
            } else {
                ""
            };
            assert_eq!(has, wanted, "on {server}");
        }
    }

    /// A client that writes through the virtual IP from now on.
    pub fn load(&self) -> Load {
        Load::begin(DSN)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- console of san\n{}", self.san.console_tail());
            for name in SERVERS {
                let server = self.server(name);
                eprintln!("--- console of {name}\n{}", server.console_tail());
                if server.is_on() {
                    server.wake();
                    let told = server.try_run(
                        "siaga --lang en status; siaga --lang en events --limit 40; journalctl -q -n 40 -u siaga -o cat",
                        90,
                    );
                    eprintln!("--- {name}\n{}{}", told.out, told.err);
                }
            }
            eprintln!(
                "--- BMC\n{}{}",
                self.serverdb_bmc.log(),
                self.backup_bmc.log()
            );
        }
        for machine in [&self.serverdb, &self.backup, &self.san] {
            machine.power_off();
        }
    }
}

/// The package under test: `SIAGA_DEB`, or what `make deb` built last.
pub(crate) fn package() -> PathBuf {
    if let Some(path) = std::env::var_os("SIAGA_DEB") {
        return path.into();
    }
    let folder = images().join("../debian");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "deb"))
        .collect();
    found.sort_by_key(|p| p.metadata().and_then(|m| m.modified()).ok());
    found
        .pop()
        .expect("a package: run make deb, or set SIAGA_DEB")
}

/// Where the disks of machines with this package, and this kind of disk set, are kept.
fn kept(kind: Kind) -> PathBuf {
    let sum = Command::new("sha256sum").arg(package()).output();
    let sum = String::from_utf8_lossy(&sum.expect("sha256sum starts").stdout).into_owned();
    let sites = images().join("sites");
    sites.join(&sum[..16]).join(kind.name())
}
