//! The questions of `siaga init` in Indonesian.

use crate::voice::{list, quoted};
use crate::wizard::{FreeOn, Wizard};
use siaga_model::question::Question;

/// The question, and what helps to answer it.
#[rustfmt::skip] // a table of words
pub(crate) fn question(question: Question) -> (&'static str, &'static str) {
    use Question as Q;
    match question {
        Q::Language => ("Bahasa yang dibaca petugas (en, id)", "en bahasa Inggris, id bahasa Indonesia."),
        Q::SiteName => ("Nama rumah sakit", "Seperti akan tertulis di dokumen dan layar."),
        Q::TimeZone => ("Zona waktu", "Asia/Jakarta untuk WIB, Asia/Makassar untuk WITA, Asia/Jayapura untuk WIT."),
        Q::Operators => ("Akun petugas yang mengoperasikan layanan", "Nama login mereka di kedua server, dipisah koma. Hanya mereka yang boleh menyatakan bahwa server yang diam itu mati. Kosong: belum ada."),
        Q::ThisNode => ("Nama server ini", "a-z, 0-9, dan -. Nama ini dipakai dalam catatan dan perintah."),
        Q::ThisAddresses => ("Alamat server ini sendiri", "Satu per jalur jaringan, dipisah koma. Bukan alamat yang dipakai klien."),
        Q::ThisHardware => ("Alamat perangkat keras kartu jaringan server ini", "Jawaban dianggap dari server ini hanya jika berasal dari salah satunya."),
        Q::OtherNode => ("Nama server lain", "Server yang akan mengambil alih."),
        Q::OtherAddresses => ("Alamat server lain itu sendiri", "Satu per jalur jaringan, dipisah koma. Port 7443/tcp harus terbuka di antara keduanya."),
        Q::OtherHardware => ("Alamat perangkat keras kartu jaringan server lain", "Di server itu: ip link. Terisi sendiri jika server itu menjawab."),
        Q::Service => ("Nama layanan", "Yang berpindah sebagai satu kesatuan: simrs. a-z, 0-9, dan -."),
        Q::PreferredNode => ("Server utamanya", "Perintah kembalikan membawanya ke sana."),
        Q::DataDir => ("Folder data PostgreSQL", "Folder yang berisi PG_VERSION, di disk bersama."),
        Q::BinDir => ("Folder program PostgreSQL", "Folder yang berisi postgres dan pg_controldata: sama di kedua server."),
        Q::ConfigFile => ("postgresql.conf, jika tidak di folder data", "Di Debian: /etc/postgresql/VERSI/main; folder itu harus sama di kedua server. Kosong: di folder data."),
        Q::Unit => ("Unit systemd yang menjalankannya", "Misalnya postgresql@15-main.service: Siaga menyalakan dan mematikannya lewat unit itu. Sama di kedua server. Kosong: Siaga menyalakan postgres sendiri."),
        Q::Port => ("Port PostgreSQL", "Kosong: 5432."),
        Q::OsUser => ("Akun yang menjalankan PostgreSQL", "Nomornya harus sama di kedua server. Kosong: postgres."),
        Q::SocketDir => ("Folder soket unix-nya", "Kosong: /run/postgresql."),
        Q::CheckUser => ("Peran basis data untuk pemeriksaan setempat", "Harus diizinkan masuk lewat soket unix tanpa kata sandi. Kosong: postgres."),
        Q::MountPoint => ("Tempat disk bersama dipasang", "Folder data berada di dalamnya."),
        Q::FileSystem => ("Sistem berkasnya (ext4, xfs)", "Yang dibuat oleh mkfs."),
        Q::MountOptions => ("Opsi pemasangan", "noatime dan sejenisnya, dipisah koma. Kosong: tidak ada."),
        Q::Driver => ("Yang menjaga disk tetap eksklusif (block, scsi, lvm, drbd)", "block: disk bersama biasa. scsi: dengan reservasi tetap. lvm: grup volume. drbd: perangkat yang direplikasi."),
        Q::VolumeGroup => ("Grup volume", "Namanya, seperti ditampilkan vgs."),
        Q::ReservedDisk => (
            "Disk dengan reservasi di bawah grup volume",
            "Seluruh disk tempat grup itu berada, bila mengenal reservasi persisten SCSI: reservasi menahan server lain.",
        ),
        Q::ReplicaBelow => ("Sumber daya DRBD di bawah grup volume", "Bila grup itu berada di perangkat yang direplikasi: namanya, seperti ditampilkan drbdadm status."),
        Q::Resource => ("Sumber daya DRBD", "Namanya, seperti ditampilkan drbdadm status."),
        Q::Device => ("Perangkat dengan sistem berkas itu", "Dengan nama yang tidak berubah saat menyala ulang: /dev/disk/by-id/wwn-..."),
        Q::OtherDevice => ("Perangkat yang sama di server lain", "Kosong: namanya sama di sana."),
        Q::FurtherFileSystems => (
            "Sistem berkas lain, untuk WAL dan table space",
            "Masing-masing seperti di fstab: perangkat, titik pasang, jenisnya; dipisah koma. Masing-masing di volume kumpulan disk yang sama. Kosong: tidak ada. Perangkat yang namanya lain di server lain: ubah di berkasnya.",
        ),
        Q::VirtualIp => ("Alamat yang dipakai klien (IP virtual)", "Berpindah bersama layanan, dan tidak ada dalam konfigurasi jaringan. Alamat bebas di jaringan server, atau alamat yang sekarang sudah berpindah."),
        Q::Interface => ("Kartu jaringan untuk alamat itu", "Di server ini."),
        Q::OtherInterface => ("Kartu jaringan untuk alamat itu di server lain", "Kosong: namanya sama di sana."),
        Q::ThisFence => ("Pengelola perangkat keras (IPMI) server ini", "Alamatnya: dengan ini server lain mematikan server ini. Kosong: tidak ada, maka seseorang harus ke sana."),
        Q::ThisFenceUser => ("Akun di pengelola itu", "Boleh mematikan dan menyalakan listrik."),
        Q::ThisFenceSecret => ("Berkas kata sandi akun itu", "Hanya root yang boleh membacanya: install -m 0600 /dev/null BERKAS, lalu tulis kata sandinya."),
        Q::OtherFence => ("Pengelola perangkat keras (IPMI) server lain", "Alamatnya: dengan ini server ini mematikan server lain. Kosong: tidak ada, maka seseorang harus ke sana."),
        Q::OtherFenceUser => ("Akun di pengelola itu", "Boleh mematikan dan menyalakan listrik."),
        Q::OtherFenceSecret => ("Berkas kata sandi akun itu", "Hanya root yang boleh membacanya: install -m 0600 /dev/null BERKAS, lalu tulis kata sandinya."),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn said(text: &Wizard) -> String {
    use Wizard as W;
    match text {
        W::Welcome => "Konfigurasi belum ada. Beberapa pertanyaan akan membuatnya. Enter menerima isi kurung siku, - mengosongkannya, Ctrl-C mengakhiri tanpa menulis apa pun.".into(),
        W::FoundServer { version, pid, data_dir, port, unit } => {
            let by = unit.as_ref().map_or_else(String::new, |u| format!(", sebagai {u}"));
            format!("PostgreSQL {version} berjalan di sini (proses {pid}{by}): {}, port {port}.", data_dir.display())
        }
        W::FoundNoServer => "Tidak ada PostgreSQL yang berjalan di sini.".into(),
        W::NotRoots { program } => format!("PostgreSQL yang berjalan sebagai {} tidak dihitung: selain root juga dapat mengubah program ini, padahal root akan menjalankannya.", program.display()),
        W::FoundStopped { version, name, data_dir, port } => format!(
            "PostgreSQL {version} ({name}) terpasang di sini dan tidak berjalan: {}, port {port}.", data_dir.display()
        ),
        W::FoundFree { device, size, file_system, on, waits_at } => {
            let what = file_system.as_deref().unwrap_or("sistem berkasnya tidak terlihat");
            let on = on.as_ref().map_or_else(String::new, |on| format!(", {}", free_on(on)));
            let at = waits_at.as_ref().map_or_else(String::new, |at| format!(", di fstab untuk {}", at.display()));
            format!("Tidak dipakai apa pun di sini: {} ({size}, {what}{on}{at}).", device.display())
        }
        W::FoundGroup { name } => format!("Grup volume di sini: {name}."),
        W::FoundReplica { resource } => format!("Sumber daya DRBD di sini: {resource}."),
        W::NoFreeDisk => "Tidak ditemukan disk yang tidak dipakai: disk bersama sedang terpasang, atau belum terlihat.".into(),
        W::SeveralFree => "Lebih dari satu mungkin disk bersamanya: yang sama pada semuanya disarankan, selebihnya perlu Anda tentukan.".into(),
        W::NotShared { data_dir, mount_point } => {
            let on = mount_point.as_ref().map_or_else(|| "bukan disk tersendiri".into(), |m| m.display().to_string());
            format!("{} berada di {on}, yang tidak dapat diambil alih server lain. Pindahkan dahulu datanya ke disk bersama (docs/install.id.md).", data_dir.display())
        }
        W::OtherOptions { options } => format!(
            "Basis data dinyalakan dengan opsi yang tidak diberikan Siaga: {}. Tulis opsi itu di postgresql.conf sebelum dinyalakan lagi.", list(options)
        ),
        W::DataOutside { link, to, on } => {
            let way = match on {
                Some((device, mount_point)) => format!(
                    "Jika {} adalah volume dari kumpulan disk yang sama, tambahkan [[service.file_system]] dengan device = \"{}\" dan mount_point = \"{}\" (docs/disk-sets.md, Several file systems); jika tidak, pindahkan kembali ke direktori data.",
                    mount_point.display(), device.display(), mount_point.display()
                ),
                None => "Pindahkan ke volume dari kumpulan disk yang sama (docs/disk-sets.md, Several file systems), atau kembali ke direktori data.".into(),
            };
            format!("{} menuju {}, di luar sistem berkas datanya: bagian itu akan tertinggal saat ambil alih. {way}", link.display(), to.display())
        }
        W::DataFurther { link, mount_point, device } => format!(
            "{} menuju {}, sistem berkas tersendiri di {}: bagian itu menjadi [[service.file_system]] dan ikut berpindah. Server lain juga harus melihat perangkat itu.",
            link.display(), mount_point.display(), device.display()
        ),
        W::StartsAtBoot { units } => format!(
            "Saat mesin menyala, basis data dinyalakan tanpa Siaga: {0}. Nonaktifkan di kedua server, basis data tetap berjalan: systemctl disable {1}", list(units), units.join(" ")
        ),
        W::MustBeAnswered => "Pertanyaan ini harus dijawab.".into(),
        W::NotRight { cause, remedy } => format!("Jawaban itu tidak mungkin: {cause}\n{remedy}"),
        W::Wrong { said } => format!("kesalahan: jawaban-jawabannya tidak cocok satu sama lain:\n{said}"),
        W::Missing { keys } => format!("kesalahan: belum dijawab: {}. Tidak ada yang ditulis.", list(keys)),
        W::NoPeople => "Belum ada petugas yang disebut: tidak ada yang boleh menyatakan bahwa server yang diam itu mati. Tulis [[person]] dalam konfigurasi sebelum malam pertama.".into(),
        W::NoFence { node } => format!("Tidak ada alat isolasi untuk {node}: jika server itu diam, ambil alih memerlukan seseorang yang pergi ke sana. Tambahkan dalam konfigurasi bila sudah ada."),
        W::AskWrite { file } => format!("Tulis ini ke {}? (ya/tidak)", file.display()),
        W::NothingWritten => "Tidak ada yang ditulis.".into(),
        W::Exists { file } => format!("kesalahan: {} sudah ada dan tidak ditimpa", file.display()),
        W::NoTerminal { file } => format!(
            "kesalahan: {} tidak ada, dan tidak ada yang dapat ditanya: berikan --answers BERKAS, atau jalankan di terminal. siaga init --print menampilkan yang ditemukan di sini", file.display()
        ),
        W::CanNotWrite { file, said } => format!("kesalahan: {} tidak dapat ditulis: {}", file.display(), quoted(said)),
        W::AnswersUnreadable { file, said } => format!("kesalahan: {}: {said}", file.display()),
        W::NoSuchQuestion { key, suggestion } => match suggestion {
            Some(meant) => format!("{} bukan pertanyaan; mungkin maksud Anda {meant}?", quoted(key)),
            None => format!("{} bukan pertanyaan; siaga init --print --json menampilkan semuanya", quoted(key)),
        },
        W::NotAText { key } => format!("{key}: jawaban adalah teks, angka, atau daftar teks"),
        W::Adopted { service, postmaster } => format!("{service} berjalan di sini dan diteruskan di bawah Siaga (proses {postmaster}): tidak ada yang dinyalakan ulang."),
        W::NothingRuns { service } => format!("{service} tidak berjalan di sini. Setelah server lain bergabung: siaga start"),
        W::NotAdopted { service, why } => format!("{service} ada di sini, tetapi tidak dapat diteruskan: {why}. Keadaannya dibiarkan. Perbaiki hal itu, atau hentikan lalu nyalakan lewat Siaga."),
        W::AddressNotYet { address, service } => format!(
            "{address} belum ada di server ini: klien memakai alamat server ini sendiri. Setelah server lain bergabung, siaga start --service {service} menambahkannya tanpa menyentuh basis data; lalu berikan alamat itu kepada klien."
        ),
        W::OwnAddress { address } => format!("{address} adalah alamat server ini sendiri dan tidak dapat berpindah. Pilih alamat bebas untuk klien."),
        W::Next { other } => format!("Berikutnya: systemctl enable --now siaga, lalu siaga token create --for {other}, dan di server itu: siaga join"),
    }
}

fn free_on(on: &FreeOn) -> String {
    match on {
        FreeOn::Group { name } => format!("dari grup volume {name}"),
        FreeOn::Replica { resource } => format!("sumber daya DRBD {resource}"),
        FreeOn::Reservations => "dengan reservasi persisten".into(),
    }
}
