//! What is safe while a reason stands, in Indonesian.

use siaga_model::refusal::RefusalCode as C;

pub(crate) fn safe_now(code: C) -> &'static str {
    match code {
        C::StillServing => "Klien dapat terus bekerja.",
        C::SourceAlive => "Biarkan server lain tetap menyala.",
        C::NeedsAttestation => {
            "Jangan memasang kumpulan disk dengan tangan. Server lain mungkin masih menulis ke sana."
        }
        C::AttestationContradicted => {
            "Jangan memasang kumpulan disk dengan tangan. Periksa sekali lagi server lain itu."
        }
        C::AlreadyThere => "Tidak ada yang perlu dilakukan.",
        C::PeerSilent => "Jika layanan masih melayani klien, biarkan saja.",
        C::HoldingUnknown => {
            "Jangan memasang kumpulan disk dengan tangan. Tidak diketahui bukan berarti bebas."
        }
        C::NotRunning => "Kumpulan disk boleh dibiarkan seperti sekarang.",
        C::TwoHolders => {
            "Jangan menyalakan apa pun. Hentikan pekerjaan pada layanan sekarang, lalu minta bantuan."
        }
        C::RunInProgress => "Tunggu, dan jangan melakukan apa pun dengan tangan.",
        C::RunInterrupted => "Tidak ada yang terjadi dengan sendirinya sampai Anda memutuskan.",
        C::NothingInterrupted => "Tidak ada yang perlu dilakukan.",
        C::JournalLost => {
            "Layanan yang berjalan tetap berjalan. Server ini tidak memulai apa pun yang baru."
        }
        C::NotOnPreferred => "Layanan boleh tetap di tempatnya selama diperlukan.",
        C::CheckNotPassed => "Layanan boleh tetap di tempatnya selama diperlukan.",
        C::TargetNotReady => "Layanan boleh tetap di tempatnya.",
        C::NoSuchThing => "Periksa namanya, lalu ketik lagi.",
        C::Stranger => "Cari tahu dahulu siapa yang memakainya. Jangan langsung dihapus.",
        C::AddressConflict => "Jangan memberikan alamat itu kepada mesin lain.",
        C::LogFull => "Ambil alih dalam keadaan darurat masih dapat dilakukan.",
        C::Superseded => "Perintah yang lebih baru tetap berlaku.",
        C::ProofVoid => {
            "Jangan memasang kumpulan disk dengan tangan. Server lain mungkin masih menulis ke sana."
        }
        C::HolderOfRunningService => "Klien dapat terus bekerja.",
        C::NotAllowed => "Mintalah kepada petugas yang berhak.",
        C::BadRequest => "Perbaiki perintahnya, lalu ketik lagi.",
        C::NoRoom => "Klien dapat terus bekerja. Tidak ada yang disalin.",
        C::RehearsalInProgress => "Klien dapat terus bekerja. Tunggu sampai latihan itu selesai.",
        C::NodeInUse => "Layanan boleh tetap di tempatnya. Tidak ada kunci yang diubah.",
        C::NodeReplaced => "Matikan mesin ini. Kumpulan disknya harus tetap terlepas.",
        C::OrderUnknown => {
            "Jangan lakukan apa pun dengan tangan. Perintah itu mungkin sedang dijalankan."
        }
        C::MandateConflict => {
            "Jangan memasang kumpulan disk dengan tangan. Berikan satu perintah baru dari satu tempat."
        }
    }
}
