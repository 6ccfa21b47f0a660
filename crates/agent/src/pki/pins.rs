//! Which keys belong to the site. The pins, not the CA, decide who may talk to an agent.

use super::{PkiError, Spki, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What a machine may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Node,
    Probe,
}

/// One machine's key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub name: String,
    pub role: Role,
    pub spki_sha256: Spki,
    /// Grows when the name gets another key (the machine was set up anew): the higher one wins everywhere.
    pub generation: u64,
}

impl Pin {
    /// No machine's key hashes to this: the pin of a name that has no machine, which outdoes the one before it also at
    /// nodes and probes of an earlier version.
    const NOBODY: Spki = Spki([0; 32]);

    /// There is no machine of that name now.
    pub fn is_nobody(&self) -> bool {
        self.spki_sha256 == Self::NOBODY
    }
}

/// A key that is refused, and told why: its machine was replaced, or set up anew.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RetiredKey {
    pub name: String,
    pub spki_sha256: Spki,
}

/// The pins in memory and on disk, shared by everything that verifies.
#[derive(Clone, Debug)]
pub struct PinStore {
    state_dir: Arc<PathBuf>,
    pins: Arc<RwLock<Vec<Pin>>>,
    retired: Arc<RwLock<Vec<RetiredKey>>>,
    /// This machine may tell a replaced one so now.
    vouches: Arc<AtomicBool>,
}

impl PinStore {
    /// Reads `pins.json`.
    pub fn load(state_dir: &Path) -> Result<Self, PkiError> {
        let pins = read(state_dir)?;
        Ok(Self {
            state_dir: Arc::new(state_dir.to_owned()),
            pins: Arc::new(RwLock::new(pins)),
            retired: Arc::new(RwLock::new(read_retired(state_dir)?)),
            vouches: Arc::default(),
        })
    }

    /// Says whether this machine may tell a replaced one so: that one then lets go of all it has, so only who runs the services
    /// may say it. A machine that was away itself knows nothing of what was taken since.
    pub fn set_vouches(&self, vouches: bool) {
        self.vouches.store(vouches, Ordering::Release);
    }

    /// Was this the key of a replaced machine, and may it be told?
    pub fn tells(&self, key: &Spki) -> bool {
        self.is_retired(key) && self.vouches.load(Ordering::Acquire)
    }

    /// Was any machine replaced?
    pub fn has_retired(&self) -> bool {
        let retired = self.retired.read().unwrap_or_else(PoisonError::into_inner);
        !retired.is_empty()
    }

    /// Was this the key of a machine that was replaced? Looks at every one.
    pub fn is_retired(&self, key: &Spki) -> bool {
        let retired = self.retired.read().unwrap_or_else(PoisonError::into_inner);
        retired
            .iter()
            .fold(false, |found, one| found | (one.spki_sha256 == *key))
    }

    /// The machine of that name is believed no more, durably: its key is refused from now on, and told why. A new machine
    /// joins under the name. Gives the key.
    pub fn retire(&self, name: &str) -> Result<Option<Spki>, PkiError> {
        let known = self.all();
        let Some(old) = known.iter().find(|p| p.name == name).cloned() else {
            return Ok(None);
        };
        if old.is_nobody() {
            return Ok(None);
        }
        // First why, then that.
        self.add_retired(&old)?;
        self.change(|pins| {
            pins.retain(|p| p.name != name);
            pins.push(Pin {
                spki_sha256: Pin::NOBODY,
                generation: old.generation.saturating_add(1),
                ..old.clone()
            });
        })?;
        Ok(Some(old.spki_sha256))
    }

    fn add_retired(&self, old: &Pin) -> Result<(), PkiError> {
        let _lock = files::lock(&self.state_dir)?;
        let mut retired = read_retired(&self.state_dir)?;
        retired.push(RetiredKey {
            name: old.name.clone(),
            spki_sha256: old.spki_sha256,
        });
        let text =
            serde_json::to_vec_pretty(&retired).map_err(|e| PkiError::Crypto(e.to_string()))?;
        files::write(&files::path(&self.state_dir, files::RETIRED), &text)?;
        *self.retired.write().unwrap_or_else(PoisonError::into_inner) = retired;
        Ok(())
    }

    /// The pin of a key. Looks at every pin, so that the time it takes says nothing.
    pub fn find(&self, key: &Spki) -> Option<Pin> {
        let pins = self.pins.read().unwrap_or_else(PoisonError::into_inner);
        pins.iter().fold(None, |found, pin| {
            if pin.spki_sha256 == *key {
                Some(pin.clone())
            } else {
                found
            }
        })
    }

    /// All pins.
    pub fn all(&self) -> Vec<Pin> {
        self.pins
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Pins a key under a name, durably, before it returns. A name that had another key gets a new generation.
    pub fn add(&self, name: &str, role: Role, key: Spki) -> Result<Pin, PkiError> {
        self.change(|pins| {
            let old = pins.iter().find(|p| p.name == name);
            if let Some(same) = old.filter(|p| p.spki_sha256 == key && p.role == role) {
                return same.clone();
            }
            let pin = Pin {
                name: name.to_owned(),
                role,
                spki_sha256: key,
                generation: old.map_or(1, |p| p.generation.saturating_add(1)),
            };
            pins.retain(|p| p.name != name);
            pins.push(pin.clone());
            pin
        })
    }

    /// Takes over what another node of the site knows: names that are new here, and names that got a later key.
    /// Never touches the pin of `own`. Returns what changed.
    pub fn merge(&self, theirs: &[Pin], own: &str) -> Result<Vec<Pin>, PkiError> {
        let known = self.all();
        let newer = |p: &&Pin| {
            p.name != own
                && known
                    .iter()
                    .find(|k| k.name == p.name)
                    .is_none_or(|k| k.generation < p.generation)
        };
        let news: Vec<Pin> = theirs.iter().filter(newer).cloned().collect();
        if news.is_empty() {
            return Ok(news);
        }
        self.change(|pins| {
            pins.retain(|p| !news.iter().any(|n| n.name == p.name));
            pins.extend(news.iter().cloned());
        })?;
        Ok(news)
    }

    /// Changes the file under the lock, starting from what is on disk, then what is in memory.
    fn change<T>(&self, act: impl FnOnce(&mut Vec<Pin>) -> T) -> Result<T, PkiError> {
        let _lock = files::lock(&self.state_dir)?;
        let mut pins = read(&self.state_dir)?;
        let out = act(&mut pins);
        write(&self.state_dir, &pins)?;
        *self.pins.write().unwrap_or_else(PoisonError::into_inner) = pins;
        Ok(out)
    }
}

/// Reads `pins.json`.
pub fn read(state_dir: &Path) -> Result<Vec<Pin>, PkiError> {
    let path = files::path(state_dir, files::PINS);
    serde_json::from_str(&files::read(&path)?).map_err(|e| PkiError::Broken {
        path,
        why: e.to_string(),
    })
}

fn read_retired(state_dir: &Path) -> Result<Vec<RetiredKey>, PkiError> {
    let path = files::path(state_dir, files::RETIRED);
    match files::read(&path) {
        Ok(text) => serde_json::from_str(&text).map_err(|e| PkiError::Broken {
            path,
            why: e.to_string(),
        }),
        Err(PkiError::Missing { .. }) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Writes `pins.json` durably.
pub(super) fn write(state_dir: &Path, pins: &[Pin]) -> Result<(), PkiError> {
    let text = serde_json::to_vec_pretty(pins).map_err(|e| PkiError::Crypto(e.to_string()))?;
    files::write(&files::path(state_dir, files::PINS), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, PinStore) {
        let dir = tempfile::tempdir().unwrap();
        super::super::init(dir.path(), "RSUD Contoh", &"serverdb".into()).unwrap();
        let store = PinStore::load(dir.path()).unwrap();
        (dir, store)
    }

    #[test]
    fn a_later_key_wins_and_an_older_one_does_not_come_back() {
        let (_dir, store) = store();
        let first = store.add("poli", Role::Probe, Spki([1; 32])).unwrap();
        let second = store.add("poli", Role::Probe, Spki([2; 32])).unwrap();
        assert_eq!(second.generation, 2);
        assert!(store.find(&Spki([1; 32])).is_none());
        assert_eq!(store.merge(&[first], "serverdb").unwrap(), vec![]);
        assert!(store.find(&Spki([2; 32])).is_some());
        let third = Pin {
            generation: 3,
            spki_sha256: Spki([3; 32]),
            ..second
        };
        assert_eq!(
            store
                .merge(std::slice::from_ref(&third), "serverdb")
                .unwrap(),
            vec![third]
        );
        assert!(store.find(&Spki([2; 32])).is_none());
    }

    #[test]
    fn a_replaced_machine_is_pinned_no_more_and_a_new_one_takes_the_name() {
        let (dir, store) = store();
        let old = store.add("backup", Role::Node, Spki([1; 32])).unwrap();
        assert_eq!(store.retire("backup").unwrap(), Some(Spki([1; 32])));
        assert_eq!(store.retire("backup").unwrap(), None, "once");
        assert!(store.find(&Spki([1; 32])).is_none());
        assert!(store.is_retired(&Spki([1; 32])));
        assert_eq!(
            store.merge(&[old], "serverdb").unwrap(),
            vec![],
            "nor again"
        );
        let new = store.add("backup", Role::Node, Spki([2; 32])).unwrap();
        assert_eq!(new.generation, 3);
        assert!(!store.is_retired(&Spki([2; 32])));
        // Also after a restart.
        let again = PinStore::load(dir.path()).unwrap();
        assert!(again.is_retired(&Spki([1; 32])) && again.find(&Spki([2; 32])).is_some());
    }

    #[test]
    fn a_peer_cannot_replace_the_own_pin() {
        let (dir, store) = store();
        let evil = Pin {
            name: "serverdb".into(),
            role: Role::Node,
            spki_sha256: Spki([9; 32]),
            generation: 99,
        };
        assert_eq!(store.merge(&[evil], "serverdb").unwrap(), vec![]);
        assert_eq!(read(dir.path()).unwrap(), store.all());
        assert!(store.find(&Spki([9; 32])).is_none());
    }
}
