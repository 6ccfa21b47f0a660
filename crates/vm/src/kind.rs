//! What the database lies on.

use crate::machine::Role;

/// A kind of disk set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A LUN that both servers see.
    Block,
    /// The same, with reservations.
    Scsi,
    /// The same, by two paths: a multipath map with reservations.
    Multipath,
    /// A volume group on a LUN with reservations.
    Lvm,
    /// No SAN: the servers' own second disks, replicated.
    Drbd,
    /// A volume group on such a pair.
    LvmOnDrbd,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Scsi => "scsi",
            Kind::Multipath => "multipath",
            Kind::Lvm => "lvm",
            Kind::Drbd => "drbd",
            Kind::LvmOnDrbd => "lvm-on-drbd",
        }
    }

    /// The disk that a machine has besides its own. Without a SAN the third machine is the clients' alone.
    pub(crate) fn second_disk(self, role: Role) -> Option<&'static str> {
        match (self, role) {
            (Kind::Block | Kind::Scsi | Kind::Multipath | Kind::Lvm, Role::San) => {
                Some("lun.qcow2")
            }
            (Kind::Drbd | Kind::LvmOnDrbd, Role::Serverdb) => Some("serverdb-data.qcow2"),
            (Kind::Drbd | Kind::LvmOnDrbd, Role::Backup) => Some("backup-data.qcow2"),
            (
                Kind::Block | Kind::Scsi | Kind::Multipath | Kind::Lvm,
                Role::Serverdb | Role::Backup,
            )
            | (Kind::Drbd | Kind::LvmOnDrbd, Role::San) => None,
        }
    }

    /// All of them.
    pub(crate) fn data_disks(self) -> &'static [&'static str] {
        match self {
            Kind::Block | Kind::Scsi | Kind::Multipath | Kind::Lvm => &["lun.qcow2"],
            Kind::Drbd | Kind::LvmOnDrbd => &["serverdb-data.qcow2", "backup-data.qcow2"],
        }
    }

    /// Does the data come there by `siaga migrate`? Else by hand.
    pub(crate) fn migrates(self) -> bool {
        self == Kind::LvmOnDrbd
    }

    /// Where the data is then: `siaga migrate` names the folder after version and cluster.
    pub(crate) fn data_dir(self) -> &'static str {
        match self.migrates() {
            true => "/srv/simrs/15/main",
            false => "/srv/simrs/postgresql/15/main",
        }
    }
}
