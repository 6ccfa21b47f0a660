//! A few whole texts, as people see them at three in the morning.

use crate::both;
use siaga_model::UtcMicros;
use siaga_model::config::Language::Indonesian;
use siaga_model::proof::AttestKind;
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{FailureKind, RunOutcome, StepAt, StepFailure};
use siaga_words::Voice;

pub fn needs_attestation() -> Refusal {
    let node = || "serverdb".into();
    Refusal {
        code: RefusalCode::NeedsAttestation,
        sentence: Sentence::RefusedNeedsAttestation { node: node() },
        evidence: vec![
            Sentence::NodeSilent {
                node: node(),
                paths_tried: vec!["198.51.100.11:7443".into(), "203.0.113.11:7443".into()],
                late: false,
            },
            Sentence::FenceFailed {
                node: node(),
                device: "ipmi".into(),
                why: "no answer within 20 s.".into(),
            },
            Sentence::ProbeSeesNothing {
                probe: "kasir-1".into(),
                age_ms: 1400,
            },
        ],
        next: vec![
            Advice::AttestAfter {
                node: node(),
                ways: vec![AttestKind::Unplugged, AttestKind::SwitchedOff],
            },
            Advice::RepairFence {
                node: node(),
                device: "ipmi".into(),
            },
        ],
    }
}

#[test]
fn the_refusal_that_asks_for_a_person() {
    let expected = "\
serverdb is silent, and nothing here can make sure that it is off. A person has to go there. [NEEDS_ATTESTATION]
What is seen:
  - serverdb does not answer. Paths tried: 198.51.100.11:7443, 203.0.113.11:7443.
  - The fence ipmi for serverdb failed: no answer within 20 s.
  - The probe kasir-1 could not reach the service 1.4 s ago.
Safe now: Nothing was changed. Do not mount the disk set by hand. The other server may still be writing.
What to do next:
  siaga takeover --attest-off serverdb --how unplugged
      First go to serverdb and pull all of its power cords out (--how unplugged), or switch it off at its button or at the rack (--how switched-off). Only then type this command.
  siaga power status serverdb
      Repair the fence ipmi of serverdb. This command shows whether it answers again.

serverdb tidak menjawab. Tidak ada alat di sini yang dapat memastikan server itu mati. Seorang petugas harus mendatanginya. [NEEDS_ATTESTATION]
Yang terlihat:
  - serverdb tidak menjawab. Jalur yang dicoba: 198.51.100.11:7443, 203.0.113.11:7443.
  - Alat isolasi ipmi untuk serverdb gagal: no answer within 20 s.
  - Pemantau klien kasir-1 tidak dapat mencapai layanan 1,4 detik yang lalu.
Yang aman sekarang: Tidak ada yang diubah. Jangan memasang kumpulan disk dengan tangan. Server lain mungkin masih menulis ke sana.
Langkah berikutnya:
  siaga ambil-alih --attest-off serverdb --how unplugged
      Datangi dahulu serverdb, lalu cabut semua kabel dayanya (--how unplugged), atau matikan dengan tombolnya atau dari rak (--how switched-off). Setelah itu baru ketik perintah ini.
  siaga power status serverdb
      Perbaiki alat isolasi ipmi untuk serverdb. Perintah ini menunjukkan apakah alat itu menjawab lagi.
";
    assert_eq!(both(&needs_attestation()), expected);
}

#[test]
fn the_other_request_is_told_who_and_since_when() {
    let refusal = Refusal {
        code: RefusalCode::RunInProgress,
        sentence: Sentence::RunBy {
            run: "r-17".into(),
            actor: "budi".into(),
            since: UtcMicros(1_754_031_909_000_000),
            coordinator: "backup".into(),
        },
        evidence: vec![],
        next: vec![Advice::WaitForRun { run: "r-17".into() }],
    };
    let expected = "\
budi ordered the run r-17 at 2025-08-01 14:05:09 WIB. backup is carrying it out. [RUN_IN_PROGRESS]
Safe now: Nothing was changed. Wait, and do nothing by hand.
What to do next:
  siaga status --watch
      Wait for the end of the run r-17.

budi memerintahkan proses r-17 pada 1 Agustus 2025 pukul 14.05.09 WIB. backup sedang menjalankannya. [RUN_IN_PROGRESS]
Yang aman sekarang: Tidak ada yang diubah. Tunggu, dan jangan melakukan apa pun dengan tangan.
Langkah berikutnya:
  siaga status --watch
      Menunggu proses r-17 selesai.
";
    assert_eq!(both(&refusal), expected);
}

#[test]
fn a_restored_move() {
    let outcome = RunOutcome::Restored {
        cause: StepFailure::new(FailureKind::Busy, "/srv/simrs held by vim (pid 4711)"),
        at: StepAt {
            node: "serverdb".into(),
            action: "unmount".into(),
        },
    };
    let expected = "\
Tidak berhasil. Layanan berjalan kembali di tempat semula.
Langkah yang gagal: melepas pasang sistem berkas, di serverdb.
Sistem berkas sedang dipakai: /srv/simrs held by vim (pid 4711).";
    assert_eq!(
        siaga_words::outcome(Voice::new(Indonesian, "Asia/Jakarta"), &outcome),
        expected
    );
}

#[test]
fn a_contradicted_attestation() {
    let sentence = Sentence::AttestationContradictedBy {
        node: "serverdb".into(),
        how: AttestKind::Unplugged,
        witness: Box::new(Sentence::NodeAddressAnswers {
            node: "serverdb".into(),
            hardware: "02:00:5e:00:53:11".into(),
        }),
    };
    assert_eq!(
        siaga_words::sentence(Indonesian, &sentence),
        "Petugas menyatakan bahwa semua kabel daya serverdb sudah dicabut. Tanda yang lebih baru menyangkalnya: Kartu jaringan \
         serverdb menjawab (02:00:5e:00:53:11). Mesin itu menyala."
    );
}
