//! Connections to PostgreSQL with bounds of their own.

use crate::attempt::Failure;
use crate::config::Dsn;
use rustix::net::sockopt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

/// A lost SYN is repeated by the kernel only after a second: better a new attempt.
pub const CONNECT: Duration = Duration::from_millis(200);

/// How often a silent connection is asked whether it is still there, and how often in vain.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
const KEEP_ALIVE_LOST: u32 = 3;

/// A connection. Dropping it closes it.
pub struct Session {
    pub client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Connects and logs in. Bounded for the connect; the caller bounds the rest.
    pub async fn open(dsn: &Dsn, application: &str) -> Result<Self, Failure> {
        let stream = connect(resolve(dsn).await?).await?;
        let mut config = tokio_postgres::Config::new();
        config
            .user(&dsn.user)
            .dbname(&dsn.dbname)
            .application_name(application);
        // What is acknowledged is to be on the disk, whatever the site's default.
        config.options("-c synchronous_commit=on");
        if let Some(password) = &dsn.password {
            config.password(password);
        }
        let (client, connection) = config
            .connect_raw(stream, NoTls)
            .await
            .map_err(|e| failure(&e))?;
        let driver = tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { client, driver })
    }
}

/// Connects with a bound of its own, without delay.
pub async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            set_up(&stream).map_err(|e| Failure::new(e.to_string()))?;
            Ok(stream)
        }
        Ok(Err(e)) => Err(Failure::new(format!("connect to {address}: {e}"))),
        Err(_) => Err(Failure::new(format!(
            "connect to {address}: no answer within {} ms",
            CONNECT.as_millis()
        ))),
    }
}

/// Without delay; and a connection whose server has died, or whose address has moved, ends by itself within seconds,
/// however long its attempt may wait for an answer.
fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_tcp_keepidle(stream, KEEP_ALIVE)?;
    sockopt::set_tcp_keepintvl(stream, KEEP_ALIVE)?;
    sockopt::set_tcp_keepcnt(stream, KEEP_ALIVE_LOST)?;
    sockopt::set_socket_keepalive(stream, true)?;
    Ok(())
}

/// The address of the database: asked of the resolver only where the host is a name.
pub async fn resolve(dsn: &Dsn) -> Result<SocketAddr, Failure> {
    if let Ok(ip) = dsn.host.parse() {
        return Ok(SocketAddr::new(ip, dsn.port));
    }
    let mut found = tokio::net::lookup_host((dsn.host.as_str(), dsn.port))
        .await
        .map_err(|e| Failure::new(format!("{}: {e}", dsn.host)))?;
    found
        .next()
        .ok_or_else(|| Failure::new(format!("{}: no address", dsn.host)))
}

/// The database's own words where it has any: `57P03 the database system is starting up`.
pub fn failure(e: &tokio_postgres::Error) -> Failure {
    match e.as_db_error() {
        Some(db) => {
            let said = format!("{} {}", db.code().code(), db.message());
            match *db.code() == SqlState::CANNOT_CONNECT_NOW {
                true => Failure::starting(said),
                false => Failure::new(said),
            }
        }
        None => match std::error::Error::source(e) {
            Some(cause) => Failure::new(format!("{e}: {cause}")),
            None => Failure::new(e.to_string()),
        },
    }
}

pub fn is_missing_table(e: &tokio_postgres::Error) -> bool {
    e.code() == Some(&SqlState::UNDEFINED_TABLE)
}
