//! Where things are on a machine, and what it is called.

/// The site's configuration.
pub const CONFIG: &str = siaga_config::DEFAULT_PATH;
/// The event log and the keys.
pub const STATE: &str = "/var/lib/siaga";
/// A client probe's configuration.
pub const PROBE_CONFIG: &str = "/etc/siaga/probe.toml";

/// This machine's host name, without its domain.
pub fn host_name() -> String {
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The account of the person at this terminal: who logged in, also behind `sudo`; else this process's own.
pub fn account() -> String {
    let login = std::fs::read_to_string("/proc/self/loginuid").ok();
    let login = login.and_then(|text| text.trim().parse::<u32>().ok());
    let uid = login
        .filter(|uid| *uid != u32::MAX)
        .unwrap_or_else(|| rustix::process::getuid().as_raw());
    siaga_agent::transport::peercred::user_name(uid).unwrap_or_else(|| format!("uid {uid}"))
}
