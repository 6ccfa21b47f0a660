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
    /// [`Layer::state`] while a layer below is free and keeps its device to itself: what lies on that can't be read, and
    /// need not be.
    fn state_while_below_is_free(&self) -> Holding {
        self.state()
    }
    /// [`Layer::problems`] then.
    fn problems_while_below_is_free(&self) -> Vec<Problem> {
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
        for (_, state, _) in self.states() {
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

    /// Each layer and its state, the lowest first; and whether one below it is free and keeps its device to itself, so that
    /// nobody can read what lies on it (a volume group on a replica that is secondary).
    fn states(&self) -> Vec<(&dyn Layer, Holding, bool)> {
        let mut away = false;
        let mut states = Vec::new();
        for layer in &self.layers {
            let state = match away {
                true => layer.state_while_below_is_free(),
                false => layer.state(),
            };
            let above_away = away || (state == Holding::Free && !layer.device_stays());
            states.push((layer.as_ref(), state, away));
            away = above_away;
        }
        states
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
        for (layer, state, away) in self.states().into_iter().rev() {
            if away && state == Holding::Free {
                // It was released before what it lies on.
                continue;
            }
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
        let states = self.states();
        let of = |(layer, _, away): &(&dyn Layer, Holding, bool)| match away {
            true => layer.problems_while_below_is_free(),
            false => layer.problems(),
        };
        let mut problems: Vec<Problem> = states.iter().flat_map(of).collect();
        // A layer sees itself alone: only here is it known what it should be holding.
        let layers = states.into_iter().map(|(_, state, _)| state);
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
    use siaga_model::ServiceName;
    use std::sync::{Arc, Mutex};

    /// What it is asked to give up, it notes.
    struct Fake {
        name: &'static str,
        state: Holding,
        /// With nothing below it that can be read.
        blind: Holding,
        stays: bool,
        released: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Layer for Fake {
        fn state(&self) -> Holding {
            self.state.clone()
        }
        fn state_while_below_is_free(&self) -> Holding {
            self.blind.clone()
        }
        fn take(&self, _order: &TakeOrder) -> Acted {
            Ok(Did::nothing())
        }
        fn release(&self) -> Acted {
            self.released.lock().unwrap().push(self.name);
            Ok(Did::nothing())
        }
        fn device_stays(&self) -> bool {
            self.stays
        }
        fn problems(&self) -> Vec<Problem> {
            vec![Problem {
                blocking: true,
                why: self.name.into(),
            }]
        }
    }

    /// What a set of two layers says of itself, of its problems, and what is released.
    fn two(
        (lower, stays): (Holding, bool),
        (upper, blind): (Holding, Holding),
    ) -> (Holding, Vec<Why>, Vec<&'static str>) {
        let released = Arc::new(Mutex::new(Vec::new()));
        let layer = |name, state, blind, stays| -> Box<dyn Layer> {
            let released = released.clone();
            Box::new(Fake {
                name,
                state,
                blind,
                stays,
                released,
            })
        };
        let layers = vec![
            layer("lower", lower.clone(), lower, stays),
            layer("upper", upper, blind, false),
        ];
        let service = ServiceName::from("layered-test");
        let nowhere = Volumes::new("/dev/siaga-no-such-volume".into(), []);
        let set = Layered::new(nowhere, layers, UnderWay::of(&service));
        let problems = set.problems().into_iter().map(|p| p.why).collect();
        let _ = set.release();
        let released = released.lock().unwrap().clone();
        (set.look(), problems, released)
    }

    #[test]
    fn what_lies_on_a_layer_that_keeps_its_device_to_itself_need_not_be_readable() {
        let unknown = || Holding::Unknown {
            why: "no such volume group".into(),
        };
        let held = || Holding::Held {
            by: vec!["vg/data".into()],
        };
        let readable_never = || (unknown(), Holding::Free);
        // A group on a replica that is secondary: free, in order, and given up before.
        let (holding, problems, released) = two((Holding::Free, false), readable_never());
        assert_eq!(holding, Holding::Free);
        assert_eq!((problems, released), (vec!["lower".into()], vec!["lower"]));
        // On a primary, or on a disk that everybody may read, it must be.
        for lower in [(held(), false), (Holding::Free, true), (unknown(), false)] {
            let (holding, problems, released) = two(lower.clone(), readable_never());
            assert_ne!(holding, Holding::Free, "{lower:?}");
            assert_eq!(problems.len(), 2, "{lower:?}");
            assert_eq!(released[0], "upper", "{lower:?}");
        }
        // What is held past the replica is held, and what it can't tell itself stays unknown.
        for blind in [held(), unknown()] {
            let (holding, _, released) = two((Holding::Free, false), (unknown(), blind.clone()));
            assert_eq!(holding, blind);
            assert_eq!(released, ["upper", "lower"]);
        }
    }

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
