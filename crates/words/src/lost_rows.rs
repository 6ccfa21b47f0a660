//! What a client probe did not find again.

use crate::downtime::pick;
use crate::voice::Voice;

/// `Probe loket-1: 3 rows that the database had confirmed are gone.`
pub fn rows_lost(voice: impl Into<Voice>, probe: &str, rows: u64) -> String {
    let voice = voice.into();
    let gone = match rows {
        1 => pick(
            &voice,
            "row that the database had confirmed is gone",
            "baris yang sudah dikonfirmasi basis data hilang",
        ),
        _ => pick(
            &voice,
            "rows that the database had confirmed are gone",
            "baris yang sudah dikonfirmasi basis data hilang",
        ),
    };
    format!("probe {probe}: {rows} {gone}")
}
