//! The configuration of a downtime's other half: units, their contacts, channels, who is on call, and the site's rules
//! for incidents and notices.

use crate::config::{Argv, Language, Role};
use crate::ids::{ChannelName, PersonName, UnitName};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Everything about units, notices and incidents. A site without any of it has the defaults and no units.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Downtime {
    pub units: Vec<Unit>,
    pub channels: Vec<Channel>,
    /// In the order in which an alert that nobody acknowledges goes on.
    pub on_call: Vec<OnCall>,
    /// Where people are told what is no alert: they need not be on call.
    pub reach: Vec<OnCall>,
    pub rules: Rules,
}

impl Downtime {
    /// The unit of that name.
    pub fn unit(&self, name: &UnitName) -> Option<&Unit> {
        self.units.iter().find(|u| &u.name == name)
    }
    /// All addresses of a person, each once.
    pub fn addresses_of<'a>(&'a self, person: &'a PersonName) -> impl Iterator<Item = &'a OnCall> {
        let all = move || {
            self.reach
                .iter()
                .chain(&self.on_call)
                .filter(move |o| &o.person == person)
        };
        let same = |a: &OnCall, b: &OnCall| a.channel == b.channel && a.address == b.address;
        all()
            .enumerate()
            .filter(move |(at, one)| !all().take(*at).any(|o| same(o, one)))
            .map(|(_, one)| one)
    }
    /// The channel of that name.
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channels.iter().find(|c| &c.name == name)
    }
}

/// A unit that uses the services: a ward, the pharmacy, the laboratory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unit {
    pub name: UnitName,
    /// As it is written in notices and reports: `Instalasi Gawat Darurat`.
    pub title: String,
    pub language: Language,
    /// Does it go to paper forms when a service is down for long?
    pub goes_to_paper: bool,
    pub contacts: Vec<Contact>,
}

/// Where a unit is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// The contact person, or what the address is: `kepala ruang`, `grup farmasi`.
    pub name: String,
    pub channel: ChannelName,
    /// What the channel needs: a mail address, a chat's number, a telephone number. Empty where it needs none.
    pub address: String,
}

/// A person's address: who is alerted, or told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OnCall {
    pub person: PersonName,
    pub channel: ChannelName,
    pub address: String,
}

/// A way to send a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Channel {
    pub name: ChannelName,
    pub kind: ChannelKind,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// Which kind, with what it needs. Secrets are references to files that only root may read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ChannelKind {
    /// Electronic mail by SMTP.
    Mail {
        server: String,
        port: u16,
        tls: MailTls,
        /// The sender's address.
        from: String,
        user: Option<String>,
        password_file: Option<PathBuf>,
        /// A certificate authority of the site's own mail server, beside the system's.
        ca_file: Option<PathBuf>,
    },
    /// `POST` of a JSON body, signed with HMAC-SHA256 of a shared secret.
    Webhook {
        url: String,
        secret_file: PathBuf,
        ca_file: Option<PathBuf>,
    },
    /// A program of the site; the text comes on its standard input.
    Program { run: Argv },
    /// The Telegram bot API.
    Telegram {
        api: String,
        token_file: PathBuf,
        ca_file: Option<PathBuf>,
        /// Notices carry a button that acknowledges them, and the bot's updates are read.
        buttons: bool,
    },
    /// A person copies the text and sends it, and ticks it off.
    ByHand,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// STARTTLS, and nothing is sent without it.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Plain text, for a mail server on this very machine.
    None,
}

/// The site's rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rules {
    /// Client tests that fail for this long become a suspected incident and an alert.
    pub alert_after: Duration,
    /// An alert that nobody acknowledged goes to the next on the list after this, and repeats.
    pub escalate_after: Duration,
    /// When the next update is due after a notice.
    pub update_every: Duration,
    /// How long a restored service is watched before the all-clear.
    pub watch_for: Duration,
    /// When paper forms are to be entered, after the all-clear.
    pub back_entry_within: Duration,
    /// Who releases a notice.
    pub release: Release,
    /// After this, a drafted notice goes out without its release, and that is recorded. `None`: never.
    pub bypass_after: Option<Duration>,
    /// Templates of the site's own, in place of the shipped ones: `<moment>.<language>.txt`.
    pub template_dir: Option<PathBuf>,
    /// Whom units may call: `ext. 123`.
    pub contact: String,
    /// In thousandths of a percent: 99500 is 99.5 %.
    pub availability_target_milli_pct: Option<u32>,
    /// A drill is overdue after this many days without a graded one.
    pub drill_every_days: u32,
    /// The procedure is to be reviewed by then: `2026-08-01`.
    pub procedure_review_due: Option<String>,
    /// Who is reminded of what is due.
    pub remind: Remind,
    /// Who keeps the heads of the event chains, sent once a month: somebody outside IT.
    pub seal_to: Option<PersonName>,
    /// The page on which units acknowledge.
    pub ack: Option<AckPage>,
}

/// The page on which a unit acknowledges a notice. It is served without TLS to this machine alone: in front of it stands
/// a reverse proxy with a certificate that the units' devices trust.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AckPage {
    /// What the links begin with.
    pub url: String,
    pub listen: std::net::SocketAddr,
    pub secret_file: PathBuf,
}

/// Who is reminded: everybody with a role, or one person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remind {
    Role(Role),
    Person(PersonName),
}

/// Who may release a notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Whoever may write one.
    #[default]
    Anyone,
    /// A communicator or a decider.
    Communicator,
    /// A decider.
    Decider,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            alert_after: Duration::from_secs(10),
            escalate_after: Duration::from_secs(300),
            update_every: Duration::from_secs(30 * 60),
            watch_for: Duration::from_secs(15 * 60),
            back_entry_within: Duration::from_secs(24 * 3600),
            release: Release::Anyone,
            bypass_after: Some(Duration::from_secs(10 * 60)),
            template_dir: None,
            contact: String::new(),
            availability_target_milli_pct: None,
            drill_every_days: 90,
            procedure_review_due: None,
            remind: Remind::Role(Role::Decider),
            seal_to: None,
            ack: None,
        }
    }
}
