//! The parts of the procedure. The order of the steps is that of the planner: what is taken last is let go first.

use super::commands as cmd;
use super::disk_set::{self, LetGo};
use super::{Letters, argv_line, unit_table};
use crate::document::{Block, Step};
use siaga_model::NodeName;
use siaga_model::config::{
    Application, ApplicationRun, ClientTestKind, Config, FenceKind, Service,
};
use siaga_words::{Procedure, Voice, procedure};

/// One service at one site.
pub(crate) struct Place<'a> {
    pub config: &'a Config,
    pub service: &'a Service,
    pub voice: &'a Voice,
}

/// Steps that get their numbers.
struct Numbered<'a> {
    letter: String,
    voice: &'a Voice,
    steps: Vec<Step>,
}

impl<'a> Numbered<'a> {
    fn begin(voice: &'a Voice, letters: &mut Letters) -> Self {
        Self {
            letter: letters.next(),
            voice,
            steps: Vec::new(),
        }
    }

    fn add(&mut self, text: Procedure, commands: impl IntoIterator<Item = String>) {
        self.steps.push(Step {
            number: format!("{}.{}", self.letter, self.steps.len() + 1),
            text: procedure(self.voice, &text),
            commands: commands.into_iter().collect(),
        });
    }

    fn say(&mut self, text: Procedure) {
        self.add(text, []);
    }

    /// The part, with what stands before its steps.
    fn part(self, title: Procedure, before: Vec<Block>) -> Vec<Block> {
        let title = procedure(self.voice, &title);
        let mut blocks = vec![Block::Heading(format!("{}. {title}", self.letter))];
        blocks.extend(before);
        blocks.push(Block::Steps(self.steps));
        blocks
    }
}

pub(crate) fn inform(config: &Config, voice: &Voice, letters: &mut Letters) -> Vec<Block> {
    let mut steps = Numbered::begin(voice, letters);
    let minutes = config.policy.rto.as_secs().div_ceil(60);
    steps.say(Procedure::InformUnits { minutes });
    steps.say(Procedure::InformNext);
    let mut blocks = steps.part(Procedure::PartInform, Vec::new());
    blocks.extend(unit_table(config, voice));
    blocks
}

impl Place<'_> {
    fn warning(&self, text: Procedure) -> Block {
        Block::Warning(procedure(self.voice, &text))
    }

    pub(crate) fn database_gone(&self) -> String {
        let alone = self.config.services.len() == 1;
        cmd::database_gone(&self.service.database, alone)
    }

    pub fn check(&self, home: &NodeName, target: &NodeName, letters: &mut Letters) -> Vec<Block> {
        let mut steps = Numbered::begin(self.voice, letters);
        steps.add(Procedure::CheckFromClient, self.client_commands());
        steps.add(Procedure::CheckLogin { node: home }, self.pings(home));
        steps.add(
            Procedure::CheckCause { node: home },
            ["uptime; df -h; dmesg | tail -50".to_owned()],
        );
        steps.add(
            Procedure::CheckRestartHere { node: home },
            [cmd::start_database(self.service)],
        );
        steps.add(
            Procedure::CheckPeerOffersNothing { target },
            self.holds_nothing(target),
        );
        steps.part(Procedure::PartCheck, Vec::new())
    }

    fn pings(&self, node: &NodeName) -> Vec<String> {
        let addresses = self.config.node(node).map(|n| n.addresses.clone());
        addresses
            .unwrap_or_default()
            .into_iter()
            .map(|a| format!("ping -c 3 {}", a.ip()))
            .collect()
    }

    /// What must print nothing on a node that holds nothing of the service.
    fn holds_nothing(&self, node: &NodeName) -> Vec<String> {
        let mut commands = vec![self.database_gone()];
        for ip in &self.service.virtual_ips {
            commands.push(format!("ip addr show to {}", cmd::with_prefix(ip)));
        }
        commands.extend(cmd::mounted_nowhere(self.service, node));
        commands
    }

    pub fn make_safe(&self, victim: &NodeName, letters: &mut Letters) -> Vec<Block> {
        let mut steps = Numbered::begin(self.voice, letters);
        let fences = self.config.node(victim).map(|n| n.fences.clone());
        for fence in fences.unwrap_or_default() {
            let (device, power) = (fence.name.as_str(), fence.kind == FenceKind::Power);
            match (cmd::fence(&fence, "off"), cmd::fence(&fence, "status")) {
                (Some(off), Some(status)) => {
                    steps.add(Procedure::FenceBy { device, power }, off);
                    let status = status.into_iter().map(|s| format!("{s}; echo $?"));
                    steps.add(Procedure::FenceConfirm { device }, status);
                }
                _ => steps.say(Procedure::FenceUnquotable),
            }
        }
        steps.say(Procedure::GoThere { victim });
        steps.say(Procedure::SafeSigned { victim });
        steps.say(Procedure::StaysOff { victim });
        let before = vec![
            self.warning(Procedure::NeverSkip { victim }),
            self.warning(Procedure::CannotMakeSafe { victim }),
        ];
        steps.part(Procedure::PartMakeSafe { victim }, before)
    }

    pub fn takeover(
        &self,
        from: &NodeName,
        target: &NodeName,
        letters: &mut Letters,
    ) -> Vec<Block> {
        let mut steps = Numbered::begin(self.voice, letters);
        self.take(&mut steps, from, target, LetGo::MadeSafe);
        steps.say(Procedure::AllClear);
        steps.say(Procedure::InformBack);
        let service = self.service.name.as_str();
        steps.part(Procedure::PartTakeover { service, target }, Vec::new())
    }

    pub fn failback(
        &self,
        from: &NodeName,
        target: &NodeName,
        letters: &mut Letters,
    ) -> Vec<Block> {
        let mut steps = Numbered::begin(self.voice, letters);
        steps.say(Procedure::FailbackAsked);
        steps.say(Procedure::FailbackRepaired { target });
        steps.add(
            Procedure::HoldsNothing { target },
            self.holds_nothing(target),
        );
        steps.say(Procedure::InformUnitsPlanned);
        self.release(&mut steps, from);
        self.take(&mut steps, from, target, LetGo::ByItself);
        steps.say(Procedure::AllClear);
        steps.say(Procedure::InformBack);
        let service = self.service.name.as_str();
        steps.part(Procedure::PartFailback { service, target }, Vec::new())
    }

    pub fn drill(&self, home: &NodeName, other: &NodeName, letters: &mut Letters) -> Vec<Block> {
        let mut steps = Numbered::begin(self.voice, letters);
        steps.say(Procedure::DrillPermission);
        steps.add(
            Procedure::HoldsNothing { target: other },
            self.holds_nothing(other),
        );
        steps.say(Procedure::InformUnitsPlanned);
        for (from, to) in [(home, other), (other, home)] {
            self.release(&mut steps, from);
            self.take(&mut steps, from, to, LetGo::ByItself);
            steps.say(Procedure::DrillStation { node: to });
        }
        steps.say(Procedure::InformBack);
        let service = self.service.name.as_str();
        let before = vec![self.warning(Procedure::DrillAbort)];
        steps.part(Procedure::PartDrill { service }, before)
    }

    /// Applications, database, address, unmount, release.
    fn release(&self, steps: &mut Numbered, node: &NodeName) {
        let db = &self.service.database;
        steps.add(Procedure::LoginRoot { node }, ["hostname".to_owned()]);
        for app in self.service.applications.iter().rev() {
            let stop = stop_application(app);
            steps.add(Procedure::StopApplication { name: &app.name }, [stop]);
        }
        let stop = match &db.unit {
            Some(unit) => Procedure::StopDatabaseUnit { unit },
            None => Procedure::StopDatabase { user: &db.os_user },
        };
        steps.add(stop, [cmd::fast_stop(db)]);
        let immediate = cmd::stop_database(db, "immediate", db.stop_immediate.as_secs().max(1));
        steps.add(Procedure::StopDatabaseSlow, [immediate]);
        steps.add(Procedure::DatabaseGone, [self.database_gone()]);
        for ip in self.service.virtual_ips.iter().rev() {
            let address = ip.address.to_string();
            let remove = cmd::remove_address(ip, node);
            steps.add(Procedure::RemoveAddress { address: &address }, [remove]);
        }
        for fs in self.service.file_systems.iter().rev() {
            let shown = fs.mount_point.display().to_string();
            let place = cmd::quoted_path(&fs.mount_point);
            let unmount = [format!("umount {place}")];
            steps.add(
                Procedure::Unmount {
                    mount_point: &shown,
                },
                unmount,
            );
            steps.add(Procedure::UnmountBusy, [format!("fuser -vm {place}")]);
        }
        let nowhere = cmd::mounted_nowhere(self.service, node);
        steps.add(Procedure::NothingMounted, nowhere);
        let commands = disk_set::release(self.service, node);
        if !commands.is_empty() {
            steps.add(Procedure::ReleaseDiskSet, commands);
        }
        steps.say(Procedure::Released { node });
    }

    /// Take, mount, address, database, applications, client tests.
    fn take(&self, steps: &mut Numbered, other: &NodeName, node: &NodeName, let_go: LetGo) {
        steps.add(Procedure::LoginRoot { node }, ["hostname".to_owned()]);
        steps.say(Procedure::OtherLetGo { other });
        let commands = disk_set::take(self.config, self.service, node, let_go);
        if !commands.is_empty() {
            steps.add(Procedure::TakeDiskSet, commands);
        }
        self.take_disk(steps, node);
        for ip in &self.service.virtual_ips {
            let address = ip.address.to_string();
            let address = address.as_str();
            steps.add(
                Procedure::AddressFree { address },
                [cmd::address_free(ip, node)],
            );
            steps.add(
                Procedure::AddAddress { address },
                [cmd::add_address(ip, node)],
            );
            if let Some(announce) = cmd::announce(ip, node) {
                steps.add(Procedure::Announce { address }, announce);
            }
        }
        let db = &self.service.database;
        let start = match &db.unit {
            Some(unit) => Procedure::StartDatabaseUnit { unit },
            None => Procedure::StartDatabase { user: &db.os_user },
        };
        steps.add(start, [cmd::start_database(self.service)]);
        steps.say(Procedure::StartSlow);
        steps.add(Procedure::DatabaseAnswers, cmd::database_answers(db));
        self.applications_and_tests(steps);
    }

    fn take_disk(&self, steps: &mut Numbered, node: &NodeName) {
        let devices = self.service.devices(node).into_iter();
        let devices: Vec<_> = devices.map(|d| cmd::quoted_path(d)).collect();
        let there = devices
            .iter()
            .flat_map(|d| [format!("ls -lL {d}"), format!("findmnt --source {d}")]);
        steps.add(Procedure::DeviceThere, there);
        steps.add(Procedure::FlushBuffers, cmd::flush(self.service, node));
        for fs in &self.service.file_systems {
            let device = &cmd::device_of(self.service, fs, node);
            let shown = fs.mount_point.display().to_string();
            let commands = [
                cmd::mount(fs, device),
                format!("findmnt {}", cmd::quoted_path(&fs.mount_point)),
            ];
            steps.add(
                Procedure::Mount {
                    mount_point: &shown,
                },
                commands,
            );
        }
        steps.say(Procedure::MountSlow);
    }

    fn applications_and_tests(&self, steps: &mut Numbered) {
        for app in &self.service.applications {
            let start = start_application(app);
            steps.add(Procedure::StartApplication { name: &app.name }, [start]);
            if let Some(test) = &app.test {
                let test = [argv_line(test)];
                steps.add(Procedure::TestApplication { name: &app.name }, test);
            }
        }
        steps.say(Procedure::ClientTests);
        for test in &self.service.client_tests {
            let name = test.name.as_str();
            match self.client_command(&test.kind) {
                Some(command) => steps.add(Procedure::ClientTest { name }, [command]),
                None => steps.say(Procedure::ClientTestProbe { name }),
            }
        }
        for after in &self.service.after_move {
            let command = [argv_line(&after.run)];
            steps.add(Procedure::AfterMove { name: &after.name }, command);
        }
    }

    pub(crate) fn client_command(&self, kind: &ClientTestKind) -> Option<String> {
        match kind {
            ClientTestKind::Probe => None,
            ClientTestKind::Tcp { address } => {
                Some(format!("nc -vz {} {}", address.ip(), address.port()))
            }
            ClientTestKind::Http { url, ca_file } => {
                let trust = ca_file.as_ref().map_or_else(String::new, |path| {
                    format!(" --cacert {}", cmd::quoted_path(path))
                });
                let url = cmd::quoted(url);
                Some(format!(
                    "curl -sS{trust} -o /dev/null -w '%{{http_code}}\\n' {url}"
                ))
            }
            ClientTestKind::Program(argv) => Some(argv_line(argv)),
        }
    }

    fn client_commands(&self) -> Vec<String> {
        let mut commands = Vec::new();
        for ip in &self.service.virtual_ips {
            commands.push(format!("ping -c 3 {}", ip.address));
            let port = self.service.database.port;
            commands.push(format!("pg_isready -h {} -p {port}", ip.address));
        }
        let tests = self.service.client_tests.iter();
        commands.extend(tests.filter_map(|t| self.client_command(&t.kind)));
        commands
    }
}

pub(crate) fn stop_application(app: &Application) -> String {
    match &app.run {
        ApplicationRun::Unit(unit) => format!("systemctl stop {}", cmd::quoted(unit)),
        ApplicationRun::Programs { stop, .. } => argv_line(stop),
    }
}

pub(crate) fn start_application(app: &Application) -> String {
    match &app.run {
        ApplicationRun::Unit(unit) => format!("systemctl start {}", cmd::quoted(unit)),
        ApplicationRun::Programs { start, .. } => argv_line(start),
    }
}
