//! Bodies of `/v1/notices`: what the units were told, and the acts of those who tell them.

use crate::ids::{
    ChannelName, DeliveryId, IncidentKey, NoticeId, PersonName, ServiceName, UnitName,
};
use crate::notice::{About, AckHow, Moment, Recipient, Text};
use crate::refusal::Refusal;
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// Answer to `GET /v1/notices`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticesAnswer {
    /// The newest last.
    pub notices: Vec<NoticeView>,
    pub pause: Option<PauseView>,
    /// The node whose agent sends now, as far as this one can tell.
    pub sender: Option<crate::ids::NodeName>,
}

/// Alerts rest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PauseView {
    pub until: UtcMicros,
    pub reason: String,
    pub by: String,
}

/// One notice or alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeView {
    pub notice: NoticeId,
    /// `None`: an alert to people on call, or a message.
    pub moment: Option<Moment>,
    /// What a message to people of the site is about.
    #[serde(default)]
    pub about: Option<About>,
    pub incident: Option<IncidentKey>,
    pub texts: Vec<Text>,
    pub state: NoticeState,
    pub written_at: Option<UtcMicros>,
    pub written_by: Option<String>,
    pub released_at: Option<UtcMicros>,
    pub released_by: Option<String>,
    /// Nobody released it in time, and it went out.
    pub bypass: bool,
    pub dropped: Option<String>,
    pub recipients: Vec<RecipientView>,
}

/// Where a notice stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It waits for its release.
    Draft,
    /// Some of it is still on its way.
    Sending,
    /// Nothing is on its way any more; some of it was given up.
    SomeFailed,
    /// Everything that could be sent was taken.
    Sent,
    Dropped,
}

/// One unit, or one person on call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecipientView {
    pub to: Recipient,
    pub title: String,
    pub acknowledged: Option<AcknowledgedView>,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcknowledgedView {
    pub at: UtcMicros,
    pub how: AckHow,
    pub by: String,
}

/// One text to one address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliveryView {
    pub delivery: DeliveryId,
    pub contact: String,
    pub channel: ChannelName,
    pub address: String,
    pub state: DeliveryState,
    pub attempts: u32,
    /// When it was sent, or when it is tried again.
    pub at: Option<UtcMicros>,
    /// What the channel answered, or why it did not take it.
    pub detail: String,
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not released, dropped, or acknowledged before it was sent.
    Resting,
    Waiting,
    Sending,
    Sent,
    GivenUp,
    /// A person sends it and ticks it off.
    ByHand,
}

/// `POST /v1/notices`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeRequest {
    pub act: NoticeAct,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum NoticeAct {
    /// Writes a notice. It goes out when it is released.
    Draft {
        moment: Moment,
        #[serde(default)]
        incident: Option<IncidentKey>,
        /// Empty: every unit.
        #[serde(default)]
        units: Vec<UnitName>,
        #[serde(default)]
        facts: Box<NoticeFacts>,
        /// Releases it at once, where this person may.
        #[serde(default)]
        release: bool,
    },
    Release {
        notice: NoticeId,
    },
    Drop {
        notice: NoticeId,
        reason: String,
    },
    /// A person has sent it by hand.
    Tick {
        delivery: DeliveryId,
        notice: NoticeId,
    },
    /// A unit says that it has read it.
    Acknowledge {
        notice: NoticeId,
        unit: UnitName,
        /// Who of the unit said so.
        by: String,
    },
    /// The person who asks takes care of an alert.
    AcknowledgeAlert {
        notice: NoticeId,
    },
    /// Alerts rest for so long.
    Pause {
        for_s: u64,
        reason: String,
    },
    ResumeAlerts,
}

/// What a notice says, where a person writes it. What is left out is not known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NoticeFacts {
    pub number: Option<String>,
    pub drill: bool,
    /// In a drill: the service really stops.
    pub stops_service: bool,
    /// Empty: all of the site.
    pub services: Vec<ServiceName>,
    pub reported: Option<UtcMicros>,
    pub start: Option<UtcMicros>,
    /// The earliest and the latest time at which it works again.
    pub estimate_from: Option<UtcMicros>,
    pub estimate_to: Option<UtcMicros>,
    pub estimate_changed: Option<bool>,
    /// Left out: as the site's rules say.
    pub next_update: Option<UtcMicros>,
    pub paper: Option<bool>,
    pub restored: Option<UtcMicros>,
    pub watch_until: Option<UtcMicros>,
    pub downtime_s: Option<u64>,
    pub back_entry_due: Option<UtcMicros>,
    pub window_from: Option<UtcMicros>,
    pub window_to: Option<UtcMicros>,
    pub earlier: Option<UtcMicros>,
    pub sentence: Option<String>,
}

/// Answer to `POST /v1/notices`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum NoticeAnswer {
    Done {
        /// What was written, or acted on.
        notice: Option<NoticeId>,
    },
    /// This person may not.
    NotAllowed { refusal: Refusal },
    /// It can't be done.
    Refused { why: NoticeRefusal },
    /// The log could not be written.
    Failed { why: String },
}

/// Why it can't be done. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum NoticeRefusal {
    NoSuchNotice {
        notice: NoticeId,
    },
    NoSuchIncident {
        asked: String,
    },
    NoSuchUnit {
        unit: UnitName,
        units: Vec<UnitName>,
    },
    NoSuchDelivery {
        delivery: DeliveryId,
    },
    /// The site has no units.
    NoUnits,
    /// What the moment must say is not known.
    FactMissing {
        field: String,
    },
    /// The end lies before the start.
    EndBeforeStart,
    /// The site lets only these release.
    MayNotRelease {
        name: String,
        decider_only: bool,
    },
    AlreadyReleased,
    AlreadyDropped,
    NotReleased,
    /// An alert is acknowledged by who is on call, a notice by a unit.
    WrongKind,
    /// A channel sends it; a person need not.
    NotByHand {
        delivery: DeliveryId,
    },
    ReasonMissing,
    BadPause {
        most_s: u64,
    },
    NotPaused,
}
