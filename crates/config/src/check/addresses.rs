//! Addresses against each other, against their networks, and against this host's interfaces.

use super::Context;
use crate::cause::{Cause, Owner};
use crate::choices::PerNode;
use crate::host::{HostInterface, says_network};
use crate::raw;
use crate::read::{Place, Spot};
use crate::scalars::Interface;
use std::net::IpAddr;

/// An address with its owner and its place.
struct Owned {
    ip: IpAddr,
    owner: Owner,
    at: Place,
    key: String,
}

pub(super) fn check(file: &raw::File, context: &mut Context<'_>) {
    equal(file, context);
    for virtual_ip in file.service.0.iter().flat_map(|s| &s.value.virtual_ip.0) {
        inside_network(&virtual_ip.value, context);
        inside_interface(&virtual_ip.value, file, context);
    }
}

/// The paper's own mistake: one address for the main server, the backup and the application.
fn equal(file: &raw::File, context: &mut Context<'_>) {
    let mut all = collect(file);
    all.sort_by_key(|a| a.at.start);
    for (i, later) in all.iter().enumerate() {
        let Some(first) = all[..i].iter().find(|a| a.ip == later.ip) else {
            continue;
        };
        let line = crate::error::position(context.text, &first.at).0;
        let cause = match (&first.owner, &later.owner) {
            // One device may fence both nodes.
            (Owner::Fence(_), Owner::Fence(_)) => continue,
            (Owner::Node(node), Owner::VirtualIp(_)) | (Owner::VirtualIp(_), Owner::Node(node)) => {
                Cause::VirtualIpReachesNode {
                    address: later.ip,
                    node: node.clone(),
                    line,
                }
            }
            (other, _) => Cause::EqualAddresses {
                address: later.ip,
                other: other.clone(),
                line,
            },
        };
        context.sink.push(&later.at, &later.key, cause);
    }
}

fn collect(file: &raw::File) -> Vec<Owned> {
    let mut all = Vec::new();
    for node in &file.node.0 {
        let name = node
            .value
            .name
            .value()
            .map_or_else(String::new, |n| n.0.clone());
        for address in node.value.addresses.value().iter().flat_map(|l| &l.0) {
            let owner = Owner::Node(name.clone());
            all.push(Owned {
                ip: address.value.0.ip(),
                owner,
                at: address.at.clone(),
                key: address.key.clone(),
            });
        }
        let fences = node.value.fence.0.iter().flat_map(|f| {
            let outlets = f.value.outlets.value().into_iter().flat_map(|l| &l.0);
            let outlets = outlets.map(|o| &o.value);
            f.value.options.value().into_iter().chain(outlets)
        });
        for (key, value) in fences
            .flat_map(|o| &o.0)
            .filter(|(k, _)| k.value == "ip" || k.value == "ipaddr")
        {
            if let Ok(ip) = value.value.0.parse() {
                all.push(Owned {
                    ip,
                    owner: Owner::Fence(name.clone()),
                    at: value.at.clone(),
                    key: key.key.clone(),
                });
            }
        }
    }
    for service in &file.service.0 {
        let name = service
            .value
            .name
            .value()
            .map_or_else(String::new, |n| n.0.clone());
        for address in service
            .value
            .virtual_ip
            .0
            .iter()
            .filter_map(|v| v.value.address.0.as_ref())
        {
            let owner = Owner::VirtualIp(name.clone());
            all.push(Owned {
                ip: address.value.0,
                owner,
                at: address.at.clone(),
                key: address.key.clone(),
            });
        }
    }
    all
}

fn inside_network(virtual_ip: &raw::VirtualIp, context: &mut Context<'_>) {
    let Some(address) = &virtual_ip.address.0 else {
        return;
    };
    let ip = address.value.0;
    if ip.is_loopback() {
        context
            .sink
            .at(address, Cause::UnusableAddress { address: ip });
    }
    let Some(network) = virtual_ip.network.value() else {
        return;
    };
    if !network.contains(ip) {
        context.sink.at(
            address,
            Cause::OutsideNetwork {
                address: ip,
                network: network.to_string(),
            },
        );
    } else if network.reserves(ip) {
        context
            .sink
            .at(address, Cause::UnusableAddress { address: ip });
    }
}

/// On a node itself the interface can be looked at.
fn inside_interface(virtual_ip: &raw::VirtualIp, file: &raw::File, context: &mut Context<'_>) {
    let Some(have) = &context.host.interfaces else {
        return;
    };
    let (Some(here), Some(address)) = (this_node(file, context, have), &virtual_ip.address.0)
    else {
        return;
    };
    let Some(name) = interface_of(virtual_ip, &here) else {
        return;
    };
    let Some(interface) = have.iter().find(|i| i.name == name.value.0) else {
        let have = have.iter().map(|i| i.name.clone()).collect();
        context.sink.at(
            &name,
            Cause::NoSuchInterface {
                name: name.value.0.clone(),
                have,
            },
        );
        return;
    };
    let ip = address.value.0;
    let networks: Vec<_> = interface
        .addresses
        .iter()
        .filter(|n| n.address.is_ipv4() == ip.is_ipv4() && n.address != ip && says_network(n))
        .collect();
    // An interface without an address says nothing about its network.
    if !networks.is_empty() && !networks.iter().any(|n| n.contains(ip)) {
        let networks = networks.iter().map(ToString::to_string).collect();
        context.sink.at(
            address,
            Cause::OutsideInterface {
                address: ip,
                interface: name.value.0,
                networks,
            },
        );
    }
}

/// Which node this host is: as it was said, or the one that has an address of this host.
fn this_node(file: &raw::File, context: &Context<'_>, have: &[HostInterface]) -> Option<String> {
    if let Some(node) = &context.host.node {
        return Some(node.as_str().to_owned());
    }
    let mine = |ip: IpAddr| {
        have.iter()
            .flat_map(|i| &i.addresses)
            .any(|n| n.address == ip && !ip.is_loopback())
    };
    let node = file.node.0.iter().find(|n| {
        n.value
            .addresses
            .value()
            .is_some_and(|l| l.0.iter().any(|a| mine(a.value.0.ip())))
    })?;
    node.value.name.value().map(|n| n.0.clone())
}

fn interface_of(virtual_ip: &raw::VirtualIp, node: &str) -> Option<Spot<Interface>> {
    match virtual_ip.interface.value()? {
        PerNode::Same(one) => Some(one.clone()),
        PerNode::Each(each) => each
            .0
            .iter()
            .find(|(n, _)| n.value == node)
            .map(|(_, i)| i.clone()),
    }
}
