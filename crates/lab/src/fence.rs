//! The lab's fence devices, as the programs of the fence-agents family: `fence_siaga_power` and `fence_siaga_fabric`
//! read `key=value` lines and exit with 0 (done; for `status`: on), 2 (`status`: off) or 1 (failed).
//!
//! They are links to this program. They run inside a node and reach the controller by its socket.

use crate::error::{Doing, LabError, Result, on};
use crate::machine::Machine;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const PREFIX: &str = "fence_siaga_";
/// How long a device may take to answer a login or a question, where `login_timeout` does not say otherwise.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take to act, where `power_timeout` does not say otherwise: a boot takes a while.
const POWER_TIMEOUT: Duration = Duration::from_secs(40);
/// More input than any fence agent takes.
const INPUT_AT_MOST: u64 = 64 * 1024;

/// A kind of fence device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceDevice {
    /// Switches a node's power.
    Power,
    /// Switches a node's way to the shared disk.
    Fabric,
}

impl FenceDevice {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Power, Self::Fabric];

    /// Its name: `power`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Fabric => "fabric",
        }
    }

    /// The name of its program.
    pub fn program(self) -> String {
        format!("{PREFIX}{}", self.name())
    }
}

/// What can be asked of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceAction {
    On,
    Off,
    Status,
    /// Whether the device itself answers.
    Monitor,
}

/// What a fence program sends to the controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FenceRequest {
    pub device: FenceDevice,
    pub action: FenceAction,
    /// The plug; `monitor` needs none.
    pub node: Option<Machine>,
    pub password: String,
}

/// What the controller answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FenceReply {
    On,
    Off,
    /// `monitor`: the device is there.
    Here,
    Failed(String),
}

/// Call this first in `main`: when the program was started under the name of a fence program, it is one, and this
/// returns its exit code.
pub fn fence_main() -> Option<ExitCode> {
    let own = PathBuf::from(std::env::args_os().next()?);
    let name = own.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    let Some(device) = FenceDevice::ALL
        .into_iter()
        .find(|device| device.name() == name)
    else {
        eprintln!("fence_siaga: there is no device {name:?}");
        return Some(ExitCode::from(1));
    };
    let code = match run(device, &own) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}: {error}", device.program());
            1
        }
    };
    Some(ExitCode::from(code))
}

fn run(device: FenceDevice, own: &Path) -> Result<u8> {
    let mut input = String::new();
    std::io::stdin()
        .take(INPUT_AT_MOST)
        .read_to_string(&mut input)
        .doing(|| "read the options".into())?;
    let options = Options::parse(&input);
    let action = match options.get(&["action", "option"]).unwrap_or("off") {
        "metadata" => {
            print!("{}", metadata(device));
            return Ok(0);
        }
        "on" => FenceAction::On,
        "off" => FenceAction::Off,
        "status" => FenceAction::Status,
        "monitor" => FenceAction::Monitor,
        other => return Err(LabError::Broken(format!("unknown action {other:?}"))),
    };
    let node = match options.get(&["plug", "port"]) {
        Some(name) => Some(Machine::named(name)?.node()?),
        None if action == FenceAction::Monitor => None,
        None => return Err(LabError::Broken("no plug=NODE given".into())),
    };
    let password = options
        .get(&["password", "passwd"])
        .unwrap_or_default()
        .to_owned();
    let reply = ask(
        &socket_of(&options, own),
        &FenceRequest {
            device,
            action,
            node,
            password,
        },
        &options,
    )?;
    answer(action, reply)
}

/// Says what came of it, and with which exit code.
fn answer(action: FenceAction, reply: FenceReply) -> Result<u8> {
    match (action, reply) {
        (_, FenceReply::Failed(why)) => Err(LabError::Broken(why)),
        (FenceAction::Status, FenceReply::On) => {
            println!("Status: ON");
            Ok(0)
        }
        (FenceAction::Status, FenceReply::Off) => {
            println!("Status: OFF");
            Ok(2)
        }
        (FenceAction::Monitor, FenceReply::Here) => Ok(0),
        (FenceAction::On, FenceReply::On) => {
            println!("Success: Powered ON");
            Ok(0)
        }
        (FenceAction::Off, FenceReply::Off) => {
            println!("Success: Powered OFF");
            Ok(0)
        }
        (_, other) => Err(LabError::Broken(format!(
            "the device answered something else: {other:?}"
        ))),
    }
}

/// The device's address is its socket: given as `ip`, as for a real device, or beside the program.
fn socket_of(options: &Options, own: &Path) -> PathBuf {
    let beside = || {
        own.parent()
            .and_then(Path::parent)
            .unwrap_or(Path::new("/"))
            .join("control.sock")
    };
    options
        .get(&["ip", "ipaddr"])
        .map_or_else(beside, PathBuf::from)
}

fn ask(socket: &Path, request: &FenceRequest, options: &Options) -> Result<FenceReply> {
    let (key, patience) = match request.action {
        FenceAction::On | FenceAction::Off => ("power_timeout", POWER_TIMEOUT),
        FenceAction::Status | FenceAction::Monitor => ("login_timeout", LOGIN_TIMEOUT),
    };
    let seconds = options
        .get(&[key])
        .and_then(|text| text.parse().ok())
        .filter(|seconds| *seconds > 0);
    let patience = seconds.map_or(patience, Duration::from_secs);
    let mut stream =
        UnixStream::connect(socket).doing(|| on("connect to the device at", socket))?;
    stream
        .set_read_timeout(Some(patience))
        .doing(|| on("wait at", socket))?;
    let mut line = serde_json::to_string(request).doing(|| "write the request".into())?;
    line.push('\n');
    stream
        .write_all(line.as_bytes())
        .doing(|| on("write to", socket))?;
    let mut reply = String::new();
    match stream.read_to_string(&mut reply) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            return Err(LabError::Timeout {
                what: "the device's answer".into(),
                after: patience,
            });
        }
        Err(error) => return Err(error).doing(|| on("hear from", socket)),
    }
    serde_json::from_str(&reply).doing(|| "understand the device's answer".into())
}

/// The `key=value` lines.
struct Options(Vec<(String, String)>);

impl Options {
    fn parse(input: &str) -> Self {
        let line = |line: &str| {
            let (key, value) = line.trim().split_once('=')?;
            // The family allows both spellings.
            Some((key.trim().replace('-', "_"), value.trim().to_owned()))
        };
        Self(
            input
                .lines()
                .filter(|text| !text.trim_start().starts_with('#'))
                .filter_map(line)
                .collect(),
        )
    }

    /// The last value under one of the names.
    fn get(&self, names: &[&str]) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| names.contains(&key.as_str()))
            .map(|(_, value)| value.as_str())
    }
}

fn metadata(device: FenceDevice) -> String {
    let program = device.program();
    let what = match device {
        FenceDevice::Power => "switches the power of a node of the lab",
        FenceDevice::Fabric => "cuts the way of a node of the lab to the shared disk",
    };
    let parameter = |name: &str, kind: &str, text: &str| {
        format!(
            "<parameter name=\"{name}\"><content type=\"{kind}\"/><shortdesc lang=\"en\">{text}</shortdesc></parameter>\n"
        )
    };
    let parameters = [
        parameter("action", "string", "on, off, status, monitor or metadata"),
        parameter("ip", "string", "socket of the device"),
        parameter("plug", "string", "the node"),
        parameter("password", "string", "the device's password"),
        parameter("login_timeout", "second", "how long to wait for an answer"),
        parameter("power_timeout", "second", "how long to wait for the act"),
    ];
    let actions: String = ["on", "off", "status", "monitor", "metadata"]
        .iter()
        .map(|name| format!("<action name=\"{name}\"/>\n"))
        .collect();
    format!(
        "<?xml version=\"1.0\" ?>\n<resource-agent name=\"{program}\" shortdesc=\"{what}\">\n<longdesc>{program} {what}.\
         </longdesc>\n<parameters>\n{}</parameters>\n<actions>\n{actions}</actions>\n</resource-agent>\n",
        parameters.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_the_family_writes_them() {
        let options = Options::parse(
            "# comment\naction=status\nport=serverdb\n\npassword=a=b\nlogin-timeout=3\nrubbish\n",
        );
        assert_eq!(options.get(&["action"]), Some("status"));
        assert_eq!(options.get(&["plug", "port"]), Some("serverdb"));
        assert_eq!(options.get(&["password"]), Some("a=b"));
        assert_eq!(options.get(&["login_timeout"]), Some("3"));
        assert_eq!(options.get(&["ip"]), None);
    }

    #[test]
    fn exit_codes_are_those_of_the_family() {
        assert_eq!(answer(FenceAction::Status, FenceReply::On).unwrap(), 0);
        assert_eq!(answer(FenceAction::Status, FenceReply::Off).unwrap(), 2);
        assert_eq!(answer(FenceAction::Off, FenceReply::Off).unwrap(), 0);
        // An "off" that left the node on is no success.
        assert!(answer(FenceAction::Off, FenceReply::On).is_err());
        assert!(answer(FenceAction::Status, FenceReply::Failed("x".into())).is_err());
    }
}
