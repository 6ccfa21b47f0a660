//! systemd's units, by its own interface on D-Bus: started, stopped and asked. The answer to a start is a job; how that
//! ended comes as a signal, which is listened for before the job is asked for.

use siaga_model::Why;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use zbus::connection::{Builder, Connection};
use zbus::message::{Message, Type};
use zbus::{Error, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant};

/// How long a connection or one answer may take. A job is answered as soon as it is queued.
const CALL_WITHIN: Duration = Duration::from_secs(5);

const DESTINATION: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";

/// The systemd of this host.
#[derive(Clone, Debug)]
pub struct Systemd {
    rt: Handle,
    /// The bus; `None`: the system's.
    address: Option<String>,
}

/// What is asked of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    Start,
    Stop,
}

/// What systemd says of a service's unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitSeen {
    /// `loaded`, `not-found`, `masked`
    pub load: String,
    /// `Restart=`
    pub restart: String,
    /// `TimeoutStartSec=`; `None`: it has no end.
    pub start_limit: Option<Duration>,
}

impl Systemd {
    /// By the system's bus.
    pub fn of_host(rt: Handle) -> Self {
        Self { rt, address: None }
    }

    /// By a bus at that address.
    pub fn at(rt: Handle, address: &str) -> Self {
        let address = Some(address.to_owned());
        Self { rt, address }
    }

    /// Does it run?
    pub fn runs(&self, unit: &str) -> Result<bool, Why> {
        let state = self.properties(unit, &[(UNIT, "ActiveState")])?;
        let state = text(&state[0]);
        // As `systemctl is-active` counts them.
        Ok(["active", "reloading", "refreshing"].contains(&state.as_str()))
    }

    /// Does nothing of it run, and nothing will by itself? One that is being started, or waits to be started again
    /// (`Restart=`), comes up later.
    pub fn is_at_rest(&self, unit: &str) -> Result<bool, Why> {
        let state = self.properties(unit, &[(UNIT, "ActiveState")])?;
        Ok(["inactive", "failed"].contains(&text(&state[0]).as_str()))
    }

    /// Is it about to run: being started, or to be started again after its end (`Restart=`)?
    pub fn is_starting(&self, unit: &str) -> Result<bool, Why> {
        let state = self.properties(unit, &[(UNIT, "ActiveState")])?;
        Ok(text(&state[0]) == "activating")
    }

    /// The control group of a unit that has one now.
    pub fn control_group(&self, unit: &str) -> Result<Option<String>, Why> {
        let group = self.properties(unit, &[(SERVICE, "ControlGroup")])?;
        Ok(Some(text(&group[0])).filter(|g| !g.is_empty()))
    }

    /// How the unit is set up.
    pub fn look(&self, unit: &str) -> Result<UnitSeen, Why> {
        let load = self.properties(unit, &[(UNIT, "LoadState")])?;
        let wanted = [(SERVICE, "Restart"), (SERVICE, "TimeoutStartUSec")];
        let said = self.properties(unit, &wanted)?;
        let limit = u64::try_from(said[1].try_clone().map_err(|e| silent(&e))?);
        Ok(UnitSeen {
            load: text(&load[0]),
            restart: text(&said[0]),
            start_limit: limit
                .ok()
                .filter(|us| ![0, u64::MAX].contains(us))
                .map(Duration::from_micros),
        })
    }

    /// Asks for it, and gives the job that systemd has made of it.
    pub fn begin(&self, unit: &str, call: Call) -> Result<Job, Why> {
        let (connection, ended, path) = self.rt.block_on(self.ask(unit, call))?;
        let (tell, heard) = channel();
        let unit = unit.to_owned();
        let name = unit.clone();
        let task = self.rt.spawn(async move {
            let result = match job_result(ended, &path).await {
                Ok(result) if result == "done" => Ok(()),
                Ok(result) => Err(Why::UnitJobFailed {
                    ended: of_unit(&connection, &unit).await,
                    unit,
                    result,
                }),
                Err(why) => Err(why),
            };
            let _ = tell.send(result);
        });
        Ok(Job {
            unit: name,
            heard,
            task: Some(task),
        })
    }

    async fn ask(
        &self,
        unit: &str,
        call: Call,
    ) -> Result<(Connection, MessageStream, OwnedObjectPath), Why> {
        let connection = self.connect().await?;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(DESTINATION)
            .interface(MANAGER)
            .member("JobRemoved")
            .build()
            .map_err(|e| silent(&e))?;
        let ended = MessageStream::for_match_rule(rule, &connection, None);
        let ended = in_time(ended).await?;
        in_time(manager(&connection, "Subscribe", &())).await?;
        let member = match call {
            Call::Start => {
                // One that failed too often a moment ago is to be tried all the same.
                let _ = in_time(manager(&connection, "ResetFailedUnit", &(unit,))).await;
                "StartUnit"
            }
            Call::Stop => "StopUnit",
        };
        let body = (unit, "replace");
        let asked = manager(&connection, member, &body);
        let answer = tokio::time::timeout(CALL_WITHIN, asked).await;
        let answer = answer
            .map_err(|_| too_long())?
            .map_err(|e| refused(unit, &e))?;
        let path: OwnedObjectPath = answer.body().deserialize().map_err(|e| silent(&e))?;
        Ok((connection, ended, path))
    }

    /// Asks for it and waits until it is done.
    pub fn finish(&self, unit: &str, call: Call, within: Duration) -> Result<(), Why> {
        let mut job = self.begin(unit, call)?;
        job.ended(within)
            .unwrap_or_else(|| Err(job.unended(within)))
    }

    fn properties(&self, unit: &str, wanted: &[(&str, &str)]) -> Result<Vec<OwnedVariant>, Why> {
        self.rt.block_on(async {
            let connection = self.connect().await?;
            let mut all = Vec::new();
            for (interface, name) in wanted {
                all.push(in_time(property(&connection, unit, interface, name)).await?);
            }
            Ok(all)
        })
    }

    async fn connect(&self) -> Result<Connection, Why> {
        let builder = match &self.address {
            None => Builder::system(),
            Some(address) => Builder::address(address.as_str()),
        };
        in_time(builder.build()).await
    }
}

/// Something that systemd has begun.
pub struct Job {
    unit: String,
    heard: Receiver<Result<(), Why>>,
    /// What listens for its end, and keeps the connection for that.
    task: Option<JoinHandle<()>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Job {
    /// How it ended; `None` while it has not.
    pub fn ended(&mut self, within: Duration) -> Option<Result<(), Why>> {
        match self.heard.recv_timeout(within) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Why::SystemdLost)),
        }
    }

    /// One that has ended so already.
    pub fn known(unit: &str, ended: Result<(), Why>) -> Self {
        let (tell, heard) = channel();
        let _ = tell.send(ended);
        let unit = unit.to_owned();
        Self {
            unit,
            heard,
            task: None,
        }
    }

    /// Why it is not waited for any longer.
    pub fn unended(&self, within: Duration) -> Why {
        Why::UnitJobUnended {
            unit: self.unit.clone(),
            seconds: within.as_secs(),
        }
    }
}

async fn manager<B>(connection: &Connection, member: &str, body: &B) -> zbus::Result<Message>
where
    B: serde::Serialize + zbus::DynamicType,
{
    let (to, interface) = (Some(DESTINATION), Some(MANAGER));
    connection
        .call_method(to, PATH, interface, member, body)
        .await
}

async fn property(
    connection: &Connection,
    unit: &str,
    interface: &str,
    name: &str,
) -> zbus::Result<OwnedVariant> {
    // Also of one that is not in use now: systemd reads its file for that.
    let loaded = manager(connection, "LoadUnit", &(unit,)).await?;
    let path: OwnedObjectPath = loaded.body().deserialize()?;
    let properties = Some("org.freedesktop.DBus.Properties");
    let answer = connection
        .call_method(
            Some(DESTINATION),
            path,
            properties,
            "Get",
            &(interface, name),
        )
        .await?;
    answer.body().deserialize()
}

/// systemd's word for how the job ended: `done`, `failed`, `timeout`, `dependency`, `canceled`.
async fn job_result(mut ended: MessageStream, job: &OwnedObjectPath) -> Result<String, Why> {
    use futures_util::StreamExt;
    while let Some(message) = ended.next().await {
        let message = message.map_err(|_| Why::SystemdLost)?;
        let body = message.body();
        let said: Result<(u32, OwnedObjectPath, String, String), _> = body.deserialize();
        if let Ok((_, path, _, result)) = said
            && &path == job
        {
            return Ok(result);
        }
    }
    Err(Why::SystemdLost)
}

/// `exit-code`, `timeout`, `signal`: how the unit itself came to its end.
async fn of_unit(connection: &Connection, unit: &str) -> String {
    let asked = in_time(property(connection, unit, SERVICE, "Result"));
    asked
        .await
        .map_or_else(|_| String::new(), |said| text(&said))
}

async fn in_time<T>(asked: impl Future<Output = zbus::Result<T>>) -> Result<T, Why> {
    match tokio::time::timeout(CALL_WITHIN, asked).await {
        Ok(answer) => answer.map_err(|e| silent(&e)),
        Err(_) => Err(too_long()),
    }
}

fn too_long() -> Why {
    Why::SystemdSilent {
        said: format!("no answer in {CALL_WITHIN:?}"),
    }
}

fn silent(error: &Error) -> Why {
    Why::SystemdSilent {
        said: error.to_string(),
    }
}

/// systemd answered, and did not do it.
fn refused(unit: &str, error: &Error) -> Why {
    let unit = unit.to_owned();
    let Error::MethodError(name, said, _) = error else {
        return silent(error);
    };
    match name.as_str() {
        "org.freedesktop.systemd1.NoSuchUnit" => Why::UnitNotFound { unit },
        "org.freedesktop.systemd1.UnitMasked" => Why::UnitMasked { unit },
        other => Why::system(said.as_deref().unwrap_or(other)).of(unit),
    }
}

fn text(value: &OwnedVariant) -> String {
    let text = value
        .try_clone()
        .ok()
        .and_then(|v| String::try_from(v).ok());
    text.unwrap_or_default()
}
