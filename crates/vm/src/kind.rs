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
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Scsi => "scsi",
            Kind::Multipath => "multipath",
            Kind::Lvm => "lvm",
            Kind::Drbd => "drbd",
        }
    }

    /// The disk that a machine has besides its own. Without a SAN the third machine is the clients' alone.
    pub(crate) fn second_disk(self, role: Role) -> Option<&'static str> {
        match (self, role) {
            (Kind::Block | Kind::Scsi | Kind::Multipath | Kind::Lvm, Role::San) => {
                Some("lun.qcow2")
            }
            (Kind::Drbd, Role::Serverdb) => Some("serverdb-data.qcow2"),
            (Kind::Drbd, Role::Backup) => Some("backup-data.qcow2"),
            (
                Kind::Block | Kind::Scsi | Kind::Multipath | Kind::Lvm,
                Role::Serverdb | Role::Backup,
            )
            | (Kind::Drbd, Role::San) => None,
        }
    }

    /// All of them.
    pub(crate) fn data_disks(self) -> &'static [&'static str] {
        match self {
            Kind::Block | Kind::Scsi | Kind::Multipath | Kind::Lvm => &["lun.qcow2"],
            Kind::Drbd => &["serverdb-data.qcow2", "backup-data.qcow2"],
        }
    }
}
