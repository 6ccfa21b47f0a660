//! The API's bodies about the site's keys.

use crate::ids::PersonName;
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
