//! What makes a data directory one that a server starts from: its control file. PostgreSQL starts from no directory without.
//! So it is renamed in the old one before the new one gets any, and never are there two that start.

use super::file;
use super::{CONTROL, Fail, HELD, NOTE};
use crate::act::own_file::{self, Place};
use siaga_model::Why;
use siaga_model::migrate::{Facts, Pointing};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// Larger is no configuration file, bytes.
pub(crate) const CONFIG_LIMIT: u64 = 1 << 20;

/// The control file's name while it is being written.
const COMING: &str = "global/pg_control.siaga-coming";

fn at(path: &Path) -> impl Fn(io::Error) -> Fail + '_ {
    move |e| Fail::Why(Why::system(format!("{}: {e}", path.display())))
}

/// The database's account may write in these folders: what it puts there leads root nowhere.
fn place(path: &Path) -> Result<Place, Fail> {
    Place::of(path).map_err(at(path))
}

/// Survives a power cut.
fn rename(from: &Path, to: &Path) -> Result<(), Fail> {
    let (source, target) = (place(from)?, place(to)?);
    std::fs::rename(source.path(), target.path())
        .and_then(|()| source.sync())
        .and_then(|()| target.sync())
        .map_err(at(from))
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink())
}

/// A directory itself, and no link to one.
fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir())
}

/// Where the old data is now.
pub fn old_dir(facts: &Facts) -> PathBuf {
    match is_there(&facts.kept) {
        true => facts.kept.clone(),
        false => facts.server.data_dir.clone(),
    }
}

/// No server starts from `dir` any more.
pub fn disable(dir: &Path) -> Result<(), Fail> {
    let control = dir.join(CONTROL);
    match control.exists() {
        true => rename(&control, &dir.join(HELD)),
        false => Ok(()),
    }
}

/// A server may start from `dir` again, as it was.
pub fn enable(dir: &Path) -> Result<(), Fail> {
    let (control, held) = (dir.join(CONTROL), dir.join(HELD));
    match control.exists() {
        true => Ok(()),
        false => rename(&held, &control),
    }
}

/// A server may start from `dir`, with the state that `other` was stopped in. One that may already is left alone: somebody
/// may have started it.
pub fn enable_with(dir: &Path, other: &Path) -> Result<(), Fail> {
    let (control, coming) = (dir.join(CONTROL), dir.join(COMING));
    let source = other.join(HELD);
    if control.exists() {
        return Ok(());
    }
    let (held, new) = (place(&source)?, place(&coming)?);
    let sum = file::copy(&held, &new, &mut |_| Ok(())).map_err(at(&source))?;
    new.open().and_then(|f| f.sync_all()).map_err(at(&coming))?;
    let on_disk = file::sum_on_disk(&new, &mut |_| Ok(())).map_err(at(&coming))?;
    if on_disk != sum {
        return Err(Fail::CopyDiffers { path: coming });
    }
    rename(&coming, &control)
}

/// Removes a file that may not be there.
pub fn remove(path: &Path) -> Result<(), Fail> {
    let removed = Place::of(path).and_then(|place| {
        std::fs::remove_file(place.path())?;
        place.sync()
    });
    match removed {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(at(path)(e)),
    }
}

/// The old directory gets a name that nothing starts from, and a note that says what it is.
pub fn keep_old(facts: &Facts, note: &str) -> Result<(), Fail> {
    let from = &facts.server.data_dir;
    if is_there(&facts.kept) {
        return Ok(());
    }
    let path = from.join(NOTE);
    place(&path)?
        .write(note.as_bytes(), 0o644)
        .map_err(at(&path))?;
    rename(from, &facts.kept)
}

/// It has its name again.
pub fn restore_old(facts: &Facts) -> Result<(), Fail> {
    let from = &facts.server.data_dir;
    if is_there(&facts.kept) {
        if std::fs::symlink_metadata(from).is_ok() {
            return Err(Fail::InTheWay { path: from.clone() });
        }
        rename(&facts.kept, from)?;
    }
    remove(&from.join(NOTE))
}

/// The new directory has its name, and is whole.
pub fn name_new(facts: &Facts) -> Result<(), Fail> {
    match is_there(&facts.to) {
        true => Ok(()),
        false => rename(&facts.part, &facts.to),
    }
}

/// A start finds the new directory.
pub fn point(facts: &Facts) -> Result<(), Fail> {
    match &facts.pointing {
        Pointing::ConfigFile { file } => {
            set_data_directory(file, &facts.server.data_dir, &facts.to)
        }
        Pointing::Link => {
            let from = &facts.server.data_dir;
            if is_link(from) {
                return Ok(());
            }
            let link = place(from)?;
            let owner = std::fs::symlink_metadata(&facts.kept).map_err(at(&facts.kept))?;
            symlink(&facts.to, link.path())
                .and_then(|()| lchown(link.path(), Some(owner.uid()), Some(owner.gid())))
                .and_then(|()| link.sync())
                .map_err(at(from))
        }
    }
}

/// A start finds the old one.
pub fn point_back(facts: &Facts) -> Result<(), Fail> {
    let from = &facts.server.data_dir;
    match &facts.pointing {
        Pointing::ConfigFile { file } => set_data_directory(file, &facts.to, from),
        Pointing::Link if is_link(from) => remove(from),
        Pointing::Link => Ok(()),
    }
}

/// Changes the line in place, as a new file with the old one's owner and mode; the first one is kept beside.
fn set_data_directory(file: &Path, was: &Path, is: &Path) -> Result<(), Fail> {
    let there_now = place(file)?;
    let text = there_now.read(CONFIG_LIMIT).map_err(at(file))?;
    let text = String::from_utf8(text).map_err(|e| at(file)(io::Error::other(e)))?;
    if in_text(&text, is).is_some_and(|same| same == text) {
        return Ok(());
    }
    let there = value(&text).map(PathBuf::from);
    let (Some(new), true) = (in_text(&text, is), there.as_deref() == Some(was)) else {
        return Err(Fail::NotPointed {
            file: file.to_owned(),
        });
    };
    let beside = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (kept, coming) = (beside(".before-migrate"), beside(".siaga-coming"));
    if !std::fs::symlink_metadata(&kept).is_ok_and(|meta| meta.is_file()) {
        file::copy(&there_now, &place(&kept)?, &mut |_| Ok(())).map_err(at(&kept))?;
    }
    write_as(&there_now, &place(&coming)?, new.as_bytes()).map_err(at(&coming))?;
    rename(&coming, file)
}

/// A new file with that content, and with the owner, the mode and the attributes of another one.
fn write_as(other: &Place, to: &Place, content: &[u8]) -> io::Result<()> {
    let other = other.open()?;
    let mut new = to.create()?;
    new.write_all(content)?;
    file::attributes(&other, &new)?;
    own_file::owner_and_mode(&other.metadata()?, &new)?;
    new.sync_all()
}

/// The line that sets it, if there is exactly one.
fn line_of(text: &str) -> Option<&str> {
    let sets = |line: &&str| {
        let rest = line.trim_start().strip_prefix("data_directory");
        rest.is_some_and(|r| r.starts_with([' ', '\t', '=']))
    };
    let mut lines = text.lines().filter(sets);
    lines.next().filter(|_| lines.next().is_none())
}

/// What is set there: `data_directory = '/var/lib/postgresql/15/main' # comment`.
fn value(text: &str) -> Option<&str> {
    let rest = line_of(text)?.trim_start().strip_prefix("data_directory")?;
    let rest = rest.trim_start_matches([' ', '\t', '=']);
    rest.strip_prefix('\'')?.split('\'').next()
}

/// The text with another path there.
fn in_text(text: &str, path: &Path) -> Option<String> {
    let (line, value) = (line_of(text)?, value(text)?);
    let path = path.to_str().filter(|p| !p.contains(['\'', '\\', '\n']))?;
    let new = line.replacen(&format!("'{value}'"), &format!("'{path}'"), 1);
    let begins = line.as_ptr() as usize - text.as_ptr() as usize;
    let (before, after) = (&text[..begins], &text[begins + line.len()..]);
    Some(format!("{before}{new}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "# data_directory = '/not/this'\n\
        data_directory = '/var/lib/postgresql/15/main'\t\t# use data in another directory\nport = 5432\n";

    #[test]
    fn only_the_value_of_the_one_line_changes() {
        let new = in_text(DEBIAN, Path::new("/srv/simrs/15/main")).unwrap();
        let expected = DEBIAN.replace("/var/lib/postgresql/15/main", "/srv/simrs/15/main");
        assert_eq!(new, expected);
        assert_eq!(value(&new), Some("/srv/simrs/15/main"));
        let back = in_text(&new, Path::new("/var/lib/postgresql/15/main")).unwrap();
        assert_eq!(back, DEBIAN);
    }

    #[test]
    fn what_is_not_one_plain_line_is_left_alone() {
        for text in [
            "port = 1\n",
            "data_directory = '/a'\ndata_directory = '/b'\n",
            "data_directory = ConfigDir\n",
            "data_directory_mode = '0700'\n",
        ] {
            assert_eq!(in_text(text, Path::new("/new")), None, "{text}");
        }
        assert_eq!(in_text(DEBIAN, Path::new("/it's")), None);
    }

    /// The folder of a configuration, and a file that is root's.
    fn two() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (file, roots) = (dir.path().join("postgresql.conf"), dir.path().join("roots"));
        std::fs::write(&file, DEBIAN).unwrap();
        std::fs::write(&roots, "roots").unwrap();
        std::os::unix::fs::chown(&file, Some(65534), Some(65534)).unwrap();
        (dir, file, roots)
    }

    #[test]
    fn planted_links_beside_the_configuration_lead_nowhere() {
        let (dir, file, roots) = two();
        for suffix in ["siaga-coming", "before-migrate"] {
            let link = dir.path().join(format!("postgresql.conf.{suffix}"));
            symlink(&roots, link).unwrap();
        }
        let was = Path::new("/var/lib/postgresql/15/main");
        set_data_directory(&file, was, Path::new("/new")).unwrap();
        assert_eq!(std::fs::read_to_string(&roots).unwrap(), "roots");
        assert_eq!(std::fs::metadata(&roots).unwrap().uid(), 0);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("'/new'"), "{text}");
        assert_eq!(std::fs::metadata(&file).unwrap().uid(), 65534);
        let kept = dir.path().join("postgresql.conf.before-migrate");
        assert!(!kept.is_symlink());
        assert_eq!(std::fs::read_to_string(kept).unwrap(), DEBIAN);
    }

    #[test]
    fn a_configuration_file_that_is_a_link_is_left_alone() {
        let (dir, file, _) = two();
        let link = dir.path().join("link.conf");
        symlink(&file, &link).unwrap();
        let was = Path::new("/var/lib/postgresql/15/main");
        assert!(set_data_directory(&link, was, Path::new("/new")).is_err());
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), DEBIAN);
    }

    #[test]
    fn the_note_is_not_written_through_a_planted_link() {
        let (dir, _, roots) = two();
        let beside = dir.path();
        let data_dir = beside.join("data");
        std::fs::create_dir(&data_dir).unwrap();
        symlink(&roots, data_dir.join(NOTE)).unwrap();
        let facts = Facts {
            server: siaga_model::config::Database {
                data_dir,
                ..crate::tests::database(beside, beside)
            },
            version: "15".into(),
            kept: beside.join("kept"),
            to: beside.join("to"),
            part: beside.join("part"),
            device: "/dev/null".into(),
            mount_point: beside.to_owned(),
            kind: siaga_model::config::FileSystemKind::Ext4,
            uuid: None,
            pointing: Pointing::Link,
        };
        keep_old(&facts, "kept").unwrap();
        assert_eq!(std::fs::read_to_string(&roots).unwrap(), "roots");
        let note = facts.kept.join(NOTE);
        assert_eq!(std::fs::read_to_string(note).unwrap(), "kept");
    }
}
