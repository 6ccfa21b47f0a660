//! Texts of the screens in Indonesian.

use crate::acts_id;
use crate::ui_screen::Screen;
use crate::voice::{Voice, duration, quoted};
use siaga_model::config::{FenceKind, Language};
use siaga_model::observation::DatabaseState;

pub(crate) fn text(voice: &Voice, text: &Screen) -> String {
    match text {
        Screen::TakeoverTakes { low_s, high_s } => {
            let of = |s: &u64| duration(voice, s.saturating_mul(1000));
            format!("Langkah pengambilalihan perlu {} sampai {}.", of(low_s), of(high_s))
        }
        Screen::SupportCanNotClean { file } => format!(
            "{} tidak dapat dibaca, sehingga rahasianya tidak dapat dihilangkan. Tidak ada yang ditulis. Sebagai root, ketik: siaga config check, lalu siaga support",
            file.display()
        ),
        Screen::SupportWritten { file, parts } => format!(
            "{} berisi {parts} berkas, hanya dapat dibaca oleh Anda. Rahasia sudah dihilangkan. Periksa isinya sebelum dikirim.",
            file.display()
        ),
        Screen::InOrder { count } => format!("Dalam keadaan baik: {count} (semuanya: siaga check --all)"),
        Screen::CheckedAgo { ms, stale: false } => {
            format!("Diperiksa {} yang lalu.", duration(voice, *ms))
        }
        Screen::CheckedAgo { ms, stale: true } => {
            format!("Diperiksa {} yang lalu: sudah terlalu lama. Ketik: siaga check", duration(voice, *ms))
        }
        Screen::AgentNotReachable { socket, why } => format!(
            "Agen Siaga di mesin ini tidak dapat dihubungi melalui {} ({}).\n  \
             Nyalakan dengan: systemctl start siaga (atau langsung, sebagai root: siaga agent)\n  \
             Basis data yang sedang berjalan tidak terganggu: ia tidak bergantung pada agen.",
            socket.display(),
            quoted(why)
        ),
        Screen::SocketNotPermitted { socket } => format!(
            "Akun Anda tidak berhak memakai {}.\n  Mintalah agar dimasukkan ke grup siaga (usermod -aG siaga NAMA), lalu masuk lagi.",
            socket.display()
        ),
        Screen::AgentSilent { why } => format!(
            "Agen Siaga di mesin ini tidak menjawab: {}.\n  \
             Periksa dengan: systemctl status siaga. Proses yang sudah diterima mungkin tetap berjalan: siaga status",
            crate::why(voice, why)
        ),
        Screen::ApiError { code, message } => format!("{} [{code}]", quoted(message)),
        Screen::AnswerNotUnderstood { why } => format!(
            "Jawaban agen tidak dapat dimengerti: {}.\n  Samakah versi agen dan program ini? Lihat: siaga version",
            quoted(why)
        ),
        Screen::Interrupted => "Dihentikan.".into(),
        Screen::Accepted { run, coordinator } => format!("Proses {run} dimulai, dipimpin oleh {coordinator}."),
        Screen::WatchStopped { run } => format!(
            "Anda berhenti memantau. Proses {run} tetap berjalan.\n  \
             Pantau lagi dengan: siaga status --watch\n  Untuk mengembalikan layanan: siaga abort"
        ),
        Screen::WatchLost { run } => format!(
            "Proses {run} tidak dapat dipantau lagi dari sini. Mungkin masih berjalan.\n  \
             Lihat dengan: siaga status --watch (juga di server yang lain)"
        ),
        Screen::WatchWaits => "Agen sedang tidak menjawab; ditanya lagi. Proses mungkin tetap berjalan.".into(),
        Screen::CodeOfRefusal => "penolakan, atau sebab sebuah proses macet".into(),
        Screen::CodeOfFinding => "temuan".into(),
        Screen::CodeOfConfiguration => "kesalahan konfigurasi".into(),
        Screen::CodeOfError => "kesalahan".into(),
        Screen::NoSuchCode { code, near } if near.is_empty() => {
            format!("Tidak ada kode {code}. Semuanya: siaga jelaskan")
        }
        Screen::NoSuchCode { code, near } => {
            format!("Tidak ada kode {code}. Yang mirip: {near}. Semuanya: siaga jelaskan")
        }
        Screen::RunInterrupted { run } => format!(
            "Agen dinyalakan ulang dan tidak lagi menjalankan proses {run}: proses itu terhenti di tempatnya.\n  \
             Lihat keadaan sekarang dengan: siaga status\n  Teruskan sampai tujuan dengan: siaga resume\n  \
             Kembalikan layanan dengan: siaga abort"
        ),
        Screen::LossAccepted => "Diterima. Catatan dilanjutkan dari sini, dan perintah diterima lagi.".into(),
        Screen::SameKey { key } => format!(
            "Lihat dulu: siaga status\n  Setelah itu perintah yang sama dengan --key {key} aman: \
             perintah itu dijalankan satu kali."
        ),
        Screen::RunCovers { run } => format!(
            "Proses ini menangani proses {run}, karena server yang memimpinnya tidak menjawab lagi."
        ),
        Screen::CoveredBy { run } => format!("ditangani oleh proses {run}"),
        Screen::StepsLeft { left } => format!("{left} langkah lagi"),
        Screen::ExpectedTime { ms } => format!("perkiraan {}", duration(voice, *ms)),
        Screen::ProofByRelease { node } => format!("{node} melepas sendiri dan menjanjikannya."),
        Screen::ProofByFence { node, device, fence: FenceKind::Power } => {
            format!("{node} dimatikan melalui {device}, dan alat itu harus memastikannya.")
        }
        Screen::ProofByFence { node, device, fence: FenceKind::Fabric } => {
            format!("{node} diputus dari kumpulan disk melalui {device}, dan alat itu harus memastikannya.")
        }
        Screen::ProofByFence { node, fence: FenceKind::Reservation, .. } => {
            format!("Pendaftaran {node} di kumpulan disk dicabut, lalu dibaca ulang.")
        }
        Screen::ProofByAttestation { node, how } => format!(
            "Pernyataan Anda: {}. Diperiksa lagi tepat sebelum kumpulan disk diambil.",
            acts_id::attested(node, *how)
        ),
        Screen::NoTerminal => "kesalahan: perintah ini menghentikan layanan dan harus disetujui, tetapi tidak ada terminal \
             untuk bertanya: dalam skrip tambahkan --yes, atau lihat dahulu dengan --dry-run"
            .into(),
        Screen::TypeToGoOn { word } => format!("Ketik {word} untuk melanjutkan, yang lain untuk membatalkan:"),
        Screen::PowerOffAsked { node } => format!("{node} akan langsung dimatikan."),
        Screen::PowerFailed { node, why } => {
            format!("Alat isolasi {node} tidak melakukannya atau tidak memastikannya: {}.", crate::why(voice, why))
        }
        Screen::EndedWithoutResult => "Proses berakhir, tetapi agen tidak menyebut hasilnya. Lihat: siaga status".into(),
        Screen::RunWas { run } => format!("Selengkapnya: siaga events --run {run}"),
        Screen::ClientsLost { ms, probe, error_ms } => {
            let by = probe.as_ref().map_or_else(|| "pemantau klien".to_owned(), |p| format!("pemantau {p}"));
            let error = error_ms.map_or_else(String::new, |e| format!(" (± {})", duration(voice, e)));
            format!("Klien kehilangan layanan selama {}, diukur oleh {by}{error}.", duration(voice, *ms))
        }
        Screen::NodeSawGap { ms } => {
            format!("Henti selama {} menurut server; belum dipastikan dari sisi klien.", duration(voice, *ms))
        }
        Screen::GapUnmeasured => "Layanan sudah kembali; tidak ada yang mengukur sejak kapan ia terhenti.".into(),
        Screen::GapOpen => "Sejak itu layanan tidak tersedia bagi klien.".into(),
        Screen::NoOutageSeen => "Tidak ada waktu henti yang terukur; belum dipastikan dari sisi klien.".into(),
        Screen::Database { state } => format!("Basis data: {}.", database(state)),
        Screen::MachinesTimes => "Waktu setiap mesin:".into(),
        Screen::WasPoweredOff => "dimatikan".into(),
        Screen::WasRestarted => "dinyalakan ulang".into(),
        Screen::WasSilent => "tidak menjawab".into(),
        Screen::StillOffline => "masih henti".into(),
        Screen::GuidedNeedsTerminal => {
            "kesalahan: layar pemandu memerlukan terminal; dalam skrip pakailah perintah: siaga help".into()
        }
        Screen::ChooseService => "Layanan yang mana? Ketik nomornya:".into(),
        Screen::ChooseOther => "Layanan lain".into(),
        Screen::MenuWatch { run } => format!("Pantau proses {run} sampai selesai."),
        Screen::MenuDrill { service } => format!("Simulasi: pindahkan layanan {service} ke server lain dan kembali."),
        Screen::MenuStop { service } => format!("Hentikan layanan {service} di semua server."),
        Screen::MenuAttestTakeover { node } => {
            format!("Ambil alih, setelah Anda mendatangi {node} dan memastikan ia tidak dapat menulis lagi.")
        }
        Screen::AttestIntro { node } => format!(
            "{node} tidak menjawab, dan dari sini tidak ada yang dapat mematikannya. Seseorang harus ke sana dan melakukan salah satu dari ini:"
        ),
        Screen::AttestWay { how } => acts_id::attest_kind(*how).into(),
        Screen::AskPerson => "Siapa Anda? Ketik nomornya:".into(),
        Screen::EnterForNone => "(Enter: tidak ada)".into(),
        Screen::EnterForBack => "(Enter: kembali)".into(),
        Screen::ActingAs { name } => format!("Dicatat atas nama {name} (dinyatakan, belum dibuktikan)."),
    }
}

fn database(state: &DatabaseState) -> String {
    match state {
        DatabaseState::Stopped => "berhenti".into(),
        DatabaseState::Starting {
            percent: Some(percent),
        } => format!("sedang dinyalakan, {percent} %"),
        DatabaseState::Starting { percent: None } => "sedang dinyalakan".into(),
        DatabaseState::Ready => "siap".into(),
        DatabaseState::NotServing { why } => {
            format!("tidak melayani ({})", crate::why(Language::Indonesian, why))
        }
        DatabaseState::Unknown { why } => format!(
            "tidak diketahui ({})",
            crate::why(Language::Indonesian, why)
        ),
    }
}
