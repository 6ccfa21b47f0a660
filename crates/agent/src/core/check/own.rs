//! What a node finds of itself.

use super::{PortSight, SelfCheck};
use crate::core::state::Core;
use crate::pki::Identity;
use siaga_journal::Room;
use siaga_model::Why;
use siaga_model::config::{Node, Service, VirtualIp};
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::evidence::Evidence;
use siaga_model::observation::DatabaseState;
use siaga_model::readiness::{CheckId, CheckStatus, DatabaseNeeds, Examined};
use siaga_node::act::virtual_ip;
use siaga_node::observe::{boot, host, port};
use siaga_runner::hands::Hands;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

/// Less free room than this is worth saying, percent.
const LEAST_FREE: u8 = 10;

/// Gathers what one node finds of itself.
struct Examiner<'a> {
    core: &'a Core,
    service: &'a Service,
    findings: Vec<Finding>,
    examined: Vec<Examined>,
}

/// This node's own part. Blocks.
pub fn self_check(core: &Core, service: &Service) -> SelfCheck {
    // Before anything that takes its time: both nodes are asked at the same moment, and what lies between their words counts as
    // a difference of their clocks.
    let now = core.hands.now();
    let mut own = Examiner {
        core,
        service,
        findings: core.findings_of(&service.name),
        examined: Vec::new(),
    };
    own.disk_set();
    own.mount_points();
    own.interfaces();
    let postgres_version = own.postgres();
    own.log_space();
    own.boot();
    own.unit();
    own.space();
    own.backup();
    let running = core.hands.look(&service.name).database == DatabaseState::Ready;
    let needs = running
        .then(|| core.hands.all_database_needs(&service.name))
        .flatten();
    if running {
        own.data_place();
        own.checksums(needs.as_ref());
    }
    // What is watched all the time, and stands found where it is not in order.
    let certificate = Identity::load(&core.state_dir).map_or(Evidence::Nothing, |own| {
        let days = own.dates.days_left(crate::pki::now());
        Evidence::DaysLeft { days }
    });
    own.pass(CheckId::Certificate, certificate);
    for id in [CheckId::EventLog, CheckId::AddressLeftOver] {
        own.pass(id, Evidence::Nothing);
    }
    SelfCheck {
        node: core.me.clone(),
        findings: own.findings,
        examined: own.examined,
        config_hash: core.config_hash.clone(),
        postgres_version,
        postgres_uid: uid_of(&service.database.os_user),
        device_size: {
            let devices = service.devices(&core.me).into_iter();
            devices.map(|d| size_of(d)).sum()
        },
        host: host::look(service),
        needs,
        ports: ports(core, service),
        fences: Vec::new(),
        paths: Vec::new(),
        now,
    }
}

impl Examiner<'_> {
    fn found(&mut self, code: FindingCode, severity: Severity, evidence: Evidence) {
        self.findings.push(Finding {
            code,
            node: self.core.me.clone(),
            severity,
            evidence,
        });
    }

    fn pass(&mut self, id: CheckId, evidence: Evidence) {
        let node = &self.core.me;
        self.examined.push(Examined::pass(id, node, evidence));
    }

    fn disk_set(&mut self) {
        let code = FindingCode::DiskSetMissing;
        let name = &self.service.name;
        let problems = self.core.hands.disk_set_problems(name);
        if problems.is_empty() {
            self.pass(CheckId::DiskSetDriver, Evidence::Nothing);
        }
        for problem in problems {
            let severity = match problem.blocking {
                true => Severity::Blocking,
                false => Severity::Warning,
            };
            self.found(FindingCode::DiskSetDriver, severity, problem.why.into());
        }
        // Where a driver brings the device only to the node that holds the disk set, it may be away.
        let may_be_away = self.core.hands.device_may_be_away(name);
        let devices = self.service.devices(&self.core.me);
        if devices.len() < self.service.file_systems.len() {
            return self.found(code, Severity::Blocking, Evidence::NoDeviceConfigured);
        }
        let there = |d: &Path| may_be_away || is_block_device(d);
        let (there, missing): (Vec<_>, Vec<_>) = devices.into_iter().partition(|d| there(d));
        if missing.is_empty() {
            let shown: Vec<_> = there.iter().map(|d| d.display().to_string()).collect();
            self.pass(CheckId::DiskSet, Evidence::thing(shown.join(", ")));
        }
        for device in missing.into_iter().cloned() {
            self.found(code, Severity::Blocking, Evidence::DeviceMissing { device });
        }
    }

    fn mount_points(&mut self) {
        let service = self.service;
        let missing = service
            .file_systems
            .iter()
            .filter(|f| !f.mount_point.is_dir());
        let missing: Vec<_> = missing.map(|f| f.mount_point.clone()).collect();
        if missing.is_empty() {
            self.pass(CheckId::MountPoint, Evidence::Nothing);
        }
        for path in missing {
            let code = FindingCode::MountPointMissing;
            self.found(code, Severity::Blocking, Evidence::PathMissing { path });
        }
    }

    fn interfaces(&mut self) {
        let service = self.service;
        let here = |vip: &VirtualIp| vip.interface(&self.core.me).unwrap_or_default().to_owned();
        let mut interfaces: Vec<String> = service.virtual_ips.iter().map(here).collect();
        interfaces.sort_unstable();
        interfaces.dedup();
        // By the very rule of the act: what would refuse the address then is found now.
        let unusable: Vec<Why> = interfaces
            .iter()
            .filter_map(|name| virtual_ip::usable(name).err())
            .collect();
        if unusable.is_empty() {
            self.pass(CheckId::Interface, Evidence::Nothing);
        }
        for why in unusable {
            let seen = match why {
                Why::InterfaceDown { interface } => Evidence::InterfaceDown { interface },
                why => why.into(),
            };
            self.found(FindingCode::InterfaceDown, Severity::Blocking, seen);
        }
    }

    fn postgres(&mut self) -> Option<String> {
        let version = postgres_version(self.service);
        match &version {
            Some(version) => self.pass(CheckId::Postgres, Evidence::thing(version)),
            None => self.found(
                FindingCode::PostgresMissing,
                Severity::Blocking,
                Evidence::ProgramDoesNotRun {
                    program: self.service.database.bin_dir.join("postgres"),
                },
            ),
        }
        version
    }

    fn log_space(&mut self) {
        let place = Evidence::thing(self.core.state_dir.display());
        match self.core.log.journal().room() {
            Room::Plenty => self.pass(CheckId::LogSpace, Evidence::Nothing),
            Room::ReserveOnly | Room::None => {
                self.found(FindingCode::LogNearlyFull, Severity::Warning, place);
            }
        }
    }

    fn boot(&mut self) {
        let starts = boot::starts(self.service, &self.core.me, Path::new("/"));
        if starts.is_empty() {
            self.pass(CheckId::AutoStart, Evidence::Nothing);
        } else {
            let each = starts
                .into_iter()
                .map(|what| Evidence::StartsAtBoot { what });
            let each = each.collect();
            self.found(
                FindingCode::AutoStart,
                Severity::Warning,
                Evidence::Several { each },
            );
        }
    }

    /// Where the database has a unit.
    fn unit(&mut self) {
        let Some(unit) = &self.service.database.unit else {
            return;
        };
        let troubles = self.core.hands.unit_troubles(&self.service.database);
        if troubles.is_empty() {
            return self.pass(CheckId::DatabaseUnit, Evidence::thing(unit));
        }
        for why in troubles {
            let severity = match why {
                // It starts, and something else than Siaga may end it or start it.
                Why::UnitRestarts { .. } | Why::UnitStartLimited { .. } => Severity::Warning,
                _ => Severity::Blocking,
            };
            self.found(FindingCode::DatabaseUnit, severity, why.into());
        }
    }

    /// Of the own state, and of the service's file systems where they are here.
    fn space(&mut self) {
        let service = self.service;
        let mounted = self.core.hands.look(&service.name).mounts;
        let mounted = mounted
            .iter()
            .filter(|m| m.mounted)
            .map(|m| m.mount_point.as_path());
        let places: Vec<&Path> = mounted.chain([self.core.state_dir.as_path()]).collect();
        let mut low = Vec::new();
        for path in places {
            let Some((mebibytes, percent)) = host::space(path) else {
                continue;
            };
            if percent < LEAST_FREE {
                let path = path.to_path_buf();
                low.push(Evidence::SpaceFree { path, mebibytes });
            }
        }
        if low.is_empty() {
            self.pass(CheckId::DiskSpace, Evidence::Nothing);
        } else {
            let seen = Evidence::Several { each: low };
            self.found(FindingCode::DiskSpaceLow, Severity::Warning, seen);
        }
    }

    fn backup(&mut self) {
        let Some(backup) = &self.service.backup else {
            let (id, status) = (CheckId::Backup, CheckStatus::NotExercised);
            let open = Examined::open(id, &self.core.me, status, Evidence::NoBackupProgram);
            return self.examined.push(open);
        };
        match siaga_node::observe::backup::look(backup, jiff::Timestamp::now()) {
            Ok(seen) => self.pass(CheckId::Backup, seen),
            Err(seen) => self.found(FindingCode::BackupOld, Severity::Warning, seen),
        }
    }

    fn checksums(&mut self, needs: Option<&DatabaseNeeds>) {
        let said = needs.and_then(|n| n.checksums);
        let count = needs.and_then(|n| n.checksum_failures).unwrap_or_default();
        match said {
            Some(true) if count > 0 => {
                let seen = Evidence::Objects { count };
                self.found(FindingCode::ChecksumFailures, Severity::Warning, seen);
            }
            Some(true) => self.pass(CheckId::Checksums, Evidence::Nothing),
            // Nothing is wrong, and nothing would show it.
            Some(false) => {
                let (status, seen) = (CheckStatus::NotExercised, Evidence::NoChecksums);
                let one = Examined::open(CheckId::Checksums, &self.core.me, status, seen);
                self.examined.push(one);
            }
            None => {
                let (status, seen) = (CheckStatus::Unknown, Evidence::NotKnown);
                let one = Examined::open(CheckId::Checksums, &self.core.me, status, seen);
                self.examined.push(one);
            }
        }
    }

    fn data_place(&mut self) {
        let astray = host::astray(self.service);
        if astray.is_empty() {
            return self.pass(CheckId::DataPlace, Evidence::Nothing);
        }
        let lead = |why| match why {
            Why::DataLeadsOutside { link: path, to } => Evidence::LeadsTo { path, to },
            why => why.into(),
        };
        let each = astray.into_iter().map(lead).collect();
        self.found(
            FindingCode::DataOutside,
            Severity::Blocking,
            Evidence::Several { each },
        );
    }
}

/// Do the other nodes let the database's port through to here?
fn ports(core: &Core, service: &Service) -> Vec<PortSight> {
    let port = service.database.port;
    let look = |node: &Node| {
        let address = node.addresses.first()?.ip();
        let trouble = port::answers((address, port).into()).err();
        Some(PortSight {
            node: node.name.clone(),
            address,
            port,
            trouble,
        })
    };
    core.config.others(&core.me).filter_map(look).collect()
}

/// The device's size in bytes, without opening it.
fn size_of(device: &Path) -> Option<u64> {
    let number = std::fs::metadata(device).ok()?.rdev();
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    let sectors = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/size")).ok()?;
    // The kernel counts in units of 512 bytes here, whatever the device's own sectors are.
    sectors.trim().parse::<u64>().ok()?.checked_mul(512)
}

fn is_block_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.file_type().is_block_device())
}

fn postgres_version(service: &Service) -> Option<String> {
    let program = service.database.bin_dir.join("postgres");
    let argv = [
        program.to_string_lossy().into_owned(),
        "--version".to_owned(),
    ];
    let result = siaga_node::command::run(&argv, None, Duration::from_secs(5));
    (result.exit == Some(0)).then(|| result.stdout.trim().to_owned())
}

fn uid_of(user: &str) -> Option<u32> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|l| l.split(':').next() == Some(user))?;
    line.split(':').nth(2)?.parse().ok()
}
