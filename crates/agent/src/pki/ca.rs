//! The site's own CA: it exists to bring machines in and to renew their certificates. Every node has its key, each
//! encrypted for itself (`seal`). A new one replaces a lost one: the one with the higher generation is in force, and no
//! machine is trusted more or less for it, since trust is by the pins.

use super::seal::{self, Machine};
use super::{PkiError, Role, Spki, files, identity};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use siaga_model::UtcMicros;
use std::path::Path;

const DAY: i64 = 86_400;
/// The CA outlives the hardware: it is a local root that only its fingerprint makes trusted.
const CA_DAYS: i64 = 30 * 365;
/// Leaves are renewed after two thirds of this.
pub const LEAF_DAYS: i64 = 365;

/// When a certificate begins and ends, in seconds since 1970. Rounded to whole days (UTC).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    pub not_before: i64,
    pub not_after: i64,
}

impl Validity {
    /// A leaf's: from yesterday, so that a clock that is a little behind does not matter.
    pub fn leaf(now: UtcMicros) -> Self {
        Self::days(now, LEAF_DAYS)
    }
    fn days(now: UtcMicros, days: i64) -> Self {
        let seconds = now.0.div_euclid(1_000_000);
        Self {
            not_before: seconds - DAY,
            not_after: seconds + days * DAY,
        }
    }
    fn apply(self, params: &mut CertificateParams) -> Result<(), PkiError> {
        let day = |seconds: i64| -> Result<_, PkiError> {
            let time = jiff::Timestamp::from_second(seconds)
                .map_err(|e| PkiError::Crypto(e.to_string()))?;
            let date = jiff::tz::TimeZone::UTC.to_datetime(time).date();
            Ok(rcgen::date_time_ymd(
                i32::from(date.year()),
                date.month().unsigned_abs(),
                date.day().unsigned_abs(),
            ))
        };
        params.not_before = day(self.not_before)?;
        params.not_after = day(self.not_after)?;
        Ok(())
    }
}

/// Which CA: the later one is in force. Of two of one generation, which two nodes made apart, the same one on both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CaMark {
    /// Grows with each replacement.
    pub generation: u64,
    /// The fingerprint that join tokens carry.
    pub spki_sha256: Spki,
}

impl CaMark {
    /// Is this one in force where both are known?
    pub fn is_after(&self, other: &CaMark) -> bool {
        (self.generation, self.spki_sha256.0) > (other.generation, other.spki_sha256.0)
    }
}

/// The CA with its key, on its way from one node to the other.
#[derive(Clone, Serialize, Deserialize)]
pub struct CaCopy {
    pub cert: String,
    pub key: String,
}

/// As it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Sealed {
    v: u32,
    cert: String,
    key: String,
}

/// The CA with its key.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    cert: CertificateDer<'static>,
    generation: u64,
}

impl Ca {
    /// A new CA. Nothing is written.
    pub fn create(site_name: &str, generation: u64, now: UtcMicros) -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Siaga CA of {site_name}"));
        params.distinguished_name.push(
            DnType::OrganizationalUnitName,
            format!("{GENERATION}{generation}"),
        );
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        Validity::days(now, CA_DAYS).apply(&mut params)?;
        let cert = params.self_signed(&key)?.der().clone();
        Ok(Self {
            issuer: Issuer::new(params, key),
            cert,
            generation,
        })
    }

    /// The CA on this node, or `None` where it has no copy of the key.
    ///
    /// # Errors
    /// `Sealed` where there is one that does not open on this machine.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, PkiError> {
        let path = files::path(state_dir, files::CA_SEALED);
        let text = match files::read(&path) {
            Ok(text) => text,
            Err(PkiError::Missing { .. }) => return Self::load_plain(state_dir),
            Err(e) => return Err(e),
        };
        let broken = |why: String| PkiError::Broken {
            path: path.clone(),
            why,
        };
        let sealed: Sealed = serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
        let cert = identity::parse_cert(&sealed.cert).map_err(broken)?;
        let key = seal::open(state_dir, &Machine::this(), &sealed.key, &cert)?
            .and_then(|key| String::from_utf8(key).ok())
            .ok_or_else(|| PkiError::Sealed { path: path.clone() })?;
        Self::of(cert, &key).map(Some)
    }

    /// As versions before wrote it.
    fn load_plain(state_dir: &Path) -> Result<Option<Self>, PkiError> {
        let key = match files::read(&files::path(state_dir, files::CA_KEY)) {
            Ok(key) => key,
            Err(PkiError::Missing { .. }) => return Ok(None),
            Err(e) => return Err(e),
        };
        let cert = identity::read_cert(&files::path(state_dir, files::CA_CERT))?;
        Self::of(cert, &key).map(Some)
    }

    fn of(cert: CertificateDer<'static>, key: &str) -> Result<Self, PkiError> {
        let key = KeyPair::from_pem(key)?;
        if Spki::of_der(&key.subject_public_key_info()) != Spki::of_cert(&cert)? {
            return Err(PkiError::WrongCertificate);
        }
        Ok(Self {
            generation: generation_of(&cert)?,
            issuer: Issuer::from_ca_cert_der(&cert, key)?,
            cert,
        })
    }

    /// The CA on this node, put in order on the disk: a key in clear is encrypted, and the certificate that is shown is
    /// this CA's.
    pub fn settle(state_dir: &Path) -> Result<Option<Self>, PkiError> {
        let Some(ca) = Self::load(state_dir)? else {
            return Ok(None);
        };
        let shown = identity::read_cert(&files::path(state_dir, files::CA_CERT));
        let plain = files::path(state_dir, files::CA_KEY);
        if plain.exists() || shown.is_ok_and(|shown| shown != ca.cert) {
            ca.store(state_dir)?;
        }
        Ok(Some(ca))
    }

    /// Makes this the CA of this node, durably.
    pub fn store(&self, state_dir: &Path) -> Result<(), PkiError> {
        let _lock = files::lock(state_dir)?;
        self.store_locked(state_dir)
    }

    /// The key comes first: what is shown without it would be a CA that nobody has.
    pub(super) fn store_locked(&self, state_dir: &Path) -> Result<(), PkiError> {
        let key = self.issuer.key().serialize_pem();
        let sealed = Sealed {
            v: 1,
            cert: self.cert_pem(),
            key: seal::seal(state_dir, &Machine::this(), key.as_bytes(), &self.cert)?,
        };
        let text =
            serde_json::to_vec_pretty(&sealed).map_err(|e| PkiError::Crypto(e.to_string()))?;
        files::write(&files::path(state_dir, files::CA_SEALED), &text)?;
        files::write(
            &files::path(state_dir, files::CA_CERT),
            self.cert_pem().as_bytes(),
        )?;
        files::remove(&files::path(state_dir, files::CA_KEY))
    }

    /// For the other node, which alone may have it.
    pub fn copy(&self) -> CaCopy {
        CaCopy {
            cert: self.cert_pem(),
            key: self.issuer.key().serialize_pem(),
        }
    }

    /// The other node's. Nothing is written.
    pub fn of_copy(copy: &CaCopy) -> Result<Self, PkiError> {
        Self::of(
            identity::parse_cert(&copy.cert).map_err(PkiError::Crypto)?,
            &copy.key,
        )
    }

    /// Which one this is.
    pub fn mark(&self) -> Result<CaMark, PkiError> {
        Ok(CaMark {
            generation: self.generation,
            spki_sha256: self.fingerprint()?,
        })
    }

    /// Issues a certificate. A node's may serve and call; a probe's may only call, so that a probe's machine can
    /// never pose as an agent to somebody who joins.
    pub fn issue(
        &self,
        name: &str,
        role: Role,
        key: &impl PublicKeyData,
        validity: Validity,
    ) -> Result<CertificateDer<'static>, PkiError> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match role {
            Role::Node => vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
            Role::Probe => vec![ExtendedKeyUsagePurpose::ClientAuth],
        };
        validity.apply(&mut params)?;
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }

    /// The fingerprint that join tokens carry.
    pub fn fingerprint(&self) -> Result<Spki, PkiError> {
        Spki::of_cert(&self.cert)
    }
    /// The CA's certificate.
    pub fn cert(&self) -> &CertificateDer<'static> {
        &self.cert
    }
    /// The same as PEM.
    pub fn cert_pem(&self) -> String {
        identity::pem("CERTIFICATE", &self.cert)
    }
}

/// Stands before the number in the certificate's subject. A CA from before there were replacements has none: the first.
const GENERATION: &str = "generation ";

/// Which of the site's CAs a certificate is of, counted from 1.
pub fn generation_of(cert: &CertificateDer<'_>) -> Result<u64, PkiError> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(cert).map_err(|e| PkiError::Crypto(e.to_string()))?;
    let said = parsed
        .subject()
        .iter_organizational_unit()
        .find_map(|unit| {
            let number = unit.as_str().ok()?.strip_prefix(GENERATION)?;
            number.parse().ok()
        });
    Ok(said.unwrap_or(1))
}
