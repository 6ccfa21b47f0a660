//! A service that runs on the first node before there is an agent is adopted when the site is made: the first row of its
//! ledger says so, and the agent that starts later finds it in order. Nothing of it is touched.

use crate::pki::{self, InitReport, PkiError};
use siaga_journal::{Durability, Journal, projections};
use siaga_model::config::Config;
use siaga_model::event::{Actor, ActorProof, Event, EventBody};
use siaga_model::observation::{NodeFacts, ProbeSighting, PromiseFacts};
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros, Why};
use siaga_node::hands::NodeHands;
use siaga_node::observe::witness::LifeSigns;
use siaga_runner::hands::{Hands, Store};
use siaga_runner::ledger::Ledger;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where and as whom.
pub struct Place<'a> {
    pub config: &'a Config,
    pub node: &'a NodeName,
    pub state_dir: &'a Path,
    /// What must not outlive the boot: `/run/siaga`.
    pub run_dir: PathBuf,
    /// Who asks, for the log.
    pub account: &'a str,
}

/// What came of one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Adopted {
    /// Nothing of it is here.
    Nothing { service: ServiceName },
    /// It goes on, under a mandate.
    GoesOn {
        service: ServiceName,
        postmaster: i32,
    },
    /// Something of it is here that can't be gone on with.
    Refused { service: ServiceName, why: Why },
}

/// Makes the site on its first node, as [`pki::init`] does, and adopts what runs here.
///
/// # Errors
/// Those of [`pki::init`]. A service that can't be adopted is none.
pub fn init(place: &Place) -> Result<(InitReport, Vec<Adopted>), PkiError> {
    let mut adopted = Vec::new();
    let report = pki::init_with(
        place.state_dir,
        &place.config.site.name,
        place.node,
        |journal| adopted = adopt_all(place, journal),
    )?;
    Ok((report, adopted))
}

fn adopt_all(place: &Place, journal: &mut Journal) -> Vec<Adopted> {
    let services = place.config.services.iter().map(|s| &s.name);
    let refuse = |why: &str, service: &ServiceName| Adopted::Refused {
        service: service.clone(),
        why: Why::system(why),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return services.map(|s| refuse(&e.to_string(), s)).collect(),
    };
    let hands = NodeHands::with_run_dir(
        Arc::new(place.config.clone()),
        place.node.clone(),
        runtime.handle().clone(),
        place.state_dir.to_owned(),
        place.run_dir.clone(),
        Arc::new(Nobody),
    );
    match hands {
        Ok(hands) => services
            .map(|service| adopt(place, journal, &hands, service))
            .collect(),
        Err(why) => services.map(|s| refuse(&why, s)).collect(),
    }
}

fn adopt(
    place: &Place,
    journal: &mut Journal,
    hands: &NodeHands,
    service: &ServiceName,
) -> Adopted {
    let postmaster = match hands.running(service) {
        Ok(Some(postmaster)) => postmaster,
        Ok(None) => {
            return Adopted::Nothing {
                service: service.clone(),
            };
        }
        Err(why) => {
            return Adopted::Refused {
                service: service.clone(),
                why,
            };
        }
    };
    match under_a_mandate(place, journal, hands, service) {
        Ok(()) => Adopted::GoesOn {
            service: service.clone(),
            postmaster,
        },
        Err(why) => {
            hands.disown(service);
            Adopted::Refused {
                service: service.clone(),
                why,
            }
        }
    }
}

fn under_a_mandate(
    place: &Place,
    journal: &mut Journal,
    hands: &NodeHands,
    service: &ServiceName,
) -> Result<(), Why> {
    let events = journal.ledger_events(service).map_err(Why::system)?;
    let mut ledger = Ledger::replay(
        place.node.clone(),
        hands.boot(),
        service.clone(),
        !projections::unread_ledger_events(&events).is_empty(),
        events.iter().map(|e| &e.event.body),
    );
    let run = RunId::new(format!("adopt-{}", hands.now().0));
    let mut rows = Rows {
        journal,
        account: place.account,
    };
    let epoch = ledger.adopt(&mut rows, &run).map_err(|e| e.why())?;
    hands.remember_adopted(service, &epoch)
}

/// The ledger's way into the log, while no agent has it.
struct Rows<'a> {
    journal: &'a mut Journal,
    account: &'a str,
}

impl Store for Rows<'_> {
    fn append_durably(
        &mut self,
        service: &ServiceName,
        bodies: Vec<EventBody>,
    ) -> Result<(), String> {
        let event = |body: EventBody| Event {
            service: Some(service.clone()),
            run: None,
            actor: Some(Actor {
                name: self.account.to_owned(),
                how: ActorProof::PeerCredentials {
                    uid: rustix::process::getuid().as_raw(),
                },
            }),
            body,
        };
        let events = bodies.into_iter().map(event).collect();
        self.journal
            .append_all(events, Durability::Sync)
            .map(drop)
            .map_err(|e| e.to_string())
    }
}

/// Before the site is made there is nobody to ask.
struct Nobody;

impl LifeSigns for Nobody {
    fn peer_lives(&self, _: &NodeName, _: Duration) -> bool {
        false
    }
    fn peer_facts(&self, _: &ServiceName, _: &NodeName, _: Duration) -> Option<NodeFacts> {
        None
    }
    fn promise_facts(&self, _: &ServiceName, _: &NodeName, _: Duration) -> Option<PromiseFacts> {
        None
    }
    fn probes(&self, _: &ServiceName) -> Vec<ProbeSighting> {
        Vec::new()
    }
    fn now(&self) -> UtcMicros {
        siaga_node::wall_clock()
    }
}
