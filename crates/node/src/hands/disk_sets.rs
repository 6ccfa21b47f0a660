//! The disk set: taken, and what is asked of it beside.

use super::{Kit, NodeHands};
use crate::act::bounded;
use crate::act::disk_set::{DiskSet, Problem, TakeOrder};
use crate::act::postgres;
use crate::act::taken::Taken;
use crate::observe::disk_watch::RawRead;
use siaga_model::config::FenceKind;
use siaga_model::observation::{FenceState, FenceView, Holding};
use siaga_model::refusal::Sentence;
use siaga_model::reservation::RESERVATION;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{NodeName, ServiceName, Why};
use siaga_runner::hands::{Acted, Did, LifeQuestion, Trouble};
use siaga_runner::permit::OldData;
use std::path::Path;
use std::time::Duration;

/// How long LVM may take to tell the disks of a group: it reads every disk of the host, and one of them may hang.
const DISKS_WITHIN: Duration = Duration::from_secs(30);

impl NodeHands {
    /// What stands against the driver of the disk set of `service` here. Read-only.
    pub fn disk_set_problems(&self, service: &ServiceName) -> Vec<Problem> {
        self.kits
            .get(service)
            .map_or_else(Vec::new, |kit| kit.disk.problems())
    }

    /// What the reservation on the disk set of `service` says of `node`, where there is one.
    pub fn reservation_view(&self, service: &ServiceName, node: &NodeName) -> Option<FenceView> {
        let kit = self.kits.get(service)?;
        let reservation = kit.reservation.as_ref()?;
        Some(FenceView {
            name: RESERVATION.to_owned(),
            kind: FenceKind::Reservation,
            state: match kit.group.as_ref().and_then(|g| g.seen_elsewhere()) {
                None => reservation.state_of(node),
                Some(why) => FenceState::Failed { why },
            },
        })
    }

    /// Why this node must let go at once: it took the disk set, and its registration at the disk is gone; or it never had one
    /// (adopted, or taken before the site asked for reservations), and another node has reserved what it holds. What can't
    /// be told is no reason.
    pub fn key_gone(&self, service: &ServiceName) -> Option<Why> {
        let kit = self.kits.get(service)?;
        let reservation = kit.reservation.as_ref()?;
        if !reservation.is_gone().unwrap_or(false) {
            return None;
        }
        let had_one = self.taken.load(service).is_some_and(|taken| taken.reserved);
        let overtaken = || {
            reservation.state_of(&self.node) == FenceState::Fenced
                && matches!(kit.disk.claimed(), Holding::Held { .. })
        };
        (had_one || overtaken()).then(|| reservation.why_gone())
    }

    /// Is a registration left here that came of nothing: another configured node has the disk set, and nothing of it was taken
    /// here or is in use?
    pub fn has_stray_key(&self, service: &ServiceName) -> bool {
        // Volumes of a group that is not active here are not there, and can't be in use.
        let unused = |kit: &Kit| !matches!(kit.disk.volumes().look(), Holding::Held { .. });
        let stray = |kit: &Kit| {
            let reservation = kit.reservation.as_ref();
            reservation.is_some_and(|r| r.is_stray()) && unused(kit)
        };
        self.taken.load(service).is_none() && self.kits.get(service).is_some_and(stray)
    }

    /// Takes it back. The caller knows that nothing is under way here.
    pub fn drop_stray_key(&self, service: &ServiceName) -> Acted {
        let reservation = self.kit(service)?.reservation.as_ref();
        match reservation.filter(|_| self.has_stray_key(service)) {
            Some(reservation) => reservation.drop_stray(),
            None => Ok(Did::nothing()),
        }
    }

    /// A registration at the disk set was lost, and it does not matter any more: this node is registered again, or another
    /// configured node holds the reservation and this one has nothing of the disk set.
    pub fn loss_is_over(&self, service: &ServiceName) -> bool {
        let Some(kit) = self.kits.get(service) else {
            return false;
        };
        let Some(reservation) = kit.reservation.as_ref() else {
            return false;
        };
        match reservation.is_gone() {
            Ok(false) => true,
            Ok(true) => {
                reservation.state_of(&self.node) == FenceState::Fenced
                    && kit.disk.look() == Holding::Free
            }
            Err(_) => false,
        }
    }

    /// Is the copy of `service` here connected, with everything that the other one has?
    pub fn copy_is_whole(&self, service: &ServiceName) -> bool {
        let replica = self.kits.get(service).and_then(|k| k.replica.as_ref());
        replica.is_some_and(|r| r.is_whole())
    }

    /// Is the copy of `service` here cut off from the other node's, and would still pass for up to date?
    pub fn copy_passes_for_current(&self, service: &ServiceName) -> bool {
        let replica = self.kits.get(service).and_then(|k| k.replica.as_ref());
        replica.is_some_and(|r| r.passes_for_current())
    }

    /// After the other node was switched off: waits until every replicated device here knows it.
    pub(crate) fn replicas_lost_their_peer(&self) -> Result<(), Why> {
        let replicas = self.kits.values().filter_map(|kit| kit.replica.as_ref());
        replicas
            .into_iter()
            .try_for_each(|r| r.wait_until_peer_is_gone())
    }

    /// The word of a person against DRBD's: a node that is off, or cut from its disk, does not go on as primary. It counts as
    /// one until the kernel gives its connection up, which is waited for: the person may have been quicker.
    pub(crate) fn replica_belies(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        ground: LifeQuestion,
    ) -> Option<Sentence> {
        let replica = self.kits.get(service)?.replica.as_ref()?;
        if !matches!(ground, LifeQuestion::Attested(_)) {
            return None;
        }
        match replica.wait_until_peer_is_gone() {
            Err(Why::DrbdPeerPrimary { resource }) => Some(Sentence::NodeHolds {
                node: victim.clone(),
                by: vec![Holder::Primary { resource }],
            }),
            // What can't be told is no sign. The take says it.
            Err(_) | Ok(()) => None,
        }
    }

    /// Marks that copy as old. Gives what to say of it.
    ///
    /// # Errors
    /// Why it is not marked.
    pub fn mark_copy_old(&self, service: &ServiceName) -> Result<Why, Why> {
        let replica = self.kits.get(service).and_then(|k| k.replica.as_ref());
        let replica = replica.ok_or(Why::NoSuchServiceHere {
            service: service.clone(),
        })?;
        replica.mark_old().map(|()| replica.why_old())
    }

    /// Ends the database at once, without a word to its clients: what it could write back is refused by the disk.
    pub fn kill_database(&self, service: &ServiceName) -> Acted {
        postgres::stop::kill(&self.kit(service)?.server)
    }

    /// Why this node could not take the disk set of `service` now, or not serve with it, where that is known before.
    pub fn unable(&self, service: &ServiceName) -> Option<Why> {
        let kit = self.kits.get(service)?;
        let foreign = || kit.mounted().is_err().then(|| kit.foreign_server())?;
        kit.disk.unable().or_else(foreign)
    }

    /// Is the block device there only while this node holds the disk set, and not here now?
    pub fn device_may_be_away(&self, service: &ServiceName) -> bool {
        let away = |kit: &Kit| kit.disk.comes_and_goes() && kit.disk.claimed() == Holding::Free;
        self.kits.get(service).is_some_and(away)
    }

    /// Takes the disk set and remembers it. Only a permit leads here.
    pub(crate) fn take_for(
        &self,
        taken: &Taken,
        may_adopt: bool,
        accepted: Option<&OldData>,
    ) -> Acted {
        let kit = self.kit(&taken.service)?;
        let taken = &Taken {
            reserved: kit.reservation.is_some(),
            ..taken.clone()
        };
        let remember = |did: Did| {
            self.taken
                .save(taken)
                .map_err(|said| Trouble::failed(FailureKind::Io, Why::System(said)))
                .map(|()| did)
        };
        // Taken in this boot, never proved released since, and nobody else took it meanwhile: the disk set has not left
        // this kernel, so that whatever still holds it here (the mount itself, a copy of it in another namespace) is no
        // stranger. It is taken again under its new mandate.
        let order = TakeOrder {
            epoch: &taken.epoch,
            all_released: taken.all_released,
            accepted,
        };
        if may_adopt && self.taken.load(&taken.service).is_some() {
            return kit.disk.retake(&order).and_then(remember);
        }
        // Otherwise what is still here may be older than what another node wrote, and is nobody's any more: the take
        // begins from nothing, and is refused while anything holds the device.
        self.taken.forget(&taken.service);
        kit.disk.take(&order).and_then(remember)
    }
}

impl Kit {
    /// How the disk set is read raw. The volumes of a group, which are there on the other node alone, as they lie on its disks.
    pub(super) fn raw(&self) -> Result<RawRead, Why> {
        let volumes = self.disk.volumes();
        let devices: Vec<&Path> = volumes.each().map(|v| v.device()).collect();
        let of_group = self.group.as_ref().and_then(|g| g.raw(&devices));
        of_group.unwrap_or_else(|| Ok(volumes.raw()))
    }

    /// Does the reservation keep another node from all of the disk set? From one disk of a volume group it does not.
    pub(super) fn reservation_fences(&self) -> Result<(), Why> {
        let Some(group) = self.group.clone() else {
            return Ok(());
        };
        let ms = u64::try_from(DISKS_WITHIN.as_millis()).unwrap_or(u64::MAX);
        let told = bounded::run(DISKS_WITHIN, move || group.lies_on_what_is_kept());
        told.unwrap_or(Err(Why::NoAnswerWithin { ms }))
    }
}
