//! The move of a data directory, in Indonesian.

use crate::migrate::{Migrate, bytes, lsn, migrate_fail, migrate_refusal, migrate_step, paths};
use crate::voice::{Voice, duration};
use crate::{holder, why};
use siaga_model::Holder;
use siaga_model::migrate::{Direction, Fail, Plan, Pointing, Record, Refusal, Step};

pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::Format => "buat ext4 di perangkat yang kosong",
        Step::Mount => "pasang perangkat",
        Step::Copy => {
            "salin selagi basis data berjalan, dan bandingkan yang ditulis dengan yang dibaca dari disk"
        }
        Step::Stop => "hentikan basis data, dan pastikan ia berhenti dengan tertib",
        Step::DisableOld => "pastikan tidak ada server yang menyala dari direktori lama",
        Step::CopyRest => "salin dan bandingkan yang berubah sejak itu",
        Step::KeepOld => "ganti nama direktori lama",
        Step::Point => "arahkan konfigurasi ke direktori baru",
        Step::EnableNew => "jadikan direktori baru dapat dipakai server untuk menyala",
        Step::StartNew => "nyalakan basis data dari direktori baru",
        Step::Verify => "sambungkan, dan pastikan basis data itu sama dan tidak lebih lama",
        Step::CopyBack => "salin kembali yang berubah, selagi basis data berjalan",
        Step::StopNew => "hentikan basis data di direktori baru",
        Step::DisableNew => "pastikan tidak ada server yang menyala dari direktori baru",
        Step::CopyBackRest => "salin kembali dan bandingkan yang berubah sejak itu",
        Step::PointBack => "arahkan konfigurasi ke direktori lama",
        Step::RestoreOld => "kembalikan nama direktori lama",
        Step::EnableOldAsItWas => {
            "jadikan direktori lama dapat dipakai lagi, seperti keadaannya dulu"
        }
        Step::EnableOld => {
            "jadikan direktori lama dapat dipakai lagi, dengan yang telah disalin kembali"
        }
        Step::StartOld => "nyalakan basis data dari direktori lama",
        Step::VerifyOld => "sambungkan, dan pastikan basis data itu sama",
        Step::Tidy => "hapus salinan yang belum utuh, dan lepaskan perangkat",
    }
}

fn estimate(seconds: Option<u64>) -> String {
    match seconds {
        Some(s) => format!(
            "sekitar {}",
            duration(siaga_model::config::Language::Indonesian, s * 1000)
        ),
        None => "tidak diketahui (tidak ada yang dapat diukur)".to_owned(),
    }
}

fn plan(voice: &Voice, plan: &Plan) -> String {
    let facts = &plan.facts;
    let steps: Vec<String> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(i, s)| format!("  {:>2}. {}", i + 1, migrate_step(voice, *s)))
        .collect();
    let pointing = match &facts.pointing {
        Pointing::ConfigFile { file } => format!(
            "data_directory di {} diubah; berkas lama disimpan di sampingnya sebagai *.before-migrate",
            file.display()
        ),
        Pointing::Link => format!(
            "{} menjadi tautan ke direktori baru",
            facts.server.data_dir.display()
        ),
    };
    let unit = facts
        .server
        .unit
        .as_deref()
        .unwrap_or("tidak ada: dinyalakan dan dihentikan sebagai proses");
    format!(
        "PostgreSQL {} berjalan dari {} (porta {}, unit: {unit}).\nIa pindah ke {} di {}, dipasang di {}.\n{pointing}.\n\
         Yang disalin: {} dalam {} berkas. Ruang kosong di perangkat: {}, yang diperlukan: {}.\n\
         Perkiraan, dari kecepatan baca yang diukur, {} per detik (menulis belum dicoba):\n  \
         menyalin selagi basis data berjalan: {}\n  basis data tidak tersedia: {}, selama yang berubah tidak lebih dari 15 menit terakhir\n\
         Langkah (basis data tidak tersedia dari \"hentikan\" sampai \"sambungkan\"):\n{}\n\
         Direktori lama disimpan sebagai {}: jalan kembali adalah siaga migrate back.",
        facts.version,
        facts.server.data_dir.display(),
        facts.server.port,
        facts.to.display(),
        facts.device.display(),
        facts.mount_point.display(),
        bytes(voice, plan.bytes),
        plan.files,
        bytes(voice, plan.free_bytes),
        bytes(voice, plan.needed_bytes),
        plan.reads_per_s
            .map_or_else(|| "?".to_owned(), |r| bytes(voice, r)),
        estimate(plan.copy_s),
        estimate(plan.away_s),
        steps.join("\n"),
        facts.kept.display(),
    )
}

fn measured(voice: &Voice, record: &Record) -> String {
    let compared: u64 = record.passes.iter().map(|p| p.compared_files).sum();
    let copied: u64 = record.passes.iter().map(|p| p.copied_bytes).sum();
    let away = match record.away_ms {
        Some(ms) => format!("Klien tidak mendapat jawaban selama {}.", duration(voice, ms)),
        None => "Berapa lama klien tidak mendapat jawaban tidak terukur utuh: pekerjaan sempat terputus.".to_owned(),
    };
    format!(
        "Disalin: {}; dibandingkan dengan SHA-256, seperti yang dibaca dari disk: {compared} berkas. {away}",
        bytes(voice, copied)
    )
}

#[rustfmt::skip] // a table of words
pub(crate) fn text(voice: &Voice, text: &Migrate) -> String {
    use Migrate as M;
    match text {
        M::Plan { plan: p } => plan(voice, p),
        M::AwayFrom => "Mulai sekarang basis data tidak tersedia.".into(),
        M::AskForward { plan } => match plan.steps.contains(&Step::Format) {
            true => format!("Sistem berkas dibuat di {}, yang tidak berisi apa pun. Lakukan semua ini sekarang? Ketik ya:", plan.facts.device.display()),
            false => "Lakukan semua ini sekarang? Ketik ya:".into(),
        },
        M::AskBack { direction: Direction::BackAsItWas, ahead } => {
            let lost = match ahead {
                Some(bytes_) => format!("{} perubahan (WAL)", bytes(voice, *bytes_)),
                None => "semuanya".to_owned(),
            };
            format!("Semua yang ditulis sejak pemindahan HILANG: {lost}. Kembali ke salinan lama seperti keadaannya dulu? Ketik ya:")
        }
        M::AskBack { .. } => "Kembali ke direktori lama? Yang ditulis di direktori baru disalin kembali; tidak ada baris yang hilang. Ketik ya:".into(),
        M::AskGoOn => "Lanjutkan? Ketik ya:".into(),
        M::MountsFirst { device, mount_point } => format!("Tempat baru tidak terpasang di sini: {} dipasang dahulu di {}, untuk melihat apa yang ditulis di sana. Jika terpasang di server lain, lepaskan di sana sebelum Anda melanjutkan.", device.display(), mount_point.display()),
        M::NothingDone => "Tidak ada yang dilakukan.".into(),
        M::WhereTo => "kesalahan: perangkat mana yang akan membawa data? siaga migrate --to PERANGKAT --at TITIK_PASANG membuat rencana, dan tidak mengubah apa pun".into(),
        M::NoJob => "Tidak ada direktori data yang dipindahkan di server ini.".into(),
        M::Stands { direction, left } => {
            let way = match direction {
                Direction::Forward => "Pemindahan direktori data belum selesai.",
                Direction::Back | Direction::BackAsItWas => "Jalan kembali ke direktori lama belum selesai.",
            };
            let next = left.first().map_or("", |s| migrate_step(voice, *s));
            let back = match direction {
                Direction::Forward => "; siaga migrate back kembali, dan juga tidak menghilangkan apa pun",
                Direction::Back | Direction::BackAsItWas => "",
            };
            format!("{way} Langkah berikutnya: {next}. Tersisa {} langkah. Tidak ada yang hilang.\nsiaga migrate --yes melanjutkan{back}.", left.len())
        }
        M::NotNow => "Basis data sedang tidak tersedia: ini diselesaikan dulu, agar ia segera kembali.".into(),
        M::StepFailed { step, fail } => format!("Gagal di \"{}\": {}", migrate_step(voice, *step), migrate_fail(voice, fail)),
        M::RunsOn => "Belum ada yang dialihkan: basis data tetap berjalan dari tempat semula. siaga migrate --yes mencoba lagi, siaga migrate back menghapus yang sudah disalin.".into(),
        M::GoingBack => "Kembali ke tempat semula.".into(),
        M::Interrupted => "Dihentikan selagi menyalin; basis data tetap berjalan dari tempat semula. siaga migrate --yes melanjutkan, siaga migrate back menghapus yang sudah disalin.".into(),
        M::Restored => "Basis data berjalan dari direktori lama, seperti sebelumnya.".into(),
        M::Stuck => "Kedua arah tidak dapat diselesaikan. Data utuh di salah satu dari kedua direktori, dan tidak ada server yang menyala dari yang lain. Perbaiki penyebabnya; lalu siaga migrate back --yes, atau siaga migrate --yes.".into(),
        M::Done { record, from, kept, to, link } => {
            let lsn_ = record.started_at_lsn.map_or_else(|| "?".to_owned(), lsn);
            let other = match link {
                true => format!("tautan {} -> {}", from.display(), to.display()),
                false => "data_directory yang sama di postgresql.conf-nya".to_owned(),
            };
            format!(
                "Basis data berjalan dari {}: basis data yang sama, di WAL {lsn_}.\n{}\n\
                 Direktori lama disimpan: {}. Tidak ada server yang menyala darinya. Jalan kembali: siaga migrate back, sampai siaga init. Hapus setelah seminggu tanpa masalah dan dengan cadangan yang baik.\n\
                 Berikutnya: di server lain {other}; tidak ada baris perangkat itu di /etc/fstab; lalu siaga init di sini. Jika server dihidupkan ulang sebelum itu, tidak ada yang memasang perangkat: pasang, lalu nyalakan unitnya.",
                to.display(), measured(voice, record), kept.display(),
            )
        }
        M::Returned { record, from, to, untouched } => {
            let new = match untouched {
                true => String::new(),
                false => format!(" Isi {} tidak dipakai lagi, dan tidak ada server yang menyala darinya; kosongkan perangkat sebelum pemindahan berikutnya.", to.display()),
            };
            format!("Basis data berjalan lagi dari {}. {}{new}", from.display(), measured(voice, record))
        }
        M::Note { from, to } => format!(
            "Ini direktori data {} seperti keadaannya ketika dipindahkan ke {}.\n\
             Tidak ada server yang menyala darinya: global/pg_control diganti namanya menjadi global/pg_control.siaga-migrate.\n\
             Jalan kembali: siaga migrate back. Yang ditulis sejak itu ikut dibawa.\n\
             Dengan tangan, tanpa Siaga, dan tanpa yang ditulis sejak itu: hentikan server, kembalikan nama pg_control, kembalikan\n\
             nama direktori ini, hapus berkas ini, atur data_directory (atau hapus tautan di tempatnya), nyalakan.\n",
            from.display(), to.display()
        ),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn fail(voice: &Voice, fail: &Fail) -> String {
    match fail {
        Fail::Why(w) => why(voice, w),
        Fail::Refused { refusal } => migrate_refusal(voice, refusal),
        Fail::CopyDiffers { path } => format!("{} terbaca dari disk tidak seperti yang ditulis: periksa disk, kabel, dan pengendalinya", path.display()),
        Fail::NotShutDown { state } => format!("basis data tidak berhenti dengan tertib: berkas kontrolnya menyatakan \"{state}\""),
        Fail::StillRuns { processes } => format!("masih berjalan: {}", processes.join(", ")),
        Fail::StartedMeanwhile => "seseorang menyalakan basis data setelah dihentikan dan sebelum dialihkan".into(),
        Fail::TargetNotEmpty { entries } => format!("sistem berkas di perangkat tidak kosong: {}", entries.join(", ")),
        Fail::OtherFileSystem { device } => format!("{} berisi sistem berkas lain dari sebelumnya", device.display()),
        Fail::DeviceCarries { device } => format!("{} berisi sesuatu, atau sedang dipakai: tidak diformat", device.display()),
        Fail::InTheWay { path } => format!("{} ada, padahal tidak boleh ada", path.display()),
        Fail::NotPointed { file } => format!("data_directory di {} tidak seperti yang ditinggalkan", file.display()),
        Fail::OtherDatabase { was, is } => format!("basis data lain yang menjawab: pengenal sistem {is}, bukan {was}"),
        Fail::OlderData { was, is } => format!("data lebih lama dari yang dihentikan: WAL {}, bukan {}", lsn(*is), lsn(*was)),
        Fail::RunsElsewhere { data_dir } => format!("basis data yang menjawab berjalan dari {}", data_dir.display()),
        Fail::Interrupted => "dihentikan".into(),
    }
}

fn holders(voice: &Voice, by: &[Holder]) -> String {
    by.iter()
        .map(|h| holder(voice, h))
        .collect::<Vec<_>>()
        .join(", ")
}

#[rustfmt::skip] // a table of words
pub(crate) fn refusal(voice: &Voice, refusal: &Refusal) -> String {
    use Refusal as R;
    match refusal {
        R::NotRoot => "perintah ini mengaitkan, menghentikan, dan menyalakan: jalankan sebagai root".into(),
        R::NoServer => "tidak ada PostgreSQL yang berjalan di sini. Nyalakan dulu: hanya dari yang berjalan diketahui cara menyalakan dan menghentikannya".into(),
        R::SeveralServers { data_dirs } => format!("beberapa server berjalan di sini: {}. Sebutkan yang mana: --from DIREKTORI", paths(data_dirs)),
        R::NotThatServer { from } => format!("tidak ada server yang dikenal berjalan dari {}", from.display()),
        R::NotRoots { program } => format!("PostgreSQL yang berjalan sebagai {} tidak dihitung: selain root juga dapat mengubah program ini, padahal root akan menjalankannya. Jadikan program itu dan setiap folder di atasnya milik root, dan cabut hak tulis grup dan pengguna lain", program.display()),
        R::Configured { service, data_dir } => format!("layanan Siaga {service} sudah memiliki {}: agennya yang menyalakan dan menghentikannya, dan tempat lain akan berbahaya. Keluarkan dulu layanan itu dari siaga.toml di kedua server", data_dir.display()),
        R::ConfigUnreadable { file, said } => format!("{} tidak dapat dibaca, jadi tidak diketahui apakah sebuah agen memiliki basis data ini: {said}", file.display()),
        R::StrangerUnit { unit } => format!("server berjalan di dalam {unit}, yang menyalakan dan menghentikannya: bukan hak kita menghentikannya. Keluarkan dulu dari sana"),
        R::Options { options } => format!("baris perintahnya memuat pilihan yang tidak ada di berkas mana pun: {}. Tulis di postgresql.conf, lalu nyalakan ulang", options.join(" ")),
        R::NoAnswer { why: w } => format!("server tidak menjawab akunnya sendiri lewat soketnya: {}", why(voice, w)),
        R::Standby => "ini server cadangan (standby) atau sedang pemulihan (standby.signal, recovery.signal): hanya yang utama dapat dipindahkan".into(),
        R::ProgramsDiffer { data, programs } => format!("data versi {data}, programnya versi {programs}"),
        R::IsMountPoint { path } => format!("{} adalah titik pasang, dan tidak dapat diganti namanya. Pindahkan dulu satu folder ke bawah dengan tangan", path.display()),
        R::LeadsAway { link, to } => format!("{} mengarah ke {}: ruang tabel, WAL, dan bagian lain yang berupa tautan tidak ikut pindah. Bawa dulu ke dalam direktori data", link.display(), to.display()),
        R::MountInside { path } => format!("sebuah sistem berkas dipasang di dalamnya, di {}: berkasnya tidak akan ikut pindah", path.display()),
        R::SetElsewhere { files } => format!("data_directory harus ada satu kali, di berkas konfigurasi itu sendiri, atau tidak ada sama sekali jika konfigurasi ada bersama data. Ia ada di: {}", paths(files)),
        R::ConfigFile { file, why: w } => format!("{} harus diubah, tetapi tidak bisa: {}. Ia harus berupa berkas biasa, dan folder di atasnya bukan tautan milik selain root", file.display(), why(voice, w)),
        R::Named { settings } => format!("pengaturan ini menyebut direktori lama: {}. Ubah dulu", settings.join(", ")),
        R::KeptThere { path } => format!("di samping {} sudah ada direktori yang disimpan hari ini: pindahkan dulu", path.display()),
        R::DeviceUnusable { device, why: w } => format!("{}: {}", device.display(), why(voice, w)),
        R::SameFileSystem => "data sudah ada di perangkat ini".into(),
        R::MountedElsewhere { at } => format!("perangkat dipasang di {}", paths(at)),
        R::DeviceHeld { by } => format!("perangkat sedang dipakai: {}", holders(voice, by)),
        R::DrbdNotReady { resource, state } => format!("sumber daya DRBD {resource} di sini {state}. Hanya primary dengan data mutakhir yang ditulisi: drbdadm primary {resource}"),
        R::DeviceUnreadable { why: w } => format!("isi perangkat tidak diketahui: {}", why(voice, w)),
        R::Carries { what } if what.is_empty() => "perangkat tidak kosong: ada data yang jenisnya tidak dikenal. Jika boleh hilang, pemiliknya yang mengosongkan (blkdiscard -z, atau dd dari /dev/zero)".into(),
        R::Carries { what } => format!("perangkat berisi {what}. Jika boleh hilang, pemiliknya yang mengosongkan"),
        R::Blank { device } => format!("tidak ada apa pun di {}. Dengan --format ext4 sistem berkas dibuat di sana", device.display()),
        R::NoMkfs => "mkfs.ext4 tidak terpasang (e2fsprogs)".into(),
        R::NotClean => "sistem berkas tidak dilepas dengan tertib, atau sedang terpasang di server lain. Pastikan dulu; lalu e2fsck".into(),
        R::NotEmpty { entries } if entries.is_empty() => "sistem berkas di perangkat tidak kosong".into(),
        R::NotEmpty { entries } => format!("sistem berkas di perangkat tidak kosong: {}", entries.join(", ")),
        R::OtherFileSystem => "hanya ext4 dan XFS yang berpindah antarserver. (XFS harus dipasang dulu di tempatnya.)".into(),
        R::PlaceNotEmpty { mount_point } => format!("{} tidak kosong: isinya akan tertutup", mount_point.display()),
        R::PlaceTaken { mount_point } => format!("{} bukan folder, atau yang lain dipasang di sana", mount_point.display()),
        R::TooSmall { needed, free } => format!("diperlukan {}, tersedia {}", bytes(voice, *needed), bytes(voice, *free)),
        R::UnderWay => "pemindahan lain belum selesai: siaga migrate --yes melanjutkannya, siaga migrate back kembali".into(),
        R::Busy => "seseorang sedang menjalankannya saat ini".into(),
        R::NothingToGoBack => "tidak ada jalan kembali: tidak ada yang dipindahkan, atau sudah kembali".into(),
        R::OldGone { path } => format!("direktori lama sudah tidak ada: {}", path.display()),
        R::NewUnknown => "tempat baru tidak dapat dibaca, jadi tidak diketahui apa yang ditulis di sana. Hadirkan kembali perangkatnya; atau, tanpa yang ditulis di sana, siaga migrate back --as-it-was".into(),
        R::NotMounted { device, mount_point } => format!("tempat baru tidak terpasang di sini, jadi tidak diketahui apa yang ditulis di sana: pasang {} di {}, ketika tidak ada server lain yang memasangnya", device.display(), mount_point.display()),
        R::SiteNode { device, mount_point } => format!("server ini adalah node sebuah situs Siaga, dan {} tidak terpasang di {} di sini: mungkin server lain yang memasangnya, dan dua server yang memasangnya merusak sistem berkas. Mulai sekarang hanya Siaga yang memasangnya. Untuk jalan kembali, bawa layanan ke sini (siaga switchover) sebelum Anda mengeluarkannya dari siaga.toml. Untuk pemindahan ke perangkat baru, pasang dahulu perangkat itu di sana dengan tangan", device.display(), mount_point.display()),
        R::NotAsItWas => "salinan lama sudah tidak seperti dulu: penyalinan kembali sudah dimulai. Lanjutkan: siaga migrate back".into(),
    }
}
