//! Who is who: the site's own CA, each node's key and certificate, the pins that say which keys belong to the
//! site, one-time join tokens, and renewal.
//!
//! Trust is by key: a peer is who its pinned public key says, whatever the dates in its certificate. The CA is
//! needed to bring somebody in and to renew; every node has it, a site whose CA is lost keeps working, and makes a new one.
//!
//! Everything lies in `<state>/keys` (mode 0700), every file 0600, written whole and durably.

pub mod ca;
mod error;
mod failures;
pub mod files;
pub mod identity;
pub mod join;
pub mod pins;
pub mod renew;
pub mod seal;
pub mod token;

pub use ca::{CaCopy, CaMark};
pub use error::PkiError;
pub use identity::{CertDates, Identity, PeerIdentity, Spki};
pub use join::{
    AgentAddress, EventKey, JoinError, JoinReport, JoinRequest, JoinResponse, JoinState,
    RunJoinError,
};
pub use pins::{Pin, PinStore, Role};
pub use token::{Enrolee, Origin, Token};

use siaga_model::{NodeName, UtcMicros};
use std::path::Path;
use std::time::SystemTime;

/// What `siaga init` made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitReport {
    pub node: NodeName,
    /// Fingerprint of the site's CA: what every join token carries.
    pub ca: Spki,
    /// Fingerprint of this node's own key.
    pub key: Spki,
}

/// Makes the site's CA and the first node's identity in `<state_dir>/keys`.
///
/// # Errors
/// `PkiError::Exists` where there is a CA or an identity already: nothing is changed then.
pub fn init(state_dir: &Path, site_name: &str, node: &NodeName) -> Result<InitReport, PkiError> {
    init_with(state_dir, site_name, node, |_| ())
}

/// As [`init`]; `first` may write the first rows of the event log, before this machine has an identity.
///
/// # Errors
/// As [`init`].
pub fn init_with(
    state_dir: &Path,
    site_name: &str,
    node: &NodeName,
    first: impl FnOnce(&mut siaga_journal::Journal),
) -> Result<InitReport, PkiError> {
    files::ensure_dir(state_dir)?;
    let _lock = files::lock(state_dir)?;
    for name in [
        files::CA_KEY,
        files::CA_SEALED,
        files::CA_CERT,
        files::NODE_KEY,
        files::NODE_CERT,
    ] {
        let path = files::path(state_dir, name);
        if path.exists() {
            return Err(PkiError::Exists { path });
        }
    }
    let now = now();
    let ca = ca::Ca::create(site_name, 1, now)?;
    let key = rcgen::KeyPair::generate()?;
    let cert = ca.issue(node.as_str(), Role::Node, &key, ca::Validity::leaf(now))?;
    let key_pin = Spki::of_cert(&cert)?;
    let own = Pin {
        name: node.as_str().to_owned(),
        role: Role::Node,
        spki_sha256: key_pin,
        generation: 1,
    };
    // The certificate comes last: where it exists, all the rest does.
    ca.store_locked(state_dir)?;
    files::write(
        &files::path(state_dir, files::NODE_KEY),
        key.serialize_pem().as_bytes(),
    )?;
    pins::write(state_dir, &[own])?;
    begin_journal(state_dir, node, first)?;
    files::write(
        &files::path(state_dir, files::NODE_CERT),
        identity::pem("CERTIFICATE", &cert).as_bytes(),
    )?;
    Ok(InitReport {
        node: node.clone(),
        ca: ca.fingerprint()?,
        key: key_pin,
    })
}

/// The first node of a site has no history that could be missing. Where rows are here already, it is not the first
/// start, and nothing is said about them.
fn begin_journal(
    state_dir: &Path,
    node: &NodeName,
    first: impl FnOnce(&mut siaga_journal::Journal),
) -> Result<(), PkiError> {
    let clock = Box::new(siaga_journal::SystemClock);
    let (mut journal, opened) = siaga_journal::Journal::open(state_dir, node.clone(), clock)?;
    // Rows of others are no first start either: they came from a backup.
    if opened.start == siaga_journal::Start::First && journal.heads().is_empty() {
        journal.confirm_history()?;
        first(&mut journal);
    }
    Ok(())
}

/// The wall clock. Only for dates in certificates and tokens.
pub fn now() -> UtcMicros {
    let micros = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_micros());
    UtcMicros(i64::try_from(micros).unwrap_or(i64::MAX))
}
