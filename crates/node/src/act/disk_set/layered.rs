//! Block devices with something below them that makes them exclusive: programs of the site, a volume group, a
//! reservation, a replicated device. Taken from the bottom up, given up from the top down.

use super::under_way::UnderWay;
use super::{DiskSet, Problem, TakeOrder, Volumes};
use siaga_model::Why;
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_runner::hands::{Acted, Did, Trouble};
use std::time::{Duration, Instant};

/// How long the block device may take to appear after the layers were taken.
const APPEARS_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// Something that makes a disk set exclusive.
pub trait Layer: Send + Sync {
    /// Does this node hold it? Looks, and changes nothing. `Free` is a positive word: not held here.
    fn state(&self) -> Holding;
    /// Takes it, by a permit. Where it is held here already, puts it under the order's mandate.
    fn take(&self, order: &TakeOrder) -> Acted;
    /// Gives it up. Nothing above it is in use any more.
    fn release(&self) -> Acted;
    /// Is the block device usable (and worth a look) while this layer is not held here?
    fn device_stays(&self) -> bool;
    /// Why a take would fail, where that is known before.
    fn unable(&self) -> Option<Why> {
        None
    }
    /// What is not set up as it must be. Looks, and changes nothing.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// The block devices and their layers, the lowest first.
pub struct Layered {
    volumes: Volumes,
    layers: Vec<Box<dyn Layer>>,
    under_way: UnderWay,
}

impl Layered {
    /// `layers`: the lowest first, at least one. `under_way`: what their programs are marked with.
    pub fn new(volumes: Volumes, layers: Vec<Box<dyn Layer>>, under_way: UnderWay) -> Self {
        Self {
            volumes,
            layers,
            under_way,
        }
    }

    /// What the layers say together: held where one is held, free where all are free.
    fn layers(&self) -> Holding {
        // A program that an agent began and did not live to see the end of may still take.
        let mut sum = self.under_way.look();
        for state in self.layers.iter().rev().map(|l| l.state()) {
            sum = match (sum, state) {
                (Holding::Held { by }, _) | (_, Holding::Held { by }) => Holding::Held { by },
                (Holding::Unknown { why }, _) | (_, Holding::Unknown { why }) => {
                    Holding::Unknown { why }
                }
                (Holding::Free, Holding::Free) => Holding::Free,
            };
        }
        sum
    }

    fn device_stays(&self) -> bool {
        self.layers.iter().all(|l| l.device_stays())
    }

    /// The block device's word and the layers' together. `block`: what the device shows.
    fn together(&self, block: &dyn Fn() -> Holding) -> Holding {
        if !self.volumes.is_any_there() && !self.device_stays() {
            // Nothing can be mounted from a device that the layers do not give.
            return self.layers();
        }
        let block = block();
        if let Holding::Held { .. } = block {
            // That is enough. The layers may ask programs, which may wait for a disk that hangs.
            return block;
        }
        match (block, self.layers()) {
            (Holding::Held { by }, _) | (_, Holding::Held { by }) => Holding::Held { by },
            (_, Holding::Unknown { why }) => Holding::Unknown { why },
            // The layer says that it is not held here, and so the device can't be opened.
            (Holding::Unknown { .. }, Holding::Free) if !self.device_stays() => Holding::Free,
            (Holding::Unknown { why }, Holding::Free) => Holding::Unknown { why },
            (Holding::Free, Holding::Free) => Holding::Free,
        }
    }

    fn take_layers(&self, order: &TakeOrder) -> Acted {
        let mut sum = Did::nothing();
        for layer in &self.layers {
            let did = layer.take(order)?;
            sum.changed |= did.changed;
            sum.notes.extend(did.notes);
        }
        Ok(sum)
    }

    fn wait_for_device(&self) -> Result<(), Trouble> {
        let deadline = Instant::now() + APPEARS_WITHIN;
        while let Some(missing) = self.volumes.missing() {
            if Instant::now() >= deadline {
                let device = missing.device().to_owned();
                return Err(Trouble::failed(
                    FailureKind::Io,
                    Why::DeviceMissing { device },
                ));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl DiskSet for Layered {
    fn look(&self) -> Holding {
        self.together(&|| self.volumes.look())
    }

    fn claimed(&self) -> Holding {
        self.together(&|| self.volumes.claimed())
    }

    fn take(&self, order: &TakeOrder) -> Acted {
        let mut sum = self.take_layers(order)?;
        self.wait_for_device()?;
        let did = self.volumes.take(order)?;
        sum.changed |= did.changed;
        sum.notes.extend(did.notes);
        Ok(sum)
    }

    fn retake(&self, order: &TakeOrder) -> Acted {
        self.take_layers(order)
    }

    fn release(&self) -> Acted {
        let mut sum = Did::nothing();
        if self.look() != Holding::Free {
            self.volumes.release_those_there()?;
        }
        // Also where nothing is held: a layer may have more to hand on than what holds (the name on a volume group).
        for layer in self.layers.iter().rev() {
            let did = layer.release()?;
            sum.changed |= did.changed;
            sum.notes.extend(did.notes);
        }
        match self.look() {
            Holding::Free => {
                if !self.device_stays() {
                    self.volumes.forget_numbers();
                }
                Ok(sum)
            }
            Holding::Held { by } => Err(Trouble::failed(
                FailureKind::NotReleased,
                Why::HeldBy { by },
            )),
            Holding::Unknown { why } => Err(Trouble::Unknown(why)),
        }
    }

    fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    fn comes_and_goes(&self) -> bool {
        !self.device_stays()
    }

    fn unable(&self) -> Option<Why> {
        self.layers.iter().find_map(|l| l.unable())
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.layers.iter().flat_map(|l| l.problems()).collect();
        // A layer sees itself alone: only here is it known what it should be holding.
        let layers = self.layers.iter().map(|l| l.state());
        problems.extend(unreserved(&self.volumes.look(), layers));
        problems
    }
}

/// The volumes are in use here, and a layer says of itself that it is not held here.
fn unreserved(volumes: &Holding, mut layers: impl Iterator<Item = Holding>) -> Option<Problem> {
    let held = matches!(volumes, Holding::Held { .. });
    (held && layers.any(|layer| layer == Holding::Free)).then_some(Problem {
        blocking: false,
        why: Why::HeldUnreserved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_its_layers_do_not_know_is_told() {
        let held = || Holding::Held {
            by: vec!["postgres".into()],
        };
        let unknown = || Holding::Unknown {
            why: "I/O error".into(),
        };
        let found = |volumes, layers: Vec<Holding>| unreserved(&volumes, layers.into_iter());
        let told = found(held(), vec![Holding::Free]).unwrap();
        assert_eq!((told.blocking, told.why), (false, Why::HeldUnreserved));
        // One of several is enough.
        assert!(found(held(), vec![Holding::Free, held()]).is_some());
        assert!(found(held(), vec![held()]).is_none());
        // What can't be told is told of elsewhere, and a node that holds nothing needs no reservation.
        assert!(found(held(), vec![unknown()]).is_none());
        assert!(found(Holding::Free, vec![Holding::Free]).is_none());
        assert!(found(unknown(), vec![Holding::Free]).is_none());
    }
}
