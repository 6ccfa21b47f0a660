//! Reasons in English: clauses, without a full stop.

use crate::voice::{list, quoted};
use crate::why::{paths, said};
use siaga_model::config::Language::English;
use siaga_model::why::{DiskSetCall, FenceCall, HeldThing, Holder, Why as W};

pub(crate) fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Mount { mount_point } => format!("mounted at {}", mount_point.display()),
        Holder::MountElsewhere {
            mount_point,
            pid,
            command,
        } => format!(
            "mounted at {} in the mount namespace of pid {pid} ({command})",
            mount_point.display()
        ),
        Holder::Process {
            pid,
            command,
            uses,
            path,
        } => {
            let uses = match uses {
                HeldThing::WorkingDirectory => "working directory",
                HeldThing::RootDirectory => "root directory",
                HeldThing::Program => "program",
                HeldThing::File => "file",
                HeldThing::MappedFile => "mapped file",
            };
            format!("pid {pid} ({command}): {uses} {}", path.display())
        }
        Holder::InFlight => "a mount or unmount of this node's agent is in flight".into(),
        Holder::StepUnderWay => "a step under way".into(),
        Holder::ProgramRuns { pid, command } => {
            format!("pid {pid} ({command}), of a program that takes the disk set or gives it up")
        }
        Holder::ActiveVolume { volume } => format!("the volume {volume} is active"),
        Holder::Registered { device } => {
            format!("registered for writing at {}", device.display())
        }
        Holder::Primary { resource } => format!("the DRBD resource {resource} is primary"),
        Holder::StatusProgram => "the site's status program says that it is held here".into(),
        Holder::Invisible => {
            "the kernel, through no mount or process that can be seen: a mount namespace without \
                              processes, another device on top of it, or a mount that has not ended"
                .into()
        }
        Holder::Told(told) => quoted(told),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn why(reason: &W) -> String {
    let inner = |w: &W| said(English, w);
    match reason {
        W::Named { name, why } => format!("{name}: {}", inner(why)),
        W::Several { each } => each.iter().map(inner).collect::<Vec<_>>().join("; "),
        // --- mounts and the disk set
        W::MountPointMissing { mount_point } => format!("the mount point {} does not exist", mount_point.display()),
        W::MountInTheWay { mount_point, file_system, device } => {
            format!("another file system is mounted at {}: {file_system} on device {device}", mount_point.display())
        }
        W::MountInKernel { mount_point } => format!("the mount of {} is still in the kernel", mount_point.display()),
        W::UnmountInKernel { mount_point } => format!("the unmount of {} is still in the kernel", mount_point.display()),
        W::MountVanished { mount_point } => format!("nothing is mounted at {} after the mount", mount_point.display()),
        W::MountTable { said } => format!("the mount table can't be read: {}", quoted(said)),
        W::NotMounted { mount_point } => format!("the disk set is not mounted at {}", mount_point.display()),
        W::NotABlockDevice { device } => format!("{} is not a block device", device.display()),
        W::StorageCut { device, bytes } => format!("{} shows {bytes} bytes: its way to the storage is cut", device.display()),
        W::CutOffBy { device } => format!("{device} keeps it from the storage"),
        W::FlushFailed { said } => format!("the kernel's memory of the disk set could not be flushed: {}", quoted(said)),
        W::HeldBy { by } => paths(by, holder),
        W::HolderScanSlow { ms } => format!("looking for holders did not end within {ms} ms"),
        W::HolderScanHidden { processes, said } => format!("{processes} processes can't be looked into: {}", quoted(said)),
        W::NotTakenInThisBoot => "the disk set was not taken in this boot".into(),
        W::ProofsTooOld => "the proofs were verified too long ago: the disk set must be taken again".into(),
        W::DataDirElsewhere { mount_point } => format!("the data directory is not below {}", mount_point.display()),
        W::NoFileSystem => "the service has no file system".into(),
        W::ClearMmpFailed { why } => format!("multiple-mount protection could not be cleared: {}", inner(why)),
        W::ReadingDiskSet { said } => format!("reading the disk set: {}", quoted(said)),
        W::ThisNodeHolds => "this node holds the disk set itself".into(),
        W::ThisNodeHoldsOrUnknown => "this node holds it, or can't tell".into(),
        // --- what makes the disk set exclusive
        W::DiskSetProgram { call, why } => {
            let program = match call {
                DiskSetCall::Take => "the take program",
                DiskSetCall::TakeForced => "the program for a forced take",
                DiskSetCall::Release => "the release program",
                DiskSetCall::Status => "the status program",
            };
            format!("{program}: {}", inner(why))
        }
        W::NotHeldAfterTake => "the site's status program says that it is not held here, after the take".into(),
        W::HeldAfterRelease => "the site's status program says that it is still held here, after the release".into(),
        W::DeviceMissing { device } => format!("the block device {} did not appear after the take", device.display()),
        W::NoLvmSystemId => "LVM has no system ID on this server: set global/system_id_source in lvm.conf".into(),
        W::VolumeGroupOf { name, owner } => format!("the volume group {name} belongs to {}", quoted(owner)),
        W::VolumeGroupOfNobody { name } => {
            format!("the volume group {name} has no system ID: any server may activate it until Siaga took it once")
        }
        W::VolumeGroupElsewhere { name, disks } => format!("the volume group {name} lies on {}, which nothing keeps from the other server: while the service runs, take that disk out of the group (pvmove, vgreduce); where it is the disk that DRBD copies, keep LVM from it (global_filter in lvm.conf)", disks.join(", ")),
        W::VolumeGroupPartial { name } => format!("the volume group {name} lacks some of its disks"),
        W::VolumeGroupActivatesItself { name } => {
            format!("the volume group {name} is activated at boot: on the server that holds it, vgchange --setautoactivation n {name}")
        }
        W::VolumeGroupActivationUntold { name } => {
            format!("it can't be told whether the volume group {name} is activated at boot: LVM here is older than 2.03.12; keep it out by auto_activation_volume_list in lvm.conf")
        }
        W::HeldUnreserved => "the disk set is in use here and held without its reservation (or volume group, or program), because it was taken before that was set up: nothing but the fence keeps the other server away; move the service once, or stop and start it".into(),
        W::ReservationCall { device, said } => format!("persistent reservations on {}: {}", device.display(), quoted(said)),
        W::ReservationStranger { device, key } => {
            format!("{} has a registration that is of neither server: {key}. Find whose it is", device.display())
        }
        W::ReservationPaths { device, registered, paths } => {
            format!("{registered} of {paths} paths of {} are registered", device.display())
        }
        W::ReservationNotOurs { device } => format!("{} is not reserved for this server alone", device.display()),
        W::ReservationLeft { device } => format!("this server is still registered at {}", device.display()),
        W::ReservationUnsupported { device } => format!("{} does not support reservations for registrants (write exclusive)", device.display()),
        W::ReservationForgotten { device } => {
            format!("{} says that it forgets reservations when it loses its power", device.display())
        }
        W::ReservationPartition { device } => format!("{} is a partition, and reservations are for whole disks", device.display()),
        W::MultipathAllDead { device } => format!("no path of {} works", device.display()),
        W::MultipathDeadPaths { device, paths } => {
            format!("of {}, these paths do not work: {}. A takeover goes by the others; mend them", device.display(), paths.join(", "))
        }
        W::MultipathOnePath { device } => format!("{} has one path only", device.display()),
        W::MultipathForgets { device } => format!(
            "multipathd keeps no reservation key for {}: by a path that comes back nothing could be written. Set reservation_key file in multipath.conf, and run multipathd reconfigure",
            device.display()
        ),
        W::MultipathQueues { device } => format!(
            "without any path, {} waits for ever and gives no error. Set no_path_retry to a number in multipath.conf",
            device.display()
        ),
        W::MultipathUntold { device, why } => {
            format!("the state of the paths of {} is not known: {}", device.display(), inner(why))
        }
        W::DrbdUntold { resource } => format!("DRBD does not tell the state of {resource}"),
        W::DrbdData { resource, state } => format!("the data of the DRBD resource {resource} is not up to date here ({state}): changes would be lost"),
        W::DrbdPeerPrimary { resource } => format!("the DRBD resource {resource} is primary on the other server"),
        W::DrbdPeerSecondary { resource } => format!("the DRBD resource {resource} is connected, and not primary on the other server"),
        W::DrbdOtherUnseen { resource } => format!("the DRBD resource {resource} is not connected, and the other server's copy may be the newer one: mend the pair's cable, and order again; or switch that server off (siaga power off, or pull its power cords), and order siaga takeover"),
        W::DrbdBehind { resource } => format!("the DRBD resource {resource} is not connected, so the copy here lacks what the other server writes: mend the pair's cable first; the service goes on where it is"),
        W::DrbdAlone { resource } => format!("the DRBD resource {resource} is not connected: nothing is replicated"),
        W::DrbdUnfenced { resource } => {
            format!("the DRBD resource {resource} has neither fencing nor quorum: with the network cut, old data still passes for up to date")
        }
        W::DrbdOneCopy { resource, state } => {
            format!("the DRBD resource {resource} is in use here, and the data on this server's own disk is not up to date ({state}): only the other server's copy is")
        }
        W::DrbdFreezes { resource } => {
            format!("the DRBD resource {resource} has fencing resource-and-stonith: when the network of the pair is cut, all writing stops and stays stopped, because the handler of Siaga never says of a lost cable that the other server is gone; set fencing resource-only (docs/disk-sets.md)")
        }
        W::DrbdNoHandler { resource } => {
            format!("the DRBD resource {resource} has fencing and no handler fence-peer: it can't be taken while the other server is gone (docs/disk-sets.md)")
        }
        W::OldDataNeedsNameAndReason => "who decides that old data is taken says so under the own name (--as) and with a --reason".into(),
        W::DrbdMarkedOld { resource } => {
            format!("the DRBD resource {resource} is cut off while the other server writes: the copy here is marked as old until they are connected again")
        }
        W::DrbdTwoPrimaries { resource } => format!("the DRBD resource {resource} allows two primaries (allow-two-primaries)"),
        W::DrbdPromotesItself { resource } => format!("the DRBD resource {resource} is promoted by opening it (auto-promote)"),
        W::NoReservation => "the disk set has no persistent reservation".into(),
        W::KeyGone { device } => format!("this server's registration at {} is gone", device.display()),
        // --- what this node does not have
        W::NoSuchServiceHere { service } => format!("there is no service {service} here"),
        W::NoInterface { address, node } => format!("{address} has no interface on {node}"),
        W::NoInterfaceHere => "no interface for it here".into(),
        W::NoSuchFence { node, device } => format!("{node} has no fence device {device}"),
        W::NoSuchNode { node } => format!("{node} is not in the configuration"),
        W::NoSharedNetwork { node } => format!("no address of {node} is on a network of this node"),
        W::FencesItself => "a node does not fence itself".into(),
        W::AskingBroke => "asking broke off without an answer".into(),
        W::ThreadFailed { said } => format!("the agent could not begin it: {}", quoted(said)),
        // --- the database
        W::LeftFromEarlierStart { processes } => format!("processes of an earlier start are left: {}", list(processes)),
        W::PostmasterGone { processes } => format!("its first process is gone and left {}", list(processes)),
        W::KilledAndStillThere { processes } => format!("killed, and still there: {}", list(processes)),
        W::EndedWhileLookedAt => "the server ended while it was looked at".into(),
        W::NotADataDir { path } => format!("{} is not a data directory of PostgreSQL", path.display()),
        W::DataDirOwner { path, owner, user, uid } => {
            format!("{} belongs to user id {owner}, and {user} has {uid} on this node", path.display())
        }
        W::StandbyDataDir { path } => format!("{} is a standby's: it has a standby.signal", path.display()),
        W::DataOlder { found, last } => format!(
            "the data on the disk set is older than what was last seen of this database: checkpoint {} on timeline {}, \
             seen before {} on timeline {}; if that is meant (a backup was restored), say so first: siaga events accept-data",
            found.lsn(), found.timeline, last.lsn(), last.timeline
        ),
        W::DataOther { found, last } => format!(
            "another database is on the disk set: system identifier {}, seen before {}; if that is meant (a backup was restored), say so first: siaga events accept-data",
            found.system_identifier, last.system_identifier
        ),
        // --- rehearsals
        W::ReplicationRefused { node, line, said } => format!(
            "the database on {node} lets nobody copy it ({}): add this line to its pg_hba.conf and reload it: {line}",
            quoted(said)
        ),
        W::BackupFailed { said } => format!("the copy was not made: {}", quoted(said)),
        W::BrokenOffByMove => "a move began, and goes first".into(),
        W::BrokenOff => "it was broken off".into(),
        W::AgentEnded => "the agent ended meanwhile".into(),
        W::TookTooLong { seconds } => format!("it was not done within {seconds} s"),
        W::RoomRanOut { folder } => format!("{} has no more room", folder.display()),
        W::ProductionChanged { what } => format!("not the same before and after: {}", list(what)),
        W::CopyNotRemoved { folder, said } => {
            format!("the copy in {} could not be removed: {}", folder.display(), quoted(said))
        }
        W::ExtensionNotThere { name } => format!("the extension {name} is not installed on this server"),
        W::ExtensionNotMade { name } => format!("the extension {name} is not made in any database"),
        W::WorksInDataDir { process } => format!("{process} works in this data directory"),
        W::SystemdSilent { said } => format!("systemd does not answer through D-Bus: {}", quoted(said)),
        W::SystemdLost => "the connection to systemd ended before it said what came of it".into(),
        W::UnitNotFound { unit } => format!("systemd does not know the unit {unit}"),
        W::UnitMasked { unit } => format!("the unit {unit} is masked (systemctl unmask {unit})"),
        W::UnitJobFailed { unit, result, ended } => format!("systemd on {unit}: {result} ({ended}); its own words: journalctl -u {unit}"),
        W::UnitJobUnended { unit, seconds } => format!("systemd was still at work on {unit} after {seconds} s; its own words: journalctl -u {unit}"),
        W::InUnit { unit, why } => format!("{}; its own words: journalctl -u {unit}", inner(why)),
        W::UnitWithoutServer { unit, data_dir } => format!("{unit} was started, and no PostgreSQL works in {}: that unit is for another data directory, or its server ended at once; its own words: journalctl -u {unit}", data_dir.display()),
        W::ConfigNamesOtherData { file, named, data_dir } => format!("{} says that the data is in {}, and not in {}: the unit would start another database. Bring the configuration over from the other server, or set data_directory there", file.display(), named.display(), data_dir.display()),
        W::UnitRestarts { unit, restart } => format!("{unit} has Restart={restart}: systemd would start the database again by itself"),
        W::UnitStartLimited { unit, seconds } => format!("{unit} has TimeoutStartSec={seconds}: systemd would kill a recovery that takes longer"),
        W::DataLeadsNowhere { link } => format!("{} leads to nothing that is there", link.display()),
        W::DataLeadsOutside { link, to } => format!("{} leads to {}, which is not on the disk set: other data may lie there", link.display(), to.display()),
        W::ServerEnded { log } => format!("the server ended: {}", quoted(log)),
        W::ServerIsStandby => "it comes up as a standby: standby.signal is there".into(),
        W::ServerShutsDown => "it is shutting down".into(),
        W::ReadinessUnchecked { why } => format!("it runs, and its readiness can't be checked: {}", inner(why)),
        W::ServerUnreachable { why } => format!("it runs, and can't be reached to check it: {}", inner(why)),
        W::NoProgress { seconds, stage, log } => {
            format!("no progress for {seconds} s ({}): {}", crate::progress(English, stage), quoted(log))
        }
        W::LogUnreadable { said } => format!("its log can't be read: {}", quoted(said)),
        W::DatabaseNotRunning => "the database does not run".into(),
        W::ReadOnlyStandby => "read-only: a standby".into(),
        W::ReadOnlyRecovery => "read-only: in recovery".into(),
        W::NoAnswerWithin { ms } => format!("no answer within {ms} ms"),
        W::PortTaken { port, by: Some(by) } => format!("another PostgreSQL is at port {port} here: {by}. Its clients would find it at the service's address. Stop it, and keep it from starting: systemctl disable --now postgresql"),
        W::PortTaken { port, by: None } => format!("another program listens at port {port} here, and clients would find it at the service's address. ss -ltnp shows it: stop it, and keep it from starting"),
        W::AnotherListens { pid } => format!("process {pid} listens there, not our server"),
        W::NoSuchUser { user } => format!("there is no user {user} in /etc/passwd"),
        W::ProgramGone { program } => format!("{program} ended at once"),
        // --- programs that Siaga runs
        W::ProgramNotStarted { said } => format!("did not start: {}", quoted(said)),
        W::ProgramTooSlow { said } => with("did not end in time and was killed".into(), said),
        W::ProgramExit { code, said } => with(format!("exit code {code}"), said),
        W::ProgramSignal { signal, said } => with(format!("ended by signal {signal}"), said),
        W::ProgramEnded { said } => with("ended in an unknown way".into(), said),
        W::StartedNotRunning => "started, and does not run".into(),
        W::StoppedStillRuns => "stopped, and still runs".into(),
        W::TestFailed { why } => format!("its test: {}", inner(why)),
        W::NoStatusProgram => "no status program is configured".into(),
        // --- addresses
        W::AddressElsewhere { address, interface } => format!(
            "{address} is on {interface} of this node already: remove it there and from that interface's configuration"
        ),
        W::InterfaceDown { interface } => format!("{interface} is down: switch it on (ip link set dev {interface} up)"),
        W::NoCarrier { interface } => format!("{interface} has no carrier: check its cable and the switch port"),
        W::NoSuchInterface { interface, there } => format!("there is no interface {interface} here; there are {}", list(there)),
        W::NotEthernet { interface } => format!("{interface} is not an Ethernet interface"),
        W::ListingInterfaces { said } => format!("the interfaces can't be listed: {}", quoted(said)),
        W::AddressUntellable { address, why } => {
            format!("whether another machine has {address} can't be told: {}", inner(why))
        }
        W::AddressAnswered { address, hardware, interface } => {
            format!("another machine answers at {address}: hardware address {hardware} on {interface}")
        }
        W::AddressDuplicate { address, interface } => {
            format!("the kernel reports {address} as a duplicate on {interface}")
        }
        W::AddressGoneAgain { address, interface } => {
            format!("{address} was added to {interface} and is gone again: something removes it")
        }
        W::AddressStillThere { address, interface } => {
            format!("{address} is still on {interface}: remove it there and from that interface's configuration")
        }
        W::AddressNotHere { address, interface } => format!("{address} is not on {interface}"),
        W::AddressTakesOthers { address, prefix, interface, others } => format!(
            "{address}/{prefix} on {interface} was configured by hand, and removing it would take {} along: take it out \
             of the interface's configuration (a service's address is a /32)",
            list(others)
        ),
        W::Ipv6Off { interface, why } => {
            format!("{}; IPv6 is off on {interface}: sysctl net.ipv6.conf.{interface}.disable_ipv6=0", inner(why))
        }
        W::ListingAddresses { why } => format!("listing the addresses: {}", inner(why)),
        W::AddingAddress { address, interface, why } => format!("adding {address} to {interface}: {}", inner(why)),
        W::RemovingAddress { why } => format!("removing the address: {}", inner(why)),
        W::AnnouncingAddress { interface, said } => {
            format!("the address can't be announced on {interface}: {}", quoted(said))
        }
        W::KernelSilent => "the kernel did not answer".into(),
        W::NetlinkClosed => "the kernel closed the connection".into(),
        // --- fences
        W::FenceSaid { device, call, why } => {
            let call = match call {
                FenceCall::Off => "off",
                FenceCall::On => "on",
                FenceCall::Status => "status",
            };
            format!("{device} {call}: {}", inner(why))
        }
        W::FenceOffUnsaid => "it ended with the exit code for off and without the word OFF, so it may as well have broken off".into(),
        W::FenceUnconfirmed { why } => format!("the device does not confirm it: {}", inner(why)),
        W::FenceStillOn => "the device says that it is still on".into(),
        W::FenceStillOff => "the device says that it is still off".into(),
        W::FenceBelied { node } => format!("it said that {node} was off while {node} answered: it belongs to another machine"),
        W::FenceOption { option } => format!("the option {option} can't be given to a fence agent"),
        W::FenceOptionReserved { option } => {
            format!("the option {option} is not for the configuration: Siaga says what is to be done")
        }
        W::SecretFile { path, said } => format!("secret file {}: {}", path.display(), quoted(said)),
        W::SecretNotAFile { path } => format!("secret file {} is not a file", path.display()),
        W::SecretReadable { path } => {
            let path = path.display();
            format!("secret file {path} can be read by others: chown root {path}, chmod 600 {path}")
        }
        W::SecretNotOneLine { path } => format!("secret file {} must hold one line with the secret", path.display()),
        W::FailedInThisRun => "it failed in this run".into(),
        W::NotAsked => "not asked".into(),
        // --- mandates, proofs, orders
        W::OlderStepUnderWay => "a step of an older mandate is still under way on this node".into(),
        W::EnlistWithoutPlan => "an order to agree on a plan came without its plan".into(),
        W::NobodyAttested => "nobody attested this".into(),
        W::NotItsMandate { coordinator, issuer } => {
            format!("{coordinator} did not issue the mandate of this order, {issuer} did")
        }
        W::TestsFailed { tests } => list(tests),
        W::NewerMandate { offered, in_force } => {
            format!("a newer mandate is in force: {in_force}, offered {offered}")
        }
        W::MandatesVoid { epoch, other } => format!("two mandates with equal counters are void: {epoch} and {other}"),
        W::NotHeldHere => "what makes the disk set exclusive says that this server does not hold it".into(),
        W::MandatesBefore => "there were mandates of this service already, or this node may have forgotten one".into(),
        W::JournalLost => "this node lost its journal and has not seen the other node's".into(),
        W::LogUnwritten { said } => format!("the log could not be written: {}", quoted(said)),
        W::ProofFails { node, why } => format!("the release proof about {node} does not hold: {}", inner(why)),
        W::MandateNeverAdmitted => "this mandate was never admitted here".into(),
        W::NoProofUnderMandate => "there is none under this mandate".into(),
        W::ProofUsedAlready => "it was used already".into(),
        W::FenceSaysOpen { device } => format!("{device} says: not fenced"),
        W::SignOfLife => "a sign of life".into(),
        W::PromiseBroken => "its promise does not stand".into(),
        W::PromiseUnconfirmed => "its promise can't be confirmed".into(),
        W::BudgetSpent => "the drill's budget is spent".into(),
        W::AbortAsked => "a person asked to abort".into(),
        W::AgentStopping => "the agent is stopping".into(),
        W::StepCutOff => "the step was cut off on this node".into(),
        W::NoWayToNode { node } => format!("no way to {node} is configured"),
        W::NodeSilent { node, said } => with(format!("{node} does not answer"), said),
        W::AnswerLost => "the answer was lost".into(),
        W::AgentSilent => "its agent does not answer".into(),
        W::AgentLate => "its agent lives, and did not say in time what the server holds".into(),
        W::PlanUnheard => "its plan has not been heard of".into(),
        W::RunActsOn { run, node } => format!("the run {run} acts on {node}, which would be fenced"),
        W::JournalUnconfirmed => "the journal could not be confirmed".into(),
        W::CoordinatorSilent { still_here: true } => {
            "the leading node fell silent; the service still runs here".into()
        }
        W::CoordinatorSilent { still_here: false } => "the leading node fell silent".into(),
        W::CoverBegins => "the leading node fell silent; this node covers for it".into(),
        W::AnotherRunGoesOn => "another run is in progress".into(),
        W::Refused { sentence } => quoted(&crate::sentence(English, sentence)),
        // --- requests
        W::NameTheService => "there are several services: say --service NAME".into(),
        W::AttestationNeedsName => "an attestation needs a name from the list of people ([[person]] in siaga.toml): root says --as NAME, any other account has to be the login of one of them".into(),
        W::PeerNamedNobody => "it did not say who asks".into(),
        W::ProbesGiveNoOrders => "a client probe gives no orders and sends none on".into(),
        W::OnlyAgentsSendOn => "only another node's agent sends an order on".into(),
        W::SentOnOnce => "an order is sent on once, for a person".into(),
        W::NotOnThisServersList => "this name is not on this server's list of people".into(),
        W::NodesDisagree => {
            "the two nodes do not agree on where the order belongs: look at the status, and give it again".into()
        }
        W::PersonNeeded => "this needs a name from the list of people: say --as NAME".into(),
        W::Replaced { node } => format!("another machine has the name {node} now"),
        W::ReplacesItself { node } => format!("{node} does not replace itself: ask the agent of the node that stays"),
        W::SwitchesItselfOff { node } => format!("{node} does not switch itself off: ask another node's agent"),
        W::NoCertificate => "a certificate is needed".into(),
        W::CommunicatorsOnlyWrite => "the role communicator writes notices, and does not touch servers".into(),
        W::ViewersOnlyLook => "the role viewer may look, and not act".into(),
        W::OnlyRootMayState => "only root may say --as: your account names you already".into(),
        W::NotOnThePeopleList => "this name is not on the list of people".into(),
        W::PreviewNotAsked => "a preview was not asked for".into(),
        W::Newer(newer) => quoted(&newer.say),
        W::System(text) => quoted(text),
    }
}

/// What Siaga says, and what the program said.
pub(crate) fn with(words: String, said: &str) -> String {
    match said.trim() {
        "" => words,
        said => format!("{words}: {}", quoted(said)),
    }
}
