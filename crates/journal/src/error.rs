//! What can go wrong, each with a stable code, its place, its cause and what to do.

use crate::row::RowFault;
use siaga_model::NodeName;
use std::io;
use std::path::{Path, PathBuf};

/// The own log can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process holds the journal.
    #[error("{}: another siaga agent writes this journal; stop that one first", .path.display())]
    InUse { path: PathBuf },
    /// The disk is full and the reserve is used up.
    #[error("{}: no space left for the event log, and its reserve is used up; free space on that file system", .path.display())]
    NoSpace { path: PathBuf },
    /// The system refused.
    #[error("{}: can't {doing}: {source}", .path.display())]
    Io {
        path: PathBuf,
        doing: &'static str,
        source: io::Error,
    },
    /// The signing key can't be read.
    #[error("{}: not an Ed25519 key in PKCS#8; move it away, and a new key and a new incarnation begin at the next start", .path.display())]
    Key { path: PathBuf },
    /// The event makes a row longer than rows may be. Nothing was written.
    #[error("the event makes a row of {bytes} bytes; at most {max} are allowed", max = crate::row::MAX_ROW)]
    RowTooLarge { bytes: usize },
    /// The event can't be written as JSON. Nothing was written.
    #[error("the event can't be written as JSON: {cause}")]
    Encode { cause: String },
    /// A write failed earlier, so what is on the disk is not known.
    #[error("{}: an earlier write failed, so what is on the disk is not known; look at the disk, then restart the agent: it reads the file again", .path.display())]
    Failed { path: PathBuf },
    /// A row was changed under the running agent.
    #[error("{}, row {seq}: not the row that was written; see `siaga events verify`, and restart the agent: it sets the file aside", .path.display())]
    Changed { path: PathBuf, seq: u64 },
    /// A node name that can't be part of a file name.
    #[error(
        "the node name {node:?} can't be part of a file name: use letters, digits, '-', '_' and '.'"
    )]
    BadName { node: NodeName },
    /// The key was of a machine that was replaced.
    #[error(
        "the event key of {node} is the one of a machine that was replaced: remove /var/lib/siaga/keys on the new one, and join again"
    )]
    KeyRetired { node: NodeName },
    /// The file with known public keys is not readable as such.
    #[error("{}, line {line}: not a node name and a public key; restore the line, or remove it: the key is then learned again", .path.display())]
    TrustFile { path: PathBuf, line: usize },
}

impl JournalError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "JOURNAL_IN_USE",
            Self::NoSpace { .. } => "JOURNAL_NO_SPACE",
            Self::Io { .. } => "JOURNAL_IO",
            Self::Key { .. } => "JOURNAL_KEY",
            Self::RowTooLarge { .. } => "JOURNAL_ROW_TOO_LARGE",
            Self::Encode { .. } => "JOURNAL_ENCODE",
            Self::Failed { .. } => "JOURNAL_FAILED",
            Self::Changed { .. } => "JOURNAL_CHANGED",
            Self::BadName { .. } => "JOURNAL_BAD_NAME",
            Self::TrustFile { .. } => "JOURNAL_TRUST_FILE",
            Self::KeyRetired { .. } => "JOURNAL_KEY_RETIRED",
        }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        if is_full(&source) {
            return Self::NoSpace {
                path: path.to_owned(),
            };
        }
        Self::Io {
            path: path.to_owned(),
            doing,
            source,
        }
    }

    pub(crate) fn is_no_space(&self) -> bool {
        matches!(self, Self::NoSpace { .. })
    }
}

/// Full, by the file system or by quota.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Rows of another node are not taken in. Nothing of the batch was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// More rows or bytes than one import may carry.
    #[error("{rows} rows with {bytes} bytes in one import; at most {max_rows} rows and {max_bytes} bytes are allowed", max_rows = crate::import::MAX_IMPORT_ROWS, max_bytes = crate::import::MAX_IMPORT_BYTES)]
    TooMuch { rows: usize, bytes: usize },
    /// A row is not one, or was changed on its way.
    #[error("row {index} of the import: {fault}")]
    BadRow { index: usize, fault: RowFault },
    /// The row names a node that can't be one.
    #[error("row {index} of the import: the node name {node:?} can't be part of a file name")]
    BadName { index: usize, node: NodeName },
    /// The row claims to be of the log that this node is writing.
    #[error(
        "row {index} of the import is of {node}, incarnation {incarnation}: this node writes that log itself"
    )]
    OwnLog {
        index: usize,
        node: NodeName,
        incarnation: u32,
    },
    /// The rows before it are not here.
    #[error(
        "{node}, incarnation {incarnation}: row {got} came, row {wanted} is the next; copy from there"
    )]
    Gap {
        node: NodeName,
        incarnation: u32,
        wanted: u64,
        got: u64,
    },
    /// Two different rows have one place, both signed: one of the two histories is not the true one.
    #[error(
        "FORK: {node}, incarnation {incarnation}, row {seq} is not the same here and there, and both are signed; nothing was overwritten: keep both files and find out which state directory was restored or copied"
    )]
    Fork {
        node: NodeName,
        incarnation: u32,
        seq: u64,
    },
    /// The row is not signed by its node.
    #[error("{node}, incarnation {incarnation}, row {seq}: the signature does not hold")]
    BadSignature {
        node: NodeName,
        incarnation: u32,
        seq: u64,
    },
    /// The key is not one that is known of the node.
    #[error(
        "{node}, incarnation {incarnation} is signed with the key {key}, which is not known of this node; if the node was set up anew, trust the key"
    )]
    UntrustedKey {
        node: NodeName,
        incarnation: u32,
        key: String,
    },
    /// The disk is full. The reserve is not for copies.
    #[error("{}: no space left for the copy; free space on that file system", .path.display())]
    NoSpace { path: PathBuf },
    /// The own files can't be read or written.
    #[error(transparent)]
    Journal(JournalError),
}

impl ImportError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMuch { .. } => "IMPORT_TOO_MUCH",
            Self::BadRow { .. } => "IMPORT_BAD_ROW",
            Self::BadName { .. } => "IMPORT_BAD_NAME",
            Self::OwnLog { .. } => "IMPORT_OWN_LOG",
            Self::Gap { .. } => "IMPORT_GAP",
            Self::Fork { .. } => "IMPORT_FORK",
            Self::BadSignature { .. } => "IMPORT_BAD_SIGNATURE",
            Self::UntrustedKey { .. } => "IMPORT_UNTRUSTED_KEY",
            Self::NoSpace { .. } => "IMPORT_NO_SPACE",
            Self::Journal(error) => error.code(),
        }
    }
}

impl From<JournalError> for ImportError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::NoSpace { path } => Self::NoSpace { path },
            other => Self::Journal(other),
        }
    }
}
