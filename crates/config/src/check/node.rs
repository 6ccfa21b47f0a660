//! Nodes and their fences.

use super::{Context, looks_secret};
use crate::cause::{Cause, Thing};
use crate::host::secret_problem;
use crate::raw;
use crate::read::{Entries, Many, Spot};
use crate::scalars::Text;
use siaga_model::NodeName;
use siaga_model::config::{Fence, Node};

/// Option names that say what the fence agent is to do. That is Siaga's to say: `off`, never `reboot`.
const NOT_OPTIONS: [&str; 2] = ["action", "option"];

pub(super) fn nodes(nodes: &Many<raw::Node>, context: &mut Context<'_>) -> Option<Vec<Node>> {
    if nodes.0.len() != 2 {
        // The place is the third node, or the last there is, or the head of the file.
        let at = nodes
            .0
            .get(2)
            .or(nodes.0.last())
            .map_or(0..0, |n| n.at.clone());
        context.sink.push(
            &at,
            "node",
            Cause::NodeCount {
                found: nodes.0.len(),
            },
        );
    }
    context.unique(
        Thing::Node,
        nodes.0.iter().filter_map(|n| n.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let hardware = nodes
        .0
        .iter()
        .filter_map(|n| n.value.hardware_addresses.value())
        .flat_map(|l| &l.0);
    context.unique(Thing::HardwareAddress, hardware, |h| h.0.clone());
    let nodes: Vec<Option<Node>> = nodes.0.iter().map(|n| node(&n.value, context)).collect();
    nodes.into_iter().collect()
}

fn node(node: &raw::Node, context: &mut Context<'_>) -> Option<Node> {
    if let Some(list) = node.addresses.0.as_ref().filter(|l| l.value.0.is_empty()) {
        context.sink.at(list, Cause::EmptyList);
    }
    if let Some(list) = node
        .hardware_addresses
        .0
        .as_ref()
        .filter(|l| l.value.0.is_empty())
    {
        context.sink.at(list, Cause::EmptyList);
    }
    context.unique(
        Thing::Fence,
        node.fence.0.iter().filter_map(|f| f.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let fences: Vec<Option<Fence>> = node.fence.0.iter().map(|f| fence(f, context)).collect();
    Some(Node {
        name: NodeName::new(node.name.value()?.0.clone()),
        addresses: node
            .addresses
            .value()?
            .0
            .iter()
            .map(|a| a.value.0)
            .collect(),
        hardware_addresses: node
            .hardware_addresses
            .value()?
            .0
            .iter()
            .map(|h| h.value.0.clone())
            .collect(),
        fences: fences.into_iter().collect::<Option<_>>()?,
        metrics: node.metrics.value().map(|e| e.0),
    })
}

fn fence(spot: &Spot<raw::Fence>, context: &mut Context<'_>) -> Option<Fence> {
    let fence = &spot.value;
    check_options(fence, context);
    check_credentials(spot, context);
    let options = fence.options.value().map(|e| &e.0[..]).unwrap_or_default();
    let secrets = fence
        .secret_files
        .value()
        .map(|e| &e.0[..])
        .unwrap_or_default();
    Some(Fence {
        name: fence.name.value()?.0.clone(),
        kind: fence.kind.value()?.0,
        agent: fence.agent.value()?.0.clone(),
        options: options
            .iter()
            .map(|(k, v)| (k.value.clone(), v.value.0.clone()))
            .collect(),
        secret_options: secrets
            .iter()
            .map(|(k, v)| (k.value.clone(), v.value.0.clone()))
            .collect(),
        outlets: outlets(fence),
        timeout: fence.timeout.or_seconds(60),
    })
}

fn outlets(fence: &raw::Fence) -> Vec<Vec<(String, String)>> {
    let outlets = fence.outlets.value().map(|l| &l.0[..]).unwrap_or_default();
    let pairs = |one: &Spot<Entries<Text>>| {
        let pairs = one.value.0.iter();
        pairs
            .map(|(k, v)| (k.value.clone(), v.value.0.clone()))
            .collect()
    };
    outlets.iter().map(pairs).collect()
}

/// Two outlets that differ in nothing are one, and the server would still have power.
fn check_outlets(fence: &raw::Fence, context: &mut Context<'_>) {
    let Some(list) = fence.outlets.spot.as_ref() else {
        return;
    };
    let mut each = outlets(fence);
    if each.is_empty() {
        context.sink.at(list, Cause::EmptyList);
    }
    for one in &mut each {
        one.sort_unstable();
    }
    for (nth, outlet) in list.value.0.iter().enumerate() {
        let same = each.iter().take(nth).any(|e| Some(e) == each.get(nth));
        if outlet.value.0.is_empty() || same {
            context.sink.at(outlet, Cause::OutletLikeAnother);
        }
    }
}

fn check_options(fence: &raw::Fence, context: &mut Context<'_>) {
    check_outlets(fence, context);
    let outlets = fence.outlets.value().map(|l| &l.0[..]).unwrap_or_default();
    let outlets = outlets.iter().flat_map(|o| &o.value.0);
    let options = fence.options.value().map(|e| &e.0[..]).unwrap_or_default();
    let options: Vec<_> = options.iter().chain(outlets).collect();
    let secrets = fence
        .secret_files
        .value()
        .map(|e| &e.0[..])
        .unwrap_or_default();
    for key in options
        .iter()
        .map(|(k, _)| k)
        .chain(secrets.iter().map(|(k, _)| k))
    {
        let plain = key
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !plain || key.value.is_empty() || NOT_OPTIONS.contains(&key.value.as_str()) {
            context.sink.at(
                key,
                Cause::BadOption {
                    found: key.value.clone(),
                },
            );
        }
    }
    for (key, _) in options.iter().filter(|(k, _)| looks_secret(&k.value)) {
        context.sink.at(
            key,
            Cause::InlineSecret {
                name: key.value.clone(),
            },
        );
    }
    for (key, _) in secrets
        .iter()
        .filter(|(k, _)| !looks_secret(&k.value) && options.iter().any(|(o, _)| o.value == k.value))
    {
        context.sink.at(
            key,
            Cause::NotWith {
                name: key.value.clone(),
                other: "options".to_owned(),
            },
        );
    }
    for (_, path) in secrets {
        if let Some(cause) = secret_problem(&path.value.0, context.host) {
            context.sink.at(path, cause);
        }
    }
}

/// A fence without credentials is more often forgotten than meant: who means it says so.
fn check_credentials(spot: &Spot<raw::Fence>, context: &mut Context<'_>) {
    let fence = &spot.value;
    let named = fence.secret_files.value().is_some_and(|s| !s.1.is_empty());
    // What is written and wrong is reported already.
    let wrong = fence.secret_files.written && fence.secret_files.spot.is_none();
    if let (Some(none), true) = (&fence.credentials.spot, named) {
        let cause = Cause::NotWith {
            name: "credentials".to_owned(),
            other: "secret_files".to_owned(),
        };
        context.sink.at(none, cause);
    }
    if !named && !wrong && !fence.credentials.written {
        let (at, key) = fence
            .name
            .0
            .as_ref()
            .map_or((&spot.at, &spot.key), |n| (&n.at, &n.key));
        let name = fence.name.value().map_or_else(String::new, |n| n.0.clone());
        context
            .sink
            .push(at, key, Cause::FenceWithoutCredentials { fence: name });
    }
}
