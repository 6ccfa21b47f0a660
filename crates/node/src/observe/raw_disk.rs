//! Raw reads of a shared disk: `O_DIRECT`, in whole 4096-byte blocks, every descriptor closed at once. A buffered
//! read never sees the other node's writes, and a buffered descriptor left open makes a later mount read stale blocks.

use super::holders::QUESTION;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// The unit of raw reads, in bytes: right for sectors of 512 and of 4096 bytes.
pub const BLOCK: usize = 4096;

/// Memory at an address that `O_DIRECT` accepts.
#[repr(C, align(4096))]
#[derive(Clone)]
struct Aligned([u8; BLOCK]);

/// A device opened for raw reads.
pub struct RawDisk {
    descriptor: OwnedFd,
}

impl RawDisk {
    /// Opens the device for reading past the page cache: a question, which holds nothing.
    pub fn open(device: &Path) -> io::Result<Self> {
        Ok(Self {
            descriptor: rustix::fs::open(device, QUESTION | OFlags::DIRECT, Mode::empty())?,
        })
    }

    /// Reads `blocks` blocks from byte `offset`, which is a multiple of [`BLOCK`]. Fails at the end of the device.
    pub fn read(&self, offset: u64, blocks: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(blocks * BLOCK);
        let mut buffer = vec![Aligned([0; BLOCK]); blocks.min(64)];
        while out.len() < blocks * BLOCK {
            let wanted = (blocks - out.len() / BLOCK).min(buffer.len());
            let mut parts: Vec<_> = buffer[..wanted]
                .iter_mut()
                .map(|a| io::IoSliceMut::new(&mut a.0))
                .collect();
            let got = rustix::io::preadv(&self.descriptor, &mut parts, offset + out.len() as u64)?;
            if got == 0 || got % BLOCK != 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer[..got / BLOCK]
                .iter()
                .for_each(|a| out.extend_from_slice(&a.0));
        }
        Ok(out)
    }
}

/// At most so many blocks in one read.
const AT_ONCE: usize = 256;

/// Reads a file to its end, past the page cache where `descriptor` is opened so, and shows each piece.
pub fn each_piece(descriptor: &OwnedFd, mut see: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![Aligned([0; BLOCK]); AT_ONCE];
    let mut offset = 0;
    loop {
        let mut parts: Vec<_> = buffer
            .iter_mut()
            .map(|a| io::IoSliceMut::new(&mut a.0))
            .collect();
        let got = rustix::io::preadv(descriptor, &mut parts, offset)?;
        if got == 0 {
            return Ok(offset);
        }
        let mut left = got;
        for block in &buffer {
            let piece = left.min(BLOCK);
            see(&block.0[..piece]);
            left -= piece;
            if left == 0 {
                break;
            }
        }
        offset += got as u64;
        // A read past the page cache goes on at a whole block only; what is not one is the end.
        if got % BLOCK != 0 {
            return Ok(offset);
        }
    }
}

/// The little-endian number at `at`.
pub fn le32(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// The little-endian number at `at`.
pub fn le64(bytes: &[u8], at: usize) -> u64 {
    u64::from(le32(bytes, at)) | (u64::from(le32(bytes, at + 4)) << 32)
}
