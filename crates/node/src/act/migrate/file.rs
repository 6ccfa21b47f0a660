//! One file: copied with its holes, and read again from the disk.

use crate::act::own_file::{self, Place};
use crate::observe::raw_disk;
use rustix::fs::{Advice, CWD, FileType, Mode, OFlags, SeekFrom, fadvise};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// A file's SHA-256 and its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sum {
    pub sha256: [u8; 32],
    pub bytes: u64,
}

/// Sums what is shown to it.
#[derive(Default)]
struct Summing {
    hash: Sha256,
    bytes: u64,
}

impl Summing {
    fn add(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
    }
    fn sum(self) -> Sum {
        Sum {
            sha256: self.hash.finalize().into(),
            bytes: self.bytes,
        }
    }
}

/// Copies content, owner and mode into a new file. `each` hears of every piece; what it fails with ends the copy. Holes stay holes, and
/// written zeros stay written: PostgreSQL fills its WAL with them to have the room.
pub fn copy(
    from: &Place,
    to: &Place,
    each: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<Sum> {
    let source = from.open()?;
    let meta = source.metadata()?;
    let mut target = to.create()?;
    let mut sum = Summing::default();
    let mut buffer = vec![0; PIECE];
    let zeros = vec![0; PIECE];
    let end = meta.len();
    while sum.bytes < end {
        let (data, hole) = next_data(&source, sum.bytes, end)?;
        while sum.bytes < data {
            let piece = usize::try_from(data - sum.bytes)
                .unwrap_or(PIECE)
                .min(PIECE);
            sum.add(&zeros[..piece]);
        }
        rustix::fs::seek(&source, SeekFrom::Start(data))?;
        rustix::fs::seek(&target, SeekFrom::Start(data))?;
        while sum.bytes < hole {
            let piece = usize::try_from(hole - sum.bytes)
                .unwrap_or(PIECE)
                .min(PIECE);
            match (&source).read(&mut buffer[..piece])? {
                // It was cut meanwhile: it has changed, and comes again.
                0 => {
                    target.set_len(sum.bytes)?;
                    own_file::owner_and_mode(&meta, &target)?;
                    return Ok(sum.sum());
                }
                got => {
                    target.write_all(&buffer[..got])?;
                    sum.add(&buffer[..got]);
                    each(got as u64)?;
                }
            }
        }
    }
    target.set_len(sum.bytes)?;
    attributes(&source, &target)?;
    own_file::owner_and_mode(&meta, &target)?;
    Ok(sum.sum())
}

/// Where the next data begins and ends, from `at` on and before `end`.
fn next_data(file: &File, at: u64, end: u64) -> io::Result<(u64, u64)> {
    let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
        Ok(data) => data.min(end),
        // Nothing but a hole.
        Err(Errno::NXIO) => return Ok((end, end)),
        // A file system that does not tell.
        Err(Errno::INVAL) => return Ok((at, end)),
        Err(e) => return Err(e.into()),
    };
    let hole = rustix::fs::seek(file, SeekFrom::Hole(data)).unwrap_or(end);
    Ok((data, hole.min(end).max(data)))
}

/// Extended attributes: access lists, and the label where the kernel has labels.
pub fn attributes(from: &File, to: &File) -> io::Result<()> {
    let mut names = vec![0u8; 4096];
    let length = match rustix::fs::flistxattr(from, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    for name in names[..length].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let mut value = vec![0u8; 64 << 10];
        let got = match rustix::fs::fgetxattr(from, name, &mut value[..]) {
            Ok(got) => got,
            Err(Errno::NODATA) => continue,
            Err(e) => return Err(e.into()),
        };
        rustix::fs::fsetxattr(to, name, &value[..got], rustix::fs::XattrFlags::empty())?;
    }
    Ok(())
}

/// What the kernel reads of it now.
pub fn sum(place: &Place, each: &mut dyn FnMut(u64) -> io::Result<()>) -> io::Result<Sum> {
    let descriptor: OwnedFd = place.open()?.into();
    summed(&descriptor, each)
}

/// What the disk has of it: past the page cache. Dirty pages are written back first by the kernel itself.
pub fn sum_on_disk(place: &Place, each: &mut dyn FnMut(u64) -> io::Result<()>) -> io::Result<Sum> {
    let path = &place.path();
    // A pipe is not waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, path, flags | OFlags::DIRECT, Mode::empty()) {
        Ok(descriptor) => summed(&descriptor, each),
        // A file system without it, as of some local disks on the way back: its pages are let go of first.
        Err(Errno::INVAL) => {
            let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
            rustix::fs::fsync(&descriptor).or_else(|e| match e {
                Errno::INVAL => Ok(()),
                e => Err(e),
            })?;
            fadvise(&descriptor, 0, None, Advice::DontNeed)?;
            summed(&descriptor, each)
        }
        Err(e) => Err(e.into()),
    }
}

fn summed(descriptor: &OwnedFd, each: &mut dyn FnMut(u64) -> io::Result<()>) -> io::Result<Sum> {
    let kind = FileType::from_raw_mode(rustix::fs::fstat(descriptor)?.st_mode);
    if !kind.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut sum = Summing::default();
    let mut stopped = Ok(());
    raw_disk::each_piece(descriptor, |piece| {
        sum.add(piece);
        if stopped.is_ok() {
            stopped = each(piece.len() as u64);
        }
    })?;
    stopped.map(|()| sum.sum())
}
