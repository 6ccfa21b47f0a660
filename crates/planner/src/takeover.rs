//! How another node is made to let go: the table of takeovers. Read top-down; every cell is a file in
//! `snapshots/takeover-table/`.
//!
//! | the other node | fence answers | fence failed, or none |
//! | --- | --- | --- |
//! | its agent answers, database ready | refused: a switchover is the act | the same |
//! | its agent answers, and it can let go | released | released |
//! | its agent answers, and it can't tell what it holds | fenced | attested, or refused |
//! | silent, and *serving*: a fresh client probe says so | refused | refused |
//! | silent, and *alive*: its own or a virtual address answers | fenced | attested, or refused |
//! | *silent* | fenced | attested, or refused |
//!
//! A fence hits the node, and every other service that is there: where one of them works there, or a run of it acts
//! there, the cell *fenced* is refused as well (`neighbours.rs`), unless a person attests.
//!
//! Power on, off or unknown changes no row: off is trusted only once the device confirms it to us, and that is what
//! the fence step does. What it changes is which attestations are believed.
//!
//! An address that answers ARP shows a kernel, not a service: a hung machine answers too. So only a fresh probe makes
//! *serving*; an answering address makes *alive*, and so does an agent that is asked again and still says nothing of what its
//! node holds, while it answers on the link.

use crate::evidence;
use crate::guards;
use crate::neighbours;
use crate::world::{Grip, World};
use siaga_model::config::FenceKind;
use siaga_model::observation::{
    AttestationGiven, DatabaseState, DiskSighting, FenceState, Holding, Power, ProbeSighting,
};
use siaga_model::plan::{MoveKind, PlannedProof, Request};
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{NodeName, Why};

/// Every kind of attestation, the surest first.
const WAYS: [AttestKind; 3] = [
    AttestKind::Unplugged,
    AttestKind::SwitchedOff,
    AttestKind::StorageDisconnected,
];

/// The question: how does `node` let go, so that `target` may take the disk set?
pub(crate) struct Asked<'a> {
    pub world: &'a World<'a>,
    pub request: &'a Request,
    pub proofs: &'a [ProofRecord],
    pub target: &'a NodeName,
    pub node: &'a NodeName,
}

/// May a request of this kind fence or rest on a person's word at all? Planned moves never do.
pub(crate) fn may_force(request: &Request) -> bool {
    request.may_fence
        && match request.kind {
            MoveKind::Takeover
            | MoveKind::Start
            | MoveKind::Resume
            | MoveKind::Abort
            | MoveKind::Cover
            | MoveKind::Restore => true,
            MoveKind::Switchover
            | MoveKind::Failback
            | MoveKind::Drill
            | MoveKind::Restart
            | MoveKind::Stop => false,
        }
}

impl Asked<'_> {
    /// The table.
    pub fn let_go(&self) -> Result<PlannedProof, Refusal> {
        match self.world.grip(self.node) {
            Grip::Silent if !may_force(self.request) => {
                Err(guards::peer_silent(self.world, self.node))
            }
            Grip::Silent => self.force(),
            Grip::Free | Grip::Holds => {
                self.refuse_alive()?;
                guards::refuse_stranger(self.world, self.node)?;
                Ok(PlannedProof::Release {
                    node: self.node.clone(),
                })
            }
            Grip::Unknown { .. } | Grip::CutOff { .. } if self.can_force() => {
                self.refuse_alive()?;
                self.force()
            }
            Grip::Unknown { why } => Err(self.holding_unknown(why)),
            Grip::CutOff { device } => Err(self.holding_unknown(Why::CutOffBy { device })),
        }
    }

    /// A node does not fence itself.
    fn can_force(&self) -> bool {
        may_force(self.request) && self.node != &self.world.seen.observer
    }

    /// The node's agent answers. A person who asks for a takeover or a start must not cut off a service that runs, and
    /// one who attests that this machine is off stands at the wrong machine.
    fn refuse_alive(&self) -> Result<(), Refusal> {
        let by_person = matches!(self.request.kind, MoveKind::Takeover | MoveKind::Start);
        if by_person && self.world.is_ready(self.node) {
            return Err(self.refuse(
                RefusalCode::SourceAlive,
                Sentence::RefusedSourceAlive {
                    node: self.node.clone(),
                },
                vec![Advice::Switchover {
                    service: self.world.name(),
                }],
            ));
        }
        // "Stopped" is the agent's own word, and newer than a probe's last report.
        let stopped = self
            .world
            .facts(self.node)
            .is_some_and(|f| f.database == DatabaseState::Stopped);
        if by_person && !stopped {
            self.refuse_serving()?;
        }
        if may_force(self.request)
            && let Some(given) = self.given()
            && let Some(witness) = self.contradiction(given.how)
        {
            return Err(self.contradicted(given.how, witness));
        }
        Ok(())
    }

    fn refuse_serving(&self) -> Result<(), Refusal> {
        let Some(probe) = self.serving() else {
            return Ok(());
        };
        let service = self.world.name();
        let sentence = Sentence::RefusedServing {
            service: service.clone(),
            node: probe.node.clone(),
        };
        let next = vec![Advice::Diagnose, Advice::Switchover { service }];
        Err(self.refuse(RefusalCode::StillServing, sentence, next))
    }

    /// The lower half of the table: a fence, else an attestation.
    fn force(&self) -> Result<PlannedProof, Refusal> {
        self.refuse_serving()?;
        if let Some(how) = self.attested_before()
            && self.contradiction(how).is_none()
        {
            return Ok(PlannedProof::Attested {
                node: self.node.clone(),
                how,
            });
        }
        let unfenced = match self.fence() {
            Ok(Some(fence)) => return Ok(fence),
            Ok(None) => self.needs_attestation(),
            Err(refusal) => refusal,
        };
        let Some(given) = self.given() else {
            return Err(unfenced);
        };
        match self.contradiction(given.how) {
            None => Ok(PlannedProof::Attested {
                node: self.node.clone(),
                how: given.how,
            }),
            Some(witness) => Err(self.contradicted(given.how, witness)),
        }
    }

    /// A fresh client probe that is served by this node, or by a machine that it can't name while the service is not
    /// complete on the target.
    fn serving(&self) -> Option<&ProbeSighting> {
        self.world.seen.probes.iter().find(|probe| {
            probe.serving
                && self.world.is_fresh(probe)
                && match &probe.node {
                    Some(node) => node == self.node,
                    None => !self.world.is_complete(self.target),
                }
        })
    }

    /// The fence to use, or what stands against the only ones that answer.
    fn fence(&self) -> Result<Option<PlannedProof>, Refusal> {
        let mut against = None;
        for (device, fence) in self.working_fences() {
            let hits = neighbours::hits_the_node(fence);
            match neighbours::refuse_fence(self) {
                Err(refusal) if hits => against = Some(refusal),
                Ok(()) | Err(_) => {
                    return Ok(Some(PlannedProof::Fence {
                        node: self.node.clone(),
                        device: device.to_owned(),
                        fence,
                    }));
                }
            }
        }
        against.map_or(Ok(None), Err)
    }

    /// The devices to fence with: the one that was used in this run, else power before the reservation before fabric,
    /// each in the configured order, among those that answer. The surest first; then what hits this service alone. Who
    /// reserves is who then writes, so that only the target can.
    fn working_fences(&self) -> Vec<(&str, FenceKind)> {
        let here = self.target == &self.world.seen.observer;
        let usable = |(name, kind): &(&str, FenceKind)| {
            let state = self.world.fence_view(self.node, name).map(|v| &v.state);
            let answers = matches!(state, Some(FenceState::Open | FenceState::Fenced));
            answers && (here || *kind != FenceKind::Reservation)
        };
        let mut working = self.world.fences(self.node);
        working.retain(usable);
        let order = |kind: FenceKind| match kind {
            FenceKind::Power => 0,
            FenceKind::Reservation => 1,
            FenceKind::Fabric => 2,
        };
        working.sort_by_key(|(name, kind)| (!self.fenced_before(name), order(*kind)));
        working
    }

    fn fenced_before(&self, name: &str) -> bool {
        self.own_proofs()
            .any(|p| matches!(&p.ground, Ground::Fenced { device, .. } if device == name))
    }

    /// A word that was accepted in this run already, and came with this request too.
    fn attested_before(&self) -> Option<AttestKind> {
        let given = self.given()?;
        let accepted =
            |p: &ProofRecord| matches!(p.ground, Ground::Attested { how, .. } if how == given.how);
        self.own_proofs().any(accepted).then_some(given.how)
    }

    fn own_proofs(&self) -> impl Iterator<Item = &ProofRecord> {
        let service = &self.world.service.name;
        self.proofs
            .iter()
            .filter(move |p| &p.node == self.node && &p.service == service)
    }

    /// The newest word about this node.
    fn given(&self) -> Option<&AttestationGiven> {
        self.request
            .attested
            .iter()
            .filter(|a| &a.node == self.node)
            .max_by_key(|a| a.at)
    }

    /// The witness that contradicts that kind of attestation, where there is one.
    ///
    /// A machine that is off does nothing at all. One whose storage is cut may still run and answer; what it can't do
    /// is hold, serve or write. The disk counts only while this side does not write to it.
    pub(crate) fn contradiction(&self, how: AttestKind) -> Option<Sentence> {
        let (world, node) = (self.world, self.node);
        let served = self.serving().map(|p| evidence::probe(world, p));
        let written = (world.seen.disk == DiskSighting::Changing && !self.answering_holder())
            .then_some(Sentence::DiskChanging);
        match how {
            AttestKind::Unplugged | AttestKind::SwitchedOff => {
                let node = node.clone();
                let answers = world
                    .facts(&node)
                    .map(|_| Sentence::NodeAnswers { node: node.clone() });
                let late = world.is_late(&node).then(|| world.silence(&node));
                let on = world.view(&node).is_some_and(|v| v.power == Power::On);
                let on = on.then(|| Sentence::NodePowerOn { node: node.clone() });
                answers
                    .or(late)
                    .or(on)
                    .or_else(|| evidence::own_address(world, &node))
                    .or_else(|| evidence::virtual_address(world, &node))
                    .or(served)
                    .or_else(|| neighbours::served_there(world, &node))
                    .or(written)
            }
            AttestKind::StorageDisconnected => {
                let held = world
                    .facts(node)
                    .is_some_and(|f| matches!(f.disk, Holding::Held { .. }));
                held.then(|| evidence::holds(world, node))
                    .or(written)
                    .or(served)
            }
        }
    }

    fn answering_holder(&self) -> bool {
        self.world.holders().into_iter().any(|n| n != self.node)
    }

    pub(crate) fn contradicted(&self, how: AttestKind, witness: Sentence) -> Refusal {
        let node = self.node.clone();
        let sentence = Sentence::AttestationContradictedBy {
            node,
            how,
            witness: Box::new(witness),
        };
        let mut next: Vec<Advice> = self.attest_advice().into_iter().collect();
        next.push(Advice::Diagnose);
        self.refuse(RefusalCode::AttestationContradicted, sentence, next)
    }

    fn needs_attestation(&self) -> Refusal {
        let node = self.node.clone();
        let sentence = Sentence::RefusedNeedsAttestation { node: node.clone() };
        let mut next: Vec<Advice> = self.attest_advice().into_iter().collect();
        let failed = self.world.fences(self.node).into_iter();
        next.extend(failed.map(|(device, _)| Advice::RepairFence {
            node: node.clone(),
            device: device.to_owned(),
        }));
        if next.is_empty() {
            next.push(Advice::Diagnose);
        }
        self.refuse(RefusalCode::NeedsAttestation, sentence, next)
    }

    /// What a person may do and attest: the ways that no witness contradicts now.
    pub(crate) fn attest_advice(&self) -> Option<Advice> {
        let ways: Vec<AttestKind> = WAYS
            .into_iter()
            .filter(|how| self.contradiction(*how).is_none())
            .collect();
        (!ways.is_empty()).then(|| Advice::AttestAfter {
            node: self.node.clone(),
            ways,
        })
    }

    fn holding_unknown(&self, why: Why) -> Refusal {
        let sentence = Sentence::NodeHoldingUnknown {
            node: self.node.clone(),
            why,
        };
        let next = vec![Advice::Diagnose, Advice::Check];
        self.refuse(RefusalCode::HoldingUnknown, sentence, next)
    }

    pub(crate) fn refuse(
        &self,
        code: RefusalCode,
        sentence: Sentence,
        next: Vec<Advice>,
    ) -> Refusal {
        let mut said = evidence::of_node(self.world, self.node);
        said.extend(evidence::probes(self.world));
        said.extend(evidence::addresses(self.world));
        said.extend(evidence::disk(self.world));
        said.extend(evidence::fences(self.world, self.node));
        Refusal {
            code,
            sentence,
            evidence: said,
            next,
        }
    }
}
