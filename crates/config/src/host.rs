//! Checks against this host: its accounts, its secret files, its network interfaces. All of them only look.

use crate::cause::Cause;
use crate::network::Net;
use nix::ifaddrs::getifaddrs;
use nix::unistd::{Uid, User, geteuid};
use siaga_model::NodeName;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Which checks are made against this host.
#[derive(Clone, Debug, Default)]
pub struct HostChecks {
    /// Do the accounts exist?
    pub users: bool,
    /// Can anybody but root read a secret file?
    pub secrets_readable: bool,
    /// Are all secret files, and the directory of the site's own templates, there?
    pub secrets_missing: bool,
    /// This host's interfaces, where virtual IPs are to be checked against them.
    pub interfaces: Option<Vec<HostInterface>>,
    /// Which node this host is. Where it is not said, it is the node that has one of this host's addresses.
    pub node: Option<NodeName>,
}

impl HostChecks {
    /// No look at the host: for another host's file, and for tests.
    pub fn none() -> Self {
        Self::default()
    }

    /// What must hold for an agent to start: nobody but root reads a secret. A missing file, account or cable is
    /// a finding of `siaga check`, since it must not keep the agent from running.
    pub fn start() -> Self {
        Self {
            secrets_readable: true,
            ..Self::default()
        }
    }

    /// Everything, for `siaga config check` on a node.
    pub fn this_host(node: Option<NodeName>) -> Self {
        Self {
            users: true,
            secrets_readable: true,
            secrets_missing: true,
            interfaces: interfaces(),
            node,
        }
    }
}

/// One network interface and the networks that it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostInterface {
    pub name: String,
    /// Its addresses, with the length of their prefix.
    pub addresses: Vec<Net>,
}

/// This host's interfaces, or `None` where the kernel does not say.
pub fn interfaces() -> Option<Vec<HostInterface>> {
    let mut all: Vec<HostInterface> = Vec::new();
    for entry in getifaddrs().ok()? {
        if !all.iter().any(|i| i.name == entry.interface_name) {
            all.push(HostInterface {
                name: entry.interface_name.clone(),
                addresses: Vec::new(),
            });
        }
        let net = address_and_prefix(&entry);
        if let (Some(net), Some(known)) =
            (net, all.iter_mut().find(|i| i.name == entry.interface_name))
        {
            known.addresses.push(net);
        }
    }
    Some(all)
}

fn address_and_prefix(entry: &nix::ifaddrs::InterfaceAddress) -> Option<Net> {
    let (address, mask) = (entry.address.as_ref()?, entry.netmask.as_ref()?);
    if let (Some(a), Some(m)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
        return Some(Net {
            address: a.ip().into(),
            prefix: prefix_of(m.ip().to_bits().into(), 32),
        });
    }
    let (a, m) = (address.as_sockaddr_in6()?, mask.as_sockaddr_in6()?);
    Some(Net {
        address: a.ip().into(),
        prefix: prefix_of(m.ip().to_bits(), 128),
    })
}

fn prefix_of(mask: u128, width: u8) -> u8 {
    let ones = (mask << (128 - u32::from(width))).leading_ones();
    u8::try_from(ones).unwrap_or(width)
}

/// An address that says which network the interface is in: not a single one, not a link-local one.
pub(crate) fn says_network(net: &Net) -> bool {
    match net.address {
        IpAddr::V4(_) => net.prefix < 32,
        IpAddr::V6(a) => net.prefix < 128 && !link_local(a),
    }
}

fn link_local(a: Ipv6Addr) -> bool {
    a.segments()[0] & 0xffc0 == 0xfe80
}

/// False only where the system's accounts certainly lack that user.
pub(crate) fn user_is_missing(name: &str) -> bool {
    matches!(User::from_name(name), Ok(None))
}

/// What is wrong with the directory of the site's own templates.
pub(crate) fn template_dir_problem(path: &Path, checks: &HostChecks) -> Option<Cause> {
    // As with a missing secret: a directory that is not there must not keep the agent from running.
    if !checks.secrets_missing {
        return None;
    }
    let why = std::fs::read_dir(path).err()?.to_string();
    Some(Cause::TemplateDir {
        path: path.to_owned(),
        why,
    })
}

/// What is wrong with a secret file, as far as this process may see.
pub(crate) fn secret_problem(path: &Path, checks: &HostChecks) -> Option<Cause> {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && checks.secrets_missing => {
            return Some(Cause::SecretMissing {
                path: path.to_owned(),
            });
        }
        // Without the right to look into the directory nothing can be told; the agent, which is root, will look.
        Err(_) => return None,
    };
    if !meta.is_file() {
        return checks.secrets_missing.then(|| Cause::SecretMissing {
            path: path.to_owned(),
        });
    }
    let owner = Uid::from_raw(meta.uid());
    let private = meta.mode() & 0o077 == 0 && (owner.is_root() || owner == geteuid());
    (checks.secrets_readable && !private).then(|| Cause::SecretReadable {
        path: path.to_owned(),
        mode: meta.mode() & 0o7777,
        owner: meta.uid(),
    })
}
