//! What witnesses are, and what they say, in both languages.

use crate::downtime::pick;
use crate::voice::Voice;
use siaga_model::witness::{Kind, Says};

/// Who says it.
#[rustfmt::skip] // a table: one a line
pub fn witness_kind(voice: &Voice, kind: Kind) -> &'static str {
    match kind {
        Kind::Agent => pick(voice, "agent", "agen"),
        Kind::Holding => pick(voice, "agent, of the disk set", "agen, tentang kumpulan disk"),
        Kind::Power => pick(voice, "power, by the fence", "daya, menurut fence"),
        Kind::Fence => pick(voice, "fence", "fence"),
        Kind::Address => pick(voice, "the node's address", "alamat node"),
        Kind::VirtualAddress => pick(voice, "virtual IP", "IP virtual"),
        Kind::Probe => pick(voice, "client probe", "probe klien"),
        Kind::Disk => pick(voice, "the shared disk", "disk bersama"),
        Kind::Replica => pick(voice, "the replica's connection", "sambungan replika"),
    }
}

/// What it says.
#[rustfmt::skip] // a table: one a line
pub fn witness_says(voice: &Voice, says: Says) -> &'static str {
    match says {
        Says::Answers => pick(voice, "answers", "menjawab"),
        Says::Silent => pick(voice, "silent", "diam"),
        Says::Holds => pick(voice, "holds it", "memegangnya"),
        Says::Free => pick(voice, "does not hold it", "tidak memegangnya"),
        Says::On => pick(voice, "on", "menyala"),
        Says::Off => pick(voice, "off", "mati"),
        Says::Open => pick(voice, "answers, not fenced", "menjawab, tidak memutus"),
        Says::Fenced => pick(voice, "has cut it off", "telah memutus"),
        Says::Failed => pick(voice, "does not answer", "tidak menjawab"),
        Says::Nobody => pick(voice, "nobody answers", "tidak ada yang menjawab"),
        Says::Stranger => pick(voice, "a strange machine answers", "mesin asing menjawab"),
        Says::Serving => pick(voice, "is served", "dilayani"),
        Says::NotServing => pick(voice, "is not served", "tidak dilayani"),
        Says::Changing => pick(voice, "somebody writes", "ada yang menulis"),
        Says::NoChangeSeen => pick(voice, "no change seen (proves nothing)", "tidak ada perubahan (tidak membuktikan apa pun)"),
        Says::Unknown => pick(voice, "can't tell", "tidak dapat memastikan"),
    }
}
