//! `siaga.toml` as it is written. The comments here become the descriptions in the JSON Schema for editors.

use crate::amounts::{Bypass, Count, Day, LongSpan, Percent};
use crate::choices::{
    BelowWord, ChannelWord, CredentialsWord, DriverWord, FenceWord, FileSystemWord, LanguageWord,
    MailTlsWord, PerNode, ReleaseWord, RoleWord, TestWord,
};
use crate::network::Net;
use crate::read::{Entries, List, Many, Opt, Req, table};
use crate::scalars::{
    AbsolutePath, Account, AgentAddress, Endpoint, HardwareAddress, Interface, Ip, Name, Port,
    Span, Text, TimeZone, Url,
};

table! {
    /// The configuration of a site that runs Siaga.
    pub struct File {
        site: Req<Site>,
        /// The header box of the written procedure.
        document: Opt<Document>,
        /// The people whose names may stand in the log.
        person: Many<Person>,
        /// The two servers.
        node: Many<Node>,
        /// What moves as one.
        service: Many<Service>,
        policy: Opt<Policy>,
        /// The parts of the hospital that are told of a downtime.
        unit: Many<Unit>,
        /// The ways to tell them.
        channel: Many<Channel>,
        /// Who is alerted, in the order in which an alert that nobody acknowledges goes on.
        on_call: Many<OnCall>,
        /// The rules for incidents and notices.
        downtime: Opt<Downtime>,
    }
}

table! {
    /// The site.
    pub struct Site {
        /// The hospital's name.
        name: Req<Text>,
        /// The language of what people read. Default: en.
        language: Opt<LanguageWord>,
        /// The zone of the times that people read.
        time_zone: Req<TimeZone>,
    }
}

table! {
    /// The header box of the site's written procedure, as it is printed.
    pub struct Document {
        title: Opt<Text>,
        number: Opt<Text>,
        revision: Opt<Text>,
        /// 2025-08-01
        issued_on: Opt<Text>,
        approved_by: Opt<Text>,
        policy: Many<Text>,
        related_units: Many<Text>,
    }
}

table! {
    /// A person whose name may stand in the log.
    pub struct Person {
        name: Req<Account>,
        /// operator: may run every command. decider: decides on a takeover, asks for a failback. approver: approves
        /// planned work. communicator: writes and sends notices, and may not touch servers. viewer: may look.
        role: Req<RoleWord>,
        /// The person's account on the nodes.
        login: Opt<Account>,
        /// Where the person is told what is no alert: reminders, and the proof of the log. Who is on call need not be
        /// named here again.
        contact: Many<PersonContact>,
    }
}

table! {
    /// Where a person is told.
    pub struct PersonContact {
        /// A channel's name. Not one of the kind by-hand.
        channel: Req<Name>,
        address: Opt<Text>,
    }
}

table! {
    /// A server that can carry the service.
    pub struct Node {
        name: Req<Name>,
        /// The node's own addresses, one per network path, in the order they are tried. Never a virtual IP.
        addresses: Req<List<AgentAddress>>,
        /// The hardware addresses of its network cards: an answer counts as this node only from one of these.
        hardware_addresses: Req<List<HardwareAddress>>,
        /// Where this node's agent serves /metrics (for Prometheus) and /health, without TLS: names and numbers, never
        /// data of the service.
        metrics: Opt<Endpoint>,
        /// Ways to make sure that the silent node can't touch the disk set, in the order they are tried.
        fence: Many<Fence>,
    }
}

table! {
    /// A fence device for its node.
    pub struct Fence {
        name: Req<Name>,
        /// power: switches the node off. fabric: cuts its way to the storage.
        kind: Req<FenceWord>,
        /// The program of the fence-agents family.
        agent: Req<AbsolutePath>,
        /// What the program reads on its standard input, without anything secret.
        options: Opt<Entries<Text>>,
        /// Options whose value stands in a file of its own that only root may read.
        secret_files: Opt<Entries<AbsolutePath>>,
        /// For a server with more than one power supply: one table for each outlet, with what differs from `options`. It is
        /// off only where every one of them is off.
        outlets: Opt<List<Entries<Text>>>,
        /// "none", where the device really asks for no credentials.
        credentials: Opt<CredentialsWord>,
        /// Default: 60s.
        timeout: Opt<Span>,
    }
}

table! {
    /// What moves as one: disk set, file system, virtual IPs, database, applications, client tests.
    pub struct Service {
        name: Req<Name>,
        /// The node where the service is at home.
        preferred_node: Req<Name>,
        disk_set: Req<DiskSet>,
        file_system: Many<FileSystem>,
        virtual_ip: Many<VirtualIp>,
        database: Req<Database>,
        /// Applications that move with the service, in the order in which they are started.
        application: Many<Application>,
        /// Tests as a client sees the service.
        client_test: Many<ClientTest>,
        /// Programs run after a move. Their failure is reported and undoes nothing.
        after_move: Many<AfterMove>,
        /// How siaga check learns how old the newest backup is.
        backup: Opt<Backup>,
        /// How the service is rehearsed on the standby.
        rehearsal: Opt<Rehearsal>,
    }
}

table! {
    /// How `siaga rehearse` tries the service on the standby.
    pub struct Rehearsal {
        /// The database role that may copy the database (REPLICATION). Default: check_user.
        user: Opt<Text>,
        /// A file with the password of that role.
        password_file: Opt<AbsolutePath>,
        /// The most that the copy takes, MiB per second. Default: 32; at most 1024.
        max_rate: Opt<Count>,
        /// The folder on the standby's own disk where the copy lies for the time being. Default: rehearsal in the
        /// agent's state directory.
        folder: Opt<AbsolutePath>,
        /// How long the whole rehearsal may take. Default: 4h.
        within: Opt<Span>,
        /// How long indexes are looked at. Default: 60s.
        amcheck: Opt<Span>,
    }
}

table! {
    /// Shared storage that one node at a time may hold.
    pub struct DiskSet {
        /// block: a plain shared block device. command: programs of the site. lvm: a volume group with a system ID.
        /// scsi: persistent reservations. drbd: a replicated device. Default: block.
        driver: Opt<DriverWord>,
        /// The block device with the file system: one path for both nodes, or one for each.
        device: Req<PerNode<AbsolutePath>>,
        /// For command: the program that takes the disk set, with its arguments. {service}, {node} and {device} as
        /// whole arguments stand for their values.
        take: Opt<List<Text>>,
        /// For command: the same where the other node did not let go by itself. Default: take.
        take_forced: Opt<List<Text>>,
        /// For command: the program that gives it up.
        release: Opt<List<Text>>,
        /// For command: a program that ends with 0 where this node holds it, with 3 where it does not.
        status: Opt<List<Text>>,
        /// For command: how long one of these programs may take. Default: 60s.
        timeout: Opt<Span>,
        /// For lvm: the volume group.
        volume_group: Opt<Text>,
        /// For lvm: what the disk of the volume group is exclusive by. May be left out.
        on: Opt<Below>,
        /// For drbd: the resource.
        resource: Opt<Text>,
    }
}

table! {
    /// What a volume group lies on.
    pub struct Below {
        /// scsi: persistent reservations. drbd: a replicated device.
        driver: Req<BelowWord>,
        /// For scsi: the disk, or the multipath map: one path for both nodes, or one for each.
        device: Opt<PerNode<AbsolutePath>>,
        /// For drbd: the resource.
        resource: Opt<Text>,
    }
}

table! {
    /// A file system on the disk set. The first carries the data directory; more are for WAL and table spaces.
    pub struct FileSystem {
        kind: Req<FileSystemWord>,
        mount_point: Req<AbsolutePath>,
        /// For every file system but the first: its block device, another volume of the same disk set: one path for both
        /// nodes, or one for each. The first is on disk_set.device.
        device: Opt<PerNode<AbsolutePath>>,
        /// Mount options.
        options: Many<Text>,
    }
}

table! {
    /// An address that moves with the service.
    pub struct VirtualIp {
        address: Req<Ip>,
        /// The network of the interface; the address is checked against it.
        network: Opt<Net>,
        /// The network interface: one name for both nodes, or one for each.
        interface: Req<PerNode<Interface>>,
    }
}

table! {
    /// The PostgreSQL database.
    pub struct Database {
        /// The directory with postgres and pg_controldata.
        bin_dir: Req<AbsolutePath>,
        /// The data directory, inside the service's file system.
        data_dir: Req<AbsolutePath>,
        /// postgresql.conf, where it is outside the data directory.
        config_file: Opt<AbsolutePath>,
        /// The systemd unit that it is started and stopped by, such as postgresql@15-main.service. Left out: Siaga starts
        /// postgres itself.
        unit: Opt<Text>,
        /// Default: 5432.
        port: Opt<Port>,
        /// The account that owns the data directory. Default: postgres.
        os_user: Opt<Text>,
        /// The directory of the unix socket. Default: /run/postgresql.
        socket_dir: Opt<AbsolutePath>,
        /// The database user of the local check. Default: postgres.
        check_user: Opt<Text>,
        /// The database of the local check. Default: postgres.
        check_database: Opt<Text>,
        /// How long a fast stop may take before an immediate one. Default: 30s.
        stop_fast: Opt<Span>,
        /// How long an immediate stop may take before the processes are killed. Default: 10s.
        stop_immediate: Opt<Span>,
        /// A start without any progress for this long has failed. Default: 2m.
        start_stalled: Opt<Span>,
    }
}

table! {
    /// An application that moves with the service: a systemd unit, or programs that start and stop it.
    pub struct Application {
        name: Req<Name>,
        /// A systemd unit.
        unit: Opt<Text>,
        /// The program that starts it, with its arguments.
        start: Opt<List<Text>>,
        /// The program that stops it, with its arguments.
        stop: Opt<List<Text>>,
        /// A program whose exit code 0 says that it runs.
        status: Opt<List<Text>>,
        /// A program whose exit code 0 says that it works.
        test: Opt<List<Text>>,
        /// Default: 60s.
        timeout: Opt<Span>,
    }
}

table! {
    /// A test of the service as a client sees it.
    pub struct ClientTest {
        name: Req<Name>,
        /// probe: a client probe reads and writes a row. tcp: a connection. http: a page. program: a program of the site.
        kind: Req<TestWord>,
        /// For tcp.
        address: Opt<Endpoint>,
        /// For http: http:// or https://.
        url: Opt<Url>,
        /// For http: a certificate authority of the site's own (PEM), beside the system's.
        ca_file: Opt<AbsolutePath>,
        /// For program: the program with its arguments.
        run: Opt<List<Text>>,
        /// Default: 10s.
        timeout: Opt<Span>,
    }
}

table! {
    /// A program that is run after a move.
    pub struct AfterMove {
        name: Req<Name>,
        /// The program with its arguments.
        run: Req<List<Text>>,
        /// Default: 30s.
        timeout: Opt<Span>,
    }
}

table! {
    /// The age of the newest backup.
    pub struct Backup {
        /// A program that prints, as its last line, when the newest good backup was made: 2026-11-25T02:00:00Z, or
        /// seconds since 1970. It is run on each node by siaga check, as root.
        run: Req<List<Text>>,
        /// An older backup is a warning. Default: 26h.
        at_most: Opt<LongSpan>,
        /// Default: 10s.
        timeout: Opt<Span>,
    }
}

table! {
    /// The rules of the site.
    pub struct Policy {
        /// The goal for one outage. Default: 5m.
        rto: Opt<Span>,
        /// What one drill may take in all. Default: 10m.
        drill_budget: Opt<Span>,
        /// How long a witness's word stays fresh. Default: 5s.
        witness_fresh: Opt<Span>,
        /// When a peer counts as silent on a path. Default: 2s.
        peer_timeout: Opt<Span>,
        /// When the other node covers a coordinator that fell silent. Default: 10s.
        coordinator_silence: Opt<Span>,
        /// How long a node that does not hold the service waits before it fences one that is still on; the second node
        /// twice as long. So two nodes that fence each other do not both go off. Default: 3s.
        fence_delay: Opt<Span>,
        /// After both nodes lost power: may the preferred one start the service? Default: false.
        start_after_building_power_loss: Opt<bool>,
    }
}

table! {
    /// A unit that uses the services: a ward, the pharmacy, the laboratory.
    pub struct Unit {
        name: Req<Name>,
        /// As it is written in notices and reports.
        title: Req<Text>,
        /// The language of its notices. Default: the site's.
        language: Opt<LanguageWord>,
        /// Does it go to paper forms when a service is down for long? Default: true.
        paper: Opt<bool>,
        /// Where the unit is told.
        contact: Many<Contact>,
    }
}

table! {
    /// Where a unit is told.
    pub struct Contact {
        /// The contact person, or what the address is.
        name: Req<Text>,
        /// A channel's name.
        channel: Req<Name>,
        /// What the channel needs: a mail address, a chat's number, a telephone number.
        address: Opt<Text>,
    }
}

table! {
    /// A way to send a text.
    pub struct Channel {
        name: Req<Name>,
        /// mail: SMTP. webhook: a signed POST. program: a program of the site. telegram: the bot API. by-hand: a person
        /// copies the text, sends it, and ticks it off.
        kind: Req<ChannelWord>,
        /// How long one attempt may take. Default: 15s.
        timeout: Opt<Span>,
        /// For mail: the server's name or address.
        server: Opt<Text>,
        /// For mail. Default: 587; 465 for tls, 25 for none.
        port: Opt<Port>,
        /// For mail. starttls: nothing is sent without it. tls: from the first byte. none: plain text. Default: starttls.
        tls: Opt<MailTlsWord>,
        /// For mail: the sender's address.
        from: Opt<Text>,
        /// For mail: the account.
        user: Opt<Text>,
        /// For mail: a file with the account's password, mode 0600.
        password_file: Opt<AbsolutePath>,
        /// For mail, webhook and telegram: a certificate authority of the site's own, beside the system's.
        ca_file: Opt<AbsolutePath>,
        /// For webhook.
        url: Opt<Url>,
        /// For webhook: a file with the secret that signs, mode 0600.
        secret_file: Opt<AbsolutePath>,
        /// For program: the program with its arguments. The text comes on its standard input.
        run: Opt<List<Text>>,
        /// For telegram. Default: https://api.telegram.org.
        api: Opt<Url>,
        /// For telegram: a file with the bot's token, mode 0600.
        token_file: Opt<AbsolutePath>,
        /// For telegram: notices carry a button that acknowledges them. The bot must have no other reader of its
        /// updates. Default: false.
        buttons: Opt<bool>,
    }
}

table! {
    /// A person who is alerted.
    pub struct OnCall {
        /// A name from the list of people.
        person: Req<Account>,
        /// A channel's name. Not one of the kind by-hand.
        channel: Req<Name>,
        address: Opt<Text>,
    }
}

table! {
    /// The site's rules for incidents and notices.
    pub struct Downtime {
        /// Client tests that fail for this long become a suspected incident and an alert. Default: 10s.
        alert_after: Opt<Span>,
        /// An alert that nobody acknowledged goes on to the next on the list after this. Default: 5m.
        escalate_after: Opt<Span>,
        /// When the next update is due after a notice. Default: 30m.
        update_every: Opt<Span>,
        /// How long a restored service is watched before the all-clear. Default: 15m.
        watch_for: Opt<Span>,
        /// When paper forms are to be entered after the all-clear, at most 744h. Default: 24h.
        back_entry_within: Opt<LongSpan>,
        /// Who releases a notice: anyone (who may write one), communicator (or a decider), decider. Default: anyone.
        release: Opt<ReleaseWord>,
        /// After this a drafted notice goes out without its release, and that is recorded; or "never". Default: 10m.
        bypass_after: Opt<Bypass>,
        /// A directory with templates of the site's own: MOMENT.LANGUAGE.txt.
        template_dir: Opt<AbsolutePath>,
        /// Whom units may call.
        contact: Opt<Text>,
        /// In percent.
        availability_target: Opt<Percent>,
        /// A drill is overdue after this many days without a graded one. Default: 90.
        drill_every_days: Opt<Count>,
        /// The procedure is to be reviewed by then: 2026-08-01.
        procedure_review_due: Opt<Day>,
        /// Who is reminded of planned work, drills, the review and corrective actions: a role, or a person's name.
        /// Default: decider.
        remind: Opt<Text>,
        /// The person outside IT who is sent the heads of the event chains each month.
        seal_to: Opt<Account>,
        /// The page on which a unit acknowledges a notice, as the units' devices reach it; with ack_listen and
        /// ack_secret_file.
        ack_url: Opt<Url>,
        /// Where each agent serves that page, without TLS: an address of this very machine, for a reverse proxy.
        ack_listen: Opt<Endpoint>,
        /// A file with the secret that the links are made of, the same on both nodes, mode 0600.
        ack_secret_file: Opt<AbsolutePath>,
    }
}
