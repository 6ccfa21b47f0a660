//! A pass over a data directory: what is new or changed is copied, then read again from the disk and compared.
//!
//! **Why a file that was looked at before may be passed over.** It was read, written, and compared from the disk in an earlier
//! pass. The kernel stamps every write to a file with the time (`mtime`, and `ctime`, which nobody can set back), as coarse as a
//! tick of its clock. So a file whose size, inode, mtime and ctime are to the nanosecond what they were, and whose times
//! were older by [`MARGIN_NANOS`] than the moment before it was read, was not written since: a write after the read would have a later
//! stamp, and one in the very tick of the read is within the margin and copied again. PostgreSQL writes no relation, WAL
//! or state file through a memory map, which would be stamped late. The length alone says nothing, and is never enough.

#[cfg(test)]
mod tests;

use super::file::{self, Sum};
use super::pace::Pace;
use super::{CONTROL, Fail, HELD, NOTE, Watch};
use crate::act::own_file::{self, Below, Place, in_proc};
use rustix::io::Errno;
use siaga_model::Why;
use siaga_model::migrate::{Pass, Progress};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// Longer than any tick of a kernel's clock, and than the steps in which NTP sets one.
const MARGIN_NANOS: i128 = 2_000_000_000;

/// What an earlier pass read of a file, and when it began to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Read {
    stamp: Stamp,
    before: i128,
}

/// When it was changed last, in nanoseconds, and what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    size: u64,
    inode: u64,
    device: u64,
    mtime: i128,
    ctime: i128,
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        let nanos =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            size: meta.len(),
            inode: meta.ino(),
            device: meta.dev(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// The files that are the same on both sides, as far as earlier passes of this process saw.
#[derive(Default)]
pub struct Same(BTreeMap<PathBuf, Read>);

impl Same {
    fn holds(&self, path: &Path, stamp: Stamp) -> bool {
        self.0.get(path).is_some_and(|read| {
            let old = read.before - MARGIN_NANOS;
            read.stamp == stamp && stamp.mtime < old && stamp.ctime < old
        })
    }
}

/// From where to where.
pub struct Way<'a> {
    pub from: &'a Path,
    pub to: &'a Path,
    /// A server writes in `from` meanwhile: what vanishes is no error.
    pub live: bool,
    pub pace: Pace,
    pub watch: &'a dyn Watch,
}

/// Both directories, open. The database's account may write in them, and puts nothing into root's way.
struct Ground<'a> {
    from: Below,
    to: Below,
    from_path: &'a Path,
    to_path: &'a Path,
    live: bool,
}

impl<'a> Ground<'a> {
    fn open(from_path: &'a Path, to_path: &'a Path, live: bool) -> Result<Self, Fail> {
        let top = Place::of(to_path).and_then(|place| make(&place));
        top.map_err(at(to_path))?;
        Ok(Self {
            from: Below::open(from_path).map_err(at(from_path))?,
            to: Below::open(to_path).map_err(at(to_path))?,
            from_path,
            to_path,
            live,
        })
    }

    /// `None`: gone from under a server that runs.
    fn source(&self, path: &Path) -> Result<Option<Place>, Fail> {
        let place = unless_gone(self.live, self.from.place(path));
        place.map_err(at(&self.from_path.join(path)))
    }

    fn target(&self, path: &Path) -> Result<Place, Fail> {
        self.to.place(path).map_err(at(&self.to_path.join(path)))
    }
}

/// What a directory holds.
#[derive(Default)]
struct Listed {
    directories: Vec<(PathBuf, Metadata)>,
    files: Vec<(PathBuf, Metadata)>,
    links: Vec<(PathBuf, Metadata)>,
}

/// Neither side's state of being startable is copied, nor who runs, nor what a server throws away at its start.
fn left_out(path: &Path, live: bool) -> bool {
    let name = path.file_name().unwrap_or_default();
    let temporary = name.as_encoded_bytes().starts_with(b"pgsql_tmp");
    path == Path::new(CONTROL)
        || path == Path::new(HELD)
        || path == Path::new(NOTE)
        || path == Path::new("postmaster.pid")
        || (live && temporary)
}

fn at(path: &Path) -> impl Fn(io::Error) -> Fail + '_ {
    move |e| match e.kind() {
        io::ErrorKind::Interrupted => Fail::Interrupted,
        _ => Fail::Why(Why::system(format!("{}: {e}", path.display()))),
    }
}

/// What is gone from under a server that runs is `None`.
fn unless_gone<T>(live: bool, result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(e) if live && e.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => Ok(None),
        other => other.map(Some),
    }
}

fn list(top: &Below, shown: &Path, live: bool) -> Result<Listed, Fail> {
    let mut listed = Listed::default();
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        let path = shown.join(&directory);
        let folder = unless_gone(live, top.open_folder(&directory)).map_err(at(&path))?;
        let Some(folder) = folder else {
            continue;
        };
        let meta = folder.metadata().map_err(at(&path))?;
        let here = PathBuf::from(in_proc(&folder));
        for entry in std::fs::read_dir(&here).map_err(at(&path))? {
            let name = entry.map_err(at(&path))?.file_name();
            let meta = std::fs::symlink_metadata(here.join(&name));
            let below = directory.join(name);
            let Some(meta) = unless_gone(live, meta).map_err(at(&path))? else {
                continue;
            };
            match meta.file_type() {
                kind if left_out(&below, live) && !kind.is_dir() => {}
                kind if kind.is_dir() => open.push(below),
                kind if kind.is_symlink() => listed.links.push((below, meta)),
                kind if kind.is_file() => listed.files.push((below, meta)),
                // Sockets and pipes are made anew by whoever listens.
                _ => {}
            }
        }
        listed.directories.push((directory, meta));
    }
    listed.directories.sort_by(|a, b| a.0.cmp(&b.0));
    listed.files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(listed)
}

/// One pass. Afterwards `to` has what `from` had, on the disk and compared, but for what changed meanwhile.
pub fn pass(way: &mut Way, same: &mut Same) -> Result<Pass, Fail> {
    let begun = Instant::now();
    let ground = Ground::open(way.from, way.to, way.live)?;
    let listed = list(&ground.from, way.from, way.live)?;
    for (path, meta) in &listed.directories {
        directory(&ground, path, meta)?;
    }
    for (path, meta) in &listed.links {
        link(&ground, path, meta)?;
    }
    let changed = changed(&ground, same, &listed);
    let mut done = Pass {
        files: listed.files.len() as u64,
        ..Pass::default()
    };
    let copied = copy_all(way, &ground, same, &changed, &mut done)?;
    remove_others(&ground, &listed)?;
    sync(&ground)?;
    compare_all(way, &ground, same, copied, &mut done)?;
    done.ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(done)
}

/// Files that are not known to be the same, and the sum of their sizes.
fn changed(ground: &Ground, same: &Same, listed: &Listed) -> (Vec<PathBuf>, u64) {
    let mut bytes = 0;
    let mut paths = Vec::new();
    for (path, meta) in &listed.files {
        let there = || ground.to.place(path).is_ok_and(|place| is_file(&place));
        if !same.holds(path, Stamp::of(meta)) || !there() {
            bytes += meta.len();
            paths.push(path.clone());
        }
    }
    (paths, bytes)
}

fn is_file(place: &Place) -> bool {
    std::fs::symlink_metadata(place.path()).is_ok_and(|meta| meta.is_file())
}

/// A file that was copied or found the same, to be compared from the disk.
struct Copied {
    path: PathBuf,
    read: Read,
    sum: Sum,
}

fn copy_all(
    way: &mut Way,
    ground: &Ground,
    same: &mut Same,
    (paths, of): &(Vec<PathBuf>, u64),
    done: &mut Pass,
) -> Result<Vec<Copied>, Fail> {
    let mut copied = Vec::new();
    let mut bytes = 0;
    for path in paths {
        same.0.remove(path);
        let from = way.from.join(path);
        let target = ground.target(path)?;
        let Some(source) = ground.source(path)? else {
            continue;
        };
        let before = wall_nanos();
        let meta = std::fs::symlink_metadata(source.path());
        let Some(meta) = unless_gone(way.live, meta).map_err(at(&from))? else {
            continue;
        };
        let (watch, pace) = (way.watch, &mut way.pace);
        let mut each = |piece: u64| {
            bytes += piece;
            watch.progress(&Progress::Copying { bytes, of: *of });
            pace.wait(piece);
            asked_on(watch)
        };
        let sum = copy_one(&source, &target, &meta, done, &mut each);
        let Some(sum) = unless_gone(way.live, sum).map_err(at(&from))? else {
            continue;
        };
        asked_on(way.watch).map_err(at(&from))?;
        let stamp = Stamp::of(&meta);
        copied.push(Copied {
            path: path.clone(),
            read: Read { stamp, before },
            sum,
        });
    }
    Ok(copied)
}

/// Written only where what is there differs: of an earlier attempt, or of the old copy on the way back.
fn copy_one(
    from: &Place,
    to: &Place,
    meta: &Metadata,
    done: &mut Pass,
    each: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<Sum> {
    if is_file(to) {
        let target = to.open()?;
        let is = target.metadata()?;
        // What has another name as well may be anybody's: it is made anew, and not given away.
        if is.len() == meta.len() && is.nlink() == 1 {
            let there = file::sum_on_disk(to, &mut |_| Ok(()))?;
            let sum = file::sum(from, each)?;
            if sum == there {
                own_file::owner_and_mode(meta, &target)?;
                return Ok(sum);
            }
        }
    } else if std::fs::symlink_metadata(to.path()).is_ok() {
        remove(&to.path())?;
    }
    let sum = file::copy(from, to, each)?;
    done.copied_files += 1;
    done.copied_bytes += sum.bytes;
    Ok(sum)
}

fn compare_all(
    way: &Way,
    ground: &Ground,
    same: &mut Same,
    copied: Vec<Copied>,
    done: &mut Pass,
) -> Result<(), Fail> {
    let of = copied.iter().map(|c| c.sum.bytes).sum();
    let mut bytes = 0;
    for Copied { path, read, sum } in copied {
        let to = way.to.join(&path);
        let mut each = |piece: u64| {
            bytes += piece;
            way.watch.progress(&Progress::Comparing { bytes, of });
            asked_on(way.watch)
        };
        let on_disk = file::sum_on_disk(&ground.target(&path)?, &mut each).map_err(at(&to))?;
        if on_disk != sum {
            return Err(Fail::CopyDiffers { path: to });
        }
        done.compared_files += 1;
        done.compared_bytes += sum.bytes;
        same.0.insert(path, read);
    }
    Ok(())
}

fn asked_on(watch: &dyn Watch) -> io::Result<()> {
    match watch.go_on() {
        true => Ok(()),
        false => Err(io::ErrorKind::Interrupted.into()),
    }
}

fn directory(ground: &Ground, path: &Path, meta: &Metadata) -> Result<(), Fail> {
    let (from, to) = (ground.from_path.join(path), ground.to_path.join(path));
    // The top is there.
    if path != Path::new("") {
        make(&ground.target(path)?).map_err(at(&to))?;
    }
    let target = ground.to.open_folder(path).map_err(at(&to))?;
    let source = unless_gone(ground.live, ground.from.open_folder(path)).map_err(at(&from))?;
    if let Some(source) = source {
        file::attributes(&source, &target).map_err(at(&to))?;
    }
    own_file::owner_and_mode(meta, &target).map_err(at(&to))
}

/// A folder, in place of whatever else is there.
fn make(place: &Place) -> io::Result<()> {
    let path = place.path();
    match std::fs::symlink_metadata(&path) {
        Ok(meta) if meta.is_dir() => return Ok(()),
        Ok(_) => remove(&path)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    DirBuilder::new().mode(0o700).create(&path)
}

fn link(ground: &Ground, path: &Path, meta: &Metadata) -> Result<(), Fail> {
    let (from, to) = (ground.from_path.join(path), ground.to_path.join(path));
    let Some(source) = ground.source(path)? else {
        return Ok(());
    };
    let leads = unless_gone(ground.live, std::fs::read_link(source.path())).map_err(at(&from))?;
    let Some(leads) = leads else {
        return Ok(());
    };
    let place = ground.target(path)?;
    let target = place.path();
    if std::fs::read_link(&target).is_ok_and(|there| there == leads) {
        return Ok(());
    }
    if std::fs::symlink_metadata(&target).is_ok() {
        remove(&target).map_err(at(&to))?;
    }
    std::os::unix::fs::symlink(leads, &target).map_err(at(&to))?;
    lchown(&target, Some(meta.uid()), Some(meta.gid())).map_err(at(&to))
}

/// What the source does not have: of an earlier pass, or of before.
fn remove_others(ground: &Ground, listed: &Listed) -> Result<(), Fail> {
    let all = [&listed.directories, &listed.files, &listed.links];
    let wanted: BTreeSet<&PathBuf> = all.into_iter().flatten().map(|(path, _)| path).collect();
    let there = list(&ground.to, ground.to_path, false)?;
    let others = there.files.iter().chain(&there.links);
    // The deepest directories first.
    let others = others.chain(there.directories.iter().rev());
    for (path, _) in others.filter(|(path, _)| !wanted.contains(path)) {
        let place = ground.target(path)?;
        remove(&place.path()).map_err(at(&ground.to_path.join(path)))?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path)?.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}

/// Everything of that file system is on its disk, names and content; an error of a write shows here at the latest.
fn sync(ground: &Ground) -> Result<(), Fail> {
    let path = ground.to_path;
    let directory = ground.to.open_folder(Path::new("")).map_err(at(path))?;
    rustix::fs::syncfs(&directory).map_err(|e| at(path)(e.into()))
}

/// As the kernel stamps files: of the wall clock.
fn wall_nanos() -> i128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i128::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(i128::MAX)
}
