//! Keys: the one that this node signs with, and those known of every node.

use crate::error::JournalError;
use crate::names;
use crate::row::{hex, unhex};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siaga_model::NodeName;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// An Ed25519 public key, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads the 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.as_bytes()).map(Self)
    }

    pub(crate) fn verifies(&self, hash: &[u8; 32], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(hash, signature)
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a public key"))
    }
}

/// The key that this node signs its rows with. Never shown.
pub(crate) struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// What was found where the key belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyFound {
    pub created: bool,
    /// Others could read it; closed now.
    pub was_exposed: bool,
}

impl SigningKey {
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn sign(&self, hash: &[u8; 32]) -> Result<[u8; 64], String> {
        let signature = self
            .pair
            .try_sign(hash)
            .map_err(|_| "signing failed".to_owned())?;
        let mut out = [0; 64];
        out.copy_from_slice(signature.as_ref());
        Ok(out)
    }

    /// Reads the node's key, or makes one.
    pub fn load_or_create(state: &Path) -> Result<(Self, KeyFound), JournalError> {
        let dir = names::keys_dir(state);
        let path = dir.join("events.pk8");
        match fs::read(&path) {
            Ok(bytes) => {
                let was_exposed = close_to_others(&path)?;
                let found = KeyFound {
                    created: false,
                    was_exposed,
                };
                Ok((Self::from_pkcs8(&bytes, &path)?, found))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
                made.map_err(|e| JournalError::io(&dir, "create the directory", e))?;
                let failed = |_| JournalError::Key { path: path.clone() };
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                let document = pair.to_pkcs8().map_err(failed)?;
                replace_file(&path, document.as_ref(), 0o600)?;
                let found = KeyFound {
                    created: true,
                    was_exposed: false,
                };
                Ok((Self::from_pkcs8(document.as_ref(), &path)?, found))
            }
            Err(e) => Err(JournalError::io(&path, "read the key", e)),
        }
    }

    fn from_pkcs8(bytes: &[u8], path: &Path) -> Result<Self, JournalError> {
        let bad = || JournalError::Key {
            path: path.to_owned(),
        };
        let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| bad())?;
        let mut public = [0; 32];
        let shown = pair.public_key().as_ref();
        if shown.len() != public.len() {
            return Err(bad());
        }
        public.copy_from_slice(shown);
        Ok(Self {
            pair,
            public: PublicKey(public),
        })
    }
}

/// A key that others can read is closed, and reported: a refusal would cost the night, and the key signs the log only.
fn close_to_others(path: &Path) -> Result<bool, JournalError> {
    let failed = |e| JournalError::io(path, "look at the permissions", e);
    let exposed = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0;
    if exposed {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    }
    Ok(exposed)
}

/// The key that a machine will sign with, before its journal is opened: the one that is there, or a new one that is not
/// written yet.
pub struct ComingKey {
    state: PathBuf,
    public: PublicKey,
    /// What is to be written. `None`: it is there.
    document: Option<Vec<u8>>,
}

impl ComingKey {
    /// Reads the key below `state`, or makes one in memory.
    pub fn for_state(state: &Path) -> Result<Self, JournalError> {
        let path = names::keys_dir(state).join("events.pk8");
        let (bytes, new) = match fs::read(&path) {
            Ok(bytes) => (bytes, false),
            Err(e) if e.kind() == io::ErrorKind::NotFound => (new_document(&path)?, true),
            Err(e) => return Err(JournalError::io(&path, "read the key", e)),
        };
        let key = SigningKey::from_pkcs8(&bytes, &path)?;
        Ok(Self {
            state: state.to_owned(),
            public: *key.public(),
            document: new.then_some(bytes),
        })
    }

    /// What others may know.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Writes a new key, durably. The journal signs with it from its first start on.
    pub fn install(&self) -> Result<(), JournalError> {
        let Some(document) = &self.document else {
            return Ok(());
        };
        let dir = names::keys_dir(&self.state);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|e| JournalError::io(&dir, "create the directory", e))?;
        replace_file(&dir.join("events.pk8"), document, 0o600)
    }
}

fn new_document(path: &Path) -> Result<Vec<u8>, JournalError> {
    let failed = |_| JournalError::Key {
        path: path.to_owned(),
    };
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let document = pair.to_pkcs8().map_err(failed)?;
    Ok(document.as_ref().to_vec())
}

/// The public keys known of each node. A node that was set up anew has several.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedKeys(BTreeMap<NodeName, BTreeSet<PublicKey>>);

impl TrustedKeys {
    /// Reads the file below the state directory. No file: nothing is known yet.
    pub fn load(state: &Path) -> Result<Self, JournalError> {
        Self::load_from(file(state))
    }

    pub(crate) fn load_retired(state: &Path) -> Result<Self, JournalError> {
        Self::load_from(retired_file(state))
    }

    fn load_from(path: PathBuf) -> Result<Self, JournalError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(JournalError::io(&path, "read the known keys", e)),
        };
        let mut keys = Self::default();
        for (index, line) in text.lines().enumerate() {
            let entry = line
                .split_once(' ')
                .and_then(|(n, k)| Some((n, PublicKey::parse(k)?)));
            let bad = || JournalError::TrustFile {
                path: path.clone(),
                line: index + 1,
            };
            let (node, key) = entry.ok_or_else(bad)?;
            keys.add(&NodeName::from(node), key);
        }
        Ok(keys)
    }

    /// Adds one. False where it was known.
    pub fn add(&mut self, node: &NodeName, key: PublicKey) -> bool {
        self.0.entry(node.clone()).or_default().insert(key)
    }

    /// Is this key one of the node's?
    pub fn allows(&self, node: &NodeName, key: &PublicKey) -> bool {
        self.0.get(node).is_some_and(|keys| keys.contains(key))
    }

    /// Is any key known of the node?
    pub fn knows(&self, node: &NodeName) -> bool {
        self.0.get(node).is_some_and(|keys| !keys.is_empty())
    }

    /// The node's keys.
    pub fn of<'a>(&'a self, node: &NodeName) -> impl Iterator<Item = &'a PublicKey> + use<'a> {
        self.0.get(node).into_iter().flatten()
    }

    pub(crate) fn save(&self, state: &Path) -> Result<(), JournalError> {
        self.save_as(&file(state))
    }

    pub(crate) fn save_retired(&self, state: &Path) -> Result<(), JournalError> {
        self.save_as(&retired_file(state))
    }

    fn save_as(&self, path: &Path) -> Result<(), JournalError> {
        let mut text = String::new();
        for (node, keys) in &self.0 {
            for key in keys {
                text.push_str(&format!("{node} {key}\n"));
            }
        }
        replace_file(path, text.as_bytes(), 0o644)
    }
}

fn file(state: &Path) -> PathBuf {
    names::events_dir(state).join("trusted-keys")
}

/// The keys of machines that were replaced: what they signed before is still verified, and nothing new is taken. In a
/// file of its own, which an earlier version does not read.
fn retired_file(state: &Path) -> PathBuf {
    names::events_dir(state).join("retired-keys")
}

/// Writes a small file so that after a crash the old or the new one is there, whole.
pub(crate) fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), JournalError> {
    let failed = |e| JournalError::io(path, "write the file", e);
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)
        .map_err(failed)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&new, path).map_err(failed)?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

/// Makes created, renamed and removed names durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(|e| JournalError::io(dir, "make the directory durable", e))
}
