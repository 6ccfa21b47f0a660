//! The site's own CA: it exists to bring machines in and to renew their certificates.

use super::{PkiError, Role, Spki, files, identity};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
};
use rustls::pki_types::CertificateDer;
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

/// The CA with its key. Only the first node has it.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    cert: CertificateDer<'static>,
}

impl Ca {
    /// A new CA. Nothing is written.
    pub fn create(site_name: &str, now: UtcMicros) -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Siaga CA of {site_name}"));
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
        })
    }

    /// The CA on this node, or `None` where its key is elsewhere.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, PkiError> {
        let key_path = files::path(state_dir, files::CA_KEY);
        let key = match files::read(&key_path) {
            Ok(text) => KeyPair::from_pem(&text).map_err(|e| PkiError::Broken {
                path: key_path,
                why: e.to_string(),
            })?,
            Err(PkiError::Missing { .. }) => return Ok(None),
            Err(e) => return Err(e),
        };
        let cert = identity::read_cert(&files::path(state_dir, files::CA_CERT))?;
        Ok(Some(Self {
            issuer: Issuer::from_ca_cert_der(&cert, key)?,
            cert,
        }))
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
    /// The CA's certificate as PEM.
    pub fn cert_pem(&self) -> String {
        identity::pem("CERTIFICATE", &self.cert)
    }
    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }
}
