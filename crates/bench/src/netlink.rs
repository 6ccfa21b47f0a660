//! Addresses by bare netlink messages, and a gratuitous ARP by a bare frame.

use crate::error::{Doing, Result, unexpected};
use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What is done with an address.
#[derive(Clone, Copy)]
pub enum Change {
    Add,
    Remove,
}

/// The number of an interface.
pub fn index(interface: &str) -> Result<u32> {
    let name = CString::new(interface).map_err(|_| unexpected("a name with a zero byte"))?;
    // SAFETY: `name` is a C string that lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(std::io::Error::last_os_error()).doing(format!("find {interface}")),
        index => Ok(index),
    }
}

fn socket(domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
    // SAFETY: makes a descriptor, which is owned from here on.
    let raw = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
    if raw < 0 {
        return Err(std::io::Error::last_os_error()).doing("make a socket");
    }
    // SAFETY: just made, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Adds or removes `address` as /32 or /128, without duplicate detection, and waits for the kernel's answer.
pub fn address(change: Change, index: u32, address: IpAddr) -> Result<()> {
    let (kind, flags) = match change {
        Change::Add => (libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL),
        Change::Remove => (libc::RTM_DELADDR, 0),
    };
    let (family, bytes) = match address {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    };
    let prefix = u8::try_from(bytes.len() * 8).unwrap_or(u8::MAX);
    let mut body = vec![
        u8::try_from(family).unwrap_or(0),
        prefix,
        libc::IFA_F_NODAD as u8,
        0,
    ];
    body.extend(index.to_ne_bytes());
    for attribute in [libc::IFA_LOCAL, libc::IFA_ADDRESS] {
        body.extend(u16::try_from(4 + bytes.len()).unwrap_or(0).to_ne_bytes());
        body.extend(attribute.to_ne_bytes());
        body.extend(&bytes);
    }
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags).unwrap_or(0);
    let mut message = u32::try_from(16 + body.len())
        .unwrap_or(0)
        .to_ne_bytes()
        .to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    let answer = talk(&message)?;
    // A header of 16 bytes, then the error number of NLMSG_ERROR; 0 is "done".
    let error = answer
        .get(16..20)
        .and_then(|b| b.try_into().ok())
        .map(i32::from_ne_bytes);
    match error {
        Some(0) => Ok(()),
        Some(error) => {
            Err(std::io::Error::from_raw_os_error(-error)).doing(format!("change {address}"))
        }
        None => Err(unexpected("netlink gave half an answer")),
    }
}

fn talk(message: &[u8]) -> Result<Vec<u8>> {
    let socket = socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)?;
    let mut answer = vec![0; 4096];
    // SAFETY: both buffers live through the calls, and their true lengths are given.
    let read = unsafe {
        if libc::send(
            socket.as_raw_fd(),
            message.as_ptr().cast(),
            message.len(),
            0,
        ) < 0
        {
            return Err(std::io::Error::last_os_error()).doing("send to netlink");
        }
        libc::recv(
            socket.as_raw_fd(),
            answer.as_mut_ptr().cast(),
            answer.len(),
            0,
        )
    };
    let read = usize::try_from(read)
        .map_err(|_| std::io::Error::last_os_error())
        .doing("read from netlink")?;
    answer.truncate(read);
    Ok(answer)
}

/// Sends one gratuitous ARP reply to everybody. Gives the socket, for whoever has time to close it.
pub fn announce(interface: &str, index: u32, address: Ipv4Addr) -> Result<OwnedFd> {
    let text = std::fs::read_to_string(format!("/sys/class/net/{interface}/address"))
        .doing("read the hardware address")?;
    let own: Vec<u8> = text
        .trim()
        .split(':')
        .filter_map(|b| u8::from_str_radix(b, 16).ok())
        .collect();
    let everybody = [0xff; 6];
    let ethernet = [&everybody[..], &own, &[0x08, 0x06]].concat();
    let arp = [
        &[0, 1, 8, 0, 6, 4, 0, 2][..],
        &own,
        &address.octets(),
        &own,
        &address.octets(),
    ]
    .concat();
    let frame = [ethernet, arp].concat();
    let socket = socket(libc::AF_PACKET, libc::SOCK_RAW, 0)?;
    // SAFETY: all zero bytes are a valid address of this kind.
    let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    to.sll_family = libc::AF_PACKET as u16;
    to.sll_ifindex = i32::try_from(index).unwrap_or(0);
    to.sll_halen = 6;
    to.sll_addr[..6].copy_from_slice(&everybody);
    // SAFETY: frame and address live through the call, and their true lengths are given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            0,
            (&raw const to).cast(),
            size_of::<libc::sockaddr_ll>() as u32,
        )
    };
    if sent < 0 {
        return Err(std::io::Error::last_os_error()).doing("announce the address");
    }
    Ok(socket)
}
