//! `lab __controller`: the fence devices themselves. It runs outside the machines, as a power switch does.

use crate::error::{Doing, LabError, Result, on};
use crate::fence::{FenceAction, FenceDevice, FenceReply, FenceRequest};
use crate::layout::Layout;
use crate::machine::Machine;
use crate::process::{ProcessId, readable};
use crate::program::Program;
use crate::state::{Lab, load};
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

const START_PATIENCE: Duration = Duration::from_secs(10);
/// More than any request.
const LINE_AT_MOST: u64 = 4096;

/// Starts the controller of a lab; returns once it listens.
pub(crate) fn start(layout: &Layout, program: &Program) -> Result<ProcessId> {
    let path = layout.controller_log();
    let log = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .doing(|| on("open", &path))?;
    let mut command = program.again("__controller");
    command
        .arg("--dir")
        .arg(layout.dir())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut child = command.spawn().doing(|| "start the fence devices".into())?;
    let mut said = [0; 6];
    let heard = match child.stdout.as_mut() {
        Some(out) if readable(&*out, START_PATIENCE)? => out.read_exact(&mut said).is_ok(),
        _ => false,
    };
    let id = i32::try_from(child.id()).ok().and_then(ProcessId::of);
    match id {
        Some(id) if heard => Ok(id),
        _ => {
            let _ = child.kill();
            let _ = child.wait();
            Err(LabError::Broken(format!(
                "the fence devices did not start: see {}",
                path.display()
            )))
        }
    }
}

/// Serves until it is killed.
pub(crate) fn serve(dir: &Path, program: &Program) -> Result<()> {
    let layout = Layout::new(dir.to_owned())?;
    rustix::process::setsid().doing(|| "leave the terminal".into())?;
    let path = layout.control_socket();
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).doing(|| on("listen at", &path))?;
    // Whoever may run fence programs in the nodes is root there; the password keeps the others out.
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))
        .doing(|| on("protect", &path))?;
    let mut out = std::io::stdout();
    writeln!(out, "ready")
        .and_then(|()| out.flush())
        .doing(|| "report".into())?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr()).doing(|| "let go of the pipe".into())?;
    let devices = Arc::new(Devices {
        layout,
        program: program.clone(),
    });
    for stream in listener.incoming() {
        let stream = stream.doing(|| on("accept at", &path))?;
        let devices = Arc::clone(&devices);
        std::thread::spawn(move || devices.attend(stream));
    }
    Ok(())
}

struct Devices {
    layout: Layout,
    program: Program,
}

impl Devices {
    fn attend(&self, mut stream: UnixStream) {
        let mut line = String::new();
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let read = BufReader::new((&stream).take(LINE_AT_MOST)).read_line(&mut line);
        let request = read
            .ok()
            .and_then(|_| serde_json::from_str::<FenceRequest>(&line).ok());
        let reply = match request {
            None => FenceReply::Failed("the request was not understood".into()),
            Some(request) => {
                let reply = self.carry_out(&request);
                eprintln!(
                    "{:?} {:?} {:?}: {reply:?}",
                    request.device, request.action, request.node
                );
                match reply {
                    Ok(Some(reply)) => reply,
                    Ok(None) => return stay_silent(stream),
                    Err(error) => FenceReply::Failed(error.to_string()),
                }
            }
        };
        if let Ok(text) = serde_json::to_string(&reply) {
            let _ = stream.write_all(text.as_bytes());
        }
    }

    /// `None`: the device has no power, and does not answer.
    fn carry_out(&self, request: &FenceRequest) -> Result<Option<FenceReply>> {
        let failed = |why: &str| Ok(Some(FenceReply::Failed(why.into())));
        let name = load(&self.layout.state())?
            .map(|state| state.name)
            .unwrap_or_default();
        let mut lab = Lab::open_at(self.layout.clone(), &name)?;
        if !lab.state.options.fence.has(request.device) {
            return failed("the lab has no such device");
        }
        let Some(node) = request.node else {
            return self.monitor(&lab, request);
        };
        if lab.state.machine(node).fence_dead {
            return Ok(None);
        }
        if !self.password_fits(&request.password)? {
            return failed("wrong password");
        }
        self.act(&mut lab, request.device, request.action, node)
            .map(Some)
    }

    /// Without a plug: does the device answer at all?
    fn monitor(&self, _lab: &Lab, request: &FenceRequest) -> Result<Option<FenceReply>> {
        let fits = self.password_fits(&request.password)?;
        let reply = if fits {
            FenceReply::Here
        } else {
            FenceReply::Failed("wrong password".into())
        };
        Ok(Some(reply))
    }

    fn act(
        &self,
        lab: &mut Lab,
        device: FenceDevice,
        action: FenceAction,
        node: Machine,
    ) -> Result<FenceReply> {
        match (device, action) {
            (_, FenceAction::Monitor) => return Ok(FenceReply::Here),
            (_, FenceAction::Status) => {}
            (FenceDevice::Power, FenceAction::Off) => lab.cut_power(node, false)?,
            (FenceDevice::Power, FenceAction::On) => lab.power_on(node, &self.program)?,
            (FenceDevice::Fabric, FenceAction::Off) => lab.set_fabric_cut(node, true)?,
            (FenceDevice::Fabric, FenceAction::On) => lab.set_fabric_cut(node, false)?,
        }
        let machine = lab.state.machine(node);
        let on = match device {
            // Not whether it lives: a node whose processes died still has power, and its devices write.
            FenceDevice::Power => machine.powered,
            FenceDevice::Fabric => !machine.fabric_cut,
        };
        Ok(if on { FenceReply::On } else { FenceReply::Off })
    }

    fn password_fits(&self, given: &str) -> Result<bool> {
        let path = self.layout.secret();
        let secret = std::fs::read_to_string(&path).doing(|| on("read", &path))?;
        Ok(secret.trim() == given)
    }
}

/// A device without power: the caller waits until it gives up.
fn stay_silent(mut stream: UnixStream) {
    let _ = stream.set_read_timeout(None);
    let mut rest = [0; 64];
    while stream.read(&mut rest).is_ok_and(|read| read > 0) {}
}
