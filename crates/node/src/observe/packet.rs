//! Raw Ethernet frames on one interface: what ARP and neighbour discovery are asked and heard with.

use super::interfaces::Hardware;
use crate::command::wait;
use libc::{BPF_ABS, BPF_B, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use rustix::event::{PollFd, PollFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// After the first answer, how long a second machine may take to answer too.
const SECOND_ANSWER: Duration = Duration::from_millis(5);
/// How often one question is sent while nobody answers: a single lost frame must not look like silence.
const SENT_AT_MOST: u32 = 3;
/// Answers kept of one question: more machines than this never claim one address.
const ANSWERS_KEPT: usize = 16;

/// `ETH_P_ARP`.
pub const ARP: u16 = 0x0806;
/// `ETH_P_IPV6`.
pub const IPV6: u16 = 0x86dd;

/// The kernel's filter: which frames wake us at all, on a segment full of others.
#[derive(Clone, Debug)]
pub struct Filter(Vec<libc::sock_filter>);

impl Filter {
    /// Accepts a frame where each (offset in bytes, width, value) holds.
    fn all_of(tests: &[(u32, u32, u32)]) -> Self {
        let mut program = Vec::new();
        for (i, (offset, width, value)) in tests.iter().enumerate() {
            // The reject instruction is the last one: after the remaining tests and the accept.
            let to_reject = u8::try_from(2 * (tests.len() - i) - 1).expect("a handful of tests");
            program.push(instruction(BPF_LD | BPF_ABS | width, 0, 0, *offset));
            program.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, to_reject, *value));
        }
        program.push(instruction(BPF_RET | BPF_K, 0, 0, u32::MAX));
        program.push(instruction(BPF_RET | BPF_K, 0, 0, 0));
        Self(program)
    }

    /// ARP frames whose sender says that it has `address`.
    pub fn arp_claims(address: std::net::Ipv4Addr) -> Self {
        Self::all_of(&[(28, BPF_W, address.to_bits())])
    }

    /// Neighbour advertisements for `address`.
    pub fn ndp_claims(address: std::net::Ipv6Addr) -> Self {
        let bits = address.to_bits();
        // The cast keeps the low 32 bits of each word on purpose.
        let word = |i: u32| (62 + 4 * i, BPF_W, (bits >> (96 - 32 * i)) as u32);
        Self::all_of(&[
            (20, BPF_B, 58),
            (54, BPF_B, 136),
            word(0),
            word(1),
            word(2),
            word(3),
        ])
    }
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: u16::try_from(code).expect("a BPF opcode"),
        jt,
        jf,
        k,
    }
}

/// A raw socket on one interface. It hears what comes in, not what this host sends.
#[derive(Debug)]
pub struct PacketSocket {
    /// `None` only while it is dropped.
    fd: Option<OwnedFd>,
}

impl PacketSocket {
    /// Opens it for one Ethernet protocol. Nothing reaches it before its filter is in place.
    pub fn open(interface: u32, protocol: u16, filter: Option<&Filter>) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers are passed. Protocol 0 receives nothing until the bind below.
        let raw = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `raw` was just opened and belongs to nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        if let Some(filter) = filter {
            attach(&fd, filter)?;
        }
        bind(&fd, interface, protocol)?;
        Ok(Self { fd: Some(fd) })
    }

    /// Sends one whole frame. Sending never waits.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        rustix::net::send(self.as_fd(), frame, rustix::net::SendFlags::empty())?;
        Ok(())
    }

    /// The next frame that is there, or `None`.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        match rustix::net::recv(
            self.as_fd(),
            &mut buffer[..],
            rustix::net::RecvFlags::empty(),
        ) {
            Ok((_, n)) => Ok(Some(&buffer[..n.min(buffer.len())])),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Sends `question` (again while nobody answers) and gathers the distinct answers that `read` finds in what comes
    /// in. Returns at `timeout`, or shortly after the first answer.
    pub fn ask(
        &self,
        question: &[u8],
        timeout: Duration,
        read: impl Fn(&[u8]) -> Option<Hardware>,
    ) -> io::Result<Vec<Hardware>> {
        let begun = Instant::now();
        let mut answers: Vec<Hardware> = Vec::new();
        let mut until = begun + timeout;
        let mut sent = 0;
        while Instant::now() < until {
            if answers.is_empty()
                && sent < SENT_AT_MOST
                && begun.elapsed() >= timeout * sent / SENT_AT_MOST
            {
                self.send(question)?;
                sent += 1;
            }
            let silent = answers.is_empty() && sent < SENT_AT_MOST;
            let next = if silent {
                begun + timeout * sent / SENT_AT_MOST
            } else {
                until
            };
            if !self.wait_readable(next.min(until))? {
                continue;
            }
            let mut buffer = [0; 2048];
            while let Some(frame) = self.receive(&mut buffer)? {
                let new = read(frame).filter(|hardware| !answers.contains(hardware));
                if let Some(hardware) = new.filter(|_| answers.len() < ANSWERS_KEPT) {
                    if answers.is_empty() {
                        until = until.min(Instant::now() + SECOND_ANSWER);
                    }
                    answers.push(hardware);
                }
            }
        }
        Ok(answers)
    }

    fn wait_readable(&self, deadline: Instant) -> io::Result<bool> {
        let mut fds = [PollFd::from_borrowed_fd(self.as_fd(), PollFlags::IN)];
        Ok(wait(&mut fds, deadline)?)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd
            .as_ref()
            .expect("a socket keeps its descriptor until it is dropped")
            .as_fd()
    }
}

impl Drop for PacketSocket {
    /// Closing a raw socket waits until the kernel's network code has let go of it: several milliseconds that nobody
    /// in the middle of a takeover should wait for.
    fn drop(&mut self) {
        let fd = self.fd.take();
        let _ = std::thread::Builder::new()
            .name("packet-close".into())
            .spawn(move || drop(fd));
    }
}

fn attach(fd: &OwnedFd, filter: &Filter) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: libc::c_ushort::try_from(filter.0.len()).expect("a short filter"),
        filter: filter.0.as_ptr().cast_mut(),
    };
    // SAFETY: `program` and the instructions it points to live through the call; the kernel copies and only reads them.
    let rc = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn bind(fd: &OwnedFd, interface: u32, protocol: u16) -> io::Result<()> {
    let family = libc::c_ushort::try_from(libc::AF_PACKET).expect("a small constant");
    let address = libc::sockaddr_ll {
        sll_family: family,
        sll_protocol: protocol.to_be(),
        sll_ifindex: i32::try_from(interface)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: `address` is a whole sockaddr_ll that lives through the call, and its true size is passed.
    let rc = unsafe {
        libc::bind(
            fd.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
