//! How the CA's key lies on a disk: encrypted under a key that is made of a secret file beside it and of what names this
//! machine. It opens without a person, so that certificates renew by themselves; a copy of the state directory alone
//! opens nothing.

use super::{PkiError, files};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

const SALT: &[u8] = b"siaga: the CA's key, 1";
const SECRET_LEN: usize = 32;

/// What names this machine, beside its files: a sealed key opens only where it is the same. It is not secret; it is what
/// a copy of the state directory lacks.
#[derive(Clone, PartialEq, Eq)]
pub struct Machine(Vec<u8>);

impl Machine {
    /// This one: its system's installation, and its mainboard where that is told.
    pub fn this() -> Self {
        let said = ["/etc/machine-id", "/sys/class/dmi/id/product_uuid"]
            .map(|path| std::fs::read_to_string(path).unwrap_or_default());
        Self::named(&said.each_ref().map(|s| s.trim()))
    }

    fn named(parts: &[&str]) -> Self {
        Self(parts.join("\n").into_bytes())
    }
}

/// Encrypts for this machine; `about` is shown, and can't be changed either.
pub(super) fn seal(
    state_dir: &Path,
    machine: &Machine,
    secret: &[u8],
    about: &[u8],
) -> Result<String, PkiError> {
    let mut bytes = secret.to_vec();
    let nonce = sealing_key(state_dir, machine)?
        .seal_in_place_append_tag(Aad::from(about), &mut bytes)
        .map_err(|_| PkiError::Crypto("the CA's key could not be encrypted".to_owned()))?;
    let mut out = nonce.as_ref().to_vec();
    out.append(&mut bytes);
    Ok(STANDARD.encode(out))
}

/// Decrypts. `None`: it was sealed on another machine, under another file, or changed.
pub(super) fn open(
    state_dir: &Path,
    machine: &Machine,
    sealed: &str,
    about: &[u8],
) -> Result<Option<Vec<u8>>, PkiError> {
    let Ok(bytes) = STANDARD.decode(sealed) else {
        return Ok(None);
    };
    let Some((nonce, rest)) = bytes.split_first_chunk::<NONCE_LEN>() else {
        return Ok(None);
    };
    let Some(secret) = read(state_dir)? else {
        return Ok(None);
    };
    let mut rest = rest.to_vec();
    let opened = key_of(&secret, machine)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(about),
            &mut rest,
        )
        .map(|plain| plain.to_vec());
    Ok(opened.ok())
}

fn key_of(secret: &[u8], machine: &Machine) -> Result<RandomizedNonceKey, PkiError> {
    let failed = |_| PkiError::Crypto("no key could be derived".to_owned());
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(secret);
    let mut key = [0; SECRET_LEN];
    prk.expand(&[&machine.0], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(failed)?;
    RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(failed)
}

fn sealing_key(state_dir: &Path, machine: &Machine) -> Result<RandomizedNonceKey, PkiError> {
    let secret = match read(state_dir)? {
        Some(secret) => secret,
        None => {
            let mut secret = [0; SECRET_LEN];
            rand::fill(&mut secret)
                .map_err(|_| PkiError::Crypto("no random numbers".to_owned()))?;
            let text = format!("{}\n", STANDARD.encode(secret));
            files::write(&files::path(state_dir, files::SEAL_KEY), text.as_bytes())?;
            secret.to_vec()
        }
    };
    key_of(&secret, machine)
}

/// The secret file. A broken one is none: what it sealed is lost, and comes from the peer again.
fn read(state_dir: &Path) -> Result<Option<Vec<u8>>, PkiError> {
    match files::read(&files::path(state_dir, files::SEAL_KEY)) {
        Ok(text) => {
            let secret = STANDARD.decode(text.trim()).ok();
            Ok(secret.filter(|s| s.len() == SECRET_LEN))
        }
        Err(PkiError::Missing { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        files::ensure_dir(dir.path()).unwrap();
        dir
    }

    #[test]
    fn what_was_sealed_opens_on_this_machine_and_on_no_other() {
        let dir = place();
        let (here, there) = (Machine::named(&["a", "b"]), Machine::named(&["a", "c"]));
        let sealed = seal(dir.path(), &here, b"the key", b"about").unwrap();
        assert!(!sealed.contains(&STANDARD.encode("the key")));
        let opened = |m, text: &str, about| open(dir.path(), m, text, about).unwrap();
        assert_eq!(
            opened(&here, &sealed, b"about").as_deref(),
            Some(&b"the key"[..])
        );
        assert_eq!(opened(&there, &sealed, b"about"), None, "a copy elsewhere");
        assert_eq!(opened(&here, &sealed, b"other"), None, "what it is about");
        assert_eq!(opened(&here, "AAAA", b"about"), None);
        std::fs::remove_file(files::path(dir.path(), files::SEAL_KEY)).unwrap();
        assert_eq!(opened(&here, &sealed, b"about"), None, "without the file");
    }
}
