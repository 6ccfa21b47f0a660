//! Everything that can be wrong with a configuration, as data. `text` says each of them in both languages.

use std::net::IpAddr;
use std::path::PathBuf;
use toml::de::DeValue;

/// What a value is, or should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    Text,
    Number,
    Fraction,
    YesNo,
    Date,
    List,
    Table,
}

impl ValueKind {
    /// The kind of a value in the file.
    pub fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(_) => Self::Text,
            DeValue::Integer(_) => Self::Number,
            DeValue::Float(_) => Self::Fraction,
            DeValue::Boolean(_) => Self::YesNo,
            DeValue::Datetime(_) => Self::Date,
            DeValue::Array(_) => Self::List,
            DeValue::Table(_) => Self::Table,
        }
    }
}

/// What has a name or a number of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Thing {
    Node,
    Service,
    Person,
    Login,
    Fence,
    Application,
    ClientTest,
    AfterMove,
    HardwareAddress,
    Device,
    /// A PostgreSQL port in one socket directory.
    Port,
    /// A department of the hospital.
    Unit,
    /// A systemd unit of a database or an application.
    SystemdUnit,
    Contact,
    Channel,
    OnCall,
}

/// Who has an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    Node(String),
    /// Of that service.
    VirtualIp(String),
    /// A fence device, on its node.
    Fence(String),
}

/// What a channel needs as an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContactKind {
    Mail,
    /// A chat's number, or a public channel's `@name`.
    Chat,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    // --- the file
    Unreadable {
        why: String,
    },
    TooLarge {
        limit: usize,
    },
    NotText,
    Syntax {
        message: String,
    },
    // --- its shape
    UnknownKey {
        name: String,
        suggestion: Option<String>,
        known: Vec<String>,
    },
    MissingKey {
        name: String,
    },
    /// A key that does not go with another one.
    NotWith {
        name: String,
        other: String,
    },
    WrongType {
        expected: ValueKind,
        found: ValueKind,
    },
    BadChoice {
        found: String,
        suggestion: Option<String>,
        choices: Vec<String>,
    },
    // --- single values
    EmptyText,
    EmptyList,
    /// An outlet of a fence that differs in nothing from the fence itself, or from another of its outlets.
    OutletLikeAnother,
    BadName {
        found: String,
    },
    BadDuration {
        found: String,
    },
    ZeroDuration,
    LongDuration {
        found: String,
        most_h: u64,
    },
    BadPercent {
        found: String,
    },
    BadCount {
        found: String,
    },
    BadDay {
        found: String,
    },
    BadAddress {
        found: String,
    },
    BadEndpoint {
        found: String,
    },
    BadPort {
        found: String,
    },
    BadNetwork {
        found: String,
    },
    UnusableAddress {
        address: IpAddr,
    },
    NotAbsolute {
        found: String,
    },
    BadHardwareAddress {
        found: String,
    },
    BadInterface {
        found: String,
    },
    BadTimeZone {
        found: String,
        suggestion: Option<String>,
    },
    BadUrl {
        found: String,
    },
    BadUnit {
        found: String,
    },
    BadMountOption {
        found: String,
    },
    /// Braces in an argument that is no placeholder as a whole.
    BadPlaceholder {
        found: String,
    },
    BadVolumeGroup {
        found: String,
    },
    BadResource {
        found: String,
    },
    BadMountPoint {
        path: PathBuf,
    },
    BadOption {
        found: String,
    },
    // --- values against each other
    NodeCount {
        found: usize,
    },
    NoService,
    Duplicate {
        thing: Thing,
        name: String,
        line: usize,
    },
    NoSuchNode {
        name: String,
        nodes: Vec<String>,
    },
    MissingForNode {
        node: String,
    },
    EqualAddresses {
        address: IpAddr,
        other: Owner,
        line: usize,
    },
    VirtualIpReachesNode {
        address: IpAddr,
        node: String,
        line: usize,
    },
    OutsideNetwork {
        address: IpAddr,
        network: String,
    },
    /// The names of the nodes have the same 16 bits in reservation keys.
    EqualReservationMarks,
    NoFileSystem,
    /// The first file system is on the disk set's own device.
    FirstFileSystemDevice,
    /// Every further one is on a device of its own.
    FileSystemDevice,
    /// Another disk is not covered by the reservation on the first.
    FileSystemNotReserved,
    /// A device that is no volume of the group, or of the resource: nothing keeps the other node from it.
    FileSystemElsewhere {
        expected: String,
    },
    OverlappingMounts {
        path: PathBuf,
        other: PathBuf,
        line: usize,
    },
    /// The folder of a rehearsal's copy lies in a place that is mounted over, or holds one.
    FolderNotApart {
        path: PathBuf,
        other: PathBuf,
    },
    DataDirOutside {
        path: PathBuf,
        mounts: Vec<PathBuf>,
    },
    FenceWithoutCredentials {
        fence: String,
    },
    InlineSecret {
        name: String,
    },
    ApplicationRun {
        name: String,
    },
    PolicyOrder {
        silence_ms: u128,
        timeout_ms: u128,
    },
    NoSuchChannel {
        name: String,
        channels: Vec<String>,
    },
    NoSuchPerson {
        name: String,
        people: Vec<String>,
    },
    /// The address is none that a channel of this kind can use.
    BadContact {
        found: String,
        kind: ContactKind,
    },
    /// Nothing says how to tell that person anything.
    NoWayToTell {
        name: String,
    },
    /// The page without TLS is for a reverse proxy on this machine.
    ListensOpenly {
        address: String,
    },
    /// An alert that waits for a person to send it alerts nobody.
    AlertByHand {
        channel: String,
    },
    /// A password would cross the network in the clear.
    PasswordInClear {
        server: String,
    },
    /// A web address without TLS that is not on this machine.
    UrlInClear {
        found: String,
    },
    // --- this host
    TemplateDir {
        path: PathBuf,
        why: String,
    },
    NoSuchUser {
        user: String,
    },
    SecretMissing {
        path: PathBuf,
    },
    SecretReadable {
        path: PathBuf,
        mode: u32,
        owner: u32,
    },
    NoSuchInterface {
        name: String,
        have: Vec<String>,
    },
    OutsideInterface {
        address: IpAddr,
        interface: String,
        networks: Vec<String>,
    },
}

impl Cause {
    /// A stable code. It never changes its meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Cause::Unreadable { .. } => "UNREADABLE",
            Cause::TooLarge { .. } => "TOO_LARGE",
            Cause::NotText => "NOT_TEXT",
            Cause::Syntax { .. } => "SYNTAX",
            Cause::UnknownKey { .. } => "UNKNOWN_KEY",
            Cause::MissingKey { .. } => "MISSING_KEY",
            Cause::NotWith { .. } => "NOT_TOGETHER",
            Cause::WrongType { .. } => "WRONG_TYPE",
            Cause::BadChoice { .. } => "BAD_CHOICE",
            Cause::EmptyText => "EMPTY_TEXT",
            Cause::EmptyList => "EMPTY_LIST",
            Cause::OutletLikeAnother => "OUTLET_LIKE_ANOTHER",
            Cause::BadName { .. } => "BAD_NAME",
            Cause::BadDuration { .. } => "BAD_DURATION",
            Cause::ZeroDuration => "ZERO_DURATION",
            Cause::LongDuration { .. } => "LONG_DURATION",
            Cause::BadPercent { .. } => "BAD_PERCENT",
            Cause::BadCount { .. } => "BAD_COUNT",
            Cause::BadDay { .. } => "BAD_DAY",
            Cause::BadAddress { .. } => "BAD_ADDRESS",
            Cause::BadEndpoint { .. } => "BAD_ENDPOINT",
            Cause::BadPort { .. } => "BAD_PORT",
            Cause::BadNetwork { .. } => "BAD_NETWORK",
            Cause::UnusableAddress { .. } => "UNUSABLE_ADDRESS",
            Cause::NotAbsolute { .. } => "NOT_ABSOLUTE",
            Cause::BadHardwareAddress { .. } => "BAD_HARDWARE_ADDRESS",
            Cause::BadInterface { .. } => "BAD_INTERFACE",
            Cause::BadTimeZone { .. } => "BAD_TIME_ZONE",
            Cause::BadUrl { .. } => "BAD_URL",
            Cause::BadUnit { .. } => "BAD_UNIT",
            Cause::BadMountOption { .. } => "BAD_MOUNT_OPTION",
            Cause::BadResource { .. } => "BAD_RESOURCE",
            Cause::BadVolumeGroup { .. } => "BAD_VOLUME_GROUP",
            Cause::EqualReservationMarks => "EQUAL_RESERVATION_MARKS",
            Cause::BadPlaceholder { .. } => "BAD_PLACEHOLDER",
            Cause::BadMountPoint { .. } => "BAD_MOUNT_POINT",
            Cause::BadOption { .. } => "BAD_OPTION",
            Cause::NodeCount { .. } => "NODE_COUNT",
            Cause::NoService => "NO_SERVICE",
            Cause::Duplicate { .. } => "DUPLICATE",
            Cause::NoSuchNode { .. } => "NO_SUCH_NODE",
            Cause::MissingForNode { .. } => "MISSING_FOR_NODE",
            Cause::EqualAddresses { .. } => "EQUAL_ADDRESSES",
            Cause::VirtualIpReachesNode { .. } => "VIRTUAL_IP_REACHES_NODE",
            Cause::OutsideNetwork { .. } => "OUTSIDE_NETWORK",
            Cause::NoFileSystem => "NO_FILE_SYSTEM",
            Cause::FirstFileSystemDevice => "FIRST_FILE_SYSTEM_DEVICE",
            Cause::FileSystemDevice => "FILE_SYSTEM_DEVICE",
            Cause::FileSystemNotReserved => "FILE_SYSTEM_NOT_RESERVED",
            Cause::FileSystemElsewhere { .. } => "FILE_SYSTEM_ELSEWHERE",
            Cause::OverlappingMounts { .. } => "OVERLAPPING_MOUNTS",
            Cause::FolderNotApart { .. } => "FOLDER_NOT_APART",
            Cause::DataDirOutside { .. } => "DATA_DIR_OUTSIDE",
            Cause::FenceWithoutCredentials { .. } => "FENCE_WITHOUT_CREDENTIALS",
            Cause::InlineSecret { .. } => "INLINE_SECRET",
            Cause::ApplicationRun { .. } => "APPLICATION_RUN",
            Cause::PolicyOrder { .. } => "POLICY_ORDER",
            Cause::NoSuchChannel { .. } => "NO_SUCH_CHANNEL",
            Cause::NoSuchPerson { .. } => "NO_SUCH_PERSON",
            Cause::BadContact { .. } => "BAD_CONTACT",
            Cause::NoWayToTell { .. } => "NO_WAY_TO_TELL",
            Cause::ListensOpenly { .. } => "LISTENS_OPENLY",
            Cause::AlertByHand { .. } => "ALERT_BY_HAND",
            Cause::PasswordInClear { .. } => "PASSWORD_IN_CLEAR",
            Cause::UrlInClear { .. } => "URL_IN_CLEAR",
            Cause::TemplateDir { .. } => "TEMPLATE_DIR",
            Cause::NoSuchUser { .. } => "NO_SUCH_USER",
            Cause::SecretMissing { .. } => "SECRET_MISSING",
            Cause::SecretReadable { .. } => "SECRET_READABLE",
            Cause::NoSuchInterface { .. } => "NO_SUCH_INTERFACE",
            Cause::OutsideInterface { .. } => "OUTSIDE_INTERFACE",
        }
    }
}
