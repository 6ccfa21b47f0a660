//! Who answers where, in the words of the configuration: a node's registered hardware address, a stranger, nobody.
//! And the question before a take: is there any sign of life of the node that is said to be off or cut?

use super::arp::{self, ArpAnswer};
use super::interfaces::{self, Interface};
use super::ndp;
use siaga_model::Why;
use siaga_model::config::{Config, Node};
use siaga_model::integrity::{ControlSeen, Judged};
use siaga_model::observation::{
    AddressAnswer, DatabaseState, Holding, NodeFacts, ProbeSighting, PromiseFacts,
};
use siaga_model::proof::AttestKind;
use siaga_model::refusal::Sentence;
use siaga_model::{NodeName, ServiceName, UtcMicros};
use siaga_runner::hands::LifeQuestion;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

/// How long an answer may take where the answer is the evidence: an attestation, an observation.
pub const ANSWER_WITHIN: Duration = Duration::from_millis(150);
/// How long it may take where a power device has just confirmed that the node is off. The take waits for this, and an
/// answer on the same segment needs less than a millisecond, so it is short.
pub const ANSWER_WITHIN_FENCED: Duration = Duration::from_millis(10);

/// What only the agent knows of another node. Both are asked at the same time as the segment, from threads that may
/// block; each has its own bounded wait.
pub trait LifeSigns: Sync {
    /// Does `victim`'s agent answer within `within`, on any path? It is asked for the least that it can say: its facts wait
    /// for whatever hangs there. Any answer counts, also an error.
    fn peer_lives(&self, victim: &NodeName, within: Duration) -> bool;
    /// What `victim`'s agent says of the service now; `None` where it says nothing on every path for `within`.
    fn peer_facts(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        within: Duration,
    ) -> Option<NodeFacts>;
    /// What `node`'s agent says of its promise now; `None` where it is silent on every path for `within`.
    fn promise_facts(
        &self,
        service: &ServiceName,
        node: &NodeName,
        within: Duration,
    ) -> Option<PromiseFacts>;
    /// The newest report of each client probe.
    fn probes(&self, service: &ServiceName) -> Vec<ProbeSighting>;
    /// The wall clock, for the age of the probes' reports.
    fn now(&self) -> UtcMicros;
    /// What to make of the database's control file before a start: only the agent knows what was last seen of it.
    fn judge(&self, _service: &ServiceName, _found: &ControlSeen) -> Judged {
        Judged::Fine
    }
}

/// Who answers for `address` on the segment of `interface` of this node (`me`).
pub fn address_answer(
    config: &Config,
    me: &NodeName,
    interface: &str,
    address: IpAddr,
    timeout: Duration,
) -> AddressAnswer {
    match interfaces::all() {
        Err(why) => AddressAnswer::NotAsked { why },
        Ok(all) if has(&all, address) => AddressAnswer::Mine,
        Ok(_) => meaning(config, me, &ask(interface, address, timeout)),
    }
}

/// Who answers for `node`'s own addresses. Only addresses on a segment of this node can be asked for.
pub fn node_address(
    config: &Config,
    me: &NodeName,
    node: &NodeName,
    timeout: Duration,
) -> AddressAnswer {
    if me == node {
        return AddressAnswer::Mine;
    }
    let all = match interfaces::all() {
        Ok(all) => all,
        Err(why) => return AddressAnswer::NotAsked { why },
    };
    let Some(known) = config.node(node) else {
        return AddressAnswer::NotAsked {
            why: Why::NoSuchNode { node: node.clone() },
        };
    };
    let answers = ask_all(&own_questions(&all, known), timeout);
    let meanings = answers.iter().map(|answer| meaning(config, me, answer));
    meanings
        .min_by_key(|m| weight(m, node))
        .unwrap_or_else(|| AddressAnswer::NotAsked {
            why: Why::NoSharedNetwork { node: node.clone() },
        })
}

/// What is told where the addresses of one node were answered differently: the smallest.
fn weight(answer: &AddressAnswer, node: &NodeName) -> u8 {
    match answer {
        AddressAnswer::Node { node: by, .. } if by == node => 0,
        AddressAnswer::Node { .. } | AddressAnswer::Stranger { .. } => 1,
        AddressAnswer::Mine => 2,
        // One path that could not be asked must not read as silence.
        AddressAnswer::NotAsked { .. } => 3,
        AddressAnswer::Nobody => 4,
    }
}

/// What a hardware address means. Where several answered, another node comes before a stranger, since a node that
/// lives must not be hidden by a conflict.
pub fn meaning(config: &Config, me: &NodeName, answer: &ArpAnswer) -> AddressAnswer {
    if let ArpAnswer::Error(why) = answer {
        return AddressAnswer::NotAsked { why: why.clone() };
    }
    let hardware = answer.hardware();
    let registered = |h: &&str| {
        config
            .nodes
            .iter()
            .find(|n| is_of(n, h))
            .map(|n| (n.name.clone(), (*h).to_owned()))
    };
    let mut nodes: Vec<(NodeName, String)> = hardware.iter().filter_map(registered).collect();
    nodes.sort_by_key(|(node, _)| node == me);
    match (nodes.into_iter().next(), hardware.first()) {
        (Some((node, hardware)), _) => AddressAnswer::Node { node, hardware },
        (None, Some(stranger)) => AddressAnswer::Stranger {
            hardware: (*stranger).to_owned(),
        },
        (None, None) => AddressAnswer::Nobody,
    }
}

/// A sign of life of `victim` that contradicts `ground`, or `None`.
///
/// - *Off* (a power fence, *unplugged*, *switched off*): its agent answers anything; a registered hardware address of it answers
///   for one of its own addresses or for a virtual one; a probe was served by it after `since`.
/// - *Cut from the storage* (a fabric fence, *storage disconnected*): such a node may still answer everything. Only its
///   agent saying that it holds the disk set or that its database works, or a probe served by it after `since`,
///   contradicts.
///
/// All are asked at the same time. Right after a power fence the device's word is the evidence, so that the segment
/// and the agent are given only [`ANSWER_WITHIN_FENCED`]; for an attestation the segment [`ANSWER_WITHIN`] and the
/// agent the policy's `peer_timeout`.
pub fn sign_of_life(
    config: &Config,
    me: &NodeName,
    service: &ServiceName,
    victim: &NodeName,
    ground: LifeQuestion,
    since: UtcMicros,
    signs: &dyn LifeSigns,
) -> Option<Sentence> {
    let segment_within = match ground {
        LifeQuestion::PoweredOff => Some(ANSWER_WITHIN_FENCED),
        LifeQuestion::Attested(AttestKind::Unplugged | AttestKind::SwitchedOff) => {
            Some(ANSWER_WITHIN)
        }
        LifeQuestion::StorageCut | LifeQuestion::Attested(AttestKind::StorageDisconnected) => None,
    };
    let peer_within = match ground {
        LifeQuestion::PoweredOff => ANSWER_WITHIN_FENCED,
        LifeQuestion::StorageCut | LifeQuestion::Attested(_) => config.policy.peer_timeout,
    };
    let (said, answered) = thread::scope(|scope| {
        let said = scope.spawn(|| match segment_within {
            Some(_) => {
                let lives = signs.peer_lives(victim, peer_within);
                lives.then(|| Sentence::NodeAnswers {
                    node: victim.clone(),
                })
            }
            None => {
                let facts = signs.peer_facts(service, victim, peer_within)?;
                still_reaches(victim, service, &facts)
            }
        });
        let answered = segment_within
            .and_then(|within| answers_on_segment(config, me, service, victim, within));
        // A panic in the agent's question must not read as silence.
        (
            said.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            answered,
        )
    });
    said.or(answered)
        .or_else(|| served(&signs.probes(service), victim, since, signs.now()))
}

/// Does a node that is said to be cut from the storage say that it still has it?
fn still_reaches(victim: &NodeName, service: &ServiceName, facts: &NodeFacts) -> Option<Sentence> {
    if facts.database == DatabaseState::Ready {
        // A write was just committed there.
        return Some(Sentence::ServiceRuns {
            service: service.clone(),
            node: victim.clone(),
        });
    }
    match &facts.disk {
        Holding::Held { by } => Some(Sentence::NodeHolds {
            node: victim.clone(),
            by: by.clone(),
        }),
        Holding::Free | Holding::Unknown { .. } => None,
    }
}

/// A probe that was served by `victim` after `since`.
fn served(
    probes: &[ProbeSighting],
    victim: &NodeName,
    since: UtcMicros,
    now: UtcMicros,
) -> Option<Sentence> {
    let age = now.millis_since(since);
    let fresh = |p: &&ProbeSighting| p.serving && p.node.as_ref() == Some(victim) && p.age_ms < age;
    probes
        .iter()
        .find(fresh)
        .map(|p| Sentence::ProbeSeesService {
            probe: p.probe.clone(),
            node: p.node.clone(),
            age_ms: p.age_ms,
        })
}

/// One address to ask for on one interface.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Question {
    interface: String,
    address: IpAddr,
}

fn answers_on_segment(
    config: &Config,
    me: &NodeName,
    service: &ServiceName,
    victim: &NodeName,
    within: Duration,
) -> Option<Sentence> {
    let all = interfaces::all().ok()?;
    let known = config.node(victim)?;
    let own = own_questions(&all, known);
    let virtual_ones = virtual_questions(config, me, service, &all);
    let questions: Vec<Question> = own.iter().chain(&virtual_ones).cloned().collect();
    let answers = ask_all(&questions, within);
    questions
        .iter()
        .zip(&answers)
        .find_map(|(question, answer)| {
            let hardware = answer
                .hardware()
                .into_iter()
                .find(|h| is_of(known, h))?
                .to_owned();
            Some(if own.contains(question) {
                Sentence::NodeAddressAnswers {
                    node: victim.clone(),
                    hardware,
                }
            } else {
                Sentence::AddressAnsweredBy {
                    address: question.address,
                    node: victim.clone(),
                }
            })
        })
}

fn own_questions(all: &[Interface], node: &Node) -> Vec<Question> {
    let mut questions = Vec::new();
    for address in node.addresses.iter().map(std::net::SocketAddr::ip) {
        let near = all
            .iter()
            .filter(|i| i.running && i.ethernet().is_ok() && i.reaches(address));
        questions.extend(near.map(|i| Question {
            interface: i.name.clone(),
            address,
        }));
    }
    questions
}

fn virtual_questions(
    config: &Config,
    me: &NodeName,
    service: &ServiceName,
    all: &[Interface],
) -> Vec<Question> {
    let ips = config
        .service(service)
        .map(|s| s.virtual_ips.as_slice())
        .unwrap_or_default();
    let not_mine = ips.iter().filter(|ip| !has(all, ip.address));
    not_mine
        .filter_map(|ip| {
            ip.interface(me).map(|i| Question {
                interface: i.to_owned(),
                address: ip.address,
            })
        })
        .collect()
}

/// All at the same time, in their order.
fn ask_all(questions: &[Question], timeout: Duration) -> Vec<ArpAnswer> {
    thread::scope(|scope| {
        let asked: Vec<_> = questions
            .iter()
            .map(|q| scope.spawn(move || ask(&q.interface, q.address, timeout)))
            .collect();
        asked
            .into_iter()
            .map(|a| a.join().unwrap_or(ArpAnswer::Error(Why::AskingBroke)))
            .collect()
    })
}

fn ask(interface: &str, address: IpAddr, timeout: Duration) -> ArpAnswer {
    match address {
        IpAddr::V4(v4) => arp::ask(interface, v4, timeout),
        IpAddr::V6(v6) => ndp::ask(interface, v6, timeout),
    }
}

fn has(all: &[Interface], address: IpAddr) -> bool {
    all.iter()
        .any(|i| i.addresses.iter().any(|(own, _)| *own == address))
}

fn is_of(node: &Node, hardware: &str) -> bool {
    node.hardware_addresses.iter().any(|h| h == hardware)
}
