//! What a command is for, in Indonesian.

use crate::refusal::how_word;
use crate::voice::Voice;
use siaga_model::proof::AttestKind;
use siaga_model::refusal::Advice;

pub(crate) fn purpose(voice: &Voice, advice: &Advice) -> String {
    match advice {
        Advice::Takeover { service } => {
            format!(
                "Menyalakan layanan {service} di server ini sebagai pengganti server yang mati."
            )
        }
        Advice::Switchover { service } => {
            format!("Memindahkan layanan {service} dengan tertib selagi kedua server sehat.")
        }
        Advice::Failback { service } => {
            format!("Mengembalikan layanan {service} ke server asalnya.")
        }
        Advice::Start { service } => format!("Menyalakan layanan {service}."),
        Advice::Restart { service } => {
            format!("Menyalakan ulang layanan {service} di server tempatnya sekarang.")
        }
        Advice::Resume => "Melanjutkan proses yang terputus sampai tujuannya.".into(),
        Advice::Abort => "Mengembalikan layanan ke tempatnya sebelum proses yang terputus.".into(),
        Advice::Status => "Melihat lagi keadaan kedua server.".into(),
        Advice::Diagnose => "Mencari penyebab, lapis demi lapis.".into(),
        Advice::Check => {
            "Memeriksa apakah ambil alih dapat dilakukan, dan apa yang menghalanginya.".into()
        }
        Advice::AttestAfter { node, ways } => {
            format!(
                "Datangi dahulu {node}, lalu {}. Setelah itu baru ketik perintah ini.",
                ways_text(voice, ways)
            )
        }
        Advice::AcceptOldData | Advice::ResumeWithOldData => {
            "Bila salinan yang lebih baru hilang untuk selamanya: ambil alih dengan salinan lama, atas nama Anda. Isi yang hanya ada di salinan baru akan hilang.".into()
        }
        Advice::FindStranger { hardware } => {
            format!(
                "Cari mesin dengan alamat perangkat keras {hardware}, lalu lepas mesin itu dari jaringan."
            )
        }
        Advice::UnmountByHand { node, mount_point } => format!(
            "Di {node}: tutup program yang memakai {}. Setelah itu lepas dengan perintah ini.",
            mount_point.display()
        ),
        Advice::RepairFence { node, device } => {
            format!(
                "Perbaiki alat isolasi {device} untuk {node}. Perintah ini menunjukkan apakah alat itu menjawab lagi."
            )
        }
        Advice::WaitForRun { run } => format!("Menunggu proses {run} selesai."),
        Advice::PowerOn { node } => format!("Menyalakan {node} melalui alat isolasinya."),
        Advice::PowerOff { node } => format!("Mematikan {node} melalui alat isolasinya."),
        Advice::FreeSpace { node } => {
            format!("Kosongkan ruang disk di {node}. Perintah ini menunjukkan ruang yang tersedia.")
        }
        Advice::FreeFolder { node, folder } => format!(
            "Kosongkan ruang di {node}, atau tentukan tempat yang lebih luas daripada {} (folder di [service.rehearsal]).",
            folder.display()
        ),
        Advice::AcceptLoss => {
            "Pastikan layanan tidak berjalan di server mana pun dan tidak dipindahkan dengan tangan. Lalu nyatakan atas nama Anda."
                .into()
        }
        Advice::Again { kind } => format!(
            "Memberikan perintah itu lagi ({}).",
            crate::move_kind(voice, *kind)
        ),
    }
}

fn ways_text(voice: &Voice, ways: &[AttestKind]) -> String {
    let each = |how: &AttestKind| {
        format!(
            "{} (--how {})",
            crate::attest_kind(voice, *how),
            how_word(*how)
        )
    };
    match ways {
        [] => each(&AttestKind::Unplugged),
        ways => ways.iter().map(each).collect::<Vec<_>>().join(", atau "),
    }
}
