//! A certificate renews itself after two thirds of its life, from the same key: pins don't change. The node with
//! the CA issues its own; everyone else asks that node. If nobody can, the certificate expires, which is a loud
//! finding and stops nothing.

use super::ca::{Ca, Validity};
use super::join::certificate_request;
use super::{CertDates, Identity, PeerIdentity, PinStore, PkiError, Spki, files, identity};
use crate::transport::client::{CallError, PeerClient};
use rcgen::{CertificateSigningRequestParams, KeyPair, PublicKeyData};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use serde::{Deserialize, Serialize};
use siaga_model::UtcMicros;
use std::path::Path;
use std::time::Duration;

const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /v1/renew`: from a machine whose key is pinned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    pub csr: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenewResponse {
    pub cert: String,
    /// The CA that it is from: it may have been replaced since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_cert: Option<String>,
}

/// What came of a look at the own certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Renewal {
    NotDue,
    /// A new certificate is on disk: reload it (`LiveIdentity::reload`).
    Renewed,
}

/// Why a certificate that is due was not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(
        "the certificate is due, this node has no CA, and no peer that could issue one was given"
    )]
    NobodyToAsk,
    #[error("the peer did not renew the certificate: {0}")]
    Peer(#[from] CallError),
}

/// Is it time?
pub fn due(dates: CertDates, now: UtcMicros) -> bool {
    let life = dates.not_after - dates.not_before;
    now.0.div_euclid(1_000_000) >= dates.not_before + life / 3 * 2
}

/// Renews the own certificate where it is due, or where this node's CA is not the one that it is from: by the own CA, else
/// by `peer`.
pub async fn run_if_due(
    state_dir: &Path,
    peer: Option<&PeerClient>,
    now: UtcMicros,
) -> Result<Renewal, RenewError> {
    let own = Identity::load(state_dir)?;
    // A copy that does not open is none here: the peer may have one.
    let ca = Ca::load(state_dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "the CA's key on this node can't be used");
        None
    });
    let stranger = ca
        .as_ref()
        .is_some_and(|ca| !issued_by(&own.cert, ca.cert()));
    if !due(own.dates, now) && !stranger {
        return Ok(Renewal::NotDue);
    }
    let key = KeyPair::try_from(&own.key).map_err(PkiError::from)?;
    let (cert, ca_cert) = match ca {
        Some(ca) => {
            let cert = ca.issue(&own.name, own.role, &key, Validity::leaf(now))?;
            (cert, ca.cert().clone())
        }
        None => {
            let peer = peer.ok_or(RenewError::NobodyToAsk)?;
            let request = RenewRequest {
                csr: certificate_request(&own.name, &key)?,
            };
            let answer: RenewResponse = peer.post("/v1/renew", &request, CALL_TIMEOUT).await?;
            let parse = |text: &str| identity::parse_cert(text).map_err(PkiError::Crypto);
            let ca_cert = match &answer.ca_cert {
                Some(text) => parse(text)?,
                None => own.ca_cert.clone(),
            };
            (parse(&answer.cert)?, ca_cert)
        }
    };
    install(state_dir, &own, &cert, &ca_cert)?;
    Ok(Renewal::Renewed)
}

/// The server's side: re-issues for the caller's pinned key and nothing else. Blocks on the disk.
pub fn accept(
    state_dir: &Path,
    pins: &PinStore,
    caller: &PeerIdentity,
    request: &RenewRequest,
    now: UtcMicros,
) -> Result<RenewResponse, PkiError> {
    let ca = Ca::load(state_dir)?.ok_or(PkiError::NoCa)?;
    let csr = CertificateSigningRequestParams::from_pem(&request.csr)?;
    let key = Spki::of_der(&csr.public_key.subject_public_key_info());
    let pin = pins
        .find(&key)
        .filter(|pin| pin.name == caller.name)
        .ok_or(PkiError::WrongCertificate)?;
    let cert = ca.issue(&pin.name, pin.role, &csr.public_key, Validity::leaf(now))?;
    Ok(RenewResponse {
        cert: identity::pem("CERTIFICATE", &cert),
        ca_cert: Some(ca.cert_pem()),
    })
}

fn install(
    state_dir: &Path,
    own: &Identity,
    cert: &CertificateDer<'static>,
    ca_cert: &CertificateDer<'static>,
) -> Result<(), PkiError> {
    if Spki::of_cert(cert)? != own.spki || !issued_by(cert, ca_cert) {
        return Err(PkiError::WrongCertificate);
    }
    let _lock = files::lock(state_dir)?;
    if ca_cert != &own.ca_cert {
        files::write(
            &files::path(state_dir, files::CA_CERT),
            identity::pem("CERTIFICATE", ca_cert).as_bytes(),
        )?;
    }
    files::write(
        &files::path(state_dir, files::NODE_CERT),
        identity::pem("CERTIFICATE", cert).as_bytes(),
    )
}

/// Did this CA sign this certificate? Whatever the clock says, and for any use.
fn issued_by(cert: &CertificateDer<'_>, ca: &CertificateDer<'static>) -> bool {
    let (Ok((_, cert)), Ok((_, ca))) = (
        x509_parser::parse_x509_certificate(cert),
        x509_parser::parse_x509_certificate(ca),
    ) else {
        return false;
    };
    cert.verify_signature(Some(ca.public_key())).is_ok()
}

/// Does `leaf` serve under the CA `ca`? A wrong clock does not matter: the time used is the leaf's own.
pub(crate) fn serves_under(
    leaf: &CertificateDer<'_>,
    ca: &CertificateDer<'_>,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned())?;
    let dates = CertDates::of(leaf).map_err(|e| rustls::Error::General(e.to_string()))?;
    let begin = u64::try_from(dates.not_before).unwrap_or(0);
    rustls::client::verify_server_cert_signed_by_trust_anchor(
        &ParsedCertificate::try_from(leaf)?,
        &roots,
        &[],
        UnixTime::since_unix_epoch(Duration::from_secs(begin)),
        crate::transport::tls::provider()
            .signature_verification_algorithms
            .all,
    )
}
