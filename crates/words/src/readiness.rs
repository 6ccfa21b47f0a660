//! What a readiness check examines, in both languages.

use crate::downtime::pick;
use crate::voice::Voice;
use siaga_model::readiness::{CheckId as C, CheckStatus, Fix, Fixed};

/// What was examined, as something that is in order: `the other server answers`.
#[rustfmt::skip] // a table: one a line
pub fn check_id(voice: &Voice, id: C) -> &'static str {
    match id {
        C::Peer => pick(voice, "the other server answers", "server lain menjawab"),
        C::Path => pick(voice, "network paths", "jalur jaringan"),
        C::DiskSet => pick(voice, "disk set is there", "kumpulan disk terlihat"),
        C::DiskSetDriver => pick(voice, "what makes the disk set exclusive", "pengunci kumpulan disk"),
        C::DiskSetSize => pick(voice, "size of the disk set", "ukuran kumpulan disk"),
        C::Fence => pick(voice, "fence answers", "fence menjawab"),
        C::Postgres => pick(voice, "PostgreSQL's programs", "program PostgreSQL"),
        C::PostgresVersion => pick(voice, "same PostgreSQL version", "versi PostgreSQL sama"),
        C::PostgresUser => pick(voice, "same user and group numbers", "nomor pengguna dan grup sama"),
        C::Configuration => pick(voice, "same siaga.toml", "siaga.toml sama"),
        C::MountByHand => pick(voice, "nothing mounted by hand", "tidak ada yang dipasang manual"),
        C::MountPoint => pick(voice, "mount points", "mount point"),
        C::AddressConflict => pick(voice, "nobody else has the addresses", "alamat tidak dipakai mesin lain"),
        C::AddressLeftOver => pick(voice, "no virtual IP left over", "tidak ada sisa IP virtual"),
        C::Interface => pick(voice, "network interfaces", "antarmuka jaringan"),
        C::StrangeDatabase => pick(voice, "no database of somebody else", "tidak ada basis data asing"),
        C::AutoStart => pick(voice, "nothing starts by itself at boot", "tidak ada yang menyala sendiri saat boot"),
        C::Certificate => pick(voice, "certificate", "sertifikat"),
        C::Clock => pick(voice, "clock", "jam"),
        C::LogSpace => pick(voice, "room for the event log", "ruang untuk log kejadian"),
        C::EventLog => pick(voice, "event log is whole", "log kejadian utuh"),
        C::Fenced => pick(voice, "not fenced", "tidak terkena fence"),
        C::Probe => pick(voice, "a client probe reports", "probe klien melapor"),
        C::Secrets => pick(voice, "secret files", "berkas rahasia"),
        C::Libraries => pick(voice, "same libraries that order text", "pustaka pengurut teks sama"),
        C::Locales => pick(voice, "same locales", "locale sama"),
        C::Extensions => pick(voice, "same extensions of PostgreSQL", "ekstensi PostgreSQL sama"),
        C::DatabaseConfiguration => pick(voice, "same configuration of PostgreSQL", "konfigurasi PostgreSQL sama"),
        C::Memory => pick(voice, "memory for the database", "memori untuk basis data"),
        C::DiskSpace => pick(voice, "free space", "ruang kosong"),
        C::DataPlace => pick(voice, "the whole database lies on the disk set", "seluruh basis data di kumpulan disk"),
        C::Collations => pick(voice, "collation versions", "versi collation"),
        C::RecoveryTime => pick(voice, "recovery within the goal", "pemulihan dalam sasaran"),
        C::DatabasePort => pick(voice, "the database's port is not shut", "port basis data tidak tertutup"),
        C::Backup => pick(voice, "age of the newest backup", "umur backup terakhir"),
        C::Drill => pick(voice, "a drill lately", "simulasi belum lama ini"),
        C::Rehearsal => pick(voice, "a rehearsal on the standby", "latihan di server cadangan"),
        C::ControlFile => pick(voice, "control file as the last stop left it", "berkas kontrol seperti saat terakhir dimatikan"),
        C::Checksums => pick(voice, "checksums of the database's pages", "checksum halaman basis data"),
        C::Indexes => pick(voice, "indexes of the database", "indeks basis data"),
        C::DatabaseUnit => pick(voice, "the database's systemd unit", "unit systemd basis data"),
        C::LettingGo => pick(voice, "can be fenced if it falls silent", "dapat diisolasi bila tidak menjawab"),
        C::Rows => pick(voice, "no row of a client is lost", "tidak ada baris data klien yang hilang"),
        C::FenceOff => pick(voice, "switching the server off for real", "mematikan server sungguhan"),
        C::Mount => pick(voice, "mounting for real", "memasang sistem berkas sungguhan"),
        C::DatabaseStart => pick(voice, "starting the database for real", "menyalakan basis data sungguhan"),
        C::Client => pick(voice, "a client's view after a move", "layanan dari sisi klien setelah pindah"),
    }
}

/// What `check --fix` did, or why it could not.
pub fn fixed(voice: &Voice, fixed: &Fixed) -> String {
    let (done, what) = match &fixed.fix {
        Fix::MakeDirectory { path } => {
            let path = path.display();
            (
                pick(voice, "made the directory", "direktori dibuat:"),
                path.to_string(),
            )
        }
        Fix::DisableUnit { name } => (
            pick(
                voice,
                "no longer starts at boot:",
                "tidak lagi menyala sendiri saat boot:",
            ),
            name.clone(),
        ),
        Fix::ManualCluster { file } => (
            pick(voice, "wrote \"manual\" into", "\"manual\" ditulis di"),
            file.display().to_string(),
        ),
    };
    match &fixed.trouble {
        None => format!("{done} {what}"),
        Some(why) => format!(
            "{} {what}: {}",
            pick(voice, "could not be mended:", "tidak dapat diperbaiki:"),
            crate::why(voice, why)
        ),
    }
}

/// What came of it, in one word.
pub fn check_status(voice: &Voice, status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => pick(voice, "in order", "baik"),
        CheckStatus::Warn => pick(voice, "look at it", "perlu dilihat"),
        CheckStatus::Fail => pick(voice, "stands in the way", "menghalangi"),
        CheckStatus::Unknown => pick(voice, "not known", "tidak diketahui"),
        CheckStatus::NotExercised => pick(voice, "not tried", "belum dicoba"),
    }
}

/// What to do where nothing was found wrong and nothing is proved either. Empty where it is in order.
pub fn check_remedy(voice: &Voice, id: C, status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::NotExercised if id == C::Rehearsal => pick(
            voice,
            "A rehearsal stops nothing: siaga rehearse.",
            "Latihan tidak menghentikan apa pun: siaga latihan.",
        ),
        CheckStatus::NotExercised if id == C::Indexes => pick(
            voice,
            "Where the extension amcheck is made (CREATE EXTENSION amcheck), Siaga looks by itself.",
            "Bila ekstensi amcheck dibuat (CREATE EXTENSION amcheck), Siaga memeriksanya sendiri.",
        ),
        CheckStatus::NotExercised if id == C::Collations => pick(
            voice,
            "After an upgrade of the system on a server, rebuild the indexes over text (REINDEX).",
            "Setelah sistem operasi sebuah server ditingkatkan, bangun ulang indeks teks (REINDEX).",
        ),
        CheckStatus::Unknown if id == C::Collations => pick(
            voice,
            "Let check_user connect to every database, and check again.",
            "Izinkan check_user tersambung ke setiap basis data, lalu periksa lagi.",
        ),
        CheckStatus::Unknown if id == C::LettingGo => pick(
            voice,
            "Repair the fence, or add one. Until then a takeover waits for a person who goes there and attests.",
            "Perbaiki alat isolasi, atau tambahkan satu. Sebelum itu, pengambilalihan menunggu orang yang datang ke server itu dan menyatakannya.",
        ),
        CheckStatus::Pass | CheckStatus::Warn | CheckStatus::Fail => "",
        CheckStatus::Unknown => pick(
            voice,
            "Type: siaga diagnose, and check again.",
            "Ketik: siaga diagnose, lalu periksa lagi.",
        ),
        CheckStatus::NotExercised => pick(
            voice,
            "A drill tries it: siaga drill.",
            "Simulasi mencobanya: siaga drill.",
        ),
    }
}
