//! `probe.toml`, and where a database is.

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use siaga_model::{NodeName, ServiceName};
use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// What is wrong with `probe.toml`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("can't read {path}: {source}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {message}")]
    Syntax { path: PathBuf, message: String },
    #[error("{path}: {mistake}")]
    Wrong { path: PathBuf, mistake: Mistake },
    #[error("{path} can be read by others (mode {mode:o}): set it to 0600")]
    Exposed { path: PathBuf, mode: u32 },
    #[error("not a database address: {0}")]
    Dsn(String),
}

/// A value of `probe.toml` that can't be right.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    #[error("interval: {given:?} is not between \"5ms\" and \"60s\"")]
    Interval { given: String },
    #[error("{key}: {given:?} is not made of a-z, 0-9 and '-', at most 32")]
    Name { key: &'static str, given: String },
    #[error("agent {node}: no addresses")]
    NoAddresses { node: NodeName },
    #[error("give exactly one of [sql], [tcp], [http]")]
    Checks,
    #[error(
        "http.url: {given:?} is not like \"http://192.0.2.50:8080/path\" or \"https://192.0.2.50/path\""
    )]
    Url { given: String },
    #[error("http.host: {given:?} is no name of a server")]
    Host { given: String },
    #[error("http.ca_file: {why}")]
    CaFile { why: String },
}

impl ConfigError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::Unreadable { .. } => "PROBE_CONFIG_UNREADABLE",
            ConfigError::Syntax { .. } => "PROBE_CONFIG_SYNTAX",
            ConfigError::Wrong { .. } => "PROBE_CONFIG_WRONG",
            ConfigError::Exposed { .. } => "PROBE_SECRET_EXPOSED",
            ConfigError::Dsn(_) => "PROBE_DSN",
        }
    }
}

/// A probe as it is to run.
#[derive(Clone, Debug)]
pub struct ProbeConfig {
    /// The probe's own name: the one it joined under.
    pub name: String,
    pub service: ServiceName,
    /// Time between attempts while the service answers.
    pub interval: Duration,
    pub check: Check,
    pub agents: Vec<AgentEntry>,
}

/// What one attempt does.
#[derive(Clone, Debug)]
pub enum Check {
    /// Writes a row, reads it and earlier ones again.
    Sql(Dsn),
    /// Connects.
    Tcp(SocketAddr),
    /// `GET`; a status below 400 is a success.
    Http {
        address: SocketAddr,
        host: String,
        path: String,
        /// Over https.
        tls: Option<Tls>,
    },
}

/// How a web server is believed.
#[derive(Clone)]
pub struct Tls {
    pub config: Arc<ClientConfig>,
    /// What its certificate must be for.
    pub name: ServerName<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS to {:?}", self.name)
    }
}

/// An agent that gets the reports.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentEntry {
    pub node: NodeName,
    pub addresses: Vec<SocketAddr>,
}

/// A PostgreSQL database as a client reaches it.
#[derive(Clone)]
pub struct Dsn {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub dbname: String,
    pub password: Option<String>,
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}@{}:{}/{}",
            self.user, self.host, self.port, self.dbname
        )
    }
}

impl FromStr for Dsn {
    type Err = ConfigError;
    /// `host=… port=… user=… dbname=…` or `postgresql://user@host:port/dbname`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let parsed: tokio_postgres::Config =
            text.parse().map_err(|e| ConfigError::Dsn(format!("{e}")))?;
        let missing = |what: &str| ConfigError::Dsn(format!("{what} is missing"));
        let host = match parsed.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            _ => return Err(missing("host")),
        };
        let user = parsed.get_user().ok_or_else(|| missing("user"))?.to_owned();
        Ok(Self {
            host,
            port: parsed.get_ports().first().copied().unwrap_or(5432),
            dbname: parsed
                .get_dbname()
                .map_or_else(|| user.clone(), str::to_owned),
            user,
            password: parsed
                .get_password()
                .map(|p| String::from_utf8_lossy(p).into_owned()),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    service: String,
    #[serde(default = "default_interval")]
    interval: String,
    sql: Option<SqlFile>,
    tcp: Option<TcpFile>,
    http: Option<HttpFile>,
    #[serde(default)]
    agent: Vec<AgentEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SqlFile {
    host: String,
    #[serde(default = "default_port")]
    port: u16,
    user: String,
    dbname: String,
    password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpFile {
    address: SocketAddr,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpFile {
    url: String,
    /// The name that the server and its certificate go by, where the address is not enough.
    host: Option<String>,
    /// A certificate authority of the site's own, beside the system's.
    ca_file: Option<PathBuf>,
}

fn default_interval() -> String {
    "100ms".to_owned()
}
fn default_port() -> u16 {
    5432
}

impl ProbeConfig {
    /// Reads and checks `probe.toml`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let file: File = toml::from_str(&text).map_err(|e| ConfigError::Syntax {
            path: path.to_owned(),
            message: e.to_string(),
        })?;
        let wrong = |mistake| ConfigError::Wrong {
            path: path.to_owned(),
            mistake,
        };
        let interval = interval(&file.interval).ok_or_else(|| {
            wrong(Mistake::Interval {
                given: file.interval.clone(),
            })
        })?;
        for (key, name) in [("name", &file.name), ("service", &file.service)] {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || name.len() > 32 || !name.chars().all(good) {
                let given = name.clone();
                return Err(wrong(Mistake::Name { key, given }));
            }
        }
        if let Some(silent) = file.agent.iter().find(|a| a.addresses.is_empty()) {
            return Err(wrong(Mistake::NoAddresses {
                node: silent.node.clone(),
            }));
        }
        let check = match (file.sql, file.tcp, file.http) {
            (Some(sql), None, None) => Check::Sql(sql.dsn()?),
            (None, Some(tcp), None) => Check::Tcp(tcp.address),
            (None, None, Some(http)) => http_check(&http).map_err(wrong)?,
            _ => return Err(wrong(Mistake::Checks)),
        };
        Ok(Self {
            name: file.name,
            service: ServiceName::new(file.service),
            interval,
            check,
            agents: file.agent,
        })
    }
}

impl SqlFile {
    fn dsn(self) -> Result<Dsn, ConfigError> {
        let password = self.password_file.as_deref().map(secret).transpose()?;
        Ok(Dsn {
            host: self.host,
            port: self.port,
            user: self.user,
            dbname: self.dbname,
            password,
        })
    }
}

fn secret(path: &Path) -> Result<String, ConfigError> {
    let fail = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mode = std::fs::metadata(path).map_err(fail)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(std::fs::read_to_string(path)
        .map_err(fail)?
        .trim_end_matches(['\r', '\n'])
        .to_owned())
}

fn interval(text: &str) -> Option<Duration> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s')?, 1000),
    };
    let millis = digits.trim().parse::<u64>().ok()?.checked_mul(unit)?;
    (5..=60_000)
        .contains(&millis)
        .then(|| Duration::from_millis(millis))
}

/// The host of the web address must be an address: a probe that waits for a name server measures the name server.
fn http_check(file: &HttpFile) -> Result<Check, Mistake> {
    let bad = || Mistake::Url {
        given: file.url.clone(),
    };
    let (secure, rest) = match file.url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, file.url.strip_prefix("http://").ok_or_else(bad)?),
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
    let plain = |text: &str| !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let host = file.host.as_deref().unwrap_or(authority);
    if !plain(path) {
        return Err(bad());
    }
    if !plain(host) || host.is_empty() {
        let given = host.to_owned();
        return Err(Mistake::Host { given });
    }
    let port = if secure { 443 } else { 80 };
    let address: SocketAddr = authority
        .parse()
        .or_else(|_| format!("{authority}:{port}").parse())
        .map_err(|_| bad())?;
    Ok(Check::Http {
        address,
        host: host.to_owned(),
        path: path.to_owned(),
        tls: secure.then(|| tls(file, address)).transpose()?,
    })
}

fn tls(file: &HttpFile, address: SocketAddr) -> Result<Tls, Mistake> {
    let config = siaga_trust::client_config(file.ca_file.as_deref())
        .map_err(|e| Mistake::CaFile { why: e.to_string() })?;
    let name = match &file.host {
        Some(host) => siaga_trust::server_name(host).map_err(|_| Mistake::Host {
            given: host.clone(),
        })?,
        None => ServerName::from(address.ip()),
    };
    Ok(Tls {
        config: Arc::new(config),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<ProbeConfig, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        ProbeConfig::load(file.path())
    }

    const GOOD: &str = "name = \"poli\"\nservice = \"simrs\"\n[[agent]]\nnode = \"serverdb\"\naddresses = [\"198.51.100.11:7443\"]\n";

    #[test]
    fn the_three_kinds_are_read() {
        let sql = load(&format!(
            "{GOOD}[sql]\nhost = \"192.0.2.50\"\nuser = \"u\"\ndbname = \"d\"\n"
        ))
        .unwrap();
        assert_eq!(sql.interval, Duration::from_millis(100));
        assert!(matches!(&sql.check, Check::Sql(d) if format!("{d:?}") == "u@192.0.2.50:5432/d"));
        let tcp = load(&format!("{GOOD}[tcp]\naddress = \"192.0.2.50:5432\"\n")).unwrap();
        assert!(matches!(tcp.check, Check::Tcp(_)));
        let http = load(&format!(
            "{GOOD}[http]\nurl = \"http://192.0.2.50/login\"\n"
        ))
        .unwrap();
        assert!(
            matches!(&http.check, Check::Http { path, address, tls: None, .. } if path == "/login" && address.port() == 80)
        );
        let https = load(&format!(
            "{GOOD}[http]\nurl = \"https://192.0.2.50/login\"\nhost = \"simrs.example\"\n"
        ))
        .unwrap();
        assert!(
            matches!(&https.check, Check::Http { host, address, tls: Some(_), .. } if host == "simrs.example" && address.port() == 443)
        );
    }

    #[test]
    fn every_mistake_is_named() {
        let of = |text: String| load(&text).unwrap_err();
        assert!(of(GOOD.to_owned()).to_string().contains("exactly one of"));
        assert!(
            of(format!("colour = 1\n{GOOD}"))
                .to_string()
                .contains("unknown field `colour`")
        );
        assert!(
            of(format!("interval = \"1ms\"\n{GOOD}"))
                .to_string()
                .contains("interval")
        );
        assert!(
            of(GOOD.replace("poli", "Poli 1"))
                .to_string()
                .contains("name")
        );
        assert!(
            of(format!("{GOOD}[http]\nurl = \"https://x\"\n"))
                .to_string()
                .contains("http.url")
        );
        let https = format!("{GOOD}[http]\nurl = \"https://192.0.2.50/\"\n");
        for (line, key) in [
            ("ca_file = \"/nonexistent/ca.pem\"\n", "http.ca_file"),
            ("host = \"a b\"\n", "http.host"),
        ] {
            let error = of(format!("{https}{line}")).to_string();
            assert!(error.contains(key), "{error}");
        }
        assert_eq!(
            ProbeConfig::load(Path::new("/nonexistent/probe.toml"))
                .unwrap_err()
                .code(),
            "PROBE_CONFIG_UNREADABLE"
        );
    }

    #[test]
    fn a_password_that_others_can_read_is_refused() {
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "s3cret\n").unwrap();
        let text = format!(
            "{GOOD}[sql]\nhost = \"192.0.2.50\"\nuser = \"u\"\ndbname = \"d\"\npassword_file = {:?}\n",
            secret.path()
        );
        let mode = |m| {
            std::fs::set_permissions(secret.path(), std::fs::Permissions::from_mode(m)).unwrap()
        };
        mode(0o644);
        assert_eq!(load(&text).unwrap_err().code(), "PROBE_SECRET_EXPOSED");
        mode(0o600);
        let config = load(&text).unwrap();
        let Check::Sql(dsn) = &config.check else {
            panic!()
        };
        assert_eq!(dsn.password.as_deref(), Some("s3cret"));
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn a_dsn_is_read_in_both_forms() {
        for text in [
            "host=192.0.2.50 port=5433 user=u dbname=d",
            "postgresql://u@192.0.2.50:5433/d",
        ] {
            assert_eq!(
                format!("{:?}", text.parse::<Dsn>().unwrap()),
                "u@192.0.2.50:5433/d"
            );
        }
        assert!("user=u".parse::<Dsn>().is_err());
    }
}
