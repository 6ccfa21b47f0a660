//! One act of a plan, as a person types it.

use super::argv_line;
use super::commands as cmd;
use super::disk_set::{self, LetGo};
use super::parts::{Place, start_application, stop_application};
use siaga_model::NodeName;
use siaga_model::plan::Action;

impl Place<'_> {
    /// The commands, on `node`. Empty: there is nothing to type.
    pub(crate) fn by_hand(&self, node: &NodeName, action: &Action, let_go: LetGo) -> Vec<String> {
        let db = &self.service.database;
        match action {
            Action::Enlist | Action::Attest { .. } | Action::AcceptOldData { .. } => Vec::new(),
            Action::Checkpoint => vec![cmd::checkpoint(db)],
            Action::StopApplications => self.stop_applications(),
            Action::StopDatabase => vec![cmd::fast_stop(db), self.database_gone()],
            Action::RemoveVirtualIp => {
                let ips = self.service.virtual_ips.iter().rev();
                ips.map(|ip| cmd::remove_address(ip, node)).collect()
            }
            Action::Unmount => {
                let systems = self.service.file_systems.iter().rev();
                systems
                    .map(|fs| format!("umount {}", cmd::quoted_path(&fs.mount_point)))
                    .collect()
            }
            Action::Release => {
                let mut commands = cmd::mounted_nowhere(self.service, node);
                commands.extend(disk_set::release(self.service, node));
                commands
            }
            Action::Fence { victim, device, .. } => self.fence(victim, device),
            Action::Take => {
                let mut commands = disk_set::take(self.config, self.service, node, let_go);
                for device in self.service.devices(node) {
                    commands.push(format!("ls -lL {}", cmd::quoted_path(device)));
                }
                commands.extend(cmd::flush(self.service, node));
                commands
            }
            Action::Mount => {
                let systems = self.service.file_systems.iter();
                let of = |fs| cmd::device_of(self.service, fs, node);
                systems.map(|fs| cmd::mount(fs, &of(fs))).collect()
            }
            Action::AddVirtualIp => self.add_addresses(node),
            Action::StartDatabase => {
                let mut commands = vec![cmd::start_database(self.service)];
                commands.extend(cmd::database_answers(db));
                commands
            }
            Action::StartApplications => self.start_applications(),
            Action::ClientTest => {
                let tests = self.service.client_tests.iter();
                tests.filter_map(|t| self.client_command(&t.kind)).collect()
            }
            Action::AfterMove => {
                let after = self.service.after_move.iter();
                after.map(|a| argv_line(&a.run)).collect()
            }
        }
    }

    fn fence(&self, victim: &NodeName, device: &str) -> Vec<String> {
        let fences = self.config.node(victim).map(|n| n.fences.as_slice());
        let of_name = fences.unwrap_or_default().iter().find(|f| f.name == device);
        let Some(fence) = of_name else {
            return Vec::new();
        };
        let status = cmd::fence(fence, "status").unwrap_or_default();
        let status = status.into_iter().map(|s| format!("{s}; echo $?"));
        let off = cmd::fence(fence, "off").unwrap_or_default();
        off.into_iter().chain(status).collect()
    }

    fn add_addresses(&self, node: &NodeName) -> Vec<String> {
        let mut commands = Vec::new();
        for ip in &self.service.virtual_ips {
            commands.push(cmd::address_free(ip, node));
            commands.push(cmd::add_address(ip, node));
            commands.extend(cmd::announce(ip, node).unwrap_or_default());
        }
        commands
    }

    fn stop_applications(&self) -> Vec<String> {
        let apps = self.service.applications.iter().rev();
        apps.map(stop_application).collect()
    }

    fn start_applications(&self) -> Vec<String> {
        let apps = self.service.applications.iter();
        apps.map(start_application).collect()
    }
}
