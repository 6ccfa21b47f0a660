//! The rows of notices: what was told to whom, by which channel, and who has acknowledged it.

use crate::ids::{ChannelName, DeliveryId, IncidentKey, PersonName, UnitName};
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
    },
    /// An alert to the on-call list. It needs no release.
    Alert {
        incident: IncidentKey,
        text: Text,
        /// From 1, along the list and round again.
        round: u32,
        to: PersonName,
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

/// Who is told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Unit(UnitName),
    OnCall(PersonName),
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
