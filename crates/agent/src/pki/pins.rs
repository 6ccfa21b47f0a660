//! Which keys belong to the site. The pins, not the CA, decide who may talk to an agent.

use super::{PkiError, Spki, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
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

/// The pins in memory and on disk, shared by everything that verifies.
#[derive(Clone, Debug)]
pub struct PinStore {
    state_dir: Arc<PathBuf>,
    pins: Arc<RwLock<Vec<Pin>>>,
}

impl PinStore {
    /// Reads `pins.json`.
    pub fn load(state_dir: &Path) -> Result<Self, PkiError> {
        let pins = read(state_dir)?;
        Ok(Self {
            state_dir: Arc::new(state_dir.to_owned()),
            pins: Arc::new(RwLock::new(pins)),
        })
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
