//! TLS 1.3 with pinned keys. Dates never refuse a peer; an unknown key always does.

use crate::pki::{Identity, PinStore, PkiError, Role, Spki, renew};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    PeerIncompatible, ServerConfig, SignatureScheme,
};
use siaga_model::NodeName;
use std::path::Path;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// The one cryptography provider.
pub fn provider() -> &'static Arc<CryptoProvider> {
    &PROVIDER
}

/// The own certificate as the connections use it. A renewed one is taken in without a restart.
#[derive(Clone, Debug)]
pub struct LiveIdentity {
    key: Arc<RwLock<Arc<CertifiedKey>>>,
}

impl LiveIdentity {
    /// For connections under this identity.
    pub fn new(identity: &Identity) -> Result<Self, PkiError> {
        Ok(Self {
            key: Arc::new(RwLock::new(certified(identity)?)),
        })
    }
    /// Reads the identity from disk again: new connections use it.
    pub fn reload(&self, state_dir: &Path) -> Result<(), PkiError> {
        let key = certified(&Identity::load(state_dir)?)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }
    fn current(&self) -> Arc<CertifiedKey> {
        self.key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn certified(identity: &Identity) -> Result<Arc<CertifiedKey>, PkiError> {
    let key = provider()
        .key_provider
        .load_private_key(identity.key.clone_key())
        .map_err(|e| PkiError::Crypto(e.to_string()))?;
    // The CA's certificate goes along for those who join: they know only its fingerprint.
    let chain = vec![identity.cert.clone(), identity.ca_cert.clone()];
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

impl ResolvesServerCert for LiveIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for LiveIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
    fn has_certs(&self) -> bool {
        true
    }
}

/// For the agent's listener. Without a certificate a client is let through to `POST /v1/join` only (see `gate`);
/// with one whose key is not pinned the handshake fails.
pub fn server(identity: &LiveIdentity, pins: &PinStore) -> Result<Arc<ServerConfig>, PkiError> {
    let mut config = ServerConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| PkiError::Crypto(e.to_string()))?
        .with_client_cert_verifier(Arc::new(PinnedClients { pins: pins.clone() }))
        .with_cert_resolver(Arc::new(identity.clone()));
    // No resumption: every connection proves its key afresh.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// For calls to the node `expected`, under the own identity.
pub fn peer_client(
    identity: &LiveIdentity,
    pins: &PinStore,
    expected: &NodeName,
) -> Result<Arc<ClientConfig>, PkiError> {
    let verifier = PinnedServer {
        pins: pins.clone(),
        expected: expected.clone(),
    };
    let mut config =
        client_config(Arc::new(verifier))?.with_client_cert_resolver(Arc::new(identity.clone()));
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// For a join: no own identity yet, and nothing known but the fingerprint of the CA.
pub fn join_client(ca: Spki) -> Result<Arc<ClientConfig>, PkiError> {
    let mut config = client_config(Arc::new(UnderCa { ca }))?.with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

fn client_config(
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, PkiError> {
    Ok(ClientConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| PkiError::Crypto(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier))
}

fn refused(why: &str) -> Error {
    Error::InvalidCertificate(CertificateError::Other(rustls::OtherError(Arc::new(
        NotPinned(why.to_owned()),
    ))))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotPinned(String);

fn key_of(cert: &CertificateDer<'_>) -> Result<Spki, Error> {
    Spki::of_cert(cert).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}

fn signature(
    message: &[u8],
    cert: &CertificateDer<'_>,
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature(
        message,
        cert,
        dss,
        &provider().signature_verification_algorithms,
    )
}

fn no_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
}

fn schemes() -> Vec<SignatureScheme> {
    provider()
        .signature_verification_algorithms
        .supported_schemes()
}

/// Accepts the one node it is to be, by its pinned key.
#[derive(Debug)]
struct PinnedServer {
    pins: PinStore,
    expected: NodeName,
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pin = self
            .pins
            .find(&key_of(end_entity)?)
            .ok_or_else(|| refused("its key is not pinned"))?;
        if pin.role != Role::Node || pin.name != self.expected.as_str() {
            return Err(refused(&format!(
                "it is {}, not {}",
                pin.name, self.expected
            )));
        }
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature(message, cert, dss)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

/// Accepts a server whose certificate is issued, for serving, by the CA with this fingerprint.
#[derive(Debug)]
struct UnderCa {
    ca: Spki,
}

impl ServerCertVerifier for UnderCa {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        for ca in others {
            if key_of(ca)? == self.ca {
                return renew::serves_under(end_entity, ca)
                    .map(|()| ServerCertVerified::assertion());
            }
        }
        Err(refused("it did not show the CA that the token names"))
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature(message, cert, dss)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

/// Accepts every pinned key, and clients without a certificate.
#[derive(Debug)]
struct PinnedClients {
    pins: PinStore,
}

impl ClientCertVerifier for PinnedClients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let key = key_of(end_entity)?;
        match self.pins.find(&key) {
            Some(_) => Ok(ClientCertVerified::assertion()),
            // So that the machine learns it: `certificate_revoked`, when it has proved who says so.
            None if self.pins.tells(&key) => {
                Err(Error::InvalidCertificate(CertificateError::Revoked))
            }
            None => Err(refused("its key is not pinned")),
        }
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature(message, cert, dss)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}
