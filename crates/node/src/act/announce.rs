//! Tells the segment who has a virtual address now, and listens for others that claim it.
//!
//! One thread for each address that this process added. In the first seconds it announces again (switches and hosts
//! miss frames) and answers every claim of another machine with an announcement. Then it only asks and listens: a
//! conflict is reported, and what to do about it is decided by the table, not here.

use crate::command::wait;
use crate::observe::interfaces::{self, Hardware, Interface, hardware_text};
use crate::observe::packet::{ARP, Filter, IPV6, PacketSocket};
use crate::observe::{arp, ndp};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use siaga_model::UtcMicros;
use siaga_model::Why;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// When it is announced again, in milliseconds after the first announcement.
pub const AGAIN_AT_MS: [u64; 6] = [10, 50, 200, 1000, 3000, 10_000];
/// Claims of others are answered with an announcement for this long.
pub const DEFENDED_FOR: Duration = Duration::from_secs(10);
/// Two machines that defend one address must not flood the segment.
const BETWEEN_DEFENCES: Duration = Duration::from_millis(100);
/// Afterwards: how often it is asked whether another machine has the address too.
const WATCHED_EVERY: Duration = Duration::from_secs(30);
/// A machine that was asked this often, and has not answered, is not there any more.
const NEWS_FOR: Duration = Duration::from_secs(2 * WATCHED_EVERY.as_secs() + 5);
/// A thread that wakes this late was asleep (a frozen machine): the address may be another node's by now, so it never
/// announces again, it only reports.
const ASLEEP: Duration = Duration::from_millis(700);

/// Another machine that claimed an address of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    pub interface: String,
    pub address: IpAddr,
    /// Its hardware address: lower case, with colons.
    pub hardware: String,
    pub first_seen: UtcMicros,
    pub last_seen: UtcMicros,
    /// How often it was seen.
    pub count: u64,
}

impl Conflict {
    /// Is it still there, as far as the questions tell?
    pub fn is_news(&self, now: UtcMicros) -> bool {
        u128::from(now.millis_since(self.last_seen)) <= NEWS_FOR.as_millis()
    }
}

static CONFLICTS: Mutex<Vec<Conflict>> = Mutex::new(Vec::new());
static LISTENERS: Mutex<Vec<Arc<Listener>>> = Mutex::new(Vec::new());
/// More conflicts than this are not kept; the newest go on being counted.
const CONFLICTS_KEPT: usize = 64;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every conflict seen since its address was added here. [`Conflict::is_news`] says whether it is still one.
pub fn conflicts() -> Vec<Conflict> {
    locked(&CONFLICTS).clone()
}

/// Records that `hardware` claims `address`, which is (or is about to be) ours.
pub(crate) fn record(interface: &str, address: IpAddr, hardware: &str) {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = UtcMicros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
    let mut all = locked(&CONFLICTS);
    let known = all
        .iter_mut()
        .find(|c| c.interface == interface && c.address == address && c.hardware == hardware);
    if let Some(conflict) = known {
        conflict.last_seen = now;
        conflict.count += 1;
    } else if all.len() < CONFLICTS_KEPT {
        tracing::warn!(interface, %address, hardware, "another machine claims the virtual address");
        all.push(Conflict {
            interface: interface.to_owned(),
            address,
            hardware: hardware.to_owned(),
            first_seen: now,
            last_seen: now,
            count: 1,
        });
    }
}

/// What is sent and heard for one address.
#[derive(Debug)]
struct Listener {
    interface: String,
    address: IpAddr,
    own: Hardware,
    socket: PacketSocket,
    announcements: Vec<Vec<u8>>,
    /// Finds another holder that says nothing by itself. Its answer comes to us alone, so it misleads nobody.
    question: Option<Vec<u8>>,
    wake: OwnedFd,
    /// Held while an announcement is sent. Once it is false, none is ever sent again.
    live: Mutex<bool>,
}

/// A socket that listens already, for an address that is about to be added.
#[derive(Debug)]
pub(crate) struct Prepared(Arc<Listener>);

/// Opens the socket, so that nothing is missed and nothing is left to fail after the address was added.
pub(crate) fn prepare(interface: &Interface, address: IpAddr) -> Result<Prepared, Why> {
    let own = interface.ethernet()?;
    let failed = |e: std::io::Error| announcing(&interface.name, &e);
    let (protocol, filter) = match address {
        IpAddr::V4(v4) => (ARP, Filter::arp_claims(v4)),
        IpAddr::V6(v6) => (IPV6, Filter::ndp_claims(v6)),
    };
    let (announcements, question) = match address {
        IpAddr::V4(v4) => (
            arp::announcements(own, v4),
            Some(arp::request(own, Ipv4Addr::UNSPECIFIED, v4)),
        ),
        // Asked without an address of our own, the answer would go to everybody and mislead them.
        IpAddr::V6(v6) => {
            let question = interface
                .own_v6(v6)
                .map(|source| ndp::solicitation(own, Some(source), v6));
            (vec![ndp::announcement(own, v6)], question)
        }
    };
    Ok(Prepared(Arc::new(Listener {
        interface: interface.name.clone(),
        address,
        own,
        socket: PacketSocket::open(interface.index, protocol, Some(&filter)).map_err(failed)?,
        announcements,
        question,
        wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|e| failed(e.into()))?,
        live: Mutex::new(true),
    })))
}

fn announcing(interface: &str, error: &std::io::Error) -> Why {
    Why::AnnouncingAddress {
        interface: interface.to_owned(),
        said: error.to_string(),
    }
}

impl Prepared {
    /// Announces now, and goes on in the background.
    pub(crate) fn announce(self) -> Result<(), Why> {
        let first = self.0.announce_now();
        self.listen(&AGAIN_AT_MS)?;
        first.map_err(|e| announcing(&self.0.interface, &e))
    }

    /// Listens only: for an address that was there already.
    pub(crate) fn watch(self) -> Result<(), Why> {
        self.listen(&[])
    }

    fn listen(&self, again: &'static [u64]) -> Result<(), Why> {
        let listener = Arc::clone(&self.0);
        silence(&listener.interface, listener.address);
        locked(&LISTENERS).push(Arc::clone(&listener));
        let begun = Instant::now();
        std::thread::Builder::new()
            .name("virtual-ip".into())
            .spawn(move || Watch::new(&listener, again, begun).until_over())
            .map(drop)
            .map_err(|e| announcing(&self.0.interface, &e))
    }
}

/// Is a listener at work for that address?
pub(crate) fn is_watched(interface: &str, address: IpAddr) -> bool {
    locked(&LISTENERS)
        .iter()
        .any(|l| l.is_for(interface, address))
}

/// Ends announcing. When it returns, no announcement is under way and none will follow.
pub(crate) fn silence(interface: &str, address: IpAddr) {
    let mut ended = Vec::new();
    locked(&LISTENERS).retain(|l| {
        let stays = !l.is_for(interface, address);
        if !stays {
            ended.push(Arc::clone(l));
        }
        stays
    });
    for listener in ended {
        *locked(&listener.live) = false;
        let _ = rustix::io::write(&listener.wake, &1_u64.to_ne_bytes());
    }
}

/// Forgets the conflicts of an address that is no longer ours.
pub(crate) fn forget(interface: &str, address: IpAddr) {
    locked(&CONFLICTS).retain(|c| c.interface != interface || c.address != address);
}

impl Listener {
    fn is_for(&self, interface: &str, address: IpAddr) -> bool {
        self.interface == interface && self.address == address
    }

    fn announce_now(&self) -> std::io::Result<()> {
        for frame in &self.announcements {
            self.socket.send(frame)?;
        }
        Ok(())
    }

    /// Sends only while the address is ours. False when it no longer is.
    fn send_if_ours(&self, announce: bool) -> bool {
        let live = locked(&self.live);
        if !*live || !self.address_is_here() {
            return false;
        }
        let sent = if announce {
            self.announce_now()
        } else {
            Ok(())
        };
        let asked = self
            .question
            .as_ref()
            .map_or(Ok(()), |frame| self.socket.send(frame));
        if let Err(e) = sent.and(asked) {
            tracing::warn!(interface = self.interface, address = %self.address, "announcing failed: {e}");
        }
        true
    }

    fn address_is_here(&self) -> bool {
        let holds = |i: &Interface| {
            i.name == self.interface && i.addresses.iter().any(|(a, _)| *a == self.address)
        };
        // A list that can't be read is no reason to fall silent: an announcement is missed more dearly.
        interfaces::all().map_or(true, |all| all.iter().any(holds))
    }

    /// Reads everything that came in. True when another machine claims the address.
    fn hear(&self) -> bool {
        let mut buffer = [0; 2048];
        let mut claimed = false;
        // An error is the interface going down and up again; the next wake tries again.
        while let Ok(Some(frame)) = self.socket.receive(&mut buffer) {
            let claimant = match self.address {
                IpAddr::V4(v4) => arp::claimant(frame, v4),
                IpAddr::V6(v6) => ndp::claimant(frame, v6),
            };
            if let Some(other) = claimant.filter(|hardware| *hardware != self.own) {
                record(&self.interface, self.address, &hardware_text(other));
                claimed = true;
            }
        }
        claimed
    }
}

/// The thread's own state.
struct Watch<'a> {
    listener: &'a Arc<Listener>,
    begun: Instant,
    again: &'static [u64],
    /// When the last claim was answered, and whether one waits for its answer.
    defended: Option<Instant>,
    undefended: bool,
    /// It was asleep: it announces and defends nothing any more.
    muted: bool,
    next_question: Instant,
}

impl<'a> Watch<'a> {
    fn new(listener: &'a Arc<Listener>, again: &'static [u64], begun: Instant) -> Self {
        Self {
            listener,
            begun,
            again,
            defended: None,
            undefended: false,
            muted: again.is_empty(),
            next_question: begun
                + if again.is_empty() {
                    Duration::ZERO
                } else {
                    WATCHED_EVERY
                },
        }
    }

    /// Runs until the address is removed.
    fn until_over(mut self) {
        loop {
            let next = self.next();
            let mut fds = [
                PollFd::from_borrowed_fd(self.listener.socket.as_fd(), PollFlags::IN),
                PollFd::new(&self.listener.wake, PollFlags::IN),
            ];
            let waited = wait(&mut fds, next);
            if waited.is_err() || !fds[1].revents().is_empty() {
                break;
            }
            self.muted |= was_asleep(next, Instant::now());
            let claimed = self.listener.hear();
            if !self.act(claimed) {
                break;
            }
        }
        let done = self.listener;
        locked(&LISTENERS).retain(|l| !Arc::ptr_eq(l, done));
    }

    fn defends(&self, now: Instant) -> bool {
        !self.muted && now.duration_since(self.begun) < DEFENDED_FOR
    }

    /// When there is something to do without anything coming in.
    fn next(&self) -> Instant {
        let announcement = self
            .again
            .first()
            .filter(|_| !self.muted)
            .map(|ms| self.begun + Duration::from_millis(*ms));
        let defence = self
            .defended
            .filter(|_| self.undefended)
            .map(|at| at + BETWEEN_DEFENCES);
        [announcement, defence, Some(self.next_question)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.next_question)
    }

    /// Does what is due. False when the address is no longer here.
    fn act(&mut self, claimed: bool) -> bool {
        let now = Instant::now();
        self.undefended = (self.undefended || claimed) && self.defends(now);
        let due = self
            .again
            .first()
            .is_some_and(|ms| now >= self.begun + Duration::from_millis(*ms))
            && !self.muted;
        let rested = self.defended.is_none_or(|at| now >= at + BETWEEN_DEFENCES);
        let announce = due || (self.undefended && rested);
        if announce {
            if due {
                self.again = &self.again[1..];
            }
            self.defended = Some(now);
            self.undefended = false;
        }
        let ask = now >= self.next_question;
        if ask {
            self.next_question = now + WATCHED_EVERY;
        }
        !(announce || ask) || self.listener.send_if_ours(announce)
    }
}

/// Did a thread that was to wake at `due` sleep past it?
fn was_asleep(due: Instant, woke: Instant) -> bool {
    woke.saturating_duration_since(due) > ASLEEP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_late_wake_counts_as_sleep() {
        let due = Instant::now();
        assert!(!was_asleep(due, due));
        assert!(
            !was_asleep(due + Duration::from_secs(5), due),
            "woken early by a frame"
        );
        assert!(
            !was_asleep(due, due + Duration::from_millis(200)),
            "a busy machine"
        );
        assert!(was_asleep(due, due + Duration::from_secs(3)));
    }

    #[test]
    fn the_list_of_conflicts_is_bounded_and_counts() {
        let address: IpAddr = "203.0.113.77".parse().unwrap();
        record("unit-test0", address, "02:00:5e:00:53:99");
        record("unit-test0", address, "02:00:5e:00:53:99");
        let seen: Vec<Conflict> = conflicts()
            .into_iter()
            .filter(|c| c.interface == "unit-test0")
            .collect();
        assert_eq!((seen.len(), seen[0].count), (1, 2));
        for i in 0..200 {
            record("unit-test0", address, &format!("02:00:5e:00:54:{i:02x}"));
        }
        assert!(conflicts().len() <= CONFLICTS_KEPT);
        forget("unit-test0", address);
        assert!(conflicts().iter().all(|c| c.interface != "unit-test0"));
    }
}
