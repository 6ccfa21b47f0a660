//! The service's address on this node: added, announced, watched, removed.
//!
//! It is added as /32 or /128, so that removing it never takes another address along. The kernel's own duplicate
//! detection is not used (it takes more than a second): where nobody else can have the address it is usable at once,
//! else the segment is asked first, by us.

use super::announce;
use crate::observe::arp::{self, ArpAnswer};
use crate::observe::interfaces::{self, Interface, hardware_text};
use crate::observe::ndp;
use futures_util::TryStreamExt;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use siaga_model::run::FailureKind;
use siaga_model::{Note, Why};
use siaga_runner::hands::{Acted, AddressCertainty, Did, Trouble};
use std::net::IpAddr;
use std::time::Duration;
use tokio::runtime::Handle;

pub use super::announce::{Conflict, conflicts};

/// A contested address is asked for three times in this time before it is added.
pub const PROBED_FOR: Duration = Duration::from_millis(210);
/// The kernel answers in microseconds; this only bounds the wait.
const NETLINK_WITHIN: Duration = Duration::from_secs(5);

/// Adds `address` to `interface`, announces it before it returns, and goes on announcing and watching in the
/// background. [`AddressCertainty::Contested`]: refused where any other machine answers for it.
pub fn add(rt: &Handle, interface: &str, address: IpAddr, certainty: AddressCertainty) -> Acted {
    add_beside(rt, interface, address, certainty, &[])
}

/// As [`add`], where the hardware addresses in `tolerated` (lower case) may answer and are not obeyed: those of a node
/// that was cut from the storage and still runs. The address is added and defended, and they are reported as conflict.
pub fn add_beside(
    rt: &Handle,
    interface: &str,
    address: IpAddr,
    certainty: AddressCertainty,
    tolerated: &[String],
) -> Acted {
    let place = usable(interface).map_err(failed)?;
    let mut notes = Vec::new();
    let found = entries(rt, address).map_err(failed)?;
    if let Some(other) = found.iter().find(|e| e.index != place.index) {
        return Err(failed(Why::AddressElsewhere {
            address,
            interface: interface_name(other.index),
        }));
    }
    if found.first().is_some_and(|here| !here.duplicate()) {
        return already(&place, address);
    }
    if certainty == AddressCertainty::Contested {
        notes.extend(ask_first(&place, address, tolerated)?);
    }
    if let Some(duplicate) = found.into_iter().next() {
        notes.push(Note::DuplicateCleared { address });
        delete(rt, duplicate.message).map_err(failed)?;
    }
    put(rt, &place, address)?;
    Ok(Did::changed(notes))
}

/// The interface where it can carry an address now, else why not and what mends it.
/// The interface `name`, where an address could be added to it now: it is there, is an Ethernet, is on and has its carrier.
///
/// # Errors
/// Says what it lacks.
pub fn usable(name: &str) -> Result<Interface, Why> {
    let interface = interfaces::named(name)?;
    interface.ethernet()?;
    if !interface.up {
        return Err(Why::InterfaceDown {
            interface: name.to_owned(),
        });
    }
    if !interface.running {
        return Err(Why::NoCarrier {
            interface: name.to_owned(),
        });
    }
    Ok(interface)
}

/// It is there, perhaps since before this process: make sure that it is announced and watched.
fn already(place: &Interface, address: IpAddr) -> Acted {
    if !announce::is_watched(&place.name, address) {
        announce::prepare(place, address)
            .and_then(announce::Prepared::announce)
            .map_err(failed)?;
    }
    Ok(Did::nothing())
}

fn ask_first(
    place: &Interface,
    address: IpAddr,
    tolerated: &[String],
) -> Result<Vec<Note>, Trouble> {
    let answer = match address {
        IpAddr::V4(v4) => arp::probe(&place.name, v4, PROBED_FOR),
        IpAddr::V6(v6) => ndp::ask(&place.name, v6, PROBED_FOR),
    };
    if let ArpAnswer::Error(why) = &answer {
        return Err(failed(Why::AddressUntellable {
            address,
            why: Box::new(why.clone()),
        }));
    }
    let mut notes = Vec::new();
    for hardware in answer.hardware() {
        if !tolerated.iter().any(|t| t == hardware) {
            return Err(failed(Why::AddressAnswered {
                address,
                hardware: hardware.to_owned(),
                interface: place.name.clone(),
            }));
        }
        announce::record(&place.name, address, hardware);
        notes.push(Note::AnsweredAndDefended {
            address,
            hardware: hardware.to_owned(),
        });
    }
    Ok(notes)
}

/// Adds, announces, looks again.
fn put(rt: &Handle, place: &Interface, address: IpAddr) -> Result<(), Trouble> {
    let prepared = announce::prepare(place, address).map_err(failed)?;
    insert(rt, place, address).map_err(failed)?;
    // From here on the address is here: what fails below must not leave it behind unseen.
    let announced = prepared.announce();
    let seen = entries(rt, address).map_err(Trouble::Unknown)?;
    let here = seen.iter().find(|e| e.index == place.index);
    match here {
        Some(entry) if !entry.duplicate() => announced.map_err(failed),
        Some(_) => {
            announce::silence(&place.name, address);
            Err(failed(Why::AddressDuplicate {
                address,
                interface: place.name.clone(),
            }))
        }
        None => {
            announce::silence(&place.name, address);
            Err(failed(Why::AddressGoneAgain {
                address,
                interface: place.name.clone(),
            }))
        }
    }
}

/// Removes `address` from `interface`. When it returns, no announcement of ours follows any more.
pub fn remove(rt: &Handle, interface: &str, address: IpAddr) -> Acted {
    announce::silence(interface, address);
    let index = interfaces::all()
        .map_err(failed)?
        .iter()
        .find(|i| i.name == interface)
        .map(|i| i.index);
    let found = entries(rt, address).map_err(failed)?;
    let mut changed = false;
    for entry in found.into_iter().filter(|e| Some(e.index) == index) {
        spares_others(rt, interface, &entry).map_err(failed)?;
        delete(rt, entry.message).map_err(failed)?;
        changed = true;
    }
    if let Some(left) = entries(rt, address).map_err(Trouble::Unknown)?.first() {
        return Err(failed(Why::AddressStillThere {
            address,
            interface: interface_name(left.index),
        }));
    }
    announce::forget(interface, address);
    Ok(if changed {
        Did::changed(Vec::new())
    } else {
        Did::nothing()
    })
}

/// An address that somebody configured with a whole network may take others of that network along when it goes.
fn spares_others(rt: &Handle, interface: &str, entry: &Entry) -> Result<(), Why> {
    let IpAddr::V4(address) = entry.address else {
        return Ok(());
    };
    let host = u32::from(entry.prefix) >= 32;
    if host || entry.flags.contains(AddressFlags::Secondary) || promotes_secondaries(interface) {
        return Ok(());
    }
    let shift = 32 - u32::from(entry.prefix);
    let network = |a: std::net::Ipv4Addr| a.to_bits().checked_shr(shift);
    let others: Vec<IpAddr> = every_entry(rt)?
        .iter()
        .filter(|e| {
            e.index == entry.index
                && e.prefix == entry.prefix
                && e.flags.contains(AddressFlags::Secondary)
        })
        .filter(|e| matches!(e.address, IpAddr::V4(a) if network(a) == network(address)))
        .map(|e| e.address)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Why::AddressTakesOthers {
        address: entry.address,
        prefix: entry.prefix,
        interface: interface.to_owned(),
        others,
    })
}

fn promotes_secondaries(interface: &str) -> bool {
    ["all", interface].iter().any(|name| {
        std::fs::read_to_string(format!(
            "/proc/sys/net/ipv4/conf/{name}/promote_secondaries"
        ))
        .is_ok_and(|text| text.trim() == "1")
    })
}

/// Is `address` on `interface`? Also true where the kernel found a duplicate of it and does not use it: it would come
/// back with the next link-up.
pub fn present(rt: &Handle, interface: &str, address: IpAddr) -> Result<bool, Why> {
    let index = interfaces::all()?
        .iter()
        .find(|i| i.name == interface)
        .map(|i| i.index);
    Ok(entries(rt, address)?.iter().any(|e| Some(e.index) == index))
}

/// Watches an address that is there already, without announcing it: what a restarted agent does with what it finds.
pub fn adopt(interface: &str, address: IpAddr) -> Result<(), Why> {
    let place = interfaces::named(interface)?;
    if announce::is_watched(interface, address)
        || !place.addresses.iter().any(|(a, _)| *a == address)
    {
        return Ok(());
    }
    announce::prepare(&place, address)?.watch()
}

/// Announces an address that is here again: after the agent learned that another machine still answers for it. The
/// caller knows that the address is this node's by mandate.
pub fn announce_again(interface: &str, address: IpAddr) -> Result<(), Why> {
    let place = usable(interface)?;
    if !place.addresses.iter().any(|(a, _)| *a == address) {
        return Err(Why::AddressNotHere {
            address,
            interface: interface.to_owned(),
        });
    }
    announce::prepare(&place, address)?.announce()
}

/// The hardware address of `interface`: lower case, with colons.
pub fn own_hardware(interface: &str) -> Result<String, Why> {
    interfaces::named(interface)?.ethernet().map(hardware_text)
}

/// The interface of this node that has `address`.
pub fn interface_of_ip(address: IpAddr) -> Result<Option<String>, Why> {
    Ok(interfaces::all()?
        .into_iter()
        .find(|i| i.addresses.iter().any(|(own, _)| *own == address))
        .map(|i| i.name))
}

fn interface_name(index: u32) -> String {
    let all = interfaces::all().unwrap_or_default();
    all.into_iter()
        .find(|i| i.index == index)
        .map_or_else(|| format!("interface {index}"), |i| i.name)
}

fn failed(why: Why) -> Trouble {
    Trouble::failed(FailureKind::Address, why)
}

/// One address as the kernel has it.
struct Entry {
    index: u32,
    address: IpAddr,
    prefix: u8,
    flags: AddressFlags,
    message: AddressMessage,
}

impl Entry {
    fn duplicate(&self) -> bool {
        self.flags.contains(AddressFlags::Dadfailed)
    }

    fn of(message: AddressMessage) -> Option<Self> {
        let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
        let (mut local, mut address) = (None, None);
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(a) => local = Some(*a),
                AddressAttribute::Address(a) => address = Some(*a),
                AddressAttribute::Flags(all) => flags = *all,
                _ => {}
            }
        }
        // On a point-to-point link `Address` is the other end's.
        let address = local.or(address)?;
        Some(Self {
            index: message.header.index,
            address,
            prefix: message.header.prefix_len,
            flags,
            message,
        })
    }
}

fn entries(rt: &Handle, address: IpAddr) -> Result<Vec<Entry>, Why> {
    Ok(every_entry(rt)?
        .into_iter()
        .filter(|e| e.address == address)
        .collect())
}

fn every_entry(rt: &Handle) -> Result<Vec<Entry>, Why> {
    let all: Vec<AddressMessage> = netlink(rt, async |link| {
        link.address().get().execute().try_collect().await
    })
    .map_err(|why| Why::ListingAddresses { why: Box::new(why) })?;
    Ok(all.into_iter().filter_map(Entry::of).collect())
}

fn insert(rt: &Handle, place: &Interface, address: IpAddr) -> Result<(), Why> {
    let prefix = if address.is_ipv4() { 32 } else { 128 };
    let added = netlink(rt, async |link| {
        let mut request = link.address().add(place.index, address, prefix);
        if address.is_ipv6() {
            request.message_mut().header.flags = AddressHeaderFlags::Nodad;
        }
        request.execute().await
    });
    added.map_err(|why| {
        let interface = place.name.clone();
        let why = Why::AddingAddress {
            address,
            interface: interface.clone(),
            why: Box::new(why),
        };
        let off = std::fs::read_to_string(format!(
            "/proc/sys/net/ipv6/conf/{}/disable_ipv6",
            place.name
        ));
        if address.is_ipv6() && off.is_ok_and(|text| text.trim() == "1") {
            Why::Ipv6Off {
                interface,
                why: Box::new(why),
            }
        } else {
            why
        }
    })
}

fn delete(rt: &Handle, message: AddressMessage) -> Result<(), Why> {
    netlink(rt, async |link| link.address().del(message).execute().await)
        .map_err(|why| Why::RemovingAddress { why: Box::new(why) })
}

/// The loopback of a network namespace of its own: up, with these addresses, which nobody else can have there.
pub(crate) fn loopback(rt: &Handle, addresses: &[IpAddr]) -> Result<(), Why> {
    const LOOPBACK: u32 = 1;
    netlink(rt, async |link| {
        let up = rtnetlink::LinkUnspec::new_with_index(LOOPBACK).up().build();
        link.link().set(up).execute().await?;
        for address in addresses {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            let mut adding = link.address().add(LOOPBACK, *address, whole);
            adding
                .message_mut()
                .header
                .flags
                .insert(AddressHeaderFlags::Nodad);
            adding.execute().await?;
        }
        Ok(())
    })
}

/// One conversation with the kernel, carried out on this thread (so in its network namespace).
fn netlink<T>(
    rt: &Handle,
    work: impl AsyncFnOnce(rtnetlink::Handle) -> Result<T, rtnetlink::Error>,
) -> Result<T, Why> {
    rt.block_on(async {
        let (connection, handle, _messages) =
            rtnetlink::new_connection().map_err(|e| Why::system(format!("netlink: {e}")))?;
        tokio::select! {
            done = tokio::time::timeout(NETLINK_WITHIN, work(handle)) => match done {
                Ok(result) => result.map_err(|e| Why::System(kernel_text(&e))),
                Err(_) => Err(Why::KernelSilent),
            },
            () = connection => Err(Why::NetlinkClosed),
        }
    })
}

/// The kernel's reason as people know it: `Permission denied (os error 13)`.
fn kernel_text(error: &rtnetlink::Error) -> String {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io().to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_could_not_take_the_address_says_why() {
        let missing = usable("no-such-interface").unwrap_err();
        assert!(
            matches!(missing, Why::NoSuchInterface { .. }),
            "{missing:?}"
        );
        // It is there and on, and no client's frames come by it.
        let loopback = usable("lo").unwrap_err();
        assert!(matches!(loopback, Why::NotEthernet { .. }), "{loopback:?}");
    }
}
