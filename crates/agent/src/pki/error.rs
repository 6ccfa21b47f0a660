use std::path::PathBuf;

/// Why the keys on this machine could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{what} {path}: {source}")]
    Io {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} exists already: this machine has an identity")]
    Exists { path: PathBuf },
    #[error(
        "{path} is missing: run `siaga init` on the first node, `siaga join` on any other machine"
    )]
    Missing { path: PathBuf },
    #[error("{path} is damaged: {why}")]
    Broken { path: PathBuf, why: String },
    #[error("{path} can be read by others (mode {mode:o}): set it to 0600")]
    Exposed { path: PathBuf, mode: u32 },
    #[error("a certificate or key could not be made or read: {0}")]
    Crypto(String),
    #[error(
        "the site's CA key is not on this node: its agent fetches it from the other node; where no node has it, `siaga ca replace` makes a new one"
    )]
    NoCa,
    #[error(
        "{path} does not open on this machine: it was encrypted on another one, or before the system was set up anew. The agent fetches the CA's key from the other node again; where no node has it, `siaga ca replace` makes a new one"
    )]
    Sealed { path: PathBuf },
    #[error("{name:?} is no name: use a-z, 0-9 and '-', 1 to 32 characters")]
    Name { name: String },
    #[error("a join token needs at least one address of this agent")]
    NoAddress,
    #[error("the certificate is not for this machine's key, or not from this site's CA")]
    WrongCertificate,
    #[error("the event log: {0}")]
    Journal(#[from] siaga_journal::JournalError),
}

impl PkiError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            PkiError::Io { .. } => "KEYS_IO",
            PkiError::Exists { .. } => "KEYS_EXIST",
            PkiError::Missing { .. } => "KEYS_MISSING",
            PkiError::Broken { .. } => "KEYS_BROKEN",
            PkiError::Exposed { .. } => "KEYS_EXPOSED",
            PkiError::Crypto(_) => "KEYS_CRYPTO",
            PkiError::NoCa => "KEYS_NO_CA",
            PkiError::Sealed { .. } => "KEYS_SEALED",
            PkiError::Name { .. } => "KEYS_NAME",
            PkiError::NoAddress => "KEYS_NO_ADDRESS",
            PkiError::WrongCertificate => "KEYS_WRONG_CERTIFICATE",
            PkiError::Journal(e) => e.code(),
        }
    }
}

impl From<rcgen::Error> for PkiError {
    fn from(e: rcgen::Error) -> Self {
        PkiError::Crypto(e.to_string())
    }
}
