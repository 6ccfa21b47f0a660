//! Acts, failures, layers and states in Indonesian.

use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, Layer, VerdictState};
use siaga_model::config::{FenceKind, Language};
use siaga_model::plan::{Action, MoveKind};
use siaga_model::proof::AttestKind;
use siaga_model::run::FailureKind;
use siaga_model::why::Why;

pub(crate) fn fence_kind(kind: FenceKind) -> &'static str {
    match kind {
        FenceKind::Power => "mematikan daya",
        FenceKind::Fabric => "memutus jalur ke kumpulan disk",
        FenceKind::Reservation => "mencabut pendaftarannya di kumpulan disk",
    }
}

/// What a person says was done: after "menyatakan bahwa".
pub(crate) fn attested(node: &NodeName, how: AttestKind) -> String {
    match how {
        AttestKind::Unplugged => format!("semua kabel daya {node} sudah dicabut"),
        AttestKind::SwitchedOff => format!("{node} sudah dimatikan"),
        AttestKind::StorageDisconnected => format!("{node} sudah diputus dari kumpulan disk"),
    }
}

/// What a person is asked to do.
pub(crate) fn attest_kind(how: AttestKind) -> &'static str {
    match how {
        AttestKind::Unplugged => "cabut semua kabel dayanya",
        AttestKind::SwitchedOff => "matikan dengan tombolnya atau dari rak",
        AttestKind::StorageDisconnected => "cabut kabelnya ke penyimpanan",
    }
}

pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::Enlist => "menyepakati rencana".into(),
        Action::Checkpoint => "menulis perubahan basis data ke disk".into(),
        Action::StopApplications => "mematikan aplikasi".into(),
        Action::StopDatabase => "mematikan basis data".into(),
        Action::RemoveVirtualIp => "menghapus IP virtual".into(),
        Action::Unmount => "melepas pasang sistem berkas".into(),
        Action::Release => "melepas kumpulan disk".into(),
        Action::Fence {
            victim,
            device,
            fence: FenceKind::Power,
            wait_ms,
        } => format!("mematikan {victim} melalui {device}{}", waits(*wait_ms)),
        Action::Fence {
            victim,
            device,
            fence: FenceKind::Fabric,
            wait_ms,
        } => {
            let waits = waits(*wait_ms);
            format!("memutus {victim} dari kumpulan disk melalui {device}{waits}")
        }
        Action::Fence {
            victim,
            fence: FenceKind::Reservation,
            ..
        } => format!("mencabut pendaftaran {victim} di kumpulan disk"),
        Action::Attest { victim, how } => {
            format!("memeriksa pernyataan bahwa {}", attested(victim, *how))
        }
        Action::AcceptOldData { resource, state } => {
            format!("mencatat keputusan memakai salinan lama {resource} ({state})")
        }
        Action::Take => "mengambil kumpulan disk".into(),
        Action::Mount => "memasang sistem berkas".into(),
        Action::AddVirtualIp => "membuat IP virtual".into(),
        Action::StartDatabase => "menyalakan basis data".into(),
        Action::StartApplications => "menyalakan aplikasi".into(),
        Action::ClientTest => "menguji dari sisi klien".into(),
        Action::AfterMove => "menjalankan program setelah pemindahan".into(),
    }
}

/// An action of which only the name is known, and it has arguments.
pub(crate) fn bare_fence() -> &'static str {
    "mengisolasi server yang tidak menjawab"
}

pub(crate) fn bare_old_data() -> &'static str {
    "mencatat keputusan memakai salinan lama"
}

pub(crate) fn bare_attest() -> &'static str {
    "memeriksa pernyataan petugas"
}

pub(crate) fn coordinate() -> &'static str {
    "memimpin proses"
}

pub(crate) fn failure(kind: FailureKind, detail: &Why) -> String {
    let what = match kind {
        FailureKind::Busy => "Sistem berkas sedang dipakai",
        FailureKind::NotReleased => {
            "Sistem berkas sudah dilepas, tetapi perangkatnya masih dipegang"
        }
        FailureKind::DatabaseStop => "Basis data tidak berhenti",
        FailureKind::DatabaseStart => "Basis data tidak menyala",
        FailureKind::Mount => "Sistem berkas tidak dapat dipasang atau dilepas",
        FailureKind::Address => "IP virtual tidak dapat dipindahkan",
        FailureKind::Application => "Sebuah aplikasi tidak menyala atau tidak berhenti",
        FailureKind::Fence => "Alat isolasi tidak memberi kepastian",
        FailureKind::ProofVoid => "Bukti bahwa server lain telah melepas tidak berlaku lagi",
        FailureKind::AttestationContradicted => {
            "Ada tanda hidup yang menyangkal pernyataan petugas"
        }
        FailureKind::Superseded => "Mandat yang lebih baru sudah berlaku",
        FailureKind::ClientTest => "Sebuah uji dari sisi klien gagal",
        FailureKind::Precondition => "Keadaan server tidak seperti yang diharapkan langkah ini",
        FailureKind::Log => "Catatan kejadian tidak dapat ditulis",
        FailureKind::Unreachable => {
            "Server lain tidak dapat dihubungi. Apa yang dilakukannya tidak diketahui dari sini"
        }
        FailureKind::CoordinatorSilent => {
            "Server pemimpin proses tidak menjawab lagi. Server lain menangani layanan, dalam proses"
        }
        FailureKind::Io => "Sistem melaporkan kesalahan",
    };
    if matches!(detail, Why::System(said) if said.trim().is_empty()) {
        format!("{what}.")
    } else {
        format!("{what}: {}.", crate::why(Language::Indonesian, detail))
    }
}

pub(crate) fn move_kind(kind: MoveKind) -> &'static str {
    match kind {
        MoveKind::Takeover => "ambil alih",
        MoveKind::Switchover => "alih tugas terencana",
        MoveKind::Failback => "pengembalian layanan",
        MoveKind::Drill => "simulasi",
        MoveKind::Restart => "nyala ulang",
        MoveKind::Stop => "penghentian",
        MoveKind::Start => "penyalaan",
        MoveKind::Resume => "pelanjutan",
        MoveKind::Abort => "pembatalan",
        MoveKind::Restore => "pemulihan ke tempat semula",
        MoveKind::Cover => "pengganti koordinator yang tidak menjawab",
    }
}

pub(crate) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Power => "daya",
        Layer::NetworkPaths => "jalur jaringan",
        Layer::Agent => "agen",
        Layer::DiskSet => "kumpulan disk",
        Layer::FileSystem => "sistem berkas",
        Layer::FreeSpace => "ruang kosong",
        Layer::KernelLog => "catatan kernel",
        Layer::Process => "proses basis data",
        Layer::LastShutdown => "penghentian terakhir",
        Layer::AcceptingConnections => "menerima sambungan",
        Layer::Applications => "aplikasi",
        Layer::ClientTest => "uji dari sisi klien",
    }
}

pub(crate) fn verdict_state(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Running => "berjalan",
        VerdictState::Stopped => "berhenti",
        VerdictState::Down => "MATI",
        VerdictState::InTransition => "sedang dipindahkan",
        VerdictState::Stuck => "MACET",
        VerdictState::Unknown => "TIDAK DIKETAHUI",
        VerdictState::Danger => "BAHAYA",
    }
}

pub(crate) fn can_take_over(answer: CanTakeOver) -> &'static str {
    match answer {
        CanTakeOver::Yes => "Dapatkah layanan diambil alih sekarang? Ya.",
        CanTakeOver::No => "Dapatkah layanan diambil alih sekarang? Tidak.",
        CanTakeOver::Unknown => "Dapatkah layanan diambil alih sekarang? Tidak diketahui.",
    }
}

pub(crate) fn done() -> &'static str {
    "Selesai. Layanan berada di tempat yang diperintahkan."
}

pub(crate) fn restored() -> &'static str {
    "Tidak berhasil. Layanan berjalan kembali di tempat semula."
}

pub(crate) fn stuck() -> &'static str {
    "Macet. Tidak ada yang terjadi dengan sendirinya. Seorang petugas harus bertindak."
}

pub(crate) fn failed_step(node: &NodeName, action: &str) -> String {
    format!("Langkah yang gagal: {action}, di {node}.")
}

/// Agar dua server yang terputus satu sama lain tidak saling mematikan.
fn waits(wait_ms: u64) -> String {
    match wait_ms {
        0 => String::new(),
        ms => format!(
            ", setelah menunggu {} kalau-kalau server lain melakukannya",
            crate::voice::duration(Language::Indonesian, ms)
        ),
    }
}
