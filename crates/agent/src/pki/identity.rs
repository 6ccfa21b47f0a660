//! A machine's own key and certificate, and what is known of the other end of a connection.

use super::{PinStore, PkiError, Role, files};
use aws_lc_rs::digest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siaga_model::UtcMicros;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// SHA-256 of a public key in its X.509 form (SubjectPublicKeyInfo). Compared in constant time.
#[derive(Clone, Copy)]
pub struct Spki(pub [u8; 32]);

impl Spki {
    /// The fingerprint of a certificate's key. Read by the parser that also verifies the handshake, so the key
    /// that is compared is the key that signs.
    pub fn of_cert(cert: &CertificateDer<'_>) -> Result<Self, PkiError> {
        let parsed =
            ParsedCertificate::try_from(cert).map_err(|e| PkiError::Crypto(e.to_string()))?;
        Ok(Self::of_der(&parsed.subject_public_key_info()))
    }
    /// The fingerprint of a SubjectPublicKeyInfo.
    pub fn of_der(spki: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, spki).as_ref());
        Self(out)
    }
}

impl PartialEq for Spki {
    fn eq(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}
impl Eq for Spki {}

impl fmt::Display for Spki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
impl fmt::Debug for Spki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Spki {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "a fingerprint has 64 hexadecimal digits".to_owned();
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        let mut out = [0; 32];
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(out))
    }
}
impl Serialize for Spki {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Spki {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A certificate's dates, in seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CertDates {
    pub not_before: i64,
    pub not_after: i64,
}

impl CertDates {
    /// Reads them from a certificate.
    pub fn of(cert: &CertificateDer<'_>) -> Result<Self, PkiError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(cert)
            .map_err(|e| PkiError::Crypto(e.to_string()))?;
        let validity = parsed.validity();
        Ok(Self {
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }
    /// Whole days until the end; negative after it.
    pub fn days_left(&self, now: UtcMicros) -> i64 {
        (self.not_after - now.0.div_euclid(1_000_000)).div_euclid(86_400)
    }
}

/// The other end of a connection, by its pinned key. Dates never refuse it: they are for a loud finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeerIdentity {
    /// The name in the pins, not what the certificate says.
    pub name: String,
    pub role: Role,
    pub cert_expired: bool,
    /// Whole days until the certificate ends; negative after it.
    pub days_left: i64,
    /// The certificate begins in the future: one of the two clocks is wrong.
    pub not_yet_valid: bool,
}

impl PeerIdentity {
    /// Its name in the pins.
    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn is_node(&self) -> bool {
        self.role == Role::Node
    }
    /// Who `key` is by the pins, with what its certificate's dates say at `now`. `None`: not pinned.
    pub fn look_up(pins: &PinStore, key: &Spki, dates: CertDates, now: UtcMicros) -> Option<Self> {
        let pin = pins.find(key)?;
        let seconds = now.0.div_euclid(1_000_000);
        Some(Self {
            name: pin.name,
            role: pin.role,
            cert_expired: seconds > dates.not_after,
            days_left: dates.days_left(now),
            not_yet_valid: seconds < dates.not_before,
        })
    }
}

/// This machine's own identity.
pub struct Identity {
    pub name: String,
    pub role: Role,
    pub key: PrivateKeyDer<'static>,
    pub cert: CertificateDer<'static>,
    pub ca_cert: CertificateDer<'static>,
    pub dates: CertDates,
    pub spki: Spki,
}

impl Identity {
    /// Reads `<state>/keys`.
    ///
    /// # Errors
    /// `Missing` where this machine was not initialised or joined; `Broken` where the files don't fit together.
    pub fn load(state_dir: &Path) -> Result<Self, PkiError> {
        let cert_path = files::path(state_dir, files::NODE_CERT);
        let key_path = files::path(state_dir, files::NODE_KEY);
        let cert = read_cert(&cert_path)?;
        let key =
            PrivateKeyDer::from_pem_slice(files::read(&key_path)?.as_bytes()).map_err(|e| {
                PkiError::Broken {
                    path: key_path.clone(),
                    why: e.to_string(),
                }
            })?;
        let spki = Spki::of_cert(&cert)?;
        let own = rcgen::KeyPair::try_from(&key).map_err(|e| PkiError::Broken {
            path: key_path.clone(),
            why: e.to_string(),
        })?;
        if Spki::of_der(&rcgen::PublicKeyData::subject_public_key_info(&own)) != spki {
            return Err(PkiError::WrongCertificate);
        }
        let pin = super::pins::read(state_dir)?
            .into_iter()
            .find(|p| p.spki_sha256 == spki)
            .ok_or_else(|| PkiError::Broken {
                path: files::path(state_dir, files::PINS),
                why: "this machine's own key is not in it".to_owned(),
            })?;
        Ok(Self {
            name: pin.name,
            role: pin.role,
            dates: CertDates::of(&cert)?,
            ca_cert: read_cert(&files::path(state_dir, files::CA_CERT))?,
            key,
            cert,
            spki,
        })
    }
}

/// Reads one certificate from a PEM file.
pub fn read_cert(path: &Path) -> Result<CertificateDer<'static>, PkiError> {
    parse_cert(&files::read(path)?).map_err(|why| PkiError::Broken {
        path: path.to_owned(),
        why,
    })
}

/// One certificate from PEM text.
pub fn parse_cert(text: &str) -> Result<CertificateDer<'static>, String> {
    CertificateDer::from_pem_slice(text.as_bytes()).map_err(|e| e.to_string())
}

/// DER as PEM text.
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
