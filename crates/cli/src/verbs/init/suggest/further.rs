//! WAL and table spaces on mounts of their own: which of them can be file systems of the service.

use super::Ground;
use siaga_agent::survey::Disk;
use siaga_config::draft::Answers;
use siaga_model::question::Question;
use std::path::Path;

/// A part of the database outside the file system of its data.
pub struct Outside<'a> {
    pub link: &'a Path,
    pub to: &'a Path,
    /// The file system that it lies on, where that one could be the service's as well.
    pub addable: Option<&'a Disk>,
    /// That one is a file system of the service.
    pub goes_along: bool,
}

impl Ground {
    /// The file systems that the configuration would let be the service's own.
    pub(super) fn fit(&self, answers: &Answers) -> Vec<&Disk> {
        let all = self.server().map_or(&[][..], |s| &s.further).iter();
        let mut fit: Vec<&Disk> = Vec::new();
        for disk in all.filter(|d| self.is_apart(d, answers) && self.is_beside(d, answers)) {
            if fit.iter().all(|other| !overlap(other, disk)) && as_answer(disk).is_some() {
                fit.push(disk);
            }
        }
        fit
    }

    /// What lies outside, and what becomes of it with these answers.
    pub fn parts_outside(&self, answers: &Answers) -> Vec<Outside<'_>> {
        let Some(server) = self.server() else {
            return Vec::new();
        };
        let given = answers.list(Question::FurtherFileSystems);
        let given = given.iter().filter_map(|one| one.split_whitespace().nth(1));
        let given: Vec<&Path> = given.map(Path::new).collect();
        let fit = self.fit(answers);
        let goes_along = |disk: &Disk| match answers.is_settled(Question::FurtherFileSystems) {
            true => disk
                .mount_point
                .as_deref()
                .is_some_and(|m| given.contains(&m)),
            false => fit.contains(&disk),
        };
        server
            .outside
            .iter()
            .map(|(link, to)| {
                let below = server.further.iter().filter(|d| is_on(d, to));
                let disk =
                    below.max_by_key(|d| d.mount_point.as_ref().map(|m| m.components().count()));
                let goes_along = disk.is_some_and(goes_along);
                Outside {
                    link,
                    to,
                    addable: disk.filter(|d| goes_along || self.is_addable(d, answers)),
                    goes_along,
                }
            })
            .collect()
    }

    /// With a reservation nothing can stand beside the one disk.
    fn is_addable(&self, disk: &Disk, answers: &Answers) -> bool {
        self.is_apart(disk, answers)
            && self.meant(Question::Driver, answers).as_deref() != Some("scsi")
    }

    /// A kind that is mounted, and neither inside of the first mount nor around it.
    fn is_apart(&self, disk: &Disk, answers: &Answers) -> bool {
        let first = self.meant(Question::MountPoint, answers);
        let mounts = matches!(disk.file_system.as_deref(), Some("ext4" | "xfs"));
        mounts
            && disk.mount_point.as_deref().is_some_and(|m| {
                let first = first.as_deref().map(Path::new);
                first.is_none_or(|first| !m.starts_with(first) && !first.starts_with(m))
            })
    }

    /// On what makes the disk set exclusive.
    fn is_beside(&self, disk: &Disk, answers: &Answers) -> bool {
        let meant = |question| self.meant(question, answers);
        match meant(Question::Driver).as_deref() {
            Some("lvm") => {
                disk.volume_group.is_some() && disk.volume_group == meant(Question::VolumeGroup)
            }
            Some("drbd") => meant(Question::Resource).is_some_and(|resource| {
                disk.device
                    .starts_with(Path::new("/dev/drbd/by-res").join(resource))
            }),
            None | Some("block") => disk.volume_group.is_none() && disk.drbd.is_none(),
            Some(_) => false,
        }
    }

    /// The answer, or what it will be.
    fn meant(&self, question: Question, answers: &Answers) -> Option<String> {
        match answers.is_settled(question) {
            true => answers.get(question).map(str::to_owned),
            false => self.suggest(question, answers),
        }
    }
}

fn is_on(disk: &Disk, path: &Path) -> bool {
    let mount = disk.mount_point.as_deref();
    mount.is_some_and(|m| path.starts_with(m))
}

fn overlap(one: &Disk, other: &Disk) -> bool {
    let mounts = (one.mount_point.as_deref(), other.mount_point.as_deref());
    let (Some(one), Some(other)) = mounts else {
        return false;
    };
    one.starts_with(other) || other.starts_with(one)
}

/// In the order of `fstab`. `None`: a path that an answer can't hold.
pub(super) fn as_answer(disk: &Disk) -> Option<String> {
    let plain = |text: &str| !text.contains([',', ' ', '\t']);
    let mut words = vec![
        disk.device.to_str()?.to_owned(),
        disk.mount_point.as_deref()?.to_str()?.to_owned(),
        disk.file_system.clone()?,
    ];
    words.extend(disk.mount_options.iter().cloned());
    words.iter().all(|w| plain(w)).then(|| words.join(" "))
}
