//! A server's management processor: `ipmi_sim`, or a stand-in that speaks Redfish, whose power control really switches the
//! virtual machine.

use crate::files::Folders;
use crate::machine::Machine;
use crate::net::Network;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Its user.
pub(crate) const USER: &str = "siaga";
const CERTIFICATE: &str = "bmc.pem";
const REDFISH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../node/tests/redfish/bmc.py");
/// Its user's password.
pub(crate) const PASSWORD: &str = "only-in-a-test";

/// The language of a management processor.
#[derive(Clone, Copy)]
pub(crate) enum Speaks {
    Ipmi,
    Redfish,
}

/// The management processor of one server.
pub struct Bmc {
    speaks: Speaks,
    address: String,
    folder: PathBuf,
    socket: PathBuf,
    ended: Arc<AtomicBool>,
    switch: Option<JoinHandle<()>>,
    simulator: Option<Child>,
}

/// The last part of a server's management processor's address.
pub(crate) fn number(server: &Machine) -> u8 {
    server.role.number() + 10
}

/// The same of a second one: another level, where the first does not answer.
pub(crate) fn second(server: &Machine) -> u8 {
    server.role.number() + 20
}

impl Bmc {
    /// Starts it, on an address of its own on the management network.
    pub(crate) fn start(
        server: &Arc<Machine>,
        folders: &Folders,
        number: u8,
        speaks: Speaks,
    ) -> Self {
        let name = format!("{}-{number}", server.role.name());
        let folder = folders.sockets.join(format!("{name}.bmc"));
        let socket = folders.sockets.join(format!("{name}.power"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let listener = UnixListener::bind(&socket).expect("a socket for the power switch");
        let ended = Arc::new(AtomicBool::new(false));
        let switch = {
            let (server, ended) = (Arc::clone(server), Arc::clone(&ended));
            std::thread::spawn(move || serve(&listener, &server, &ended))
        };
        let program = folder.join("power");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" | socat -t 60 - UNIX-CONNECT:{}\n",
            socket.display()
        );
        std::fs::write(&program, script).expect("the power program");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        match speaks {
            Speaks::Ipmi => {
                std::fs::write(folder.join("lan.conf"), lan_conf(number, &program))
                    .expect("lan.conf");
                std::fs::write(folder.join("bmc.emu"), EMULATION).expect("bmc.emu");
            }
            Speaks::Redfish => certificate(&folder),
        }
        let mut bmc = Self {
            speaks,
            address: Network::Management.address(number).to_string(),
            folder,
            socket,
            ended,
            switch: Some(switch),
            simulator: None,
        };
        bmc.power_on();
        bmc
    }

    /// It has power again.
    pub fn power_on(&mut self) {
        let folder = &self.folder;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        match self.speaks {
            Speaks::Ipmi => {
                command.args(["ipmi_sim", "-n", "-c"]);
                command.arg(folder.join("lan.conf")).arg("-f");
                command.arg(folder.join("bmc.emu")).arg("-s").arg(folder);
            }
            Speaks::Redfish => {
                command.env("PASSWORD", PASSWORD).arg("/usr/bin/python3");
                command.arg(REDFISH).args([&self.address, "443"]);
                command.arg(folder.join(CERTIFICATE)).arg(USER);
                command.arg(folder.join("power"));
            }
        }
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        self.simulator = Some(command.spawn().expect("the processor starts"));
    }

    /// It dies, as where it hangs on the very plug that its server hung on.
    pub fn power_off(&mut self) {
        if let Some(mut child) = self.simulator.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What it said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Bmc {
    fn drop(&mut self) {
        self.power_off();
        self.ended.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(&self.socket);
        if let Some(switch) = self.switch.take() {
            let _ = switch.join();
        }
    }
}

/// Answers the power program until the end. Machines that it switches on are its thread's own children.
fn serve(listener: &UnixListener, server: &Machine, ended: &AtomicBool) {
    for stream in listener.incoming().flatten() {
        if ended.load(Ordering::SeqCst) {
            return;
        }
        let mut order = String::new();
        if BufReader::new(&stream).read_line(&mut order).is_err() {
            continue;
        }
        let words: Vec<&str> = order.split_whitespace().collect();
        match words.as_slice() {
            [.., "set", "power", "1"] => server.power_on(),
            [.., "set", "power", "0"] => server.power_off(),
            [.., "get", "power"] => {
                let _ = writeln!(&stream, "power:{}", u8::from(server.is_on()));
            }
            _ => {}
        }
    }
}

/// One of its own, as they are delivered with.
fn certificate(folder: &Path) {
    let place = folder.join(CERTIFICATE);
    let curve = "ec_paramgen_curve:prime256v1";
    let mut made = Command::new("openssl");
    made.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", curve]);
    made.args(["-nodes", "-subj", "/CN=bmc", "-days", "2", "-keyout"]);
    made.arg(&place).arg("-out").arg("-");
    let pem = made.stderr(Stdio::null()).output().expect("openssl starts");
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&place)
        .expect("a key");
    file.write_all(&pem.stdout).expect("a certificate");
}

fn lan_conf(number: u8, program: &Path) -> String {
    let address = Network::Management.address(number);
    format!(
        r#"name "power{number}"
set_working_mc 0x20
  startlan 1
    addr {address} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{program}"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "{USER}" "{PASSWORD}" admin 10 none md2 md5 straight
"#,
        program = program.display(),
    )
}

const EMULATION: &str = "mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
";
