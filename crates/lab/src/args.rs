//! The command line of `siaga lab`.

use crate::machine::Machine;
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;

/// `siaga lab …`: two nodes, a client and a shared disk set on this one machine.
#[derive(Args, Debug, Clone)]
pub struct LabArgs {
    #[command(subcommand)]
    pub verb: Verb,
}

/// Which lab is meant.
#[derive(Args, Debug, Clone)]
pub struct Which {
    /// The lab's name; labs with different names run side by side.
    #[arg(long, default_value = "lab", value_name = "NAME")]
    pub name: String,
    /// The lab's directory; default: where `up` put it, /var/tmp/siaga-lab-NAME.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// A lab and one of its machines.
#[derive(Args, Debug, Clone)]
pub struct OnMachine {
    /// serverdb or backup (or client, where that makes sense).
    #[arg(value_name = "NODE")]
    pub machine: Machine,
    #[command(flatten)]
    pub which: Which,
}

#[derive(Subcommand, Debug, Clone)]
pub enum Verb {
    /// Build the lab and start it: serverdb, backup, a client, a shared disk with a PostgreSQL on it.
    Up(UpArgs),
    /// Remove the lab and everything it made, whatever state it is in.
    Down(Which),
    /// Show the machines, their addresses and their state.
    Status(StatusArgs),
    /// Run a command inside a machine, with its namespaces: its streams and exit code are passed on.
    Exec(ExecArgs),
    /// Cut a node's power: what was not synced is gone.
    CutPower(CutPowerArgs),
    /// Give a node its power back: it boots.
    PowerOn(OnMachine),
    /// Stop a node as if the machine paused: its processes and its links.
    Freeze(OnMachine),
    /// Let a frozen node go on.
    Thaw(OnMachine),
    /// Cut node from node, on every path; clients still reach both.
    Partition(Which),
    /// Undo `partition`.
    Heal(Which),
    /// Cut a node's way to the shared disk.
    CutDisk(OnMachine),
    /// Undo `cut-disk`.
    RestoreDisk(OnMachine),
    /// Write rows through the virtual address, keep what was acknowledged, and check that none is lost.
    Load(LoadArgs),
    /// Stop a machine's agent (the probe on the client) until `start-agent` or the next power-on.
    StopAgent(OnMachine),
    /// Start a machine's agent (the probe on the client).
    StartAgent(OnMachine),
    /// Kill a node's agent now, or at a step: it is started again at once.
    CrashAgent(CrashArgs),
    /// The first process of a machine.
    #[command(name = "__init", hide = true)]
    Init(BootArgs),
    /// Makes the namespaces of a machine and starts its first process.
    #[command(name = "__boot", hide = true)]
    Boot(BootArgs),
    /// Makes the database, in namespaces of its own.
    #[command(name = "__prepare", hide = true)]
    Prepare(HiddenDir),
    /// The first process of the namespaces in which the database is made.
    #[command(name = "__prepare-inside", hide = true)]
    PrepareInside(HiddenDir),
    /// The fence devices.
    #[command(name = "__controller", hide = true)]
    Controller(HiddenDir),
    /// The load client, inside the client's namespaces.
    #[command(name = "__load", hide = true)]
    LoadInside(LoadInsideArgs),
}

/// Options of `lab up`.
#[derive(Args, Debug, Clone)]
pub struct UpArgs {
    #[command(flatten)]
    pub which: Which,
    /// Size of the shared disk.
    #[arg(long, default_value = "1G", value_name = "SIZE", value_parser = parse_size)]
    pub size: u64,
    /// The shared disk's sector size in bytes.
    #[arg(long, default_value = "512", value_name = "BYTES", value_parser = parse_sector)]
    pub sector_size: u32,
    /// The file system on the shared disk.
    #[arg(long, value_enum, default_value_t = FsKind::Ext4)]
    pub fs: FsKind,
    /// Make the ext4 with multiple-mount protection.
    #[arg(long)]
    pub mmp: bool,
    /// Rows: pgbench's scale factor (100 000 rows each).
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub scale: u32,
    /// The fence devices that the nodes are configured with.
    #[arg(long, value_enum, default_value_t = FenceSet::Power)]
    pub fence: FenceSet,
    /// The language of the site in the lab.
    #[arg(long, value_enum, default_value_t = SiteLanguage::En)]
    pub language: SiteLanguage,
    /// Add this file's text to the nodes' siaga.toml: units, channels, rules.
    #[arg(long, value_name = "FILE")]
    pub append: Option<PathBuf>,
    /// Print what `lab status --json` prints.
    #[arg(long)]
    pub json: bool,
    /// Build the lab but start no agents.
    #[arg(long, hide = true)]
    pub no_agents: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FsKind {
    Ext4,
    Xfs,
}

impl FsKind {
    /// The kernel's name of the file system.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceSet {
    Power,
    Fabric,
    Both,
    None,
}

impl FenceSet {
    /// Whether the nodes have a device of this kind.
    pub fn has(self, kind: crate::fence::FenceDevice) -> bool {
        use crate::fence::FenceDevice;
        match (self, kind) {
            (Self::Both, _) => true,
            (Self::Power, FenceDevice::Power) | (Self::Fabric, FenceDevice::Fabric) => true,
            (Self::Power, FenceDevice::Fabric)
            | (Self::Fabric, FenceDevice::Power)
            | (Self::None, _) => false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteLanguage {
    En,
    Id,
}

#[derive(Args, Debug, Clone)]
pub struct StatusArgs {
    #[command(flatten)]
    pub which: Which,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug, Clone)]
pub struct ExecArgs {
    #[command(flatten)]
    pub on: OnMachine,
    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

#[derive(Args, Debug, Clone)]
pub struct CutPowerArgs {
    #[command(flatten)]
    pub on: OnMachine,
    /// The node's fence devices lose their power with it, until `power-on`.
    #[arg(long)]
    pub with_fence: bool,
}

#[derive(Args, Debug, Clone)]
pub struct LoadArgs {
    #[command(flatten)]
    pub which: Which,
    /// How long to write.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug, Clone)]
pub struct LoadInsideArgs {
    #[arg(long)]
    pub dsn: String,
    #[arg(long)]
    pub seconds: u64,
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug, Clone)]
pub struct CrashArgs {
    #[command(flatten)]
    pub on: OnMachine,
    /// Not now but at a step: before:ACTION, in:ACTION, after:ACTION; or pause:ACTION, which stops it there.
    #[arg(long, value_name = "POINT")]
    pub at: Option<String>,
}

#[derive(Args, Debug, Clone)]
pub struct BootArgs {
    pub machine: Machine,
    #[arg(long)]
    pub dir: PathBuf,
    /// Do not start the agent at boot.
    #[arg(long)]
    pub hold_agent: bool,
}

#[derive(Args, Debug, Clone)]
pub struct HiddenDir {
    #[arg(long)]
    pub dir: PathBuf,
}

/// `512M`, `1G`, `1073741824`: bytes, a multiple of 4096.
fn parse_size(text: &str) -> std::result::Result<u64, String> {
    let bad = || format!("{text:?} is no size: write 512M or 1G");
    let (digits, unit) = match text.trim().char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        Some(_) => (text, 1),
        None => return Err(bad()),
    };
    let number: u64 = digits.trim().parse().map_err(|_| bad())?;
    let bytes = number.checked_mul(unit).ok_or_else(bad)?;
    if bytes % 4096 != 0 {
        return Err(format!("{text:?} is no multiple of 4096 bytes"));
    }
    Ok(bytes)
}

fn parse_sector(text: &str) -> std::result::Result<u32, String> {
    match text.parse() {
        Ok(bytes @ (512 | 1024 | 2048 | 4096)) => Ok(bytes),
        _ => Err(format!(
            "{text:?} is no sector size: 512, 1024, 2048 or 4096"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(parse_size("1G"), Ok(1 << 30));
        assert_eq!(parse_size("512M"), Ok(512 << 20));
        assert_eq!(parse_size("8192"), Ok(8192));
        for bad in ["", "G", "-1G", "1T", "4097", "99999999999999G"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_real_sector_sizes() {
        assert_eq!(parse_sector("4096"), Ok(4096));
        assert!(parse_sector("513").is_err());
        assert!(parse_sector("0").is_err());
    }
}
