//! The lab's networks: one network namespace with two bridges (the switch), one for each machine. Nothing of it is in
//! the host's own namespace, so neither its addresses nor its packet filter meet the lab.

use crate::error::{Doing, LabError, Result, on};
use crate::machine::{Interface, Machine, NODES};
use crate::state::LabState;
use crate::tools::{BRIDGE, IP};
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Updater};
use rustix::mount::UnmountFlags;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use std::fmt::Write as _;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Where `ip netns` looks.
pub const NETNS_DIR: &str = "/run/netns";
const SIOCGIFFLAGS: Opcode = 0x8913;
const SIOCSIFFLAGS: Opcode = 0x8914;
const IFF_UP: u16 = 1;

/// The file that `nsenter --net=` and `ip netns` take.
pub fn netns_path(name: &str) -> PathBuf {
    Path::new(NETNS_DIR).join(name)
}

/// Makes the switch: a bridge for the public network, one for the path between the nodes.
pub(crate) fn make_switch(state: &LabState) -> Result<()> {
    let switch = state.switch();
    make_netns(&switch)?;
    let mut lines = String::from("link set lo up\n");
    for bridge in ["public", "cross"] {
        // No snooping: with it, neighbour discovery right after a link comes up can go astray.
        let _ = writeln!(
            lines,
            "link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        );
        let _ = writeln!(lines, "link set {bridge} addrgenmode none up");
    }
    IP.feed(["-n", &switch, "-batch", "-"], &lines)
}

/// Makes a machine's network as at its boot: a new namespace, its own addresses, nothing else. Its ports on the switch
/// are up, and cut from the other node's while the lab is partitioned.
pub(crate) fn plug_in(state: &LabState, machine: Machine) -> Result<()> {
    let (netns, switch) = (state.netns(machine), state.switch());
    make_netns(&netns)?;
    let mut lines = String::new();
    let mut isolate = String::new();
    for (port, bridge, card, interface) in cards(machine) {
        let address = state.net.hardware_address(machine, interface);
        let _ = writeln!(
            lines,
            "link add {port} type veth peer name {card} address {address} netns {netns}"
        );
        let _ = writeln!(lines, "link set {port} master {bridge} addrgenmode none up");
        let _ = writeln!(isolate, "link set dev {port} isolated on");
    }
    IP.feed(["-n", &switch, "-batch", "-"], &lines)?;
    if state.partitioned && machine.is_node() {
        BRIDGE.feed(["-n", &switch, "-batch", "-"], &isolate)?;
    }
    IP.feed(["-n", &netns, "-batch", "-"], &addresses(state, machine))
}

fn cards(machine: Machine) -> Vec<(String, &'static str, &'static str, Interface)> {
    let public = (machine.public_port(), "public", "eth0", Interface::Public);
    let cross = machine
        .cross_port()
        .map(|port| (port, "cross", "eth1", Interface::Cross));
    std::iter::once(public).chain(cross).collect()
}

fn addresses(state: &LabState, machine: Machine) -> String {
    let net = state.net;
    let mut lines = String::from("link set lo up\n");
    let _ = writeln!(lines, "addr add {}/24 dev eth0", net.public(machine));
    let _ = writeln!(lines, "addr add {}/64 dev eth0 nodad", net.public6(machine));
    let _ = writeln!(lines, "link set eth0 up");
    if machine.is_node() {
        let _ = writeln!(lines, "addr add {}/24 dev eth1", net.cross(machine));
        let _ = writeln!(lines, "link set eth1 up");
    }
    lines
}

/// Takes a machine's network away, as far as there is one.
pub(crate) fn unplug(state: &LabState, machine: Machine) -> Result<()> {
    // Deleted by name, since an open descriptor somewhere could keep the namespace, and the links with it.
    for port in machine.ports() {
        match IP.run(["-n", &state.switch(), "link", "delete", &port]) {
            Err(LabError::Command { stderr, .. }) if stderr.contains("Cannot find device") => {}
            other => other?,
        }
    }
    remove_netns(&state.netns(machine))
}

/// Switches a machine's ports on the switch on or off. A port that is not there counts as off.
pub(crate) fn set_ports(state: &LabState, machine: Machine, up: bool) -> Result<()> {
    let socket = in_netns(&state.switch(), || {
        socket(AddressFamily::INET, SocketType::DGRAM, None)
            .doing(|| "open a socket in the switch".into())
    })?;
    for port in machine.ports() {
        match set_link(&socket, &port, up) {
            Err(Errno::NODEV) if !up => {}
            other => other.doing(|| format!("switch port {port}"))?,
        }
    }
    Ok(())
}

/// Cuts the nodes from each other on both bridges, or joins them again. Ports that are isolated still reach the
/// client's, which is not. The nodes themselves can't undo it: the bridges are not in their namespaces.
pub(crate) fn set_partition(state: &LabState, cut: bool) -> Result<()> {
    let word = if cut { "on" } else { "off" };
    let powered = NODES
        .into_iter()
        .filter(|node| state.machine(*node).powered);
    let lines: String = powered
        .flat_map(Machine::ports)
        .map(|port| format!("link set dev {port} isolated {word}\n"))
        .collect();
    BRIDGE.feed(["-n", &state.switch(), "-batch", "-"], &lines)
}

/// Makes a network namespace that has a name.
pub(crate) fn make_netns(name: &str) -> Result<()> {
    let path = netns_path(name);
    File::create_new(&path).doing(|| on("make", &path))?;
    let made = std::thread::spawn(move || {
        // SAFETY: of what can be unshared, only the descriptor table would be unsafe.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
            .doing(|| "make a network namespace".into())?;
        rustix::mount::mount_bind("/proc/thread-self/ns/net", &path).doing(|| on("mount", &path))
    });
    made.join().unwrap_or_else(|_| {
        Err(LabError::Broken(
            "the thread that makes a namespace died".into(),
        ))
    })
}

/// Removes the name of a network namespace. Nothing happens if there is none.
pub(crate) fn remove_netns(name: &str) -> Result<()> {
    let path = netns_path(name);
    match rustix::mount::unmount(&path, UnmountFlags::DETACH) {
        // INVAL: a file that was never mounted on.
        Ok(()) | Err(Errno::INVAL | Errno::NOENT) => {}
        Err(errno) => return Err(errno).doing(|| on("unmount", &path)),
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing(|| on("remove", &path))
        }
        _ => Ok(()),
    }
}

/// Moves the calling thread into a namespace of that name.
pub(crate) fn enter_netns(name: &str) -> Result<()> {
    let path = netns_path(name);
    let file = File::open(&path).doing(|| on("open", &path))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .doing(|| on("enter", &path))
}

/// Does something inside a network namespace, on a thread of its own.
pub(crate) fn in_netns<T: Send>(name: &str, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            enter_netns(name)?;
            act()
        });
        inside.join().unwrap_or_else(|_| {
            Err(LabError::Broken(
                "the thread inside a namespace died".into(),
            ))
        })
    })
}

/// `struct ifreq`, for flags.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

fn set_link(socket: impl AsFd, port: &str, up: bool) -> rustix::io::Result<()> {
    let mut request = InterfaceRequest {
        name: [0; 16],
        flags: 0,
        rest: [0; 22],
    };
    if port.len() >= request.name.len() {
        return Err(Errno::NAMETOOLONG);
    }
    request.name[..port.len()].copy_from_slice(port.as_bytes());
    // SAFETY: both opcodes take a pointer to an `ifreq`, which is what is given.
    unsafe {
        rustix::ioctl::ioctl(
            socket.as_fd(),
            Updater::<SIOCGIFFLAGS, _>::new(&mut request),
        )
    }?;
    request.flags = if up {
        request.flags | IFF_UP
    } else {
        request.flags & !IFF_UP
    };
    // SAFETY: as above.
    unsafe {
        rustix::ioctl::ioctl(
            socket.as_fd(),
            Updater::<SIOCSIFFLAGS, _>::new(&mut request),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_names_fit_the_kernel() {
        assert_eq!(size_of::<InterfaceRequest>(), 40);
        for port in crate::machine::MACHINES
            .into_iter()
            .flat_map(Machine::ports)
        {
            assert!(port.len() < 16, "{port}");
        }
    }
}
