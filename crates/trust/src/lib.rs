//! TLS towards servers that are not ours: web pages that a test asks for, and the services that carry notices.
//!
//! The agents trust each other by their keys and use nothing of this.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why TLS towards a server can't be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The site's own authority can't be used.
    #[error("{path}: {why}")]
    Authority { path: PathBuf, why: String },
    /// The address names no host that a certificate could carry.
    #[error("{host:?} is no name that TLS can check")]
    Name { host: String },
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl TrustError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            TrustError::Authority { .. } => "TRUST_AUTHORITY",
            TrustError::Name { .. } => "TRUST_NAME",
            TrustError::Tls(_) => "TRUST_TLS",
        }
    }
}

/// A client that believes the authorities of this machine and, beside them, those of `ca_file` (PEM).
///
/// # Errors
/// [`TrustError::Authority`] where `ca_file` can't be read, holds no certificate, or one that can't be used.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, TrustError> {
    let mut roots = RootCertStore::empty();
    // A certificate of the system that can't be read leaves the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add_authorities(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let unusable = |why: String| TrustError::Authority {
        path: path.to_owned(),
        why,
    };
    let before = roots.len();
    for one in CertificateDer::pem_file_iter(path).map_err(|e| unusable(e.to_string()))? {
        let one = one.map_err(|e| unusable(e.to_string()))?;
        roots.add(one).map_err(|e| unusable(e.to_string()))?;
    }
    match roots.len() > before {
        true => Ok(()),
        false => Err(unusable("holds no certificate".to_owned())),
    }
}

/// The name that the server's certificate must carry: a host name, or an address (with or without brackets).
///
/// # Errors
/// [`TrustError::Name`].
pub fn server_name(host: &str) -> Result<ServerName<'static>, TrustError> {
    let bare = host.trim_matches(['[', ']']).to_owned();
    ServerName::try_from(bare).map_err(|_: InvalidDnsNameError| TrustError::Name {
        host: host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_of_the_site_is_added_and_a_bad_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            client_config(Some(&path))
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["simrs.example".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        assert!(of(&made.pem()).is_ok());
        for bad in [
            "",
            "not PEM",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            let error = of(bad).unwrap_err();
            assert_eq!(error.code(), "TRUST_AUTHORITY", "{bad:?}");
            assert!(error.to_string().contains("ca.pem"));
        }
        assert!(client_config(Some(Path::new("/nonexistent/ca.pem"))).is_err());
        assert!(client_config(None).is_ok());
    }

    #[test]
    fn names_and_addresses_can_be_checked() {
        for good in [
            "simrs.example",
            "192.0.2.50",
            "2001:db8::50",
            "[2001:db8::50]",
        ] {
            assert!(server_name(good).is_ok(), "{good}");
        }
        assert_eq!(server_name("a b").unwrap_err().code(), "TRUST_NAME");
    }
}
