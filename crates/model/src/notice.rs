//! The rows of notices: what was told to whom, by which channel, and who has acknowledged it.

use crate::duty::Duty;
use crate::ids::{ChannelName, DeliveryId, IncidentKey, NoticeId, PersonName, UnitName};
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// The moments at which people are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    Suspected,
    Confirmed,
    Update,
    /// The service is being moved.
    Action,
    /// It works again, and is watched.
    Restored,
    AllClear,
    Planned,
    /// Afterwards: cause and prevention.
    FollowUp,
    /// It was none.
    Withdrawn,
}

impl Moment {
    /// All of them, in order.
    pub const ALL: [Moment; 9] = [
        Moment::Suspected,
        Moment::Confirmed,
        Moment::Update,
        Moment::Action,
        Moment::Restored,
        Moment::AllClear,
        Moment::Planned,
        Moment::FollowUp,
        Moment::Withdrawn,
    ];
}

/// A text as it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Text {
    pub language: crate::config::Language,
    /// For channels that have one.
    pub subject: String,
    pub body: String,
}

/// One row of a notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum NoticeEntry {
    /// Written. It goes nowhere before it is released.
    Drafted {
        moment: Moment,
        incident: Option<IncidentKey>,
        /// One for each language of its units.
        texts: Vec<Text>,
        units: Vec<UnitName>,
        /// When the text says that the next news comes: a promise, once it is released.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_update: Option<UtcMicros>,
        /// The planned work that it announces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<Window>,
        /// It says once more what that one said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reminds_of: Option<NoticeId>,
    },
    /// An alert to the on-call list. It needs no release.
    Alert {
        incident: IncidentKey,
        #[serde(default, skip_serializing_if = "AlertCause::is_trouble")]
        cause: AlertCause,
        text: Text,
        /// From 1, along the list and round again.
        round: u32,
        to: PersonName,
    },
    /// A reminder or a proof to people of the site, once, by all their channels. It needs no release and no answer.
    Message {
        about: About,
        text: Text,
        to: Vec<PersonName>,
    },
    /// It may go out. `bypass`: nobody released it in time.
    Released { bypass: bool },
    /// It will not go out.
    Dropped { reason: String },
    /// An attempt began: this agent holds the delivery now.
    Trying { delivery: DeliveryId, attempt: u32 },
    /// The channel took it.
    Sent {
        delivery: DeliveryId,
        to: Recipient,
        channel: ChannelName,
        /// What the channel answered: a message's number.
        receipt: String,
    },
    /// It did not. `next_at` is null where it is given up.
    Failed {
        delivery: DeliveryId,
        to: Recipient,
        channel: ChannelName,
        why: String,
        next_at: Option<UtcMicros>,
    },
    /// The unit has read it.
    Acknowledged {
        unit: UnitName,
        how: AckHow,
        by: String,
    },
    /// The person on call has read the alert.
    AlertAcknowledged { person: PersonName },
}

/// Why the people on call are alerted. One cause has one alert.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum AlertCause {
    /// The service does not work, or nobody can tell.
    #[default]
    Trouble,
    /// News was promised for then, and none was given.
    UpdateLate { promised: UtcMicros },
    /// The estimate that was given then is over.
    EstimateOver { given_at: UtcMicros },
}

impl AlertCause {
    /// The cause that older rows have without saying it.
    pub fn is_trouble(&self) -> bool {
        *self == AlertCause::Trouble
    }
}

/// What a message to people is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "subject")]
pub enum About {
    Duty {
        duty: Duty,
    },
    /// The heads of the event chains, for that month: `2026-11`.
    EventHeads {
        month: String,
    },
}

/// From when to when planned work is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    pub from: UtcMicros,
    pub to: UtcMicros,
}

/// Who is told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Unit(UnitName),
    OnCall(PersonName),
    /// A person of the site who is told, and need not answer.
    Person(PersonName),
}

/// How an acknowledgement came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckHow {
    Link,
    Button,
    /// A person ticked it off.
    ByHand,
}
