//! Names and identifiers, each a type of its own so that they can't be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text that has been checked where it came from.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id! {
    /// A server that can carry the service, by its name in the configuration.
    NodeName
}
text_id! {
    /// A service: what moves as one.
    ServiceName
}
text_id! {
    /// A person from the configuration's list of people.
    PersonName
}
text_id! {
    /// One run: everything done for one accepted request. Unique across nodes and restarts.
    RunId
}
text_id! {
    /// One plan of a run. A run that plans again has several.
    PlanId
}
text_id! {
    /// The kernel's boot id (`/proc/sys/kernel/random/boot_id`): changes at every boot of a node.
    BootId
}

text_id! {
    /// One incident, in the rows that belong to it. Unique across nodes; people see its number (`DT-2026-007`).
    IncidentKey
}
text_id! {
    /// A unit of the hospital that uses the services, by its short name in the configuration.
    UnitName
}
text_id! {
    /// A way to send a notice, by its name in the configuration.
    ChannelName
}
text_id! {
    /// One notice: one text of one moment. Unique across nodes.
    NoticeId
}
text_id! {
    /// One notice to one address by one channel: the idempotency key of its sending.
    DeliveryId
}

/// A step's place in its plan, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u16);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
