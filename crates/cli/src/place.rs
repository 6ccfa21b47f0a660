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
