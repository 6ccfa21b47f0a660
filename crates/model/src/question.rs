//! What is asked to write a site's first configuration.

use serde::{Deserialize, Serialize};

macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident = $key:literal),+ $(,)?) => {
        /// One question. Its key is stable: a file of answers uses it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Question { $($(#[$doc])* $name),+ }

        impl Question {
            /// All of them, in the order in which they are asked.
            pub const ALL: &[Question] = &[$(Question::$name),+];

            /// Its name in a file of answers.
            pub fn key(self) -> &'static str {
                match self { $(Question::$name => $key),+ }
            }
        }
    };
}

questions! {
    /// `en` or `id`.
    Language = "language",
    SiteName = "site_name",
    TimeZone = "time_zone",
    /// The accounts of who may act and attest, with commas between.
    Operators = "operators",
    ThisNode = "this_node",
    /// Several with commas between.
    ThisAddresses = "this_addresses",
    ThisHardware = "this_hardware",
    OtherNode = "other_node",
    OtherAddresses = "other_addresses",
    OtherHardware = "other_hardware",
    Service = "service",
    PreferredNode = "preferred_node",
    DataDir = "data_dir",
    BinDir = "bin_dir",
    /// Outside the data directory.
    ConfigFile = "config_file",
    /// The systemd unit.
    Unit = "unit",
    Port = "port",
    OsUser = "os_user",
    SocketDir = "socket_dir",
    /// The database's role of the local check.
    CheckUser = "check_user",
    MountPoint = "mount_point",
    FileSystem = "file_system",
    MountOptions = "mount_options",
    /// `block`, `scsi`, `lvm` or `drbd`.
    Driver = "driver",
    VolumeGroup = "volume_group",
    /// The disk with reservations below a volume group.
    ReservedDisk = "reserved_disk",
    /// The DRBD resource below a volume group.
    ReplicaBelow = "replica_below",
    Resource = "resource",
    Device = "device",
    OtherDevice = "other_device",
    /// File systems for WAL and table spaces, with commas between: device, mount point, kind, and options with spaces between.
    FurtherFileSystems = "further_file_systems",
    VirtualIp = "virtual_ip",
    Interface = "interface",
    OtherInterface = "other_interface",
    /// The address of the management processor.
    ThisFence = "this_fence",
    ThisFenceUser = "this_fence_user",
    ThisFenceSecret = "this_fence_secret",
    OtherFence = "other_fence",
    OtherFenceUser = "other_fence_user",
    OtherFenceSecret = "other_fence_secret",
}

impl Question {
    /// The question with that key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|q| q.key() == key)
    }

    /// May it be left without an answer?
    pub fn optional(self) -> bool {
        match self {
            Question::Language
            | Question::Operators
            | Question::PreferredNode
            | Question::ConfigFile
            | Question::Unit
            | Question::Port
            | Question::OsUser
            | Question::SocketDir
            | Question::CheckUser
            | Question::MountOptions
            | Question::Driver
            | Question::ReservedDisk
            | Question::ReplicaBelow
            | Question::OtherDevice
            | Question::FurtherFileSystems
            | Question::OtherInterface
            | Question::ThisFence
            | Question::OtherFence => true,
            Question::SiteName
            | Question::TimeZone
            | Question::ThisNode
            | Question::ThisAddresses
            | Question::ThisHardware
            | Question::OtherNode
            | Question::OtherAddresses
            | Question::OtherHardware
            | Question::Service
            | Question::DataDir
            | Question::BinDir
            | Question::MountPoint
            | Question::FileSystem
            | Question::VolumeGroup
            | Question::Resource
            | Question::Device
            | Question::VirtualIp
            | Question::Interface
            | Question::ThisFenceUser
            | Question::ThisFenceSecret
            | Question::OtherFenceUser
            | Question::OtherFenceSecret => false,
        }
    }
}
