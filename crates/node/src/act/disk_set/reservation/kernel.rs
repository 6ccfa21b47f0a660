//! The kernel's calls for persistent reservations (`linux/pr.h`), which know disks and multipath maps alike, and the
//! one that reads them: PERSISTENT RESERVE IN by `SG_IO`. (Newer kernels read keys by `linux/pr.h` too; this way works
//! on all of them.)

use crate::observe::holders::QUESTION;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, opcode};
use siaga_model::reservation::ReservationKey;
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::path::Path;

/// `PR_WRITE_EXCLUSIVE_REG_ONLY`: whoever is registered writes, everybody reads.
const WRITE_EXCLUSIVE_REGISTRANTS: u32 = 3;
/// The same in SCSI's own numbers.
const SCSI_WRITE_EXCLUSIVE_REGISTRANTS: u8 = 5;
/// The status with which a disk announces a change, or refuses what it does not know. Its reason is not told by these calls.
const CHECK_CONDITION: i32 = 2;
/// `PR_FL_IGNORE_KEY`: whatever key this path had before.
const IGNORE_KEY: u32 = 1;
/// How long the disk may take to answer a question, in milliseconds.
const ANSWER_WITHIN_MS: u32 = 10_000;

/// Why a call did not do what it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrError {
    #[error("{0}")]
    System(#[from] Errno),
    /// The status of the device; a positive value of the call. `0x18` is a reservation conflict.
    #[error("the device answered with status {0:#x}")]
    Status(i32),
    #[error("the answer is too short")]
    Short,
    #[error("the disk goes on announcing changes")]
    Announcement,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Registration {
    old_key: u64,
    new_key: u64,
    flags: u32,
    pad: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Reservation {
    key: u64,
    kind: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Preemption {
    /// The caller's own key.
    own_key: u64,
    /// The key that loses its registration.
    victim_key: u64,
    kind: u32,
    flags: u32,
}

/// A call with an argument that gives the kernel's return value as it is: on some kernels a conflict comes back as a
/// positive number, which must not read as success.
struct Call<const CODE: Opcode, T>(T);

// SAFETY: the code is the one that `linux/pr.h` and `scsi/sg.h` give for an argument of this type and size, and the
// argument lives as long as the call.
unsafe impl<const CODE: Opcode, T> Ioctl for Call<CODE, T> {
    type Output = i32;
    const IS_MUTATING: bool = true;
    fn opcode(&self) -> Opcode {
        CODE
    }
    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(&mut self.0).cast()
    }
    unsafe fn output_from_ptr(out: IoctlOutput, _: *mut c_void) -> Result<i32> {
        Ok(out)
    }
}

/// As [`Call`], for an argument that the kernel writes its answer into.
struct Answered<'a, const CODE: Opcode, T>(&'a mut T);

// SAFETY: as for `Call`.
unsafe impl<const CODE: Opcode, T> Ioctl for Answered<'_, CODE, T> {
    type Output = i32;
    const IS_MUTATING: bool = true;
    fn opcode(&self) -> Opcode {
        CODE
    }
    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.0).cast()
    }
    unsafe fn output_from_ptr(out: IoctlOutput, _: *mut c_void) -> Result<i32> {
        Ok(out)
    }
}

/// Asks again where the disk only announces that something changed (after one path's registration is taken back, that is
/// the answer to whatever comes next by another path). A refusal for another reason comes again, and is one then.
fn call<const CODE: Opcode, T: Copy>(
    disk: &OwnedFd,
    argument: T,
) -> std::result::Result<(), PrError> {
    let mut answer = Ok(());
    for _ in 0..ANNOUNCEMENTS {
        answer = call_once::<CODE, T>(disk, argument);
        if answer != Err(PrError::Status(CHECK_CONDITION)) {
            break;
        }
    }
    answer
}

fn call_once<const CODE: Opcode, T>(
    disk: &OwnedFd,
    argument: T,
) -> std::result::Result<(), PrError> {
    // SAFETY: see `Call`.
    match unsafe { rustix::ioctl::ioctl(disk, Call::<CODE, T>(argument)) }? {
        0 => Ok(()),
        status => Err(PrError::Status(status)),
    }
}

/// Opens the disk for a change. Not for writing: closing a descriptor for writing makes udev look at the disk. While it is
/// open this process counts as a holder: a change that hangs may still come.
pub fn open(device: &Path) -> std::result::Result<OwnedFd, PrError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(device, flags, Mode::empty())?)
}

/// Opens the disk for a question, which holds nothing.
pub fn open_to_ask(device: &Path) -> std::result::Result<OwnedFd, PrError> {
    Ok(rustix::fs::open(device, QUESTION, Mode::empty())?)
}

/// Registers this node's paths under `key`, whatever key they had. The kernel asks for the registration to outlive a
/// loss of power of the storage.
pub fn register(disk: &OwnedFd, key: ReservationKey) -> std::result::Result<(), PrError> {
    register_raw(disk, key.raw())
}

/// Takes this node's registration back, and with it a reservation that it holds.
pub fn unregister(disk: &OwnedFd) -> std::result::Result<(), PrError> {
    register_raw(disk, 0)
}

fn register_raw(disk: &OwnedFd, new_key: u64) -> std::result::Result<(), PrError> {
    const CODE: Opcode = opcode::write::<Registration>(b'p', 200);
    let registration = Registration {
        old_key: 0,
        new_key,
        flags: IGNORE_KEY,
        pad: 0,
    };
    call::<CODE, _>(disk, registration)
}

/// Reserves the disk: only who is registered writes.
pub fn reserve(disk: &OwnedFd, key: ReservationKey) -> std::result::Result<(), PrError> {
    const CODE: Opcode = opcode::write::<Reservation>(b'p', 201);
    let reservation = Reservation {
        key: key.raw(),
        kind: WRITE_EXCLUSIVE_REGISTRANTS,
        flags: 0,
    };
    call::<CODE, _>(disk, reservation)
}

/// Takes the registration under `victim` away, ends what it has in flight, and takes over a reservation that it holds.
pub fn preempt_and_abort(
    disk: &OwnedFd,
    own: ReservationKey,
    victim: ReservationKey,
) -> std::result::Result<(), PrError> {
    const CODE: Opcode = opcode::write::<Preemption>(b'p', 204);
    let preemption = Preemption {
        own_key: own.raw(),
        victim_key: victim.raw(),
        kind: WRITE_EXCLUSIVE_REGISTRANTS,
        flags: 0,
    };
    call::<CODE, _>(disk, preemption)
}

/// Every registration, one for each path of each node, and who holds the reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    pub keys: Vec<ReservationKey>,
    pub holder: Option<Holder>,
}

/// A reservation on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    pub key: ReservationKey,
    /// Write exclusive, registrants only; anything else was not made by Siaga.
    pub registrants_write: bool,
}

/// What the disk can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abilities {
    /// It knows reservations for registrants that write. `None`: it does not say.
    pub registrants: Option<bool>,
    /// It keeps registrations when it loses its power.
    pub persists: bool,
}

/// Reads registrations and reservation. They are two questions, so that between them something may change: the
/// generation, which every change counts up, must be the same in both.
pub fn read(disk: &OwnedFd) -> std::result::Result<Seen, PrError> {
    for _ in 0..3 {
        let keys = keys(&persistent_reserve_in(disk, READ_KEYS, 8 + 8 * MOST_KEYS)?)?;
        let holder = holder(&persistent_reserve_in(disk, READ_RESERVATION, 24)?)?;
        if keys.0 == holder.0 {
            return Ok(Seen {
                keys: keys.1,
                holder: holder.1,
            });
        }
    }
    Err(PrError::System(Errno::AGAIN))
}

/// What the disk says that it can do.
pub fn abilities_of(device: &Path) -> std::result::Result<Abilities, PrError> {
    let disk = open_to_ask(device)?;
    can(&persistent_reserve_in(&disk, REPORT_CAPABILITIES, 8)?)
}

const READ_KEYS: u8 = 0;
const READ_RESERVATION: u8 = 1;
const REPORT_CAPABILITIES: u8 = 2;
/// How many announcements in a row are passed over: preempted, released, a reset, a failover.
const ANNOUNCEMENTS: usize = 8;
/// More paths than a server has.
const MOST_KEYS: usize = 256;

/// `struct sg_io_hdr` of `scsi/sg.h`.
#[repr(C)]
struct SgIo {
    interface_id: i32,
    direction: i32,
    cmd_len: u8,
    sense_len: u8,
    iovec_count: u16,
    data_len: u32,
    data: *mut c_void,
    cmd: *mut u8,
    sense: *mut u8,
    timeout: u32,
    flags: u32,
    pack_id: i32,
    usr_ptr: *mut c_void,
    status: u8,
    masked_status: u8,
    msg_status: u8,
    sense_written: u8,
    host_status: u16,
    driver_status: u16,
    resid: i32,
    duration: u32,
    info: u32,
}

/// Asks again where the disk only announces that something changed: right after this node was preempted, that is the
/// answer to whatever it asks first.
fn persistent_reserve_in(
    disk: &OwnedFd,
    action: u8,
    length: usize,
) -> std::result::Result<Vec<u8>, PrError> {
    for _ in 0..ANNOUNCEMENTS {
        match ask_once(disk, action, length) {
            Err(PrError::Announcement) => {}
            answer => return answer,
        }
    }
    Err(PrError::Announcement)
}

fn ask_once(disk: &OwnedFd, action: u8, length: usize) -> std::result::Result<Vec<u8>, PrError> {
    const SG_IO: Opcode = 0x2285;
    const FROM_DEVICE: i32 = -3;
    let mut data = vec![0u8; length];
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let mut cmd = [0x5e, action, 0, 0, 0, 0, 0, high, low, 0];
    let mut sense = [0u8; 32];
    let mut io = SgIo {
        interface_id: i32::from(b'S'),
        direction: FROM_DEVICE,
        cmd_len: 10,
        sense_len: 32,
        iovec_count: 0,
        data_len: u32::try_from(length).unwrap_or(u32::MAX),
        data: data.as_mut_ptr().cast(),
        cmd: cmd.as_mut_ptr(),
        sense: sense.as_mut_ptr(),
        timeout: ANSWER_WITHIN_MS,
        flags: 0,
        pack_id: 0,
        usr_ptr: std::ptr::null_mut(),
        status: 0,
        masked_status: 0,
        msg_status: 0,
        sense_written: 0,
        host_status: 0,
        driver_status: 0,
        resid: 0,
        duration: 0,
        info: 0,
    };
    // SAFETY: see `Call`; data, command and sense live until the call has ended.
    let returned = unsafe { rustix::ioctl::ioctl(disk, Answered::<SG_IO, SgIo>(&mut io)) }?;
    if returned != 0 {
        return Err(PrError::Status(returned));
    }
    let bad = i32::from(io.status)
        | i32::from(io.host_status) << 8
        | i32::from(io.driver_status & 0xf) << 16;
    if bad != 0 && is_announcement(&sense[..usize::from(io.sense_written).min(sense.len())]) {
        return Err(PrError::Announcement);
    }
    if bad != 0 {
        return Err(PrError::Status(bad));
    }
    let kept = length.saturating_sub(usize::try_from(io.resid).unwrap_or(0));
    data.truncate(kept);
    Ok(data)
}

/// Sense key 6, UNIT ATTENTION, in either of the two formats.
fn is_announcement(sense: &[u8]) -> bool {
    let key = match sense.first().map(|b| b & 0x7f) {
        Some(0x70 | 0x71) => sense.get(2),
        Some(0x72 | 0x73) => sense.get(1),
        _ => None,
    };
    key.is_some_and(|k| k & 0x0f == 6)
}

fn be32(data: &[u8], at: usize) -> std::result::Result<u32, PrError> {
    let bytes = data.get(at..at + 4).and_then(|b| b.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or(PrError::Short)
}

fn key_at(data: &[u8], at: usize) -> std::result::Result<ReservationKey, PrError> {
    let bytes = data.get(at..at + 8).and_then(|b| b.try_into().ok());
    let raw = bytes.map(u64::from_be_bytes).ok_or(PrError::Short)?;
    Ok(ReservationKey::read(raw))
}

/// Generation and keys. An answer that was cut off is none: the key that matters may be in the rest.
fn keys(data: &[u8]) -> std::result::Result<(u32, Vec<ReservationKey>), PrError> {
    let length = usize::try_from(be32(data, 4)?).map_err(|_| PrError::Short)?;
    let keys = (0..length / 8).map(|i| key_at(data, 8 + 8 * i));
    Ok((be32(data, 0)?, keys.collect::<std::result::Result<_, _>>()?))
}

/// Generation and reservation.
fn holder(data: &[u8]) -> std::result::Result<(u32, Option<Holder>), PrError> {
    let generation = be32(data, 0)?;
    if be32(data, 4)? == 0 {
        return Ok((generation, None));
    }
    let kind = data.get(21).ok_or(PrError::Short)? & 0x0f;
    let holder = Holder {
        key: key_at(data, 8)?,
        registrants_write: kind == SCSI_WRITE_EXCLUSIVE_REGISTRANTS,
    };
    Ok((generation, Some(holder)))
}

fn can(data: &[u8]) -> std::result::Result<Abilities, PrError> {
    let at = |i: usize| data.get(i).copied().ok_or(PrError::Short);
    // The mask of types counts only where its own bit says so.
    let says = at(3)? & 0x80 != 0;
    Ok(Abilities {
        registrants: says.then_some(at(4)? & 0x20 != 0),
        persists: at(2)? & 0x01 != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_have_the_kernels_sizes() {
        assert_eq!(size_of::<Registration>(), 24);
        assert_eq!(size_of::<Reservation>(), 16);
        assert_eq!(size_of::<Preemption>(), 24);
        assert_eq!(size_of::<SgIo>(), 88);
    }

    #[test]
    fn keys_as_the_disk_tells_them() {
        let mut data = vec![0, 0, 0, 9, 0, 0, 0, 16];
        data.extend([0, 0, 0, 0, 0, 0, 0, 0xa1]);
        data.extend([0, 0, 0, 0, 0, 0, 0, 0xb2]);
        let (generation, read) = keys(&data).unwrap();
        assert_eq!(generation, 9);
        assert_eq!(read, [0xa1, 0xb2].map(ReservationKey::read));
        assert_eq!(keys(&[0, 0, 0, 9, 0, 0, 0, 0]).unwrap(), (9, Vec::new()));
        // What is announced and not there is no empty list.
        assert_eq!(keys(&data[..20]), Err(PrError::Short));
        assert_eq!(keys(&[]), Err(PrError::Short));
    }

    #[test]
    fn the_reservation_as_the_disk_tells_it() {
        let mut data = vec![
            0, 0, 0, 9, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 0, 5, 0, 0,
        ];
        let key = ReservationKey::read(0xa1);
        let found = |registrants_write| {
            Some(Holder {
                key,
                registrants_write,
            })
        };
        assert_eq!(holder(&data).unwrap(), (9, found(true)));
        data[21] = 1;
        assert_eq!(holder(&data).unwrap(), (9, found(false)));
        assert_eq!(holder(&[0, 0, 0, 9, 0, 0, 0, 0]).unwrap(), (9, None));
        assert_eq!(holder(&data[..12]), Err(PrError::Short));
    }

    #[test]
    fn an_announcement_is_no_answer() {
        assert!(is_announcement(&[0x70, 0, 6, 0]) && is_announcement(&[0x72, 6, 0x2a, 3]));
        assert!(!is_announcement(&[0x70, 0, 5, 0]) && !is_announcement(&[0x72, 5, 6, 6]));
        assert!(!is_announcement(&[]));
    }

    #[test]
    fn abilities_that_are_not_told_are_not_known() {
        let told = can(&[0, 8, 1, 0x80, 0x20, 0, 0, 0]).unwrap();
        assert_eq!((told.registrants, told.persists), (Some(true), true));
        let without = can(&[0, 8, 0, 0x80, 0x02, 0, 0, 0]).unwrap();
        assert_eq!(
            (without.registrants, without.persists),
            (Some(false), false)
        );
        assert_eq!(can(&[0, 8, 1, 0, 0, 0, 0, 0]).unwrap().registrants, None);
        assert!(can(&[0, 8]).is_err());
    }
}
