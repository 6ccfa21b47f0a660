//! The questions of `siaga init` in English.

use crate::voice::{list, quoted};
use crate::wizard::{FreeOn, Wizard};
use siaga_model::question::Question;

/// The question, and what helps to answer it.
#[rustfmt::skip] // a table of words
pub(crate) fn question(question: Question) -> (&'static str, &'static str) {
    use Question as Q;
    match question {
        Q::Language => ("Language of what people read (en, id)", "en is English, id is Indonesian."),
        Q::SiteName => ("Name of the hospital", "As it is to stand on papers and screens."),
        Q::TimeZone => ("Time zone", "Asia/Jakarta is WIB, Asia/Makassar WITA, Asia/Jayapura WIT."),
        Q::Operators => ("Accounts of the people who operate the service", "Their login names on both servers, with commas between. Only they may attest that a silent server is off. Empty: nobody yet."),
        Q::ThisNode => ("Name of this server", "a-z, 0-9 and -. It stands in the log and in commands."),
        Q::ThisAddresses => ("Own addresses of this server", "One per network path, with commas between. Never the address that clients use."),
        Q::ThisHardware => ("Hardware addresses of this server's cards", "An answer counts as this server's only from one of these."),
        Q::OtherNode => ("Name of the other server", "The one that is to take over."),
        Q::OtherAddresses => ("Own addresses of the other server", "One per network path, with commas between. Port 7443/tcp must be open between the two."),
        Q::OtherHardware => ("Hardware addresses of the other server's cards", "On that server: ip link. Found by itself where the server answers."),
        Q::Service => ("Name of the service", "What moves as one: simrs. a-z, 0-9 and -."),
        Q::PreferredNode => ("Server where it is at home", "A failback brings it there."),
        Q::DataDir => ("Data directory of PostgreSQL", "The folder with PG_VERSION, on the shared disk."),
        Q::BinDir => ("Directory of PostgreSQL's programs", "The folder with postgres and pg_controldata: the same on both servers."),
        Q::ConfigFile => ("postgresql.conf, where it is not in the data directory", "Debian has it in /etc/postgresql/VERSION/main: that folder must be alike on both servers. Empty: in the data directory."),
        Q::Unit => ("systemd unit that it runs by", "postgresql@15-main.service and the like: Siaga starts and stops it there. The same on both servers. Empty: Siaga starts postgres itself."),
        Q::Port => ("Port of PostgreSQL", "Empty: 5432."),
        Q::OsUser => ("Account that PostgreSQL runs as", "It needs the same number on both servers. Empty: postgres."),
        Q::SocketDir => ("Directory of its unix socket", "Empty: /run/postgresql."),
        Q::CheckUser => ("Database role of the local check", "It must be let in through the unix socket, without a password. Empty: postgres."),
        Q::MountPoint => ("Where the shared disk is mounted", "The data directory lies in it."),
        Q::FileSystem => ("File system on it (ext4, xfs)", "What mkfs made of it."),
        Q::MountOptions => ("Mount options", "noatime and the like, with commas between. Empty: none."),
        Q::Driver => ("What makes the disk exclusive (block, scsi, lvm, drbd)", "block: a plain shared disk. scsi: with persistent reservations. lvm: a volume group. drbd: a replicated device."),
        Q::VolumeGroup => ("Volume group", "Its name, as vgs shows it."),
        Q::ReservedDisk => (
            "Disk with reservations below the volume group",
            "The whole disk that the group lies on, where it knows SCSI persistent reservations: they keep the other server out.",
        ),
        Q::ReplicaBelow => ("DRBD resource below the volume group", "Where the group lies on a replicated device: its name, as drbdadm status shows it."),
        Q::Resource => ("DRBD resource", "Its name, as drbdadm status shows it."),
        Q::Device => ("Device with the file system", "By a name that does not change at a boot: /dev/disk/by-id/wwn-..."),
        Q::OtherDevice => ("The same device on the other server", "Empty: it has the same name there."),
        Q::FurtherFileSystems => (
            "Further file systems, for WAL and table spaces",
            "Each as in fstab: device, mount point, kind; with commas between. Each on a volume of the same disk set. Empty: none. A device with another name on the other server: change it in the file.",
        ),
        Q::VirtualIp => ("Address that clients use (virtual IP)", "It moves with the service, and stands in no network configuration. A free address of the servers' network, or the one that moves today."),
        Q::Interface => ("Network card for that address", "On this server."),
        Q::OtherInterface => ("Network card for that address on the other server", "Empty: it has the same name there."),
        Q::ThisFence => ("Management processor (IPMI) of this server", "Its address: the other server switches this one off by it. Empty: none, then a person has to go there."),
        Q::ThisFenceUser => ("Account on that processor", "It may switch power."),
        Q::ThisFenceSecret => ("File with that account's password", "Only root may read it: install -m 0600 /dev/null FILE, then write the password into it."),
        Q::OtherFence => ("Management processor (IPMI) of the other server", "Its address: this server switches the other one off by it. Empty: none, then a person has to go there."),
        Q::OtherFenceUser => ("Account on that processor", "It may switch power."),
        Q::OtherFenceSecret => ("File with that account's password", "Only root may read it: install -m 0600 /dev/null FILE, then write the password into it."),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn said(text: &Wizard) -> String {
    use Wizard as W;
    match text {
        W::Welcome => "There is no configuration yet. A few questions make one. Enter takes what stands in brackets, - leaves it out, Ctrl-C ends without writing anything.".into(),
        W::FoundServer { version, pid, data_dir, port, unit } => {
            let by = unit.as_ref().map_or_else(String::new, |u| format!(", as {u}"));
            format!("PostgreSQL {version} runs here (process {pid}{by}): {}, port {port}.", data_dir.display())
        }
        W::FoundNoServer => "No PostgreSQL runs here.".into(),
        W::NotRoots { program } => format!("A PostgreSQL that runs as {} does not count: others than root could change this program, and root would run it.", program.display()),
        W::FoundStopped { version, name, data_dir, port } => format!(
            "PostgreSQL {version} ({name}) is set up here and does not run: {}, port {port}.", data_dir.display()
        ),
        W::FoundFree { device, size, file_system, on, waits_at } => {
            let what = file_system.as_deref().unwrap_or("no file system that can be seen");
            let on = on.as_ref().map_or_else(String::new, |on| format!(", {}", free_on(on)));
            let at = waits_at.as_ref().map_or_else(String::new, |at| format!(", in fstab for {}", at.display()));
            format!("Not used by anything here: {} ({size}, {what}{on}{at}).", device.display())
        }
        W::FoundGroup { name } => format!("Volume group here: {name}."),
        W::FoundReplica { resource } => format!("DRBD resource here: {resource}."),
        W::NoFreeDisk => "No disk was found here that nothing uses: the shared one is mounted, or does not show yet.".into(),
        W::SeveralFree => "More than one may be the shared disk: what they have in common is suggested, the rest is for you to say.".into(),
        W::NotShared { data_dir, mount_point } => {
            let on = mount_point.as_ref().map_or_else(|| "no disk of its own".into(), |m| m.display().to_string());
            format!("{} lies on {on}, which the other server can't take over. Move the data to the shared disk first (docs/install.md).", data_dir.display())
        }
        W::OtherOptions { options } => format!(
            "It was started with options that Siaga does not give: {}. Write them into postgresql.conf before the next start.", list(options)
        ),
        W::DataOutside { link, to, on } => {
            let way = match on {
                Some((device, mount_point)) => format!(
                    "Where {} is a volume of the same disk set, add [[service.file_system]] with device = \"{}\" and mount_point = \"{}\" (docs/disk-sets.md, Several file systems); else move it back into the data directory.",
                    mount_point.display(), device.display(), mount_point.display()
                ),
                None => "Move it to a volume of the same disk set (docs/disk-sets.md, Several file systems), or back into the data directory.".into(),
            };
            format!("{} leads to {}, outside the file system of the data: it would stay behind at a takeover. {way}", link.display(), to.display())
        }
        W::DataFurther { link, mount_point, device } => format!(
            "{} leads to {}, a file system of its own on {}: it becomes a [[service.file_system]] and moves along. The other server has to see that device too.",
            link.display(), mount_point.display(), device.display()
        ),
        W::StartsAtBoot { units } => format!(
            "A boot starts it without Siaga: {0}. Take that away on both servers, the database runs on: systemctl disable {1}", list(units), units.join(" ")
        ),
        W::MustBeAnswered => "This needs an answer.".into(),
        W::NotRight { cause, remedy } => format!("That can't be: {cause}\n{remedy}"),
        W::Wrong { said } => format!("error: the answers do not fit together:\n{said}"),
        W::Missing { keys } => format!("error: not answered yet: {}. Nothing was written.", list(keys)),
        W::NoPeople => "Nobody is named who operates the service: nobody may attest that a silent server is off. Write [[person]] into the configuration before the first night.".into(),
        W::NoFence { node } => format!("There is no fence for {node}: while it is silent, a takeover needs a person who goes there. Add one to the configuration when you can."),
        W::AskWrite { file } => format!("Write this to {}? (yes/no)", file.display()),
        W::NothingWritten => "Nothing was written.".into(),
        W::Exists { file } => format!("error: {} exists already and is not overwritten", file.display()),
        W::NoTerminal { file } => format!(
            "error: {} is not there, and nobody can be asked: give --answers FILE, or run it on a terminal. siaga init --print tells what is found here", file.display()
        ),
        W::CanNotWrite { file, said } => format!("error: {} can't be written: {}", file.display(), quoted(said)),
        W::AnswersUnreadable { file, said } => format!("error: {}: {said}", file.display()),
        W::NoSuchQuestion { key, suggestion } => match suggestion {
            Some(meant) => format!("{} is no question; did you mean {meant}?", quoted(key)),
            None => format!("{} is no question; siaga init --print --json lists them", quoted(key)),
        },
        W::NotAText { key } => format!("{key}: an answer is a text, a number or a list of texts"),
        W::Adopted { service, postmaster } => format!("{service} runs here and goes on under Siaga (process {postmaster}): nothing was restarted."),
        W::NothingRuns { service } => format!("{service} does not run here. After the other server has joined: siaga start"),
        W::NotAdopted { service, why } => format!("{service} is here, and can't be gone on with: {why}. It was left as it is. Put that right, or stop it and start it by Siaga."),
        W::AddressNotYet { address, service } => format!(
            "{address} is not on this server yet: clients use the server's own address. When the other server has joined, siaga start --service {service} adds it and leaves the database alone; then give clients that address."
        ),
        W::OwnAddress { address } => format!("{address} is this server's own address and can't move. Choose a free one for clients."),
        W::Next { other } => format!("Next: systemctl enable --now siaga, then siaga token create --for {other}, and on that server: siaga join"),
    }
}

fn free_on(on: &FreeOn) -> String {
    match on {
        FreeOn::Group { name } => format!("of the volume group {name}"),
        FreeOn::Replica { resource } => format!("the DRBD resource {resource}"),
        FreeOn::Reservations => "with persistent reservations".into(),
    }
}
