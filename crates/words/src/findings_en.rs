//! Findings in English.

use crate::voice::Voice;
use siaga_model::event::{Finding, FindingCode as F};

pub(crate) fn what(voice: &Voice, finding: &Finding) -> String {
    let node = &finding.node;
    let what = match finding.code {
        F::PeerUnreachable => format!("{node} does not answer"),
        F::PathDown => format!("A network path from {node} to the other server is down"),
        F::DiskSetMissing => format!("{node} does not see the disk set"),
        F::DiskSetSizeDiffers => format!("{node} sees a disk set of another size"),
        F::FenceSilent => format!("The fence for {node} does not answer"),
        F::FenceBelied => format!("The fence for {node} belongs to another machine"),
        F::FenceMissing => format!("There is no fence for {node}"),
        F::DiskSetDriver => format!("What makes the disk set exclusive is not in order on {node}"),
        F::PostgresMissing => format!("PostgreSQL is not where it should be on {node}"),
        F::PostgresVersionDiffers => format!("{node} has another version of PostgreSQL"),
        F::PostgresUserDiffers => format!("The PostgreSQL user on {node} has another number"),
        F::ConfigDiffers => format!("The configuration on {node} is different"),
        F::MountByHand => format!("On {node} the file system is mounted, and not by Siaga"),
        F::MountPointMissing => format!("The mount point is missing on {node}"),
        F::AddressConflict => {
            format!("Another machine uses an address of the service, as {node} sees it")
        }
        F::AddressLeftOver => format!("{node} has the virtual IP, and the service is not there"),
        F::InterfaceDown => format!("A network interface of {node} is missing or down"),
        F::DatabaseStranger => format!("On {node} a database is running that Siaga did not start"),
        F::AutoStart => format!("On {node} something starts by itself at boot"),
        F::CertificateExpires => format!("The certificate of {node} expires soon, or has expired"),
        F::CaKeyMissing => {
            format!("{node} has no copy of the key of the site's CA: it can bring no machine in")
        }
        F::CaDiffers => format!("{node} has another CA than the other server"),
        F::ClockDiffers => format!("The clock of {node} is wrong"),
        F::LogNearlyFull => format!("The event log on {node} is nearly full"),
        F::JournalTorn => {
            format!("The last entry of the event log on {node} was incomplete and was put aside")
        }
        F::JournalDamaged => {
            format!(
                "Entries of the event log on {node} were changed, removed or reordered; that file was put aside"
            )
        }
        F::ReservationLost => format!("{node} lost its reservation on the disk set, and let go"),
        F::NodeUnfencedAndBack => format!("{node} was fenced, and is back"),
        F::NodeReplaced => {
            format!("This machine was replaced: another one has the name {node} now")
        }
        F::ProbeMissing => format!("No client probe reports to {node}"),
        F::EventKeyUnknown => {
            format!(
                "{node} signs its event log with a key that is not known here. Its events are not copied"
            )
        }
        F::LibraryVersionDiffers => {
            format!("The system libraries that order text have another version on {node}")
        }
        F::LocaleMissing => format!("{node} lacks locales that the other server has"),
        F::ExtensionMissing => {
            format!("{node} lacks extensions of PostgreSQL that the other server has")
        }
        F::DatabaseConfigDiffers => format!("PostgreSQL's configuration on {node} is different"),
        F::MemoryShort => format!("{node} has little memory for this database"),
        F::DiskSpaceLow => format!("A disk is nearly full on {node}"),
        F::DataOutside => format!("On {node} a part of the database lies outside the disk set"),
        F::CollationChanged => {
            format!("On {node} indexes were built with another version of the collations")
        }
        F::RecoveryTooLong => {
            format!("After a power cut, the recovery on {node} may take longer than the goal")
        }
        F::DrillOverdue => "The last drill is too long ago".into(),
        F::DatabasePortSilent => format!("{node} lets nobody through to the database's port"),
        F::BackupOld => {
            format!("The newest backup is too old, or its age is not known, as {node} sees it")
        }
        F::RehearsalFailed => format!("The last rehearsal on {node} did not pass"),
        F::RehearsalLeftOver => format!("On {node} something is left of a rehearsal"),
        F::ControlFileRewritten => {
            format!("Somebody used the database without Siaga before it was started on {node}")
        }
        F::DatabaseUnit => format!("On {node} the database's systemd unit is not as it must be"),
        F::ChecksumFailures => format!("The database on {node} has read damaged pages"),
        F::IndexDamaged => format!("The database on {node} has damaged indexes"),
        F::RowsLost => format!(
            "Rows that the database had confirmed are gone, as {node} was told by a client probe"
        ),
        F::SecretReadable => format!("Others than root can read a secret file on {node}"),
    };
    let seen = crate::evidence(voice, &finding.evidence);
    if seen.is_empty() {
        format!("{what}.")
    } else {
        format!("{what}: {}.", seen)
    }
}

pub(crate) fn remedy(finding: &Finding) -> String {
    let node = &finding.node;
    match finding.code {
        F::PeerUnreachable => format!("Check the power, the cables and `systemctl status siaga` on {node}."),
        F::PathDown => "Check the cable, the switch and the firewall of that path.".into(),
        F::DiskSetMissing => format!("Check the storage cables of {node} and disk_set.device in the configuration."),
        F::DiskSetSizeDiffers => "Check that both servers name the same disk set in disk_set.device.".into(),
        F::FenceSilent => format!("Check the fence device and its network, then type: siaga power status {node}."),
        F::FenceBelied => format!("Give the fence the address of {node}'s own management processor or outlet (options of [[node.fence]], or the cable). Until then it is not used: a takeover needs a person who looks at {node}."),
        F::FenceMissing => "Add [[node.fence]] to the configuration. Until then a takeover needs a person at the server.".into(),
        F::DiskSetDriver => format!("Correct on {node} what the evidence names."),
        F::PostgresMissing => format!("Install the same PostgreSQL on {node} as on the other server."),
        F::PostgresVersionDiffers => "Bring PostgreSQL to the same version on both servers before the next move.".into(),
        F::PostgresUserDiffers => "Give the PostgreSQL user the same number on both servers.".into(),
        F::ConfigDiffers => "Copy the right /etc/siaga/siaga.toml to both servers, and restart the agent.".into(),
        F::MountByHand => format!("On {node}: find out who mounted it. If nobody needs it, unmount it."),
        F::MountPointMissing => format!("Type siaga check --fix, or create the directory on {node} with mkdir -p."),
        F::AddressConflict => "Find the machine with that hardware address, and disconnect it.".into(),
        F::AddressLeftOver => format!("Type siaga start: it takes the address away from {node}. If it comes back, find out who adds it."),
        F::InterfaceDown => format!("Check the network card and the cable of {node}."),
        F::DatabaseStranger => format!("On {node}: find out who started it, and stop it in order."),
        F::AutoStart => format!("On {node}: switch that automatic start off (siaga check --fix does it for units). Only Siaga may start the service."),
        F::CertificateExpires => format!("Check the clock of {node}. Moves go on working; the agent renews by itself."),
        F::CaKeyMissing => "Start both agents, in the same version: it is fetched from the other server. Where no server has it, type: siaga ca replace --reason TEXT. Moves go on working.".into(),
        F::CaDiffers => format!("Start both agents, in the same version: {node} takes the newer one from the other server. Moves go on working."),
        F::ClockDiffers => format!("Set up time synchronisation on {node}."),
        F::LogNearlyFull => format!("Free space under /var/lib/siaga on {node}."),
        F::JournalTorn => "Nothing needs to be done. A power cut does this.".into(),
        F::JournalDamaged => "Keep the file, type siaga events verify on both servers, and find out who changed it.".into(),
        F::ReservationLost => "Look where the service runs now (siaga status). If it runs nowhere, type siaga start; then find out why the storage lost the reservation.".into(),
        F::NodeReplaced => "Switch this machine off. To use it again, set it up anew: empty /var/lib/siaga, and join with a new token.".into(),
        F::NodeUnfencedAndBack => format!("Type siaga check before {node} carries the service again."),
        F::ProbeMissing => "Start siaga probe on a client machine. Without it nothing is confirmed from a client.".into(),
        F::EventKeyUnknown => format!(
            "If {node} was set up anew: type siaga token create --for {node} where the site's CA is, then siaga join on {node}."
        ),
        F::LibraryVersionDiffers => "Bring both servers to the same release of the system. If the database already ran with both: rebuild its text indexes (REINDEX).".into(),
        F::LocaleMissing => format!("On {node}: generate them (locale-gen), or install the packages that hold them."),
        F::ExtensionMissing => format!("Install the packages on {node} that the other server has for them."),
        F::DatabaseConfigDiffers => "Compare the files, and copy the right ones to both servers.".into(),
        F::MemoryShort => format!("Give {node} more memory or huge pages, or make shared_buffers smaller on both."),
        F::DiskSpaceLow => format!("Free space on {node}, or make the disk larger."),
        F::DataOutside => "Move it below the mount point of the service: a takeover does not bring it along, and a start is refused.".into(),
        F::CollationChanged => "In every database, rebuild the indexes over text (REINDEX), then ALTER COLLATION … REFRESH VERSION, and for its default one ALTER DATABASE … REFRESH COLLATION VERSION.".into(),
        F::RecoveryTooLong => "Make max_wal_size or checkpoint_timeout smaller.".into(),
        F::DrillOverdue => "Plan a drill, then type: siaga drill.".into(),
        F::DatabasePortSilent => format!("Open the database's port in the firewall of {node}. Clients could not reach the service there."),
        F::BackupOld => "Look at the backups now. A takeover brings the data along; it does not replace a backup.".into(),
        F::RehearsalFailed => format!("Correct on {node} what the evidence names, then type: siaga rehearse."),
        F::RehearsalLeftOver => format!("It holds patients' data. On {node}: remove the folder that the evidence names."),
        F::ControlFileRewritten => "Find out who started the database by hand, and whether all rows are there.".into(),
        F::DatabaseUnit => "Correct the unit (systemctl edit), or the name in siaga.toml: Restart=no, TimeoutStartSec=infinity, not masked.".into(),
        F::ChecksumFailures => "Look into the database's log for the file, check the storage, and keep the last good backup.".into(),
        F::IndexDamaged => "Rebuild each of them (REINDEX), then find out why: the storage, or other system libraries.".into(),
        F::RowsLost => "Stop further moves. Find out why: a storage or a controller that confirms what it has not written, synchronous_commit or fsync switched off, an old copy that was promoted. Then restart the probe.".into(),
        F::SecretReadable => "Type chmod 600 for that file, then change the secret.".into(),
    }
}
