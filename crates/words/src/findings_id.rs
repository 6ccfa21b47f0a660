//! Findings in Indonesian.

use crate::voice::Voice;
use siaga_model::event::{Finding, FindingCode as F};

pub(crate) fn what(voice: &Voice, finding: &Finding) -> String {
    let node = &finding.node;
    let what = match finding.code {
        F::PeerUnreachable => format!("{node} tidak menjawab"),
        F::PathDown => format!("Satu jalur jaringan dari {node} ke server lain terputus"),
        F::DiskSetMissing => format!("{node} tidak melihat kumpulan disk"),
        F::DiskSetSizeDiffers => format!("{node} melihat kumpulan disk dengan ukuran berbeda"),
        F::FenceSilent => format!("Alat isolasi untuk {node} tidak menjawab"),
        F::FenceBelied => format!("Alat isolasi untuk {node} milik mesin lain"),
        F::FenceMissing => format!("Tidak ada alat isolasi untuk {node}"),
        F::DiskSetDriver => format!(
            "Pengaturan yang membuat kumpulan disk hanya dipegang satu server belum benar di {node}"
        ),
        F::PostgresMissing => format!("PostgreSQL tidak ada di tempatnya di {node}"),
        F::PostgresVersionDiffers => format!("{node} memakai versi PostgreSQL yang berbeda"),
        F::PostgresUserDiffers => format!("Nomor pengguna PostgreSQL di {node} berbeda"),
        F::ConfigDiffers => format!("Konfigurasi di {node} berbeda"),
        F::MountByHand => format!("Di {node} sistem berkas terpasang, tetapi bukan oleh Siaga"),
        F::MountPointMissing => format!("Titik pasang tidak ada di {node}"),
        F::AddressConflict => format!("Mesin lain memakai alamat layanan, menurut {node}"),
        F::AddressLeftOver => format!("{node} memakai IP virtual, padahal layanan tidak di sana"),
        F::InterfaceDown => format!("Antarmuka jaringan {node} tidak ada atau mati"),
        F::DatabaseStranger => {
            format!("Di {node} berjalan basis data yang tidak dinyalakan oleh Siaga")
        }
        F::AutoStart => format!("Di {node} ada yang menyala sendiri saat mesin dinyalakan"),
        F::CertificateExpires => format!("Sertifikat {node} segera atau sudah kedaluwarsa"),
        F::CaKeyMissing => {
            format!(
                "{node} tidak memiliki salinan kunci CA tempat ini: mesin lain tidak dapat bergabung melaluinya"
            )
        }
        F::CaDiffers => format!("CA di {node} berbeda dari CA di server lain"),
        F::ClockDiffers => format!("Jam {node} tidak benar"),
        F::LogNearlyFull => format!("Catatan kejadian di {node} hampir penuh"),
        F::JournalTorn => {
            format!("Baris terakhir catatan kejadian di {node} tidak lengkap dan telah disisihkan")
        }
        F::JournalDamaged => {
            format!(
                "Baris catatan kejadian di {node} diubah, dihapus, atau ditukar; berkas itu telah disisihkan"
            )
        }
        F::ReservationLost => {
            format!("{node} kehilangan reservasi pada kumpulan disk, dan sudah melepas")
        }
        F::NodeReplaced => {
            format!("Mesin ini sudah diganti: sekarang mesin lain memakai nama {node}")
        }
        F::NodeUnfencedAndBack => format!("{node} pernah diisolasi dan kini kembali"),
        F::ProbeMissing => format!("Tidak ada pemantau klien yang melapor ke {node}"),
        F::EventKeyUnknown => {
            format!(
                "{node} menandatangani catatannya dengan kunci yang tidak dikenal di sini. Catatannya tidak disalin"
            )
        }
        F::LibraryVersionDiffers => format!("Pustaka sistem pengurut teks di {node} berbeda versi"),
        F::LocaleMissing => format!("{node} tidak memiliki locale yang ada di server lain"),
        F::ExtensionMissing => {
            format!("{node} tidak memiliki ekstensi PostgreSQL yang ada di server lain")
        }
        F::DatabaseConfigDiffers => format!("Konfigurasi PostgreSQL di {node} berbeda"),
        F::MemoryShort => format!("Memori {node} sedikit untuk basis data ini"),
        F::DiskSpaceLow => format!("Disk di {node} hampir penuh"),
        F::DataOutside => format!("Di {node} sebagian basis data berada di luar kumpulan disk"),
        F::CollationChanged => format!("Di {node} indeks dibuat dengan versi collation yang lain"),
        F::RecoveryTooLong => {
            format!("Setelah mati listrik, pemulihan di {node} bisa lebih lama dari sasaran")
        }
        F::DrillOverdue => "Simulasi terakhir sudah terlalu lama".into(),
        F::DatabasePortSilent => format!("Port basis data di {node} tidak dapat dicapai"),
        F::BackupOld => format!(
            "Cadangan (backup) terakhir terlalu lama, atau umurnya tidak diketahui, menurut {node}"
        ),
        F::RehearsalFailed => format!("Latihan terakhir di {node} tidak lulus"),
        F::RehearsalLeftOver => format!("Di {node} ada sisa latihan"),
        F::ControlFileRewritten => {
            format!("Basis data pernah dipakai tanpa Siaga sebelum dinyalakan di {node}")
        }
        F::DatabaseUnit => format!("Di {node} unit systemd basis data tidak seperti seharusnya"),
        F::ChecksumFailures => format!("Basis data di {node} membaca halaman yang rusak"),
        F::IndexDamaged => format!("Basis data di {node} memiliki indeks yang rusak"),
        F::RowsLost => format!(
            "Baris yang sudah dikonfirmasi basis data hilang, menurut laporan probe klien kepada {node}"
        ),
        F::SecretReadable => format!("Berkas rahasia di {node} dapat dibaca oleh selain root"),
    };
    let seen = crate::evidence(voice, &finding.evidence);
    if seen.is_empty() {
        format!("{what}.")
    } else {
        format!("{what}: {}.", seen)
    }
}

pub(crate) fn remedy(finding: &Finding) -> String {
    let node = &finding.node;
    match finding.code {
        F::PeerUnreachable => format!("Periksa daya, kabel, dan `systemctl status siaga` di {node}."),
        F::PathDown => "Periksa kabel, switch, dan firewall jalur itu.".into(),
        F::DiskSetMissing => format!("Periksa kabel penyimpanan {node} dan disk_set.device di konfigurasi."),
        F::DiskSetSizeDiffers => "Pastikan disk_set.device di kedua server menunjuk kumpulan disk yang sama.".into(),
        F::FenceSilent => format!("Periksa alat isolasi dan jaringannya, lalu ketik: siaga power status {node}."),
        F::FenceBelied => format!("Arahkan alat isolasi ke prosesor manajemen atau stopkontak milik {node} sendiri (options pada [[node.fence]], atau kabelnya). Sampai saat itu alat ini tidak dipakai: pengambilalihan memerlukan orang yang melihat {node}."),
        F::FenceMissing => {
            "Tambahkan [[node.fence]] ke konfigurasi. Sebelum itu, ambil alih memerlukan petugas yang mendatangi server.".into()
        }
        F::DiskSetDriver => format!("Perbaiki di {node} apa yang disebut pada bukti."),
        F::PostgresMissing => format!("Pasang PostgreSQL di {node} dengan versi yang sama seperti di server lain."),
        F::PostgresVersionDiffers => "Samakan versi PostgreSQL di kedua server sebelum pemindahan berikutnya.".into(),
        F::PostgresUserDiffers => "Samakan nomor pengguna PostgreSQL di kedua server.".into(),
        F::ConfigDiffers => "Salin /etc/siaga/siaga.toml yang benar ke kedua server, lalu nyalakan ulang agen.".into(),
        F::MountByHand => format!("Di {node}: cari tahu siapa yang memasangnya. Jika tidak diperlukan, lepaskan."),
        F::MountPointMissing => format!("Ketik siaga check --fix, atau buat direktori itu di {node} dengan mkdir -p."),
        F::AddressConflict => "Cari mesin dengan alamat perangkat keras itu, lalu lepas dari jaringan.".into(),
        F::AddressLeftOver => format!("Ketik siaga start: alamat itu dihapus dari {node}. Bila muncul lagi, cari tahu siapa yang menambahnya."),
        F::InterfaceDown => format!("Periksa kartu jaringan dan kabel {node}."),
        F::DatabaseStranger => format!("Di {node}: cari tahu siapa yang menyalakannya, lalu matikan dengan tertib."),
        F::AutoStart => format!("Di {node}: matikan penyalaan otomatis itu (siaga check --fix melakukannya untuk unit). Hanya Siaga yang boleh menyalakan layanan."),
        F::CertificateExpires => {
            format!("Periksa jam {node}. Pemindahan tetap dapat dilakukan. Agen memperbarui sertifikat sendiri.")
        }
        F::CaKeyMissing => "Nyalakan kedua agen, dengan versi yang sama: kunci itu diambil dari server lain. Kalau tidak ada di server mana pun, ketik: siaga ca replace --reason TEKS. Pemindahan tetap dapat dilakukan.".into(),
        F::CaDiffers => format!("Nyalakan kedua agen, dengan versi yang sama: {node} mengambil yang lebih baru dari server lain. Pemindahan tetap dapat dilakukan."),
        F::ClockDiffers => format!("Siapkan penyelarasan waktu di {node}."),
        F::LogNearlyFull => format!("Kosongkan ruang di /var/lib/siaga pada {node}."),
        F::JournalTorn => "Tidak ada yang perlu dilakukan. Hal ini terjadi bila daya terputus.".into(),
        F::JournalDamaged => {
            "Simpan berkas itu, ketik siaga events verify di kedua server, dan cari tahu siapa yang mengubahnya.".into()
        }
        F::ReservationLost => "Lihat di mana layanan berjalan sekarang (siaga status). Bila tidak berjalan di mana pun, ketik siaga start; lalu cari mengapa penyimpanan kehilangan reservasi.".into(),
        F::NodeReplaced => "Matikan mesin ini. Untuk memakainya lagi, pasang dari awal: kosongkan /var/lib/siaga, lalu bergabung dengan token baru.".into(),
        F::NodeUnfencedAndBack => format!("Ketik siaga periksa sebelum {node} menjalankan layanan lagi."),
        F::ProbeMissing => {
            "Jalankan siaga probe di komputer klien. Tanpa itu tidak ada kepastian dari sisi klien.".into()
        }
        F::EventKeyUnknown => format!(
            "Jika {node} disiapkan ulang: ketik siaga token create --for {node} di server yang menyimpan CA, lalu siaga join di {node}."
        ),
        F::LibraryVersionDiffers => "Samakan rilis sistem di kedua server. Bila basis data sudah pernah berjalan di keduanya: bangun ulang indeks teksnya (REINDEX).".into(),
        F::LocaleMissing => format!("Di {node}: buat locale itu (locale-gen), atau pasang paketnya."),
        F::ExtensionMissing => format!("Pasang di {node} paket ekstensi yang ada di server lain."),
        F::DatabaseConfigDiffers => "Bandingkan berkasnya, lalu salin yang benar ke kedua server.".into(),
        F::MemoryShort => format!("Tambah memori atau huge page di {node}, atau kecilkan shared_buffers di keduanya."),
        F::DiskSpaceLow => format!("Kosongkan ruang di {node}, atau perbesar disknya."),
        F::DataOutside => "Pindahkan ke bawah mount point layanan: pengambilalihan tidak membawanya, dan penyalaan ditolak.".into(),
        F::CollationChanged => "Di setiap basis data, bangun ulang indeks teks (REINDEX), lalu ALTER COLLATION … REFRESH VERSION, dan untuk collation bawaannya ALTER DATABASE … REFRESH COLLATION VERSION.".into(),
        F::RecoveryTooLong => "Kecilkan max_wal_size atau checkpoint_timeout.".into(),
        F::DrillOverdue => "Rencanakan simulasi, lalu ketik: siaga drill.".into(),
        F::DatabasePortSilent => format!("Buka port basis data di firewall {node}. Di sana klien tidak dapat mencapai layanan."),
        F::BackupOld => "Periksa backup sekarang. Ambil alih membawa datanya, tetapi tidak menggantikan backup.".into(),
        F::RehearsalFailed => format!("Perbaiki di {node} apa yang disebut pada bukti, lalu ketik: siaga latihan."),
        F::RehearsalLeftOver => format!("Isinya data pasien. Di {node}: hapus folder yang disebut pada bukti."),
        F::ControlFileRewritten => "Cari tahu siapa yang menyalakan basis data dengan tangan, dan apakah semua data ada.".into(),
        F::DatabaseUnit => "Perbaiki unit itu (systemctl edit), atau namanya di siaga.toml: Restart=no, TimeoutStartSec=infinity, tidak ditutup.".into(),
        F::ChecksumFailures => "Lihat berkasnya di log basis data, periksa penyimpanan, dan simpan cadangan baik yang terakhir.".into(),
        F::IndexDamaged => "Bangun ulang setiap indeks itu (REINDEX), lalu cari penyebabnya: penyimpanan, atau pustaka sistem yang lain.".into(),
        F::RowsLost => "Jangan memindahkan layanan lagi. Cari sebabnya: penyimpanan atau pengendali disk yang mengonfirmasi tulisan yang belum tersimpan, synchronous_commit atau fsync dimatikan, salinan lama yang dipakai. Setelah itu nyalakan ulang probe.".into(),
        F::SecretReadable => "Ketik chmod 600 untuk berkas itu, lalu ganti rahasianya.".into(),
    }
}
