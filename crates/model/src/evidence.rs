//! What was seen where something was found or looked at.

use crate::ids::NodeName;
use crate::why::{Holder, Why};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// What was seen: of a finding, a layer of the diagnosis, a client test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "see")]
#[rustfmt::skip] // a table: one a line
pub enum Evidence {
    /// Nothing more than the finding itself says.
    Nothing,
    Because { why: Why },
    Several { each: Vec<Evidence> },
    /// A name that stands for itself: a path, a device, an address.
    Thing { name: String },
    // --- findings
    DeviceMissing { device: PathBuf },
    NoDeviceConfigured,
    PathMissing { path: PathBuf },
    InterfaceDown { interface: String },
    ProgramDoesNotRun { program: PathBuf },
    AskedFrom { device: String, node: NodeName, why: Why },
    ConfigFilesDiffer,
    Versions { one: NodeName, one_has: Option<String>, other: NodeName, other_has: Option<String> },
    UserIdsDiffer,
    Sizes { one: NodeName, one_bytes: u64, other: NodeName, other_bytes: u64 },
    ClocksApart { ms: u64 },
    /// Of a certificate: a clock is wrong.
    NotYetValid,
    DaysLeft { days: i64 },
    AnswersAt { address: IpAddr, hardware: String, interface: Option<String> },
    TornRow { bytes: u64 },
    DamagedFile { file: PathBuf, said: String },
    /// Another node took the disk set with a proof about this one; what was done here then.
    DeclaredGone { mandate: u64, cleaned: Vec<Cleaned> },
    // --- layers
    PowerOn,
    PowerOff,
    NotKnown,
    Answers,
    Silent,
    Free,
    Held { by: Vec<Holder> },
    SpaceFree { path: PathBuf, mebibytes: u64 },
    MountedAndReadable,
    NoKernelTrouble,
    NoShutdownInLog,
    ProcessRuns,
    ProcessStarts,
    ProcessesThere,
    NoProcess,
    WriteCommitted,
    Percent { percent: u8 },
    ProbeReport { probe: String, age_ms: u64 },
    // --- client tests
    Connected,
    OnlyHttp { url: String },
    ProbeServed { probe: String, age_ms: u64 },
    ProbeNotServed { probe: String, age_ms: u64 },
    NoProbeReports,
    NewestReportOld { probe: String, age_ms: u64 },
    NoAddress { host: String },
    NotHttp { host: String },
    /// In the words of the system: a line of a log, an answer, or what another version wrote.
    #[serde(untagged)]
    System(String),
}

/// What a node did to let go where it had been declared gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cleaned")]
pub enum Cleaned {
    AddressRemoved { trouble: Option<Why> },
    ApplicationsStopped { trouble: Option<Why> },
    DatabaseStopped { trouble: Option<Why> },
    Unmounted { trouble: Option<Why> },
    LogUnwritten { why: Why },
}

impl Evidence {
    /// True where nothing is to be shown.
    pub fn is_nothing(&self) -> bool {
        match self {
            Evidence::Nothing => true,
            Evidence::System(said) => said.trim().is_empty(),
            Evidence::Several { each } => each.iter().all(Evidence::is_nothing),
            _ => false,
        }
    }
    /// The name of a thing.
    pub fn thing(name: impl ToString) -> Self {
        Evidence::Thing {
            name: name.to_string(),
        }
    }
}

impl From<Why> for Evidence {
    fn from(why: Why) -> Self {
        Evidence::Because { why }
    }
}

/// Words that came from outside of Siaga.
impl From<String> for Evidence {
    fn from(said: String) -> Self {
        Evidence::System(said)
    }
}

/// Words that came from outside of Siaga.
impl From<&str> for Evidence {
    fn from(said: &str) -> Self {
        Evidence::System(said.to_owned())
    }
}
