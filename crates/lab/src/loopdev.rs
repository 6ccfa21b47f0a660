//! Loop devices: a file as a block device, by the kernel's own calls.

use crate::error::{Doing, LabError, Result, on};
use crate::wait::Deadline;
use rustix::fd::{AsFd, AsRawFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Ioctl, IoctlOutput, NoArg, Opcode, Setter};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LOOP_CLR_FD: Opcode = 0x4C01;
const LOOP_SET_STATUS64: Opcode = 0x4C04;
const LOOP_GET_STATUS64: Opcode = 0x4C05;
const LOOP_CONFIGURE: Opcode = 0x4C0A;
const LOOP_CTL_GET_FREE: Opcode = 0x4C82;
const LO_FLAGS_DIRECT_IO: u32 = 16;
const CONTROL: &str = "/dev/loop-control";
/// What is left of a device whose cable was pulled.
const CUT_TO_BYTES: u64 = 512;

/// `struct loop_info64`.
#[repr(C)]
#[derive(Clone, Copy)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
#[derive(Clone, Copy)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// `LOOP_CTL_GET_FREE`, whose answer is the return value.
struct GetFree;

// SAFETY: the call takes no argument and writes nowhere.
unsafe impl Ioctl for GetFree {
    type Output = u32;
    const IS_MUTATING: bool = false;
    fn opcode(&self) -> Opcode {
        LOOP_CTL_GET_FREE
    }
    fn as_ptr(&mut self) -> *mut rustix::ffi::c_void {
        std::ptr::null_mut()
    }
    unsafe fn output_from_ptr(
        out: IoctlOutput,
        _: *mut rustix::ffi::c_void,
    ) -> rustix::io::Result<u32> {
        u32::try_from(out).map_err(|_| Errno::INVAL)
    }
}

/// A loop device by its number: `/dev/loopN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoopDevice(u32);

impl LoopDevice {
    /// The device file.
    pub fn path(self) -> PathBuf {
        PathBuf::from(format!("/dev/loop{}", self.0))
    }

    /// Makes a new loop device for `image` with sectors of `sector` bytes, past the page cache where the file system
    /// below can do that.
    pub fn attach(image: &Path, sector: u32) -> Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .open(image)
            .doing(|| on("open", image))?;
        let control = File::options().read(true).write(true).open(CONTROL);
        let control = control.map_err(|_| LabError::NoLoopControl(CONTROL))?;
        let mut flags = LO_FLAGS_DIRECT_IO;
        // Somebody else may take the free number first: then the kernel says busy, and there is another.
        for _ in 0..64 {
            // SAFETY: see `GetFree`.
            let number = unsafe { rustix::ioctl::ioctl(&control, GetFree) }
                .doing(|| "find a free loop device".into())?;
            let device = Self(number);
            let opened = File::options().read(true).write(true).open(device.path());
            let node = opened.doing(|| on("open", &device.path()))?;
            let config = configuration(&file, sector, flags);
            // SAFETY: the opcode takes a pointer to a `loop_config`, which is what is given.
            match unsafe { rustix::ioctl::ioctl(&node, Setter::<LOOP_CONFIGURE, _>::new(config)) } {
                Ok(()) => return Ok(device),
                Err(Errno::BUSY) => {}
                Err(Errno::INVAL) if flags != 0 => flags = 0,
                Err(errno) => return Err(errno).doing(|| on("make a loop device of", image)),
            }
        }
        Err(LabError::Broken(
            "no free loop device in 64 attempts".into(),
        ))
    }

    /// Cuts the device down to its first 512 bytes: whatever is written later fails. `false` gives it back.
    pub fn set_cut(self, cut: bool) -> Result<()> {
        let path = self.path();
        // Opened without the right to write: the last close of a writer makes udev look at the device.
        let node = File::open(&path).doing(|| on("open", &path))?;
        // SAFETY: the opcode fills a `loop_info64`, which is what the getter holds.
        let got =
            unsafe { rustix::ioctl::ioctl(&node, Getter::<LOOP_GET_STATUS64, LoopInfo>::new()) };
        let mut info = got.doing(|| on("ask", &path))?;
        info.size_limit = if cut { CUT_TO_BYTES } else { 0 };
        // SAFETY: the opcode takes a pointer to a `loop_info64`, which is what is given.
        unsafe { rustix::ioctl::ioctl(&node, Setter::<LOOP_SET_STATUS64, _>::new(info)) }
            .doing(|| on("set the size of", &path))
    }

    /// Waits until nobody uses the device, then takes its file away. Fails when it is in use longer than `patience`.
    pub fn detach(self, patience: Duration) -> Result<()> {
        self.wait_unused(patience)?;
        self.clear()
    }

    /// Takes its file away, now or when its last user goes.
    pub fn clear(self) -> Result<()> {
        let path = self.path();
        let node = File::open(&path).doing(|| on("open", &path))?;
        // SAFETY: the opcode takes no argument.
        match unsafe { rustix::ioctl::ioctl(node.as_fd(), NoArg::<LOOP_CLR_FD>::new()) } {
            // No file there: that is what was wanted.
            Ok(()) | Err(Errno::NXIO) => Ok(()),
            Err(errno) => Err(errno).doing(|| on("detach", &path)),
        }
    }

    /// Waits until an exclusive open succeeds: no mount in any namespace, no open that claims it.
    fn wait_unused(self, patience: Duration) -> Result<()> {
        let path = self.path();
        let mut deadline = Deadline::new(patience);
        loop {
            let flags = i32::try_from(OFlags::EXCL.bits()).unwrap_or(libc::O_EXCL);
            match File::options().read(true).custom_flags(flags).open(&path) {
                Ok(_) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
                Err(error) => return Err(error).doing(|| on("open", &path)),
            }
            // The kernel has no event for "the last mount of this device has gone".
            deadline.pause(&|| format!("waiting until nobody uses {}", path.display()))?;
        }
    }
}

fn configuration(file: &File, sector: u32, flags: u32) -> LoopConfig {
    LoopConfig {
        fd: u32::try_from(file.as_raw_fd()).unwrap_or(u32::MAX),
        block_size: sector,
        info: LoopInfo {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags,
            file_name: [0; 64],
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
        },
        reserved: [0; 8],
    }
}

/// Every loop device whose file lies under `dir`.
pub fn devices_under(dir: &Path) -> Vec<LoopDevice> {
    let Ok(entries) = std::fs::read_dir("/sys/block") else {
        return Vec::new();
    };
    let number = |entry: std::fs::DirEntry| {
        let number = entry
            .file_name()
            .to_str()?
            .strip_prefix("loop")?
            .parse()
            .ok()?;
        let file = std::fs::read_to_string(entry.path().join("loop/backing_file")).ok()?;
        Path::new(file.trim_end())
            .starts_with(dir)
            .then_some(LoopDevice(number))
    };
    entries.flatten().filter_map(number).collect()
}

/// Makes a sparse file of `bytes`, new.
pub(crate) fn sparse_file(path: &Path, bytes: u64) -> Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let fd =
        rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).doing(|| on("make", path))?;
    rustix::fs::ftruncate(&fd, bytes).doing(|| on("size", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_structures_have_the_kernels_sizes() {
        assert_eq!(size_of::<LoopInfo>(), 232);
        assert_eq!(size_of::<LoopConfig>(), 304);
    }
}
