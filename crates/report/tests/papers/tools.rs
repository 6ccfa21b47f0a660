//! The programs that read a PDF, from Debian's `poppler-utils` and `qpdf`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A PDF in a directory of its own.
pub struct Pdf {
    _dir: tempfile::TempDir,
    pub path: PathBuf,
}

impl Pdf {
    pub fn new(bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paper.pdf");
        std::fs::write(&path, bytes).unwrap();
        Self { _dir: dir, path }
    }

    /// No complaint about the file's structure.
    pub fn is_valid(&self) {
        run("qpdf", &["--check".as_ref(), self.path.as_os_str()]);
    }

    /// The text as a reader sees it.
    pub fn text(&self) -> String {
        run(
            "pdftotext",
            &["-layout".as_ref(), self.path.as_os_str(), "-".as_ref()],
        )
    }

    /// Title, pages and so on.
    pub fn info(&self) -> String {
        run("pdfinfo", &[self.path.as_os_str()])
    }
}

fn run(program: &str, args: &[&std::ffi::OsStr]) -> String {
    let out = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{program} (scripts/setup.sh installs it): {e}"));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{program}: {said}{wrong}");
    said
}

/// For eyes: every paper of the tests, where `SIAGA_PAPERS` names a directory.
pub fn keep(name: &str, bytes: &[u8]) {
    if let Some(dir) = std::env::var_os("SIAGA_PAPERS") {
        std::fs::write(Path::new(&dir).join(name), bytes).unwrap();
    }
}
