//! The API's bodies about the site's keys.

use crate::ids::{NodeName, PersonName};
use crate::proof::AttestKind;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// `POST /v1/ca/replace`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CaReplaceRequest {
    pub reason: String,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
}

/// Answer to `POST /v1/ca/replace`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum CaReplaceAnswer {
    Replaced {
        /// Counts the site's CAs, from 1.
        generation: u64,
        /// Of the new CA's key: what join tokens carry.
        fingerprint: String,
    },
    Refused {
        refusal: Refusal,
    },
    /// The log or the keys could not be written.
    Failed {
        why: crate::why::Why,
    },
}

/// What was done to a machine that another one replaces: it is off, and stays off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffForGood {
    /// All power cords are out.
    Unplugged,
    /// Switched off at its button or at the rack.
    SwitchedOff,
}

impl From<OffForGood> for AttestKind {
    fn from(how: OffForGood) -> Self {
        match how {
            OffForGood::Unplugged => AttestKind::Unplugged,
            OffForGood::SwitchedOff => AttestKind::SwitchedOff,
        }
    }
}

/// `POST /v1/nodes/replace`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeReplaceRequest {
    pub node: NodeName,
    /// The person says so of the old machine.
    pub how: OffForGood,
    pub reason: String,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
}

/// Answer to `POST /v1/nodes/replace`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum NodeReplaceAnswer {
    /// The old machine's keys are worth nothing from now on; a token lets the new one in.
    Replaced,
    Refused {
        refusal: Refusal,
    },
    /// The log or the keys could not be written.
    Failed {
        why: crate::why::Why,
    },
}
