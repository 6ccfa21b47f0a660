//! A stand-in for systemd that speaks the real protocol: the real `dbus-daemon` on a bus of its own, and behind it a small
//! service that has systemd's name. What a unit does is a function of the test's.

use crate::act::systemd::Systemd;
use crate::observe::cgroup;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zbus::message::{Header, Message, Type};
use zbus::{Connection, MessageStream, ObjectPath, Variant};

const BUS: &str =
    "<busconfig><type>custom</type><listen>unix:path=@/bus</listen><auth>EXTERNAL</auth>
<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";

/// What is made of a start or stop.
pub enum Answer {
    /// The job ends with that result: `done`, `failed`.
    Ends(&'static str),
    /// There is no job: the error of that name.
    Refuses(&'static str),
    /// The bus dies, and with it the word on the job.
    BusDies,
}

/// Does what the unit does, and says how that ended: by the method (`StartUnit`) and the unit.
pub type Acts = Arc<dyn Fn(&str, &str) -> Answer + Send + Sync>;

pub struct StandIn {
    bus: Arc<Mutex<Child>>,
    calls: Arc<Mutex<Vec<String>>>,
    directory: TempDir,
    // Its threads end with it.
    _runtime: Runtime,
}

impl StandIn {
    /// One that answers so, and has these properties of every unit.
    pub fn new(properties: &[(&str, Variant<'static>)], acts: Acts) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bus.conf");
        let text = BUS.replace('@', directory.path().to_str().unwrap());
        std::fs::write(&file, text).unwrap();
        let mut bus = Command::new("/usr/bin/dbus-daemon")
            .arg(format!("--config-file={}", file.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It prints its address when it listens.
        let mut line = String::new();
        BufReader::new(bus.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let service = Service {
            properties: properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.try_clone().unwrap()))
                .collect(),
            acts,
            calls: Arc::default(),
            bus: Arc::new(Mutex::new(bus)),
        };
        let (calls, bus) = (service.calls.clone(), service.bus.clone());
        let address = address(directory.path());
        let stream = runtime.block_on(async {
            let builder = zbus::connection::Builder::address(address.as_str());
            let connection = builder.build().await.unwrap();
            // First it listens, then it has the name: nobody is missed.
            let stream = MessageStream::from(&connection);
            let name = "org.freedesktop.systemd1";
            connection.request_name(name).await.unwrap();
            (connection, stream)
        });
        runtime.spawn(service.serve(stream.0, stream.1));
        Self {
            bus,
            calls,
            directory,
            _runtime: runtime,
        }
    }

    /// The hands' side of it.
    pub fn systemd(&self, rt: &tokio::runtime::Handle) -> Systemd {
        Systemd::at(rt.clone(), &address(self.directory.path()))
    }

    /// Starts and stops, as they came.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Ends the bus.
    pub fn kill_bus(&self) {
        end(&self.bus);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.kill_bus();
    }
}

fn end(bus: &Mutex<Child>) {
    let mut bus = bus.lock().unwrap();
    let _ = bus.kill();
    let _ = bus.wait();
}

fn address(directory: &Path) -> String {
    format!("unix:path={}/bus", directory.display())
}

struct Service {
    properties: HashMap<String, Variant<'static>>,
    acts: Acts,
    calls: Arc<Mutex<Vec<String>>>,
    bus: Arc<Mutex<Child>>,
}

impl Service {
    async fn serve(self, connection: Connection, mut stream: MessageStream) {
        let mut number = 0;
        while let Some(Ok(message)) = stream.next().await {
            if message.message_type() == Type::MethodCall {
                number += 1;
                self.answer(&connection, &message, number).await;
            }
        }
    }

    async fn answer(&self, connection: &Connection, message: &Message, number: u32) {
        let header = message.header();
        let member = header.member().map(|m| m.to_string()).unwrap_or_default();
        let body = message.body();
        match member.as_str() {
            "Subscribe" | "ResetFailedUnit" => connection.reply(&header, &()).await.unwrap(),
            "LoadUnit" => {
                let path = ObjectPath::try_from("/org/freedesktop/systemd1/unit/one").unwrap();
                connection.reply(&header, &path).await.unwrap();
            }
            "Get" => {
                let (_, name): (String, String) = body.deserialize().unwrap();
                let empty = Variant::from("");
                let value = self.properties.get(&name).unwrap_or(&empty);
                let value = value.try_clone().unwrap();
                connection.reply(&header, &value).await.unwrap();
            }
            _ => {
                let (unit, mode): (String, String) = body.deserialize().unwrap();
                assert_eq!(mode, "replace");
                self.job(connection, &header, &member, &unit, number).await;
            }
        }
    }

    async fn job(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        member: &str,
        unit: &str,
        number: u32,
    ) {
        self.calls.lock().unwrap().push(format!("{member} {unit}"));
        let answer = tokio::task::block_in_place(|| (self.acts)(member, unit));
        if let Answer::Refuses(name) = answer {
            let text = &("no",);
            return connection.reply_error(header, name, text).await.unwrap();
        }
        let path = ObjectPath::try_from(format!("/org/freedesktop/systemd1/job/{number}"));
        let path = path.unwrap();
        connection.reply(header, &path).await.unwrap();
        let Answer::Ends(result) = answer else {
            // Only when the answer is delivered: the bus has then answered something itself after it.
            let bus = "org.freedesktop.DBus";
            let ping = connection.call_method(
                Some(bus),
                "/",
                Some("org.freedesktop.DBus.Peer"),
                "Ping",
                &(),
            );
            ping.await.unwrap();
            return end(&self.bus);
        };
        let said = (number, path, unit, result);
        let interface = "org.freedesktop.systemd1.Manager";
        connection
            .emit_signal(
                None::<&str>,
                "/org/freedesktop/systemd1",
                interface,
                "JobRemoved",
                &said,
            )
            .await
            .unwrap();
    }
}

/// A control group in every hierarchy that systemd sorts by, as on a host with it.
pub struct Group {
    pub name: String,
    places: Vec<PathBuf>,
}

impl Group {
    pub fn new() -> Self {
        let name = format!(
            "/siaga-test-{}-{:?}.service",
            std::process::id(),
            std::thread::current().id()
        )
        .replace(['(', ')'], "");
        let places = cgroup::places(&name);
        assert!(!places.is_empty(), "no control groups here");
        for place in &places {
            std::fs::create_dir(place).unwrap();
        }
        Self { name, places }
    }

    /// The files that a process writes "0" to in order to come in.
    pub fn doors(&self) -> Vec<PathBuf> {
        self.places.iter().map(|p| p.join("cgroup.procs")).collect()
    }

    pub fn put(&self, pid: u32) {
        for door in self.doors() {
            std::fs::write(door, pid.to_string()).unwrap();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for door in self.doors() {
            let left = std::fs::read_to_string(door).unwrap_or_default();
            for pid in left.lines().filter_map(|l| l.parse().ok()) {
                super::signal(pid, rustix::process::Signal::KILL);
            }
        }
        for place in &self.places {
            // A killed process leaves it a moment later.
            super::until("an empty control group", || {
                std::fs::remove_dir(place).is_ok() || !place.exists()
            });
        }
    }
}
