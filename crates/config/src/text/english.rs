//! The causes in English.

use super::paths;
use crate::cause::{Cause, ContactKind, Owner, Thing, ValueKind};

fn kind(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "a text in quotes",
        ValueKind::Number => "a whole number",
        ValueKind::Fraction => "a number with a fraction",
        ValueKind::YesNo => "true or false",
        ValueKind::Date => "a date or time",
        ValueKind::List => "a list",
        ValueKind::Table => "a table",
    }
}

fn thing(thing: Thing) -> &'static str {
    match thing {
        Thing::Node => "node",
        Thing::Service => "service",
        Thing::Person => "person",
        Thing::Login => "login",
        Thing::Fence => "fence",
        Thing::Application => "application",
        Thing::ClientTest => "client test",
        Thing::AfterMove => "program after a move",
        Thing::HardwareAddress => "hardware address",
        Thing::Device => "device",
        Thing::SystemdUnit => "systemd unit",
        Thing::Port => "database port",
        Thing::Unit => "unit",
        Thing::Contact => "contact",
        Thing::Channel => "channel",
        Thing::OnCall => "place on the on-call list",
    }
}

fn owner(owner: &Owner) -> String {
    match owner {
        Owner::Node(name) => format!("the node {name}"),
        Owner::VirtualIp(service) => format!("a virtual IP of the service {service}"),
        Owner::Fence(node) => format!("the fence device of {node}"),
    }
}

fn meant(suggestion: Option<&String>, words: &[String]) -> String {
    match suggestion {
        Some(word) => format!("Did you mean \"{word}\"?"),
        None => format!("Use one of: {}.", words.join(", ")),
    }
}

pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Unreadable { why } => format!("The file cannot be read: {why}."),
        Cause::TooLarge { limit } => format!("The file is larger than {limit} bytes."),
        Cause::NotText => "The file is not UTF-8 text.".into(),
        Cause::Syntax { message } => format!("This is not valid TOML: {message}."),
        Cause::UnknownKey { name, .. } => format!("The key \"{name}\" is not known here."),
        Cause::MissingKey { name } => format!("The key \"{name}\" is missing."),
        Cause::NotWith { name, other } => {
            format!("\"{name}\" does not go together with \"{other}\".")
        }
        Cause::WrongType { expected, found } => format!(
            "This must be {}, and it is {}.",
            kind(*expected),
            kind(*found)
        ),
        Cause::BadChoice { found, .. } => format!("\"{found}\" is not one of the allowed words."),
        Cause::EmptyText => {
            "The text is empty, or it has a line break or a control character in it.".into()
        }
        Cause::EmptyList => "The list is empty.".into(),
        Cause::OutletLikeAnother => "This outlet differs in nothing from another one.".into(),
        Cause::BadName { found } => format!("\"{found}\" is not a valid name."),
        Cause::BadDuration { found } => format!("\"{found}\" is not a length of time."),
        Cause::ZeroDuration => "The length of time is zero.".into(),
        Cause::LongDuration { found, most_h } => {
            format!("\"{found}\" is longer than {most_h} hours.")
        }
        Cause::BadPercent { found } => format!("{found} is not a percentage."),
        Cause::BadCount { found } => format!("{found} is not a whole number above zero."),
        Cause::BadDay { found } => format!("\"{found}\" is not a day of the calendar."),
        Cause::BadAddress { found } => format!("\"{found}\" is not an IP address."),
        Cause::BadEndpoint { found } => format!("\"{found}\" is not an IP address with a port."),
        Cause::BadPort { found } => format!("{found} is not a port."),
        Cause::BadNetwork { found } => format!("\"{found}\" is not a network."),
        Cause::UnusableAddress { address } => {
            format!("No machine can have the address {address} here.")
        }
        Cause::NotAbsolute { found } => format!("\"{found}\" is not an absolute path."),
        Cause::BadHardwareAddress { found } => {
            format!("\"{found}\" is not the hardware address of a network card.")
        }
        Cause::BadInterface { found } => {
            format!("\"{found}\" is not the name of a network interface.")
        }
        Cause::BadTimeZone { found, .. } => format!("The time zone \"{found}\" does not exist."),
        Cause::BadUrl { found } => format!("\"{found}\" is not a web address."),
        Cause::BadUnit { found } => format!("\"{found}\" is not the name of a systemd unit."),
        Cause::BadMountOption { found } => format!("The mount option \"{found}\" is not allowed."),
        Cause::BadResource { found } => {
            format!("\"{found}\" cannot be the name of one DRBD resource.")
        }
        Cause::BadVolumeGroup { found } => {
            format!("\"{found}\" cannot be the name of a volume group.")
        }
        Cause::EqualReservationMarks => {
            "The two nodes have names that look the same in reservation keys.".into()
        }
        Cause::BadPlaceholder { found } => {
            format!("The argument \"{found}\" has braces and is no placeholder.")
        }
        Cause::BadMountPoint { path } => format!(
            "A mount at {} would hide a part of the system.",
            path.display()
        ),
        Cause::BadOption { found } => {
            format!("\"{found}\" cannot be an option of the fence agent.")
        }
        Cause::NodeCount { found } => format!("There are {found} nodes."),
        Cause::NoService => "There is no service.".into(),
        Cause::Duplicate {
            thing: t,
            name,
            line,
        } => format!("The {} {name} is already on line {line}.", thing(*t)),
        Cause::NoSuchNode { name, .. } => format!("There is no node named {name}."),
        Cause::MissingForNode { node } => format!("The value for the node {node} is missing."),
        Cause::EqualAddresses {
            address,
            other,
            line,
        } => {
            format!(
                "{} already has the address {address} (line {line}).",
                capital(&owner(other))
            )
        }
        Cause::VirtualIpReachesNode {
            address,
            node,
            line,
        } => format!(
            "{address} is a virtual IP and also an address of the node {node} (line {line}). A virtual IP moves: \
             the wrong server would answer."
        ),
        Cause::OutsideNetwork { address, network } => {
            format!("{address} is not in the network {network}.")
        }
        Cause::NoFileSystem => "The service has no file system.".into(),
        Cause::FirstFileSystemDevice => {
            "The first file system is always on disk_set.device; it has no device of its own.".into()
        }
        Cause::FileSystemDevice => {
            "This file system is not the first of its service, and it is not said on which device it is.".into()
        }
        Cause::FileSystemElsewhere { .. } => {
            "This device is no volume of the disk set: nothing keeps the other node from writing to it.".into()
        }
        Cause::FileSystemNotReserved => {
            "The reservation is on the first disk alone: the other node could go on writing to this one.".into()
        }
        Cause::OverlappingMounts { path, other, line } => {
            format!(
                "{} overlaps the mount point {} on line {line}.",
                path.display(),
                other.display()
            )
        }
        Cause::FolderNotApart { path, other } => format!(
            "{} and {} lie in each other: the copy would be hidden by a mount, with patients' data in it.",
            path.display(),
            other.display()
        ),
        Cause::DataDirOutside { path, mounts } => format!(
            "The data directory {} is not on the disk set: the service mounts {}.",
            path.display(),
            paths(mounts)
        ),
        Cause::FenceWithoutCredentials { fence } => {
            format!("The fence {fence} has no credentials.")
        }
        Cause::InlineSecret { name } => {
            format!("The secret \"{name}\" stands in this file, where many can read it.")
        }
        Cause::ApplicationRun { name } => {
            format!("Nothing says how the application {name} is started and stopped.")
        }
        Cause::PolicyOrder {
            silence_ms,
            timeout_ms,
        } => format!(
            "coordinator_silence ({silence_ms} ms) is not longer than peer_timeout ({timeout_ms} ms): a slow answer \
             would count as a dead coordinator."
        ),
        Cause::NoSuchChannel { name, .. } => format!("There is no channel named {name}."),
        Cause::NoSuchPerson { name, .. } => {
            format!("{name} is not on the list of people.")
        }
        Cause::BadContact { found, kind } => match kind {
            ContactKind::Mail => format!("\"{found}\" is not a mail address."),
            ContactKind::Chat => format!("\"{found}\" is not a chat's number."),
        },
        Cause::NoWayToTell { name } => format!("Nothing says how to tell {name} anything."),
        Cause::ListensOpenly { address } => {
            format!(
                "{address} can be reached from other machines, and this page is served without TLS."
            )
        }
        Cause::AlertByHand { channel } => format!(
            "The channel {channel} waits for a person to send the text, so an alert through it wakes nobody."
        ),
        Cause::PasswordInClear { server } => {
            format!(
                "The password would go to {server} in the clear, for everybody on the way to read."
            )
        }
        Cause::UrlInClear { found } => {
            format!("\"{found}\" is on another machine, and has no TLS.")
        }
        Cause::TemplateDir { path, why } => {
            format!("The directory {} cannot be read: {why}.", path.display())
        }
        Cause::NoSuchUser { user } => format!("This host has no user {user}."),
        Cause::SecretMissing { path } => format!(
            "The secret file {} does not exist, or is not a file.",
            path.display()
        ),
        Cause::SecretReadable { path, mode, owner } => format!(
            "Others than root can read the secret file {} (mode {mode:04o}, owner uid {owner}).",
            path.display()
        ),
        Cause::NoSuchInterface { name, .. } => {
            format!("This host has no network interface {name}.")
        }
        Cause::OutsideInterface {
            address,
            interface,
            networks,
        } => {
            format!(
                "{address} is not in a network of the interface {interface}: {}.",
                networks.join(", ")
            )
        }
    }
}

pub(super) fn remedy(cause: &Cause) -> String {
    match cause {
        Cause::Unreadable { .. } => "Check the path and who may read the file.".into(),
        Cause::TooLarge { .. } => "Check that this is the right file.".into(),
        Cause::NotText => "Save the file as UTF-8.".into(),
        Cause::Syntax { .. } => "Correct this place. Then all other errors can be shown.".into(),
        Cause::UnknownKey { suggestion, known, .. } => meant(suggestion.as_ref(), known),
        Cause::MissingKey { name } => format!("Add {name} = ... here."),
        Cause::NotWith { name, .. } => format!("Remove \"{name}\", or what it does not go together with."),
        Cause::WrongType { expected, .. } => format!("Write {}.", kind(*expected)),
        Cause::BadChoice { suggestion, choices, .. } => meant(suggestion.as_ref(), choices),
        Cause::EmptyText => "Write a text on one line, or remove the key if it may be left out.".into(),
        Cause::EmptyList => "Add at least one value.".into(),
        Cause::OutletLikeAnother => {
            "Write what differs for each outlet: outlets = [{ plug = \"3\" }, { plug = \"7\" }]. The server still has power where only one of them is off.".into()
        }
        Cause::BadName { .. } => "Use a to z, 0 to 9 and -, at most 32 characters, beginning with a letter or digit.".into(),
        Cause::BadDuration { .. } => "Write it as \"500ms\", \"30s\", \"5m\" or \"1h\".".into(),
        Cause::ZeroDuration => "Write a time above zero, or remove the key to get the default.".into(),
        Cause::LongDuration { most_h, .. } => format!("Write a shorter time, at most \"{most_h}h\"."),
        Cause::BadPercent { .. } => "Write a number from 0 to 100 with at most three decimals, such as 99.5.".into(),
        Cause::BadCount { .. } => "Write a number from 1 to 36500.".into(),
        Cause::BadDay { .. } => "Write it as \"2026-12-01\".".into(),
        Cause::BadAddress { .. } => "Write it as \"192.0.2.50\" or \"2001:db8::50\".".into(),
        Cause::BadEndpoint { .. } => "Write it as \"192.0.2.50:5432\" or \"[2001:db8::50]:5432\".".into(),
        Cause::BadPort { .. } => "Use a number from 1 to 65535.".into(),
        Cause::BadNetwork { .. } => "Write it as \"192.0.2.0/24\" or \"2001:db8::/64\".".into(),
        Cause::UnusableAddress { .. } => "Use the address of one machine, not a network's own, broadcast or loopback one.".into(),
        Cause::NotAbsolute { .. } => "Write the whole path from /, without \"..\".".into(),
        Cause::BadHardwareAddress { .. } => "Write it as \"02:00:5e:00:53:11\". `ip link` shows it on the node.".into(),
        Cause::BadInterface { .. } => "Write the name that `ip link` shows, such as \"eno1\".".into(),
        Cause::BadTimeZone { suggestion, .. } => match suggestion {
            Some(zone) => format!("Did you mean \"{zone}\"?"),
            None => "Use \"Asia/Jakarta\" (WIB), \"Asia/Makassar\" (WITA), \"Asia/Jayapura\" (WIT) or another IANA zone.".into(),
        },
        Cause::BadUrl { .. } => "Write it as \"http://192.0.2.50/page\".".into(),
        Cause::BadUnit { .. } => "Write the whole name, such as \"tomcat10.service\".".into(),
        Cause::BadMountOption { .. } => "Remove it. Write each option by itself: [\"noatime\", \"nodiratime\"].".into(),
        Cause::BadResource { .. } => "Use the name that `drbdadm sh-resources` shows: letters, digits and _ . -.".into(),
        Cause::BadVolumeGroup { .. } => "Use the name that `vgs` shows: letters, digits and + _ . -.".into(),
        Cause::EqualReservationMarks => "Give one of the nodes another name.".into(),
        Cause::BadPlaceholder { .. } => "Write {service}, {node} or {device} as an argument of its own, or leave the braces out.".into(),
        Cause::BadMountPoint { .. } => "Choose a directory of its own, such as /srv/simrs.".into(),
        Cause::BadOption { .. } => "Remove it: Siaga itself tells the agent what to do. Names use letters, digits, _ and -.".into(),
        Cause::NodeCount { .. } => "Describe exactly two, each with [[node]].".into(),
        Cause::NoService => "Add [[service]].".into(),
        Cause::Duplicate { thing: t, .. } => format!("Give every {} its own.", thing(*t)),
        Cause::NoSuchNode { nodes, .. } => format!("Use one of: {}.", nodes.join(", ")),
        Cause::MissingForNode { node } => format!("Add {node} = \"...\" here, or write one value for both nodes."),
        Cause::EqualAddresses { .. } => "Give each its own address.".into(),
        Cause::VirtualIpReachesNode { .. } => "Give the node an address of its own that never moves.".into(),
        Cause::OutsideNetwork { .. } => "Correct the address, or the network.".into(),
        Cause::NoFileSystem => "Describe it in [[service.file_system]].".into(),
        Cause::FirstFileSystemDevice => "Take this line out; put the file system with the data directory first.".into(),
        Cause::FileSystemDevice => "Add device = \"/dev/...\": another volume of the same disk set.".into(),
        Cause::FileSystemElsewhere { expected } => format!("Name a device that begins with {expected}."),
        Cause::FileSystemNotReserved => {
            "Put both file systems into one volume group on the reserved disk: driver = \"lvm\", on = { driver = \"scsi\", ... }.".into()
        }
        Cause::OverlappingMounts { .. } => "Use directories that do not lie in each other.".into(),
        Cause::FolderNotApart { .. } => "Use a folder on the server's own disk, outside of every mount point: /var/lib/siaga/rehearsal.".into(),
        Cause::DataDirOutside { .. } => "Correct data_dir or mount_point, so that the database moves with the disk set.".into(),
        Cause::FenceWithoutCredentials { .. } => {
            "Add secret_files = { password = \"/etc/siaga/....secret\" }. If the device needs none, write credentials = \"none\".".into()
        }
        Cause::InlineSecret { name } => {
            format!("Put it into a file that only root may read, name that file in secret_files under \"{name}\" (for a fence), and change the secret.")
        }
        Cause::ApplicationRun { .. } => "Add unit = \"....service\", or both start = [...] and stop = [...].".into(),
        Cause::PolicyOrder { .. } => "Make coordinator_silence several times as long as peer_timeout.".into(),
        Cause::NoSuchChannel { channels, .. } if channels.is_empty() => "Describe it with [[channel]].".into(),
        Cause::NoSuchChannel { channels, .. } => format!("Use one of: {}; or describe it with [[channel]].", channels.join(", ")),
        Cause::NoSuchPerson { people, .. } if people.is_empty() => "Describe the person with [[person]].".into(),
        Cause::NoSuchPerson { people, .. } => format!("Use one of: {}; or describe the person with [[person]].", people.join(", ")),
        Cause::BadContact { kind, .. } => match kind {
            ContactKind::Mail => "Write one address, such as \"igd@rs.example\".".into(),
            ContactKind::Chat => "Write the number as text, such as \"-1001234567890\", or a public channel's \"@name\".".into(),
        },
        Cause::NoWayToTell { .. } => {
            "Give the person a [[person.contact]] with a channel, or a place in [[on_call]].".into()
        }
        Cause::ListensOpenly { .. } => {
            "Listen on 127.0.0.1 or ::1, and let a reverse proxy with the hospital's certificate serve ack_url.".into()
        }
        Cause::AlertByHand { .. } => "Use a channel that sends by itself: mail, telegram, webhook or program.".into(),
        Cause::PasswordInClear { .. } => "Write tls = \"starttls\" or \"tls\", or remove user and password_file.".into(),
        Cause::UrlInClear { .. } => "Begin it with https://. Only an address of this machine (127.0.0.1, ::1, localhost) may do without.".into(),
        Cause::TemplateDir { .. } => "Create it on this node, or remove template_dir to use the texts that come with the program.".into(),
        Cause::NoSuchUser { .. } => "Install PostgreSQL here, or correct os_user.".into(),
        Cause::SecretMissing { path } => format!("Create {} on this node with mode 0600.", path.display()),
        Cause::SecretReadable { path, .. } => {
            let path = path.display();
            format!("Type: chown root:root {path} && chmod 600 {path}. Then change the secret, for others could read it.")
        }
        Cause::NoSuchInterface { have, .. } => format!("Use one of: {}.", have.join(", ")),
        Cause::OutsideInterface { .. } => "Correct the address, or the interface.".into(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}
