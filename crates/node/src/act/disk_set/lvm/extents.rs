//! Where a volume's bytes lie on the disks of its group: a volume that is active on the other server alone can be read
//! there, past LVM. That somebody writes contradicts whoever says that this server is off.

use super::{VolumeGroup, WITHIN, succeeded, volume_of};
use crate::command;
use crate::observe::disk_watch::{self, RawRead, Sample};
use crate::observe::raw_disk::{BLOCK, RawDisk};
use serde::{Deserialize, Deserializer};
use siaga_model::Why;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl VolumeGroup {
    /// Where `devices`, volumes of the group, lie on disks that both nodes see: to be read there while another node has them. `None`
    /// on a replica, where only the holder reads.
    ///
    /// # Errors
    /// Where that can't be told.
    pub fn raw(self: &Arc<Self>, devices: &[&Path]) -> Option<Result<RawRead, Why>> {
        if self.on_replica() {
            return None;
        }
        let of = |device: &&Path| {
            let volume = self.volume_at(device);
            volume.ok_or_else(|| Why::system("no such volume").of(device.display()))
        };
        let volumes: Result<Vec<String>, Why> = devices.iter().map(of).collect();
        Some(volumes.and_then(|volumes| {
            let name = self.name.clone();
            let look = move || Extents::of(&name, &volumes);
            let seen = self.extents.seen(look.clone());
            let each = seen.unwrap_or_else(look)?;
            Ok(Arc::new(move || Sample::of_all(each.iter().map(Extents::sample))) as RawRead)
        }))
    }

    /// The volume's name, by the path that it has where it is active.
    fn volume_at(&self, device: &Path) -> Option<String> {
        let name = device.file_name()?.to_str()?;
        let place = device.parent()?;
        if place == Path::new("/dev/mapper") {
            return volume_of(&self.name, name);
        }
        (place == Path::new("/dev").join(&self.name)).then(|| name.to_owned())
    }
}

/// The pieces of one volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Extents(Vec<Piece>);

/// Bytes of the volume that lie side by side on one disk.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Piece {
    disk: PathBuf,
    /// Where it begins in the volume, and on the disk.
    starts: u64,
    lies_at: u64,
    length: u64,
}

const FIELDS: &str =
    "pv_name,pe_start,vg_extent_size,pvseg_start,pvseg_size,lv_name,seg_start_pe,segtype";

#[derive(Deserialize)]
struct Output {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    pvseg: Vec<Line>,
}

/// One row: some extents of a disk, and what they are for.
#[derive(Deserialize)]
struct Line {
    pv_name: PathBuf,
    /// In bytes.
    #[serde(deserialize_with = "number")]
    pe_start: u64,
    /// In bytes.
    #[serde(deserialize_with = "number")]
    vg_extent_size: u64,
    /// In extents, as what follows.
    #[serde(deserialize_with = "number")]
    pvseg_start: u64,
    #[serde(deserialize_with = "number")]
    pvseg_size: u64,
    lv_name: String,
    #[serde(deserialize_with = "number")]
    seg_start_pe: u64,
    segtype: String,
}

/// LVM's JSON has its numbers in quotes.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Extents {
    /// Of every one of `volumes` of the group `name`. LVM reads the disks of the host for it.
    pub fn of(name: &str, volumes: &[String]) -> Result<Vec<Self>, Why> {
        let of_it = format!("vg_name=\"{name}\"");
        let options = ["pvs", "--foreign", "--segments", "--reportformat", "json"];
        let what = ["--units", "b", "--nosuffix", "-o", FIELDS, "-S", &of_it];
        let argv = options.iter().chain(&what).map(|a| (*a).to_owned());
        let result = command::run(&argv.collect::<Vec<_>>(), None, WITHIN);
        succeeded("pvs", &result)?;
        let lines = parse(&result.stdout)?;
        volumes.iter().map(|v| Self::among(&lines, v)).collect()
    }

    /// Only a volume whose extents are laid one after the other: of a mirror or stripes nothing is read.
    fn among(lines: &[Line], volume: &str) -> Result<Self, Why> {
        let failed = |what: &str| Why::system(what).of(volume.to_owned());
        let mut pieces = Vec::new();
        for line in lines.iter().filter(|l| l.lv_name == volume) {
            if line.segtype != "linear" {
                return Err(failed(&line.segtype));
            }
            let bytes = |extents: u64| extents.checked_mul(line.vg_extent_size);
            let lies_at = bytes(line.pvseg_start).and_then(|at| at.checked_add(line.pe_start));
            let found = lies_at
                .zip(bytes(line.seg_start_pe))
                .zip(bytes(line.pvseg_size));
            let ((lies_at, starts), length) = found.ok_or_else(|| failed("extents"))?;
            let disk = line.pv_name.clone();
            pieces.push(Piece {
                disk,
                starts,
                lies_at,
                length,
            });
        }
        match pieces.is_empty() {
            true => Err(failed("no such volume")),
            false => Ok(Self(pieces)),
        }
    }

    /// Reads some of the volume. See [`disk_watch::sample`].
    pub fn sample(&self) -> io::Result<Sample> {
        disk_watch::sample_by(&|offset, blocks| {
            let length = (blocks * BLOCK) as u64;
            let found = self.place(offset, length);
            let (disk, at) = found.ok_or(io::ErrorKind::UnexpectedEof)?;
            RawDisk::open(disk)?.read(at, blocks)
        })
    }

    /// Where the `length` bytes from `offset` of the volume lie, if side by side.
    fn place(&self, offset: u64, length: u64) -> Option<(&Path, u64)> {
        self.0.iter().find_map(|piece| {
            let within = offset.checked_sub(piece.starts)?;
            let fits = within.checked_add(length)? <= piece.length;
            fits.then(|| (piece.disk.as_path(), piece.lies_at + within))
        })
    }
}

fn parse(text: &str) -> Result<Vec<Line>, Why> {
    let wrong = |e: serde_json::Error| Why::system(e).of("pvs");
    let output: Output = serde_json::from_str(text).map_err(wrong)?;
    Ok(output.report.into_iter().flat_map(|r| r.pvseg).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};

    fn report(disk: &str, types: [&str; 2]) -> String {
        // Grown once: between its pieces lies another volume. (As LVM 2.03.16 tells it.)
        let line = |start: u32, size: u32, volume: &str, from: u32, kind: &str| {
            format!(
                r#"{{"pv_name":"{disk}","pe_start":"1048576","vg_extent_size":"1048576","pvseg_start":"{start}",
                "pvseg_size":"{size}","lv_name":"{volume}","seg_start_pe":"{from}","segtype":"{kind}"}}"#
            )
        };
        let lines = [
            line(0, 2, "data", 0, types[0]),
            line(2, 1, "wal", 0, "linear"),
            line(3, 2, "data", 2, types[1]),
            line(5, 40, "", 0, "free"),
        ];
        format!(r#"{{"report":[{{"pvseg":[{}]}}]}}"#, lines.join(","))
    }

    fn extents(disk: &str, types: [&str; 2], volume: &str) -> Result<Extents, Why> {
        Extents::among(&parse(&report(disk, types))?, volume)
    }

    #[test]
    fn where_the_bytes_of_a_volume_lie() {
        const MIB: u64 = 1 << 20;
        let data = extents("/dev/sdb", ["linear"; 2], "data").unwrap();
        let place = |at, length| data.place(at, length).map(|(_, at)| at);
        assert_eq!(place(0, 4096), Some(MIB));
        assert_eq!(place(2 * MIB, 4096), Some(4 * MIB));
        assert_eq!(place(3 * MIB + 4096, 4096), Some(5 * MIB + 4096));
        // Past the end, and where it does not lie side by side.
        assert_eq!(place(4 * MIB, 4096), None);
        assert_eq!(place(2 * MIB - 4096, 8192), None);
        let wal = extents("/dev/sdb", ["linear"; 2], "wal").unwrap();
        assert_eq!(wal.place(0, 4096), Some((Path::new("/dev/sdb"), 3 * MIB)));
        // What lies otherwise, and what is not there, is not read.
        assert!(extents("/dev/sdb", ["linear", "raid1"], "data").is_err());
        assert!(extents("/dev/sdb", ["linear"; 2], "dat").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn what_is_written_to_a_volume_is_seen_on_its_disk_and_what_is_written_beside_is_not() {
        // Not where temporary files lie: a tmpfs may not be read past the page cache.
        let mut disk = tempfile::NamedTempFile::new_in(".").unwrap();
        disk.as_file().set_len(64 << 20).unwrap();
        let data = extents(disk.path().to_str().unwrap(), ["linear"; 2], "data").unwrap();
        let before = data.sample().unwrap();
        let mut write = |at: u64| {
            disk.seek(SeekFrom::Start(at)).unwrap();
            disk.write_all(b"written").unwrap();
            disk.as_file().sync_all().unwrap();
        };
        write(3 << 20);
        assert!(data.sample().unwrap() == before);
        write((1 << 20) + 4096);
        assert!(data.sample().unwrap() != before);
    }
}
