//! The causes in Indonesian.

use super::paths;
use crate::cause::{Cause, ContactKind, Owner, Thing, ValueKind};

fn kind(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "teks dalam tanda kutip",
        ValueKind::Number => "bilangan bulat",
        ValueKind::Fraction => "bilangan pecahan",
        ValueKind::YesNo => "true atau false",
        ValueKind::Date => "tanggal atau jam",
        ValueKind::List => "daftar",
        ValueKind::Table => "tabel",
    }
}

fn thing(thing: Thing) -> &'static str {
    match thing {
        Thing::Node => "server",
        Thing::Service => "layanan",
        Thing::Person => "nama petugas",
        Thing::Login => "akun",
        Thing::Fence => "alat isolasi",
        Thing::Application => "aplikasi",
        Thing::ClientTest => "uji dari sisi klien",
        Thing::AfterMove => "program setelah pemindahan",
        Thing::HardwareAddress => "alamat perangkat keras",
        Thing::Device => "perangkat disk",
        Thing::SystemdUnit => "unit systemd",
        Thing::Port => "port basis data",
        Thing::Unit => "unit",
        Thing::Contact => "kontak",
        Thing::Channel => "saluran",
        Thing::OnCall => "urutan petugas jaga",
    }
}

fn owner(owner: &Owner) -> String {
    match owner {
        Owner::Node(name) => format!("server {name}"),
        Owner::VirtualIp(service) => format!("IP virtual layanan {service}"),
        Owner::Fence(node) => format!("alat isolasi untuk {node}"),
    }
}

fn meant(suggestion: Option<&String>, words: &[String]) -> String {
    match suggestion {
        Some(word) => format!("Apakah yang dimaksud \"{word}\"?"),
        None => format!("Gunakan salah satu: {}.", words.join(", ")),
    }
}

pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Unreadable { why } => format!("Berkas tidak dapat dibaca: {why}."),
        Cause::TooLarge { limit } => format!("Berkas lebih besar dari {limit} byte."),
        Cause::NotText => "Berkas bukan teks UTF-8.".into(),
        Cause::Syntax { message } => format!("Bagian ini bukan TOML yang benar: {message}."),
        Cause::UnknownKey { name, .. } => format!("Kunci \"{name}\" tidak dikenal di sini."),
        Cause::MissingKey { name } => format!("Kunci \"{name}\" belum ada."),
        Cause::NotWith { name, other } => {
            format!("\"{name}\" tidak dapat dipakai bersama \"{other}\".")
        }
        Cause::WrongType { expected, found } => {
            format!(
                "Nilai ini harus berupa {}, tetapi berisi {}.",
                kind(*expected),
                kind(*found)
            )
        }
        Cause::BadChoice { found, .. } => {
            format!("\"{found}\" bukan salah satu kata yang diperbolehkan.")
        }
        Cause::EmptyText => "Teks kosong, atau berisi baris baru atau karakter kendali.".into(),
        Cause::EmptyList => "Daftar kosong.".into(),
        Cause::OutletLikeAnother => "Stopkontak ini tidak berbeda dari yang lain.".into(),
        Cause::BadName { found } => format!("\"{found}\" bukan nama yang benar."),
        Cause::BadDuration { found } => format!("\"{found}\" bukan lama waktu yang benar."),
        Cause::ZeroDuration => "Lama waktu bernilai nol.".into(),
        Cause::LongDuration { found, most_h } => {
            format!("\"{found}\" lebih lama dari {most_h} jam.")
        }
        Cause::BadPercent { found } => format!("{found} bukan persentase."),
        Cause::BadCount { found } => format!("{found} bukan bilangan bulat di atas nol."),
        Cause::BadDay { found } => format!("\"{found}\" bukan tanggal yang benar."),
        Cause::BadAddress { found } => format!("\"{found}\" bukan alamat IP."),
        Cause::BadEndpoint { found } => format!("\"{found}\" bukan alamat IP dengan port."),
        Cause::BadPort { found } => format!("{found} bukan port."),
        Cause::BadNetwork { found } => format!("\"{found}\" bukan jaringan."),
        Cause::UnusableAddress { address } => {
            format!("Alamat {address} tidak dapat dipakai oleh mesin mana pun di sini.")
        }
        Cause::NotAbsolute { found } => format!("\"{found}\" bukan lintasan (path) lengkap."),
        Cause::BadHardwareAddress { found } => {
            format!("\"{found}\" bukan alamat perangkat keras kartu jaringan.")
        }
        Cause::BadInterface { found } => format!("\"{found}\" bukan nama antarmuka jaringan."),
        Cause::BadTimeZone { found, .. } => format!("Zona waktu \"{found}\" tidak ada."),
        Cause::BadUrl { found } => format!("\"{found}\" bukan alamat web."),
        Cause::BadUnit { found } => format!("\"{found}\" bukan nama unit systemd."),
        Cause::BadMountOption { found } => {
            format!("Opsi pasang (mount) \"{found}\" tidak diperbolehkan.")
        }
        Cause::BadResource { found } => {
            format!("\"{found}\" tidak dapat menjadi nama satu resource DRBD.")
        }
        Cause::BadVolumeGroup { found } => {
            format!("\"{found}\" tidak dapat menjadi nama grup volume.")
        }
        Cause::EqualReservationMarks => {
            "Nama kedua server terlihat sama di dalam kunci reservasi.".into()
        }
        Cause::BadPlaceholder { found } => {
            format!("Argumen \"{found}\" memakai kurung kurawal, tetapi bukan tempat isian.")
        }
        Cause::BadMountPoint { path } => {
            format!(
                "Pemasangan di {} akan menutupi sebagian sistem.",
                path.display()
            )
        }
        Cause::BadOption { found } => {
            format!("\"{found}\" tidak dapat menjadi opsi program isolasi.")
        }
        Cause::NodeCount { found } => format!("Terdapat {found} server."),
        Cause::NoService => "Belum ada layanan.".into(),
        Cause::Duplicate {
            thing: t,
            name,
            line,
        } => format!("{} {name} sudah ada di baris {line}.", capital(thing(*t))),
        Cause::NoSuchNode { name, .. } => format!("Tidak ada server bernama {name}."),
        Cause::MissingForNode { node } => format!("Nilai untuk server {node} belum ada."),
        Cause::EqualAddresses {
            address,
            other,
            line,
        } => {
            format!(
                "Alamat {address} sudah dipakai oleh {} (baris {line}).",
                owner(other)
            )
        }
        Cause::VirtualIpReachesNode {
            address,
            node,
            line,
        } => format!(
            "{address} adalah IP virtual dan juga alamat server {node} (baris {line}). IP virtual berpindah: server \
             yang salah dapat menjawab."
        ),
        Cause::OutsideNetwork { address, network } => {
            format!("{address} tidak berada di jaringan {network}.")
        }
        Cause::NoFileSystem => "Layanan ini tidak memiliki sistem berkas.".into(),
        Cause::FirstFileSystemDevice => {
            "Sistem berkas pertama selalu berada di disk_set.device; ia tidak memiliki perangkat sendiri.".into()
        }
        Cause::FileSystemDevice => {
            "Sistem berkas ini bukan yang pertama di layanannya, dan perangkatnya tidak disebutkan.".into()
        }
        Cause::FileSystemElsewhere { .. } => {
            "Perangkat ini bukan volume dari kumpulan disk: tidak ada yang mencegah node lain menulis ke sana.".into()
        }
        Cause::FileSystemNotReserved => {
            "Reservasi hanya ada di disk pertama: node lain masih dapat menulis ke disk ini.".into()
        }
        Cause::OverlappingMounts { path, other, line } => {
            format!(
                "{} bertumpang tindih dengan titik pasang {} di baris {line}.",
                path.display(),
                other.display()
            )
        }
        Cause::FolderNotApart { path, other } => format!(
            "{} dan {} berada di dalam satu sama lain: salinan berisi data pasien akan tertutup oleh sistem berkas yang dipasang.",
            path.display(),
            other.display()
        ),
        Cause::DataDirOutside { path, mounts } => format!(
            "Direktori data {} tidak berada di kumpulan disk. Layanan ini memasang {}.",
            path.display(),
            paths(mounts)
        ),
        Cause::FenceWithoutCredentials { fence } => {
            format!("Alat isolasi {fence} tidak memiliki kata sandi.")
        }
        Cause::InlineSecret { name } => {
            format!("Rahasia \"{name}\" tertulis di berkas ini, yang dapat dibaca banyak orang.")
        }
        Cause::ApplicationRun { name } => {
            format!("Cara menyalakan dan mematikan aplikasi {name} belum ditulis.")
        }
        Cause::PolicyOrder {
            silence_ms,
            timeout_ms,
        } => format!(
            "coordinator_silence ({silence_ms} ms) tidak lebih lama dari peer_timeout ({timeout_ms} ms). Jawaban yang \
             lambat akan dianggap sebagai koordinator yang mati."
        ),
        Cause::NoSuchChannel { name, .. } => format!("Tidak ada saluran bernama {name}."),
        Cause::NoSuchPerson { name, .. } => {
            format!("{name} tidak ada di daftar petugas.")
        }
        Cause::BadContact { found, kind } => match kind {
            ContactKind::Mail => format!("\"{found}\" bukan alamat surel."),
            ContactKind::Chat => format!("\"{found}\" bukan nomor percakapan."),
        },
        Cause::NoWayToTell { name } => format!("Tidak tertulis bagaimana {name} diberi tahu."),
        Cause::ListensOpenly { address } => {
            format!(
                "{address} dapat dijangkau dari mesin lain, padahal halaman ini disajikan tanpa TLS."
            )
        }
        Cause::AlertByHand { channel } => format!(
            "Saluran {channel} menunggu petugas yang mengirim teksnya, sehingga peringatan lewat saluran ini tidak \
             membangunkan siapa pun."
        ),
        Cause::PasswordInClear { server } => {
            format!(
                "Kata sandi akan dikirim ke {server} tanpa penyandian dan dapat dibaca di jalan."
            )
        }
        Cause::UrlInClear { found } => {
            format!("\"{found}\" berada di mesin lain dan tanpa TLS.")
        }
        Cause::TemplateDir { path, why } => {
            format!("Direktori {} tidak dapat dibaca: {why}.", path.display())
        }
        Cause::NoSuchUser { user } => format!("Server ini tidak memiliki pengguna {user}."),
        Cause::SecretMissing { path } => format!(
            "Berkas rahasia {} tidak ada, atau bukan berkas.",
            path.display()
        ),
        Cause::SecretReadable { path, mode, owner } => format!(
            "Berkas rahasia {} dapat dibaca oleh selain root (mode {mode:04o}, pemilik uid {owner}).",
            path.display()
        ),
        Cause::NoSuchInterface { name, .. } => {
            format!("Server ini tidak memiliki antarmuka jaringan {name}.")
        }
        Cause::OutsideInterface {
            address,
            interface,
            networks,
        } => {
            format!(
                "{address} tidak berada di jaringan antarmuka {interface}: {}.",
                networks.join(", ")
            )
        }
    }
}

pub(super) fn remedy(cause: &Cause) -> String {
    match cause {
        Cause::Unreadable { .. } => "Periksa letak berkas dan siapa yang boleh membacanya.".into(),
        Cause::TooLarge { .. } => "Pastikan berkas ini memang yang dimaksud.".into(),
        Cause::NotText => "Simpan berkas sebagai UTF-8.".into(),
        Cause::Syntax { .. } => "Perbaiki bagian ini. Setelah itu kesalahan lain dapat ditampilkan.".into(),
        Cause::UnknownKey { suggestion, known, .. } => meant(suggestion.as_ref(), known),
        Cause::MissingKey { name } => format!("Tambahkan {name} = ... di sini."),
        Cause::NotWith { name, .. } => format!("Hapus \"{name}\", atau hapus yang tidak dapat dipakai bersamanya."),
        Cause::WrongType { expected, .. } => format!("Tulis {}.", kind(*expected)),
        Cause::BadChoice { suggestion, choices, .. } => meant(suggestion.as_ref(), choices),
        Cause::EmptyText => "Tulis teks dalam satu baris, atau hapus kunci ini jika boleh tidak diisi.".into(),
        Cause::EmptyList => "Tambahkan sedikitnya satu nilai.".into(),
        Cause::OutletLikeAnother => {
            "Tulis bedanya untuk tiap stopkontak: outlets = [{ plug = \"3\" }, { plug = \"7\" }]. Server masih mendapat listrik bila hanya satu yang mati.".into()
        }
        Cause::BadName { .. } => "Gunakan a sampai z, 0 sampai 9 dan -, paling banyak 32 karakter, diawali huruf atau angka.".into(),
        Cause::BadDuration { .. } => "Tulis seperti \"500ms\", \"30s\", \"5m\" atau \"1h\".".into(),
        Cause::ZeroDuration => "Tulis waktu di atas nol, atau hapus kunci ini agar nilai bawaan dipakai.".into(),
        Cause::LongDuration { most_h, .. } => format!("Tulis waktu yang lebih singkat, paling lama \"{most_h}h\"."),
        Cause::BadPercent { .. } => "Tulis angka 0 sampai 100 dengan paling banyak tiga desimal, misalnya 99.5.".into(),
        Cause::BadCount { .. } => "Tulis angka 1 sampai 36500.".into(),
        Cause::BadDay { .. } => "Tulis seperti \"2026-12-01\".".into(),
        Cause::BadAddress { .. } => "Tulis seperti \"192.0.2.50\" atau \"2001:db8::50\".".into(),
        Cause::BadEndpoint { .. } => "Tulis seperti \"192.0.2.50:5432\" atau \"[2001:db8::50]:5432\".".into(),
        Cause::BadPort { .. } => "Gunakan angka dari 1 sampai 65535.".into(),
        Cause::BadNetwork { .. } => "Tulis seperti \"192.0.2.0/24\" atau \"2001:db8::/64\".".into(),
        Cause::UnusableAddress { .. } => "Gunakan alamat satu mesin, bukan alamat jaringan, siaran (broadcast) atau loopback.".into(),
        Cause::NotAbsolute { .. } => "Tulis lintasan lengkap mulai dari /, tanpa \"..\".".into(),
        Cause::BadHardwareAddress { .. } => "Tulis seperti \"02:00:5e:00:53:11\". Perintah `ip link` menampilkannya di server itu.".into(),
        Cause::BadInterface { .. } => "Tulis nama yang ditampilkan `ip link`, misalnya \"eno1\".".into(),
        Cause::BadTimeZone { suggestion, .. } => match suggestion {
            Some(zone) => format!("Apakah yang dimaksud \"{zone}\"?"),
            None => "Gunakan \"Asia/Jakarta\" (WIB), \"Asia/Makassar\" (WITA), \"Asia/Jayapura\" (WIT) atau zona IANA lain.".into(),
        },
        Cause::BadUrl { .. } => "Tulis seperti \"http://192.0.2.50/halaman\".".into(),
        Cause::BadUnit { .. } => "Tulis nama lengkapnya, misalnya \"tomcat10.service\".".into(),
        Cause::BadMountOption { .. } => "Hapus opsi ini. Tulis setiap opsi sendiri-sendiri: [\"noatime\", \"nodiratime\"].".into(),
        Cause::BadResource { .. } => "Tulis nama yang ditampilkan oleh `drbdadm sh-resources`: huruf, angka, dan _ . -.".into(),
        Cause::BadVolumeGroup { .. } => "Tulis nama yang ditampilkan oleh `vgs`: huruf, angka, dan + _ . -.".into(),
        Cause::EqualReservationMarks => "Beri salah satu server nama lain.".into(),
        Cause::BadPlaceholder { .. } => "Tulis {service}, {node}, atau {device} sebagai argumen tersendiri, atau hapus kurung kurawalnya.".into(),
        Cause::BadMountPoint { .. } => "Pilih direktori tersendiri, misalnya /srv/simrs.".into(),
        Cause::BadOption { .. } => {
            "Hapus opsi ini: Siaga sendiri yang memberi perintah kepada program isolasi. Nama memakai huruf, angka, _ dan -.".into()
        }
        Cause::NodeCount { .. } => "Tulis tepat dua server, masing-masing dengan [[node]].".into(),
        Cause::NoService => "Tambahkan [[service]].".into(),
        Cause::Duplicate { thing: t, .. } => format!("Setiap {} harus berbeda.", thing(*t)),
        Cause::NoSuchNode { nodes, .. } => format!("Gunakan salah satu: {}.", nodes.join(", ")),
        Cause::MissingForNode { node } => format!("Tambahkan {node} = \"...\" di sini, atau tulis satu nilai untuk kedua server."),
        Cause::EqualAddresses { .. } => "Berikan alamat yang berbeda kepada masing-masing.".into(),
        Cause::VirtualIpReachesNode { .. } => "Berikan kepada server itu alamat sendiri yang tidak pernah berpindah.".into(),
        Cause::OutsideNetwork { .. } => "Perbaiki alamat, atau perbaiki jaringan.".into(),
        Cause::NoFileSystem => "Tulis di [[service.file_system]].".into(),
        Cause::FirstFileSystemDevice => "Hapus baris ini; tulis sistem berkas dengan direktori data sebagai yang pertama.".into(),
        Cause::FileSystemDevice => "Tambahkan device = \"/dev/...\": volume lain dari kumpulan disk yang sama.".into(),
        Cause::FileSystemElsewhere { expected } => format!("Tulis perangkat yang diawali {expected}."),
        Cause::FileSystemNotReserved => {
            "Masukkan kedua sistem berkas ke satu grup volume di disk yang direservasi: driver = \"lvm\", on = { driver = \"scsi\", ... }.".into()
        }
        Cause::OverlappingMounts { .. } => "Gunakan direktori yang tidak berada di dalam satu sama lain.".into(),
        Cause::FolderNotApart { .. } => "Gunakan folder di disk server sendiri, di luar semua titik pasang: /var/lib/siaga/rehearsal.".into(),
        Cause::DataDirOutside { .. } => "Perbaiki data_dir atau mount_point, agar basis data ikut berpindah dengan kumpulan disk.".into(),
        Cause::FenceWithoutCredentials { .. } => {
            "Tambahkan secret_files = { password = \"/etc/siaga/....secret\" }. Jika alat itu memang tanpa kata sandi, tulis credentials = \"none\".".into()
        }
        Cause::InlineSecret { name } => format!(
            "Simpan di berkas yang hanya dapat dibaca root, tulis nama berkas itu di secret_files pada \"{name}\" (untuk alat isolasi), lalu ganti rahasia tersebut."
        ),
        Cause::ApplicationRun { .. } => "Tambahkan unit = \"....service\", atau start = [...] dan stop = [...].".into(),
        Cause::PolicyOrder { .. } => "Buat coordinator_silence beberapa kali lebih lama dari peer_timeout.".into(),
        Cause::NoSuchChannel { channels, .. } if channels.is_empty() => "Tulis saluran itu dengan [[channel]].".into(),
        Cause::NoSuchChannel { channels, .. } => format!("Gunakan salah satu: {}; atau tulis dengan [[channel]].", channels.join(", ")),
        Cause::NoSuchPerson { people, .. } if people.is_empty() => "Tulis petugas itu dengan [[person]].".into(),
        Cause::NoSuchPerson { people, .. } => format!("Gunakan salah satu: {}; atau tulis petugas itu dengan [[person]].", people.join(", ")),
        Cause::BadContact { kind, .. } => match kind {
            ContactKind::Mail => "Tulis satu alamat, misalnya \"igd@rs.example\".".into(),
            ContactKind::Chat => "Tulis nomornya sebagai teks, misalnya \"-1001234567890\", atau \"@nama\" saluran umum.".into(),
        },
        Cause::NoWayToTell { .. } => {
            "Beri petugas itu [[person.contact]] dengan saluran, atau tempat di [[on_call]].".into()
        }
        Cause::ListensOpenly { .. } => {
            "Pakai 127.0.0.1 atau ::1, dan biarkan proksi balik dengan sertifikat rumah sakit menyajikan ack_url.".into()
        }
        Cause::AlertByHand { .. } => "Gunakan saluran yang mengirim sendiri: mail, telegram, webhook atau program.".into(),
        Cause::PasswordInClear { .. } => "Tulis tls = \"starttls\" atau \"tls\", atau hapus user dan password_file.".into(),
        Cause::UrlInClear { .. } => "Awali dengan https://. Hanya alamat mesin ini (127.0.0.1, ::1, localhost) yang boleh tanpa TLS.".into(),
        Cause::TemplateDir { .. } => "Buat direktori itu di server ini, atau hapus template_dir agar teks bawaan dipakai.".into(),
        Cause::NoSuchUser { .. } => "Pasang PostgreSQL di sini, atau perbaiki os_user.".into(),
        Cause::SecretMissing { path } => format!("Buat {} di server ini dengan mode 0600.", path.display()),
        Cause::SecretReadable { path, .. } => {
            let path = path.display();
            format!("Ketik: chown root:root {path} && chmod 600 {path}. Lalu ganti rahasia itu, karena sudah dapat dibaca orang lain.")
        }
        Cause::NoSuchInterface { have, .. } => format!("Gunakan salah satu: {}.", have.join(", ")),
        Cause::OutsideInterface { .. } => "Perbaiki alamat, atau perbaiki antarmuka.".into(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}
