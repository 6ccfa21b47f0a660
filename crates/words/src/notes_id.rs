//! Notes, progress and evidence in Indonesian: clauses, without a full stop.

use crate::voice::{Voice, duration, quoted};
use crate::why::{holders, said, with_people};
use siaga_model::config::Language::Indonesian;
use siaga_model::evidence::{
    BootStart, Cleaned, Evidence as E, FileLine, LogProblem, OnlyAPerson, ProblemKind,
};
use siaga_model::note::{ControlState, Note as N, Progress as P, StopKind};
use siaga_model::why::Why;

#[rustfmt::skip] // a table of words
pub(crate) fn note(voice: &Voice, note: &N) -> String {
    match note {
        N::MmpWaits => "perlindungan pasang ganda aktif dan tidak dihapus: pemasangan menunggunya".into(),
        N::MmpWaitsWithoutTool => "tune2fs tidak tersedia: pemasangan menunggu perlindungan pasang ganda".into(),
        N::MmpCleared => "perlindungan pasang ganda dihapus: daya server lain sudah mati".into(),
        N::WasStartingAlready => "sudah sedang dinyalakan".into(),
        N::NoServerLog { said } => format!("tanpa log: {}", quoted(said)),
        N::ReadyIn { ms } => format!("siap dalam {}", duration(voice, *ms)),
        N::ControlLeft { control } => {
            format!("berkas kontrolnya: checkpoint {} pada timeline {}", control.lsn(), control.timeline)
        }
        N::ControlFound { control } => {
            format!("ditemukan checkpoint {} pada timeline {}", control.lsn(), control.timeline)
        }
        N::ControlRewritten => "berkas kontrol bukan yang ditinggalkan penghentian terakhir".into(),
        N::NeedsRecovery => "sebelumnya tidak dimatikan dengan tertib: perlu pemulihan".into(),
        N::WalToWriteBack { bytes } => {
            format!("perubahan yang perlu ditulis ke disk: {} MiB WAL", bytes.div_ceil(1 << 20))
        }
        N::WalToRedo { bytes } => format!("WAL yang perlu diulang: {} MiB", bytes.div_ceil(1 << 20)),
        N::LockFileKept { path, pid, process } => format!(
            "{} menyebut proses {pid} ({process}), yang bukan PostgreSQL: berkas itu disisihkan", path.display()
        ),
        N::Stopped { ms, how, control, clean } => {
            let how = match how {
                StopKind::Fast => "cepat",
                StopKind::Immediate => "seketika",
                StopKind::Killed => "paksa",
                StopKind::LeftOversEnded => "sisa proses diakhiri",
            };
            let control = match control {
                ControlState::Says(state) => quoted(state),
                ControlState::Unreadable { said } => quoted(said),
            };
            let clean = if *clean { "tertib" } else { "tidak tertib" };
            format!("berhenti dalam {} ({how}); pg_control: {control}; {clean}", duration(voice, *ms))
        }
        N::UnitNotAsked { unit, why } => {
            format!("dihentikan dengan sinyal, {unit} tidak dapat diminta: {}", said(Indonesian, why))
        }
        N::AppStarted { name } => format!("{name} dinyalakan"),
        N::AppStopped { name } => format!("{name} dihentikan"),
        N::CommandDone { name } => format!("{name} selesai"),
        N::DuplicateCleared { address } => {
            format!("kernel pernah menemukan {address} dipakai mesin lain: alamat itu ditambahkan lagi")
        }
        N::AnsweredAndDefended { address, hardware } => {
            format!("{hardware} masih menjawab di {address}: alamat itu ditambahkan dan dipertahankan")
        }
        N::FenceComplained { why } => format!("sempat mengeluh, lalu memastikannya: {}", said(Indonesian, why)),
        N::TookNoWrites { said } => format!("sudah terpasang, tetapi tidak menerima penulisan ({})", quoted(said)),
        N::FenceShared => "memakai isolasi yang dilakukan proses lain".into(),
        N::System(text) => quoted(text),
    }
}

pub(crate) fn progress(at: &P) -> String {
    match at {
        P::FastStop => "dihentikan cepat".into(),
        P::ImmediateStop => "dihentikan seketika".into(),
        P::Killing => "dihentikan paksa".into(),
        P::EndingLeftOvers => "sisa proses sedang diakhiri".into(),
        P::KillingLeftOvers => "sisa proses dihentikan paksa".into(),
        P::Starting => "mulai menyala".into(),
        P::Redo {
            percent: Some(percent),
        } => format!("pemulihan {percent} %"),
        P::Redo { percent: None } => "pemulihan".into(),
        P::EndOfRecoveryCheckpoint => "menulis hasil pemulihan ke disk".into(),
        P::Told(told) => quoted(told),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn evidence(voice: &Voice, seen: &E) -> String {
    let age = |ms: u64| duration(voice, ms);
    match seen {
        E::Nothing => String::new(),
        E::Because { why } => said(Indonesian, why),
        E::Several { each } => each.iter().map(|e| evidence(voice, e)).collect::<Vec<_>>().join(", "),
        E::Thing { name } => quoted(name),
        // --- findings
        E::DeviceMissing { device } => format!("{} bukan perangkat blok di sini", device.display()),
        E::NoDeviceConfigured => "perangkat belum diatur dalam konfigurasi".into(),
        E::PathMissing { path } => format!("{} tidak ada", path.display()),
        E::InterfaceDown { interface } => format!("{interface} mati"),
        E::ProgramDoesNotRun { program } => format!("{} tidak dapat dijalankan", program.display()),
        E::AskedFrom { device, node, why } => format!("{device} ditanya dari {node}: {}", said(Indonesian, why)),
        E::ConfigFilesDiffer => "siaga.toml di kedua server tidak sama".into(),
        E::Versions { one, one_has, other, other_has } => {
            let has = |v: &Option<String>| v.clone().unwrap_or_else(|| "tidak ada".into());
            format!("{one}: {}, {other}: {}", has(one_has), has(other_has))
        }
        E::UserIdsDiffer => "nomor penggunanya berbeda".into(),
        E::Sizes { one, one_bytes, other, other_bytes } => {
            format!("{one}: {one_bytes} byte, {other}: {other_bytes} byte")
        }
        E::ClockStepped { by_ms } if *by_ms < 0 => format!("disetel mundur {}", age(by_ms.unsigned_abs())),
        E::ClockStepped { by_ms } => format!("disetel maju {}", age(by_ms.unsigned_abs())),
        E::ClocksApart { ms } => format!("selisihnya {}", age(*ms)),
        E::NotYetValid => "belum berlaku: ada jam yang salah".into(),
        E::DaysLeft { days } => format!("tersisa {days} hari"),
        E::AnswersAt { address, hardware, interface: Some(interface) } => {
            format!("{address} pada {interface}: {hardware} menjawab")
        }
        E::AnswersAt { address, hardware, interface: None } => format!("{address}: {hardware} menjawab"),
        E::TornRow { bytes } => format!("{bytes} byte dari baris yang belum selesai dipotong"),
        E::DamagedLog { problem } => log_problem(problem),
        E::DeclaredGone { mandate, cleaned } if cleaned.is_empty() => {
            format!("server ini dinyatakan hilang pada mandat {mandate}; tidak ada yang tertinggal di sini")
        }
        E::DeclaredGone { mandate, cleaned } => {
            let cleaned: Vec<String> = cleaned.iter().map(self::cleaned).collect();
            format!("server ini dinyatakan hilang pada mandat {mandate}; {}", cleaned.join("; "))
        }
        E::KeyGone { why, cleaned } => {
            let mut cleaned: Vec<String> = cleaned.iter().map(self::cleaned).collect();
            if cleaned.is_empty() {
                cleaned.push("tidak ada yang tertinggal di sini".into());
            }
            format!("{}; {}", said(Indonesian, why), cleaned.join("; "))
        }
        E::OnlyOn { node, names } => format!("hanya di {node}: {}", names.join(", ")),
        E::FilesDiffer { files } => {
            let line = |f: &FileLine| format!("{} mulai baris {}", f.name, f.line);
            files.iter().map(line).collect::<Vec<_>>().join(", ")
        }
        E::Memory { needs_mebibytes, has_mebibytes } => {
            format!("shared_buffers {needs_mebibytes} MiB, memori {has_mebibytes} MiB")
        }
        E::HugePages { needs_mebibytes, has_mebibytes } => {
            format!("perlu huge page {needs_mebibytes} MiB, tersedia {has_mebibytes} MiB")
        }
        E::Recovery { mebibytes, seconds, goal_s } => {
            format!("{mebibytes} MiB WAL perlu sekitar {seconds} s; sasarannya {goal_s} s")
        }
        E::StartsAtBoot { what } => match what {
            BootStart::Unit { name } => format!("unit {name} aktif saat boot"),
            BootStart::Cluster { file } => format!("{} berisi auto", file.display()),
            BootStart::Fstab { mount_point, line } => {
                format!("/etc/fstab baris {line} memasang {} tanpa noauto", mount_point.display())
            }
            BootStart::Address { file } => format!("{} memuat IP virtual", file.display()),
        },
        E::LeadsTo { path, to } => format!("{} mengarah ke {}", path.display(), to.display()),
        E::Objects { count } => format!("jumlahnya {count}"),
        E::LastDrill { days: None, .. } => "belum ada simulasi yang dinilai".into(),
        E::LastDrill {
            days: Some(days),
            people,
        } => with_people(format!("{days} hari yang lalu"), "yang ikut", people),
        E::PortSilent { from, address, port, why } => {
            format!("{from} mencoba {address}, port {port}: {}", said(Indonesian, why))
        }
        E::BackupAge { hours, at_most_hours } => format!("{hours} jam; paling lama {at_most_hours}"),
        E::BackupNoTime { program, said: line } => {
            format!("baris terakhir {program} bukan waktu, melainkan {}", quoted(line))
        }
        E::NoBackupProgram => "tidak ada program yang memberitahukannya".into(),
        E::LastRehearsal { days: None, .. } => "belum pernah ada".into(),
        E::LastRehearsal { days: Some(days), node } => match node {
            Some(node) => format!("{days} hari yang lalu, di {node}"),
            None => format!("{days} hari yang lalu"),
        },
        E::Damaged { names } => format!("sebanyak {}: {}", names.len(), crate::voice::list(names)),
        E::NeedsAPerson { because: OnlyAPerson::NoFence } => "tidak punya alat isolasi: bila server ini tidak menjawab, seseorang harus datang ke sana dan menyatakannya".into(),
        E::NeedsAPerson { because: OnlyAPerson::NobodyListed } => "tidak satu pun alat isolasinya menjawab: bila server ini tidak menjawab, seseorang harus datang ke sana dan menyatakannya, tetapi daftar petugas masih kosong: tulis [[person]] di siaga.toml pada kedua server".into(),
        E::NeedsAPerson { because: OnlyAPerson::NoFenceAnswers } => "tidak satu pun alat isolasinya menjawab: bila server ini tidak menjawab, seseorang harus datang ke sana dan menyatakannya".into(),
        E::NeedsAPerson { because: OnlyAPerson::JournalLost } => "server yang akan mengambil alih kehilangan log kejadiannya: bila server ini tidak menjawab, seseorang harus datang ke sana dan menyatakannya".into(),
        E::RowsLost { probe, rows } => crate::rows_lost(Indonesian, probe, *rows),
        E::DatabasesNotAsked { count } => format!("basis data yang tidak dapat ditanya: {count}"),
        E::NoDefaultCollationVersion => "PostgreSQL ini tidak mencatat versi collation bawaan basis data (versi 15 ke atas mencatatnya): tidak dapat diketahui apakah versinya berubah".into(),
        E::NoChecksums => "basis data dibuat tanpa checksum".into(),
        E::IndexesChecked { checked, indexes } => format!("{checked} dari {indexes} indeks"),
        E::DatabasesOpened { count } => format!("{count} basis data dibuka, dan satu penulisan tersimpan"),
        E::NeedsApplication => "perlu aplikasi, sedangkan latihan hanya menyalakan basis data".into(),
        E::NeedsClient => "perlu klien, sedangkan salinan tidak dapat dijangkau dari luar".into(),
        // --- layers
        E::ApplicationRuns { name } => format!("{name} berjalan"),
        E::ApplicationStopped { name } => format!("{name} tidak berjalan"),
        E::PowerOn => "menyala".into(),
        E::PowerOff => "mati".into(),
        E::NotKnown => "tidak diketahui".into(),
        E::Answers => "menjawab".into(),
        E::Silent => "tidak menjawab".into(),
        E::Free => "bebas".into(),
        E::Held { by } => holders(Indonesian, by),
        E::SpaceFree { path, mebibytes } => format!("{}: tersisa {mebibytes} MiB", path.display()),
        E::MountedAndReadable => "terpasang dan dapat dibaca".into(),
        E::NoKernelTrouble => "tidak ada kesalahan I/O, tidak ada proses yang dimatikan karena kehabisan memori".into(),
        E::NoShutdownInLog => "log tidak menyebut penghentian apa pun".into(),
        E::ProcessRuns => "berjalan".into(),
        E::ProcessStarts => "mulai menyala".into(),
        E::ProcessesThere => "ada prosesnya".into(),
        E::NoProcess => "tidak ada proses".into(),
        E::WriteCommitted => "satu penulisan berhasil".into(),
        E::Percent { percent } => format!("{percent} persen"),
        E::ProbeReport { probe, age_ms } => format!("{probe}, {} yang lalu", age(*age_ms)),
        // --- client tests
        E::Connected => "tersambung".into(),
        E::ProbeServed { probe, age_ms } => {
            format!("pemantau {probe} membaca dan menulis satu baris {} yang lalu", age(*age_ms))
        }
        E::ProbeNotServed { probe, age_ms } => format!("pemantau {probe} tidak dilayani, {} yang lalu", age(*age_ms)),
        E::NoProbeReports => "tidak ada laporan dari pemantau klien".into(),
        E::NoProbeWrites => "tidak ada pemantau klien yang menulis baris untuk dicari lagi".into(),
        E::NewestReportOld { probe, age_ms } => {
            format!("laporan terakhir, dari {probe}, sudah berumur {}", age(*age_ms))
        }
        E::NoAddress { host } => format!("{host} tidak memiliki alamat"),
        E::NotHttp { host } => format!("{host} tidak menjawab dengan HTTP"),
        E::System(text) => quoted(text),
    }
}

fn cleaned(cleaned: &Cleaned) -> String {
    let said = |what: &str, trouble: &Option<Why>| match trouble {
        None => format!("{what} berhasil"),
        Some(why) => format!("{what} gagal: {}", said(Indonesian, why)),
    };
    match cleaned {
        Cleaned::AddressRemoved { trouble } => said("penghapusan alamat", trouble),
        Cleaned::ApplicationsStopped { trouble } => said("penghentian aplikasi", trouble),
        Cleaned::DatabaseStopped { trouble } => said("penghentian basis data", trouble),
        Cleaned::Unmounted { trouble } => said("pelepasan sistem berkas", trouble),
        Cleaned::LogUnwritten { why } => crate::why(Indonesian, why),
    }
}

/// A problem of an event log, with its place.
pub(crate) fn log_problem(problem: &LogProblem) -> String {
    let what = match problem.kind {
        ProblemKind::Changed => "isi entri ini diubah",
        ProblemKind::BadSignature => "entri ini diubah dan disegel tanpa kunci server itu",
        ProblemKind::Removed => "mulai dari sini ada entri yang hilang",
        ProblemKind::Reordered => "entri ini berada di tempat entri lain",
        ProblemKind::Inserted => "ada baris yang bukan entri catatan ini",
        ProblemKind::ChainBroken => "entri ini tidak menyambung entri sebelumnya",
        ProblemKind::ForeignKey => "kunci tanda tangannya tidak dikenal sebagai milik server itu",
        ProblemKind::Unreadable => "berkas tidak dapat dibaca",
    };
    let line = problem
        .line
        .map_or(String::new(), |n| format!(", baris {n}"));
    let row = problem
        .row
        .map_or(String::new(), |n| format!("entri {n} dari "));
    let system = match problem.kind {
        // The system's own words. The rest is said above.
        ProblemKind::Unreadable => format!(" ({})", quoted(&problem.detail)),
        _ => String::new(),
    };
    format!(
        "{}{line}: {row}{}.{}: {what}{system}",
        problem.file.display(),
        problem.node,
        problem.incarnation
    )
}
