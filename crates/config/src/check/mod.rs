//! Checks values against each other and makes the model's `Config` of them.
//!
//! Every function notes all it finds and returns `None` where something that it needs is missing; the error for
//! that was noted before.

mod addresses;
mod channels;
mod disk_set;
mod downtime;
mod file_systems;
mod mounts;
mod node;
mod service;
mod site;
mod told;

use crate::cause::{Cause, Thing};
use crate::choices::PerNode;
use crate::error::position;
use crate::host::HostChecks;
use crate::raw;
use crate::read::{List, Opt, Req, Sink, Spot};
use crate::scalars::{Span, Text};
use siaga_model::NodeName;
use siaga_model::config::{Argv, Config};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// What the checks share.
pub(crate) struct Context<'a> {
    pub text: &'a str,
    pub host: &'a HostChecks,
    pub sink: &'a mut Sink,
    /// The nodes' names, in the order of the file.
    pub nodes: Vec<String>,
}

/// Checks the whole file.
pub(crate) fn config(file: &raw::File, context: &mut Context<'_>) -> Option<Config> {
    context.nodes = file
        .node
        .0
        .iter()
        .filter_map(|n| n.value.name.value().map(|n| n.0.clone()))
        .collect();
    let site = site::site(&file.site);
    let document = site::document(&file.document);
    let people = site::people(&file.person, context);
    let policy = site::policy(&file.policy, context);
    let nodes = node::nodes(&file.node, context);
    let services = service::services(&file.service, context);
    let downtime = downtime::downtime(file, site.as_ref(), context);
    addresses::check(file, context);
    mounts::check(file, context);
    Some(Config {
        site: site?,
        document,
        people: people?,
        nodes: nodes?,
        services: services?,
        policy,
        downtime: downtime?,
    })
}

impl<T> Req<T> {
    /// The value where it was read.
    pub fn value(&self) -> Option<&T> {
        self.0.as_ref().map(|s| &s.value)
    }
}

impl<T> Opt<T> {
    /// The value where it is there and was read.
    pub fn value(&self) -> Option<&T> {
        self.spot.as_ref().map(|s| &s.value)
    }
}

impl Opt<Span> {
    /// The duration, or `seconds` where it is left out.
    pub fn or_seconds(&self, seconds: u64) -> Duration {
        self.value().map_or(Duration::from_secs(seconds), |s| s.0)
    }
}

impl Opt<Text> {
    /// The text, or `default` where it is left out.
    pub fn or_text(&self, default: &str) -> String {
        self.value()
            .map_or_else(|| default.to_owned(), |t| t.0.clone())
    }
}

impl Context<'_> {
    /// The line of a value, from 1.
    fn line<T>(&self, spot: &Spot<T>) -> usize {
        position(self.text, &spot.at).0
    }

    /// Notes every value that was there before.
    fn unique<'s, T: 's>(
        &mut self,
        thing: Thing,
        spots: impl IntoIterator<Item = &'s Spot<T>>,
        show: impl Fn(&T) -> String,
    ) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for spot in spots {
            let name = show(&spot.value);
            match first.get(&name) {
                Some(line) => self.sink.at(
                    spot,
                    Cause::Duplicate {
                        thing,
                        name,
                        line: *line,
                    },
                ),
                None => drop(first.insert(name, self.line(spot))),
            }
        }
    }

    /// One value for each node.
    fn per_node<T: Clone>(&mut self, value: &Req<PerNode<T>>) -> Option<Vec<(NodeName, T)>> {
        let spot = value.0.as_ref()?;
        let each = match &spot.value {
            PerNode::Same(one) => {
                return Some(
                    self.nodes
                        .iter()
                        .map(|n| (NodeName::new(n.clone()), one.value.clone()))
                        .collect(),
                );
            }
            PerNode::Each(each) => each,
        };
        for (name, _) in &each.0 {
            self.known_node(name);
        }
        for node in self.nodes.clone() {
            if !each.1.contains(&node) {
                self.sink.at(spot, Cause::MissingForNode { node });
            }
        }
        Some(
            each.0
                .iter()
                .map(|(n, v)| (NodeName::new(n.value.clone()), v.value.clone()))
                .collect(),
        )
    }

    /// Notes a name that is no node's.
    fn known_node(&mut self, name: &Spot<String>) {
        if !self.nodes.contains(&name.value) {
            let cause = Cause::NoSuchNode {
                name: name.value.clone(),
                nodes: self.nodes.clone(),
            };
            self.sink.at(name, cause);
        }
    }

    /// A program and its arguments. No shell looks at them, so the program is named by its absolute path.
    fn argv(&mut self, list: &Spot<List<Text>>) -> Option<Argv> {
        let Some(program) = list.value.0.first() else {
            self.sink.at(list, Cause::EmptyList);
            return None;
        };
        if !Path::new(&program.value.0).is_absolute() {
            self.sink.at(
                program,
                Cause::NotAbsolute {
                    found: program.value.0.clone(),
                },
            );
        }
        for argument in &list.value.0 {
            let name = argument
                .value
                .0
                .split_once('=')
                .map(|(name, _)| name.trim_start_matches('-'));
            if let Some(name) = name.filter(|n| looks_secret(n)) {
                self.sink.at(
                    argument,
                    Cause::InlineSecret {
                        name: name.to_owned(),
                    },
                );
            }
        }
        Some(Argv(
            list.value.0.iter().map(|a| a.value.0.clone()).collect(),
        ))
    }
}

/// An option that carries a secret, by its name. What names a file or a program does not.
pub(crate) fn looks_secret(name: &str) -> bool {
    const WORDS: [&str; 7] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "community",
        "api_key",
    ];
    const REFERENCES: [&str; 3] = ["_script", "_file", "_path"];
    let lower = name.to_ascii_lowercase().replace('-', "_");
    WORDS.iter().any(|w| lower.contains(w)) && !REFERENCES.iter().any(|r| lower.ends_with(r))
}
