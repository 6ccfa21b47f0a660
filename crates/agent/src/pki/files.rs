//! Files under `<state>/keys`: directory 0700, files 0600, each written whole (temporary file, fsync, rename,
//! fsync of the directory), changes under a lock that the command line and the agent share.

use super::PkiError;
use rustix::fs::FlockOperation;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The CA's key as versions before wrote it: in clear, and on the first node only.
pub const CA_KEY: &str = "ca.key";
/// The CA with its key, encrypted for this machine.
pub const CA_SEALED: &str = "ca.sealed";
/// The secret half of what `CA_SEALED` is encrypted with.
pub const SEAL_KEY: &str = "seal.key";
pub const CA_CERT: &str = "ca.pem";
pub const NODE_KEY: &str = "node.key";
pub const NODE_CERT: &str = "node.pem";
pub const PINS: &str = "pins.json";
pub const TOKENS: &str = "tokens.json";
/// The keys of machines that were replaced.
pub const RETIRED: &str = "retired.json";
/// There where another machine has this one's name now.
pub const REPLACED: &str = "replaced";

/// The path of one of the files above.
pub fn path(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join("keys").join(name)
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::Io { what, path, source }
}

/// Makes `<state>/keys` where it is missing, and closes it to others.
pub fn ensure_dir(state_dir: &Path) -> Result<(), PkiError> {
    let dir = state_dir.join("keys");
    fs::create_dir_all(&dir).map_err(io("can't make", &dir))?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(io("can't protect", &dir))
}

/// Holds the lock on the keys until dropped. Never held across a network call.
pub fn lock(state_dir: &Path) -> Result<File, PkiError> {
    let path = path(state_dir, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(io("can't open", &path))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)
        .map_err(|e| io("can't lock", &path)(e.into()))?;
    Ok(file)
}

/// Replaces `path` atomically and durably, mode 0600.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    write_mode(path, bytes, 0o600)
}

/// As `write`, with another mode: for `siaga.toml`, which is no secret.
pub fn write_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let result = write_temporary(&temporary, bytes, mode)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(dir)?.sync_all());
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(io("can't write", path))
}

fn write_temporary(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // create_new: never through a link that somebody left under this name.
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes a file, durably, where it is there.
pub fn remove(path: &Path) -> Result<(), PkiError> {
    match fs::remove_file(path) {
        Ok(()) => File::open(path.parent().unwrap_or(Path::new("/")))
            .and_then(|dir| dir.sync_all())
            .map_err(io("can't remove", path)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io("can't remove", path)(e)),
    }
}

/// Reads a file that must not be open to others.
///
/// # Errors
/// `Missing`, `Exposed`, `Io`.
pub fn read(path: &Path) -> Result<String, PkiError> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(PkiError::Missing {
                path: path.to_owned(),
            });
        }
        Err(e) => return Err(io("can't read", path)(e)),
    };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PkiError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    fs::read_to_string(path).map_err(io("can't read", path))
}
