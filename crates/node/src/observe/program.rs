//! Who could have changed a program that root is going to run.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What others than the owner may do: write.
const OTHERS_WRITE: u32 = 0o022;

/// Nobody but root could: the file, what leads to it, and every folder above are root's, and nobody else may write them.
pub fn is_roots(program: &Path) -> bool {
    let Ok(real) = program.canonicalize() else {
        return false;
    };
    let all = |path: &Path| path.is_absolute() && path.ancestors().all(only_root_writes);
    real.is_file() && all(program) && all(&real)
}

/// A link has no mode: whoever may write its folder may change it.
fn only_root_writes(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|meta| meta.uid() == 0 && (meta.is_symlink() || meta.mode() & OTHERS_WRITE == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    #[test]
    fn a_program_that_others_could_change_is_not_roots() {
        assert!(is_roots(Path::new("/bin/sh")));
        assert!(!is_roots(Path::new("/bin")));
        assert!(!is_roots(Path::new("bin/sh")));
        assert!(!is_roots(Path::new("/bin/no-such-program")));
        // Everybody may write the folder for temporary files; a link there leads where its owner wants.
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("sh");
        symlink("/bin/sh", &link).unwrap();
        assert!(!is_roots(&link));

        let file = dir.path().join("postgres");
        std::fs::write(&file, "").unwrap();
        let mode = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&file, mode).unwrap();
        };
        for (bits, roots) in [(0o755, true), (0o775, false), (0o757, false)] {
            mode(bits);
            assert_eq!(only_root_writes(&file), roots, "{bits:o}");
        }
        mode(0o755);
        chown(&file, Some(65534), None).unwrap();
        assert!(!only_root_writes(&file));
    }
}
