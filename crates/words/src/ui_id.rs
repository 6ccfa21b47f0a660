//! Fixed texts of the screens in Indonesian.

use crate::ui::Ui;

pub(crate) fn text(text: Ui) -> &'static str {
    match text {
        // --- the shape of a refusal
        Ui::NothingChanged => "Tidak ada yang diubah.",
        Ui::Evidence => "Yang terlihat:",
        Ui::SafeNow => "Yang aman sekarang:",
        Ui::NextStep => "Langkah berikutnya:",
        // --- headings
        Ui::Service => "Layanan",
        Ui::Node => "Server",
        Ui::State => "Keadaan",
        Ui::Step => "Langkah",
        Ui::Elapsed => "Berjalan",
        Ui::Expected => "Perkiraan",
        Ui::Reason => "Alasan",
        Ui::Plan => "Rencana:",
        Ui::WhatItProves => "Cara memastikan server lain melepas:",
        Ui::NotProved => "Yang belum dapat dibuktikan oleh pratinjau ini:",
        Ui::Findings => "Temuan:",
        Ui::WhatToDo => "Yang perlu dilakukan:",
        Ui::Recommended => "Disarankan sekarang:",
        Ui::OtherChoices => "Pilihan lain:",
        Ui::Result => "Hasil",
        Ui::Outage => "Waktu henti",
        Ui::OfflineAt => "Henti",
        Ui::OnlineAt => "Pulih",
        Ui::Duration => "Lama",
        Ui::Cause => "Penyebab",
        Ui::Who => "Petugas",
        Ui::When => "Waktu",
        Ui::LogBook => "Daftar log waktu henti",
        Ui::Planned => "terencana",
        Ui::Unplanned => "tidak terencana",
        Ui::LikelyCause => "Kemungkinan penyebab:",
        Ui::NoCauseFound => "Tidak ada lapis yang rusak sejauh yang terlihat.",
        Ui::ClientTests => "Uji dari sisi klien:",
        Ui::Proof => "Bukti",
        // --- small answers
        Ui::Yes => "ya",
        Ui::No => "tidak",
        Ui::Unknown => "tidak diketahui",
        Ui::Good => "baik",
        Ui::Broken => "rusak",
        Ui::NotKnown => "belum diketahui",
        Ui::Done => "selesai",
        Ui::NothingToDo => "tidak perlu diubah",
        Ui::Failed => "gagal",
        Ui::Waiting => "menunggu",
        Ui::Running => "sedang berjalan",
        Ui::Passed => "lulus",
        Ui::NotConfirmed => "belum dipastikan dari sisi klien",
        Ui::EnteredByHand => "diisi oleh petugas, tidak diukur",
        Ui::SeenByNode => "diukur di server, belum dipastikan dari sisi klien",
        Ui::SeenByProbe => "diukur oleh pemantau klien",
        // --- fixed sentences
        Ui::NothingFound => "Tidak ada yang menghalangi.",
        Ui::NoFence => "Tanpa alat isolasi: ambil alih memerlukan petugas di server yang mati.",
        Ui::DryRunNothingChanged => "Ini hanya pratinjau. Tidak ada yang diubah.",
        Ui::DryRunNoPromise => "Pratinjau yang baik bukan jaminan.",
        Ui::StopsService => "Tindakan ini menghentikan layanan bagi klien.",
        Ui::InformUnitsFirst => "Beri tahu unit-unit sebelum melanjutkan.",
        Ui::DrillStopsServiceTwice => "Simulasi menghentikan layanan dua kali dalam waktu singkat.",
        Ui::DrillPassed => "Simulasi lulus.",
        Ui::DrillNotPassed => "Simulasi tidak lulus.",
        Ui::DrillNotGraded => "Simulasi tidak dapat dinilai: belum ada kepastian dari sisi klien.",
        Ui::ClientTestFailed => "Layanan berjalan, tetapi sebuah uji dari sisi klien gagal.",
        Ui::RunGoesOn => "Proses tetap berjalan, juga tanpa layar ini.",
        Ui::AgentNotReachable => "Agen di server ini tidak menjawab.",
        Ui::StartAgent => "Nyalakan dengan: systemctl start siaga",
        Ui::NoAccessToAgent => {
            "Anda tidak berhak memakai agen. Mintalah agar dimasukkan ke grup siaga."
        }
        Ui::DataAccepted => "Diterima. Sekarang berikan perintah itu lagi.",
        Ui::AcceptDataAsked => {
            "Data di kumpulan disk lebih tua daripada yang terakhir terlihat, atau basis data lain. Yang lebih baru di tempat lain akan hilang. Ketik nama layanan untuk menyatakan bahwa ini memang dimaksud:"
        }
        Ui::Aborted => "Tidak disetujui. Tidak ada yang diubah.",
        Ui::LogTail => "Catatan terbaru mungkin belum tersalin ke server lain.",
        Ui::LogWhole => "Catatan kejadian utuh.",
        Ui::LogTampered => "Catatan kejadian telah diubah.",
        Ui::NoOutages => "Belum ada waktu henti yang tercatat.",
        Ui::ConfigGood => "Konfigurasi benar.",
        Ui::NobodyMayAttest => {
            "Daftar petugas ([[person]]) masih kosong: jika pada malam kejadian tidak ada alat isolasi yang menjawab, tidak ada yang boleh menyatakan bahwa server yang diam itu mati, dan tidak ada yang diambil alih."
        }
        Ui::CodesExplained => "Keterangan sebuah kode: siaga jelaskan KODE",
        Ui::StatedNotProved => "dinyatakan, belum dibuktikan",
        Ui::NothingToMend => "Tidak ada yang boleh diperbaiki sendiri oleh --fix.",
        Ui::ReasonCover => "Server pemimpin proses tidak menjawab lagi.",
        Ui::ReasonPowerReturned => "Listrik gedung kembali menyala.",
        // --- prompts
        Ui::TypeToConfirm => "Ketik kata ini untuk menyetujui:",
        Ui::AskReason => "Mengapa? Tulis alasan singkat untuk catatan:",
        Ui::AskWhat => "Apa yang ingin Anda lakukan? Ketik nomornya:",
        Ui::AskHow => "Apa yang sudah Anda lakukan pada server itu? Ketik nomornya:",
        Ui::AskName => "Nama Anda, seperti tertulis dalam daftar petugas:",
        Ui::AskRequestedBy => "Siapa yang meminta?",
        Ui::AskApprovedBy => "Siapa yang menyetujui?",
        Ui::NotUnderstood => "Masukan tidak dimengerti. Coba sekali lagi.",
        Ui::GoToServer => "Datangi server itu sekarang. Kembalilah setelah selesai.",
        Ui::AttestWarning => "Jika pernyataan ini tidak benar, data dapat rusak.",
        Ui::PressEnter => "Tekan Enter untuk melanjutkan.",
        Ui::MenuLookAgain => "Lihat lagi",
        Ui::MenuLog => "Tampilkan daftar log waktu henti",
        Ui::MenuQuit => "Keluar",
    }
}
