//! Reasons in Indonesian: clauses, without a full stop.

use crate::voice::{list, quoted};
use crate::why::{paths, said};
use crate::why_en::with;
use siaga_model::config::Language::Indonesian;
use siaga_model::why::{DiskSetCall, FenceCall, HeldThing, Holder, Why as W};

pub(crate) fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Mount { mount_point } => format!("terpasang di {}", mount_point.display()),
        Holder::MountElsewhere {
            mount_point,
            pid,
            command,
        } => format!(
            "terpasang di {} dalam mount namespace milik pid {pid} ({command})",
            mount_point.display()
        ),
        Holder::Process {
            pid,
            command,
            uses,
            path,
        } => {
            let uses = match uses {
                HeldThing::WorkingDirectory => "direktori kerja",
                HeldThing::RootDirectory => "direktori akar",
                HeldThing::Program => "program",
                HeldThing::File => "berkas",
                HeldThing::MappedFile => "berkas yang dipetakan ke memori",
            };
            format!("pid {pid} ({command}): {uses} {}", path.display())
        }
        Holder::InFlight => "agen server ini masih memasang atau melepasnya".into(),
        Holder::StepUnderWay => "satu langkah masih berjalan".into(),
        Holder::ProgramRuns { pid, command } => {
            format!(
                "pid {pid} ({command}), milik program yang mengambil atau melepas kumpulan disk"
            )
        }
        Holder::ActiveVolume { volume } => format!("volume {volume} sedang aktif"),
        Holder::Registered { device } => {
            format!("terdaftar untuk menulis di {}", device.display())
        }
        Holder::Primary { resource } => format!("resource DRBD {resource} berstatus primary"),
        Holder::StatusProgram => {
            "program status milik rumah sakit menyatakan kumpulan disk dipegang di sini".into()
        }
        Holder::Invisible => {
            "kernel, tanpa proses atau pemasangan yang terlihat: mount namespace tanpa proses, \
                              perangkat lain di atasnya, atau pemasangan yang belum selesai"
                .into()
        }
        Holder::Told(told) => quoted(told),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn why(reason: &W) -> String {
    let inner = |w: &W| said(Indonesian, w);
    match reason {
        W::Named { name, why } => format!("{name}: {}", inner(why)),
        W::Several { each } => each.iter().map(inner).collect::<Vec<_>>().join("; "),
        // --- mounts and the disk set
        W::MountPointMissing { mount_point } => format!("titik pasang {} tidak ada", mount_point.display()),
        W::MountInTheWay { mount_point, file_system, device } => {
            format!("sistem berkas lain terpasang di {}: {file_system} pada perangkat {device}", mount_point.display())
        }
        W::MountInKernel { mount_point } => format!("pemasangan {} masih tertahan di kernel", mount_point.display()),
        W::UnmountInKernel { mount_point } => format!("pelepasan {} masih tertahan di kernel", mount_point.display()),
        W::MountVanished { mount_point } => {
            format!("setelah pemasangan tidak ada yang terpasang di {}", mount_point.display())
        }
        W::MountTable { said } => format!("daftar pemasangan tidak dapat dibaca: {}", quoted(said)),
        W::NotMounted { mount_point } => format!("kumpulan disk tidak terpasang di {}", mount_point.display()),
        W::NotABlockDevice { device } => format!("{} bukan perangkat blok", device.display()),
        W::StorageCut { device, bytes } => {
            format!("{} menunjukkan {bytes} byte: jalurnya ke penyimpanan terputus", device.display())
        }
        W::CutOffBy { device } => format!("jalurnya ke penyimpanan diputus oleh {device}"),
        W::FlushFailed { said } => {
            format!("salinan lama kumpulan disk di memori kernel tidak dapat dibuang: {}", quoted(said))
        }
        W::HeldBy { by } => paths(by, holder),
        W::HolderScanSlow { ms } => format!("pencarian pemakai disk tidak selesai dalam {ms} milidetik"),
        W::HolderScanHidden { processes, said } => {
            format!("{processes} proses tidak dapat diperiksa: {}", quoted(said))
        }
        W::NotTakenInThisBoot => "kumpulan disk belum diambil sejak server ini menyala".into(),
        W::ProofsTooOld => "bukti terlalu lama diperiksa: kumpulan disk harus diambil lagi".into(),
        W::DataDirElsewhere { mount_point } => {
            format!("direktori data tidak berada di bawah {}", mount_point.display())
        }
        W::NoFileSystem => "layanan ini tidak memiliki sistem berkas".into(),
        W::ClearMmpFailed { why } => format!("perlindungan pasang ganda tidak dapat dihapus: {}", inner(why)),
        W::ReadingDiskSet { said } => format!("kumpulan disk tidak dapat dibaca: {}", quoted(said)),
        W::ThisNodeHolds => "server ini sendiri memegang kumpulan disk".into(),
        W::ThisNodeHoldsOrUnknown => "server ini memegangnya, atau tidak dapat memastikannya".into(),
        // --- what makes the disk set exclusive
        W::DiskSetProgram { call, why } => {
            let program = match call {
                DiskSetCall::Take => "program ambil",
                DiskSetCall::TakeForced => "program ambil paksa",
                DiskSetCall::Release => "program lepas",
                DiskSetCall::Status => "program status",
            };
            format!("{program}: {}", inner(why))
        }
        W::NotHeldAfterTake => "setelah diambil, program status menyatakan kumpulan disk tidak dipegang di sini".into(),
        W::HeldAfterRelease => "setelah dilepas, program status menyatakan kumpulan disk masih dipegang di sini".into(),
        W::DeviceMissing { device } => format!("perangkat blok {} tidak muncul setelah kumpulan disk diambil", device.display()),
        W::NoLvmSystemId => "LVM di server ini tidak punya system ID: isi global/system_id_source di lvm.conf".into(),
        W::VolumeGroupOf { name, owner } => format!("grup volume {name} milik {}", quoted(owner)),
        W::VolumeGroupOfNobody { name } => {
            format!("grup volume {name} tidak punya system ID: server mana pun boleh mengaktifkannya sampai Siaga mengambilnya sekali")
        }
        W::VolumeGroupElsewhere { name, disks } => format!("grup volume {name} juga berada di {}, yang tidak dijaga dari server lain: selagi layanan berjalan, keluarkan disk itu dari grup (pvmove, vgreduce); bila itu disk yang disalin DRBD, jauhkan LVM darinya (global_filter di lvm.conf)", disks.join(", ")),
        W::VolumeGroupPartial { name } => format!("sebagian disk grup volume {name} tidak ada"),
        W::VolumeGroupActivatesItself { name } => {
            format!("grup volume {name} diaktifkan saat server menyala: di server yang memegangnya, vgchange --setautoactivation n {name}")
        }
        W::VolumeGroupActivationUntold { name } => {
            format!("tidak dapat dipastikan apakah grup volume {name} diaktifkan saat server menyala: LVM di sini lebih lama dari 2.03.12; cegah dengan auto_activation_volume_list di lvm.conf")
        }
        W::HeldUnreserved => "kumpulan disk dipakai di sini tanpa reservasinya (atau grup volume, atau programnya), karena diambil sebelum itu diatur: hanya alat isolasi yang menahan server lain; pindahkan layanan sekali, atau matikan lalu nyalakan".into(),
        W::ReservationCall { device, said } => format!("reservasi persisten pada {}: {}", device.display(), quoted(said)),
        W::ReservationStranger { device, key } => {
            format!("di {} ada pendaftaran yang bukan milik kedua server: {key}. Cari pemiliknya", device.display())
        }
        W::ReservationPaths { device, registered, paths } => {
            format!("{registered} dari {paths} jalur {} terdaftar", device.display())
        }
        W::ReservationNotOurs { device } => format!("{} tidak direservasi hanya untuk server ini", device.display()),
        W::ReservationLeft { device } => format!("server ini masih terdaftar di {}", device.display()),
        W::ReservationUnsupported { device } => format!("{} tidak mendukung reservasi untuk pendaftar (write exclusive)", device.display()),
        W::ReservationForgotten { device } => {
            format!("{} menyatakan lupa akan reservasi saat kehilangan daya", device.display())
        }
        W::ReservationPartition { device } => format!("{} adalah partisi, sedangkan reservasi hanya untuk seluruh disk", device.display()),
        W::MultipathAllDead { device } => format!("tidak satu pun jalur {} berfungsi", device.display()),
        W::MultipathDeadPaths { device, paths } => {
            format!("jalur {} yang tidak berfungsi: {}. Pengambilalihan memakai jalur lainnya; perbaiki jalur itu", device.display(), paths.join(", "))
        }
        W::MultipathOnePath { device } => format!("{} hanya punya satu jalur", device.display()),
        W::MultipathForgets { device } => format!(
            "multipathd tidak menyimpan kunci reservasi untuk {}: lewat jalur yang pulih tidak ada yang dapat ditulis. Tetapkan reservation_key file di multipath.conf, lalu jalankan multipathd reconfigure",
            device.display()
        ),
        W::MultipathQueues { device } => format!(
            "tanpa satu jalur pun, {} menunggu terus tanpa memberi galat. Tetapkan no_path_retry dengan angka di multipath.conf",
            device.display()
        ),
        W::MultipathUntold { device, why } => {
            format!("keadaan jalur {} tidak diketahui: {}", device.display(), inner(why))
        }
        W::DrbdUntold { resource } => format!("DRBD tidak memberi tahu keadaan {resource}"),
        W::DrbdData { resource, state } => format!("data resource DRBD {resource} di sini tidak mutakhir ({state}): perubahan akan hilang"),
        W::DrbdPeerPrimary { resource } => format!("resource DRBD {resource} berstatus primary di server lain"),
        W::DrbdPeerSecondary { resource } => format!("resource DRBD {resource} tersambung, dan tidak berstatus primary di server lain"),
        W::DrbdOtherUnseen { resource } => format!("resource DRBD {resource} tidak tersambung, dan salinan di server lain mungkin lebih baru: perbaiki kabel pasangan itu, lalu perintahkan lagi; atau matikan server itu (siaga power off, atau cabut kabel listriknya), lalu perintahkan siaga ambil-alih"),
        W::DrbdBehind { resource } => format!("resource DRBD {resource} tidak tersambung, jadi salinan di sini tidak berisi yang ditulis server lain: perbaiki dahulu kabel pasangan itu; layanan tetap berjalan di tempatnya"),
        W::DrbdAlone { resource } => format!("resource DRBD {resource} tidak tersambung: tidak ada yang direplikasi"),
        W::DrbdUnfenced { resource } => {
            format!("resource DRBD {resource} tidak memakai fencing maupun quorum: bila jaringan putus, data lama tetap dianggap mutakhir")
        }
        W::DrbdOneCopy { resource, state } => {
            format!("resource DRBD {resource} dipakai di sini, tetapi data di disk server ini tidak mutakhir ({state}): hanya salinan di server lain yang mutakhir")
        }
        W::DrbdFreezes { resource } => {
            format!("resource DRBD {resource} memakai fencing resource-and-stonith: bila jaringan antara kedua server putus, semua penulisan berhenti dan tetap berhenti, karena handler Siaga tidak pernah menyatakan server lain mati hanya karena kabel putus; atur fencing resource-only (docs/disk-sets.md)")
        }
        W::DrbdNoHandler { resource } => {
            format!("resource DRBD {resource} memakai fencing tanpa handler fence-peer: tidak dapat diambil selama server lain mati (docs/disk-sets.md)")
        }
        W::OldDataNeedsNameAndReason => "siapa yang memutuskan memakai data lama harus menyebut namanya sendiri (--as) dan alasannya (--reason)".into(),
        W::DrbdMarkedOld { resource } => {
            format!("resource DRBD {resource} terputus sementara server lain menulis: salinan di sini ditandai usang sampai tersambung lagi")
        }
        W::DrbdTwoPrimaries { resource } => format!("resource DRBD {resource} mengizinkan dua primary (allow-two-primaries)"),
        W::DrbdPromotesItself { resource } => format!("resource DRBD {resource} menjadi primary saat dibuka (auto-promote)"),
        W::NoReservation => "kumpulan disk tidak memakai reservasi persisten".into(),
        W::KeyGone { device } => format!("pendaftaran server ini di {} sudah hilang", device.display()),
        // --- what this node does not have
        W::NoSuchServiceHere { service } => format!("tidak ada layanan {service} di sini"),
        W::NoInterface { address, node } => format!("tidak ada antarmuka untuk {address} di {node}"),
        W::NoInterfaceHere => "tidak ada antarmuka untuknya di sini".into(),
        W::NoSuchFence { node, device } => format!("{node} tidak memiliki alat isolasi {device}"),
        W::NoSuchNode { node } => format!("{node} tidak ada dalam konfigurasi"),
        W::NoSharedNetwork { node } => format!("tidak ada alamat {node} yang sejaringan dengan server ini"),
        W::FencesItself => "server tidak mengisolasi dirinya sendiri".into(),
        W::AskingBroke => "pertanyaannya terputus sebelum ada jawaban".into(),
        W::ThreadFailed { said } => format!("agen tidak dapat memulainya: {}", quoted(said)),
        // --- the database
        W::LeftFromEarlierStart { processes } => {
            format!("masih ada proses dari penyalaan sebelumnya: {}", list(processes))
        }
        W::PostmasterGone { processes } => format!("proses utamanya sudah hilang dan meninggalkan {}", list(processes)),
        W::KilledAndStillThere { processes } => format!("sudah dimatikan paksa, tetapi masih ada: {}", list(processes)),
        W::EndedWhileLookedAt => "PostgreSQL berakhir ketika sedang diperiksa".into(),
        W::NotADataDir { path } => format!("{} bukan direktori data PostgreSQL", path.display()),
        W::DataDirOwner { path, owner, user, uid } => format!(
            "{} milik pengguna nomor {owner}, sedangkan {user} di server ini bernomor {uid}", path.display()
        ),
        W::StandbyDataDir { path } => {
            format!("{} adalah direktori data standby: ada standby.signal di dalamnya", path.display())
        }
        W::DataOlder { found, last } => format!(
            "data di kumpulan disk lebih tua daripada yang terakhir terlihat dari basis data ini: checkpoint {} pada \
             timeline {}, sebelumnya {} pada timeline {}; bila memang demikian (cadangan dipulihkan), nyatakan dahulu: siaga events accept-data",
            found.lsn(), found.timeline, last.lsn(), last.timeline
        ),
        W::DataOther { found, last } => format!(
            "basis data lain berada di kumpulan disk: system identifier {}, sebelumnya {}; bila memang demikian (cadangan dipulihkan), nyatakan dahulu: siaga events accept-data",
            found.system_identifier, last.system_identifier
        ),
        // --- rehearsals
        W::ReplicationRefused { node, line, said } => format!(
            "basis data di {node} tidak mengizinkan penyalinan ({}): tambahkan baris ini ke pg_hba.conf di sana, lalu muat ulang: {line}",
            quoted(said)
        ),
        W::BackupFailed { said } => format!("salinan tidak berhasil dibuat: {}", quoted(said)),
        W::BrokenOffByMove => "pemindahan dimulai, dan didahulukan".into(),
        W::BrokenOff => "latihan dihentikan".into(),
        W::AgentEnded => "agen berhenti di tengah jalan".into(),
        W::TookTooLong { seconds } => format!("tidak selesai dalam {seconds} detik"),
        W::RoomRanOut { folder } => format!("ruang di {} habis", folder.display()),
        W::ProductionChanged { what } => format!("tidak sama sebelum dan sesudahnya: {}", list(what)),
        W::CopyNotRemoved { folder, said } => {
            format!("salinan di {} tidak dapat dihapus: {}", folder.display(), quoted(said))
        }
        W::ExtensionNotThere { name } => format!("ekstensi {name} tidak terpasang di server ini"),
        W::ExtensionNotMade { name } => format!("ekstensi {name} tidak dibuat di basis data mana pun"),
        W::WorksInDataDir { process } => format!("{process} sedang memakai direktori data ini"),
        W::SystemdSilent { said } => format!("systemd tidak menjawab lewat D-Bus: {}", quoted(said)),
        W::SystemdLost => "sambungan ke systemd terputus sebelum hasilnya diketahui".into(),
        W::UnitNotFound { unit } => format!("systemd tidak mengenal unit {unit}"),
        W::UnitMasked { unit } => format!("unit {unit} ditutup (systemctl unmask {unit})"),
        W::UnitJobFailed { unit, result, ended } => format!("systemd atas {unit}: {result} ({ended}); keterangannya: journalctl -u {unit}"),
        W::UnitJobUnended { unit, seconds } => format!("systemd masih mengerjakan {unit} setelah {seconds} d; keterangannya: journalctl -u {unit}"),
        W::InUnit { unit, why } => format!("{}; keterangannya: journalctl -u {unit}", inner(why)),
        W::UnitWithoutServer { unit, data_dir } => format!("{unit} sudah dinyalakan, tetapi tidak ada PostgreSQL yang bekerja di {}: unit itu untuk direktori data lain, atau PostgreSQL langsung berakhir; keterangannya: journalctl -u {unit}", data_dir.display()),
        W::ConfigNamesOtherData { file, named, data_dir } => format!("{} menyebut bahwa data ada di {}, bukan di {}: unit itu akan menyalakan basis data lain. Salin konfigurasi dari server lain, atau atur data_directory di sana", file.display(), named.display(), data_dir.display()),
        W::UnitRestarts { unit, restart } => format!("{unit} memakai Restart={restart}: systemd akan menyalakan lagi basis data dengan sendirinya"),
        W::UnitStartLimited { unit, seconds } => format!("{unit} memakai TimeoutStartSec={seconds}: systemd akan mematikan pemulihan yang lebih lama"),
        W::DataLeadsNowhere { link } => format!("{} menuju sesuatu yang tidak ada", link.display()),
        W::DataLeadsOutside { link, to } => format!("{} menuju {}, yang tidak berada di kumpulan disk: data lain mungkin ada di sana", link.display(), to.display()),
        W::ServerEnded { log } => format!("PostgreSQL berakhir: {}", quoted(log)),
        W::ServerIsStandby => "PostgreSQL menyala sebagai standby: ada standby.signal".into(),
        W::ServerShutsDown => "sedang dimatikan".into(),
        W::ReadinessUnchecked { why } => format!("berjalan, tetapi kesiapannya tidak dapat diperiksa: {}", inner(why)),
        W::ServerUnreachable { why } => format!("berjalan, tetapi tidak dapat dihubungi untuk diperiksa: {}", inner(why)),
        W::NoProgress { seconds, stage, log } => format!(
            "tidak ada kemajuan selama {seconds} detik ({}): {}", crate::progress(Indonesian, stage), quoted(log)
        ),
        W::LogUnreadable { said } => format!("lognya tidak dapat dibaca: {}", quoted(said)),
        W::DatabaseNotRunning => "basis data tidak berjalan".into(),
        W::ReadOnlyStandby => "hanya dapat dibaca: standby".into(),
        W::ReadOnlyRecovery => "hanya dapat dibaca: masih dalam pemulihan".into(),
        W::NoAnswerWithin { ms } => format!("tidak ada jawaban dalam {ms} milidetik"),
        W::PortTaken { port, by: Some(by) } => format!("PostgreSQL lain memakai port {port} di sini: {by}. Klien akan menemukannya di alamat layanan. Hentikan, dan jangan biarkan menyala lagi: systemctl disable --now postgresql"),
        W::PortTaken { port, by: None } => format!("program lain memakai port {port} di sini, dan klien akan menemukannya di alamat layanan. ss -ltnp menunjukkannya: hentikan, dan jangan biarkan menyala lagi"),
        W::AnotherListens { pid } => format!("yang menjawab di sana adalah proses {pid}, bukan PostgreSQL layanan ini"),
        W::NoSuchUser { user } => format!("tidak ada pengguna {user} di /etc/passwd"),
        W::ProgramGone { program } => format!("{program} langsung berakhir"),
        // --- programs that Siaga runs
        W::ProgramNotStarted { said } => format!("tidak dapat dijalankan: {}", quoted(said)),
        W::ProgramTooSlow { said } => with("tidak selesai pada waktunya dan dihentikan paksa".into(), said),
        W::ProgramExit { code, said } => with(format!("kode keluar {code}"), said),
        W::ProgramSignal { signal, said } => with(format!("berakhir karena sinyal {signal}"), said),
        W::ProgramEnded { said } => with("berakhir tanpa sebab yang diketahui".into(), said),
        W::StartedNotRunning => "sudah dinyalakan, tetapi tidak berjalan".into(),
        W::StoppedStillRuns => "sudah dihentikan, tetapi masih berjalan".into(),
        W::TestFailed { why } => format!("ujinya: {}", inner(why)),
        W::NoStatusProgram => "program status tidak diatur dalam konfigurasi".into(),
        // --- addresses
        W::AddressElsewhere { address, interface } => format!(
            "{address} sudah ada di {interface} pada server ini: hapus dari sana dan dari konfigurasi antarmuka itu"
        ),
        W::InterfaceDown { interface } => {
            format!("{interface} mati: nyalakan dengan ip link set dev {interface} up")
        }
        W::NoCarrier { interface } => format!("{interface} tidak tersambung: periksa kabelnya dan port switch"),
        W::NoSuchInterface { interface, there } => {
            format!("tidak ada antarmuka {interface} di sini; yang ada: {}", list(there))
        }
        W::NotEthernet { interface } => format!("{interface} bukan antarmuka Ethernet"),
        W::ListingInterfaces { said } => format!("daftar antarmuka tidak dapat dibaca: {}", quoted(said)),
        W::AddressUntellable { address, why } => {
            format!("tidak dapat dipastikan apakah mesin lain memakai {address}: {}", inner(why))
        }
        W::AddressAnswered { address, hardware, interface } => {
            format!("mesin lain menjawab di {address}: alamat perangkat keras {hardware} pada {interface}")
        }
        W::AddressDuplicate { address, interface } => {
            format!("menurut kernel, {address} pada {interface} juga dipakai mesin lain")
        }
        W::AddressGoneAgain { address, interface } => {
            format!("{address} sudah ditambahkan ke {interface}, tetapi hilang lagi: ada yang menghapusnya")
        }
        W::AddressStillThere { address, interface } => {
            format!("{address} masih ada di {interface}: hapus dari sana dan dari konfigurasi antarmuka itu")
        }
        W::AddressNotHere { address, interface } => format!("{address} tidak ada di {interface}"),
        W::AddressTakesOthers { address, prefix, interface, others } => format!(
            "{address}/{prefix} pada {interface} dibuat dengan tangan, dan penghapusannya akan ikut menghapus {}: \
             keluarkan dari konfigurasi antarmuka itu (alamat layanan memakai /32)",
            list(others)
        ),
        W::Ipv6Off { interface, why } => {
            format!("{}; IPv6 mati di {interface}: sysctl net.ipv6.conf.{interface}.disable_ipv6=0", inner(why))
        }
        W::ListingAddresses { why } => format!("daftar alamat tidak dapat dibaca: {}", inner(why)),
        W::AddingAddress { address, interface, why } => {
            format!("{address} tidak dapat ditambahkan ke {interface}: {}", inner(why))
        }
        W::RemovingAddress { why } => format!("alamat itu tidak dapat dihapus: {}", inner(why)),
        W::AnnouncingAddress { interface, said } => {
            format!("alamat itu tidak dapat diumumkan di {interface}: {}", quoted(said))
        }
        W::KernelSilent => "kernel tidak menjawab".into(),
        W::NetlinkClosed => "kernel menutup sambungan".into(),
        // --- fences
        W::FenceSaid { device, call, why } => {
            let call = match call {
                FenceCall::Off => "perintah mati",
                FenceCall::On => "perintah nyala",
                FenceCall::Status => "pertanyaan status",
            };
            format!("{device}, {call}: {}", inner(why))
        }
        W::FenceOffUnsaid => "program itu berakhir dengan kode keluar untuk mati tetapi tanpa kata OFF, jadi mungkin saja program itu terputus".into(),
        W::FenceUnconfirmed { why } => format!("alat itu tidak memastikannya: {}", inner(why)),
        W::FenceStillOn => "menurut alat itu server masih menyala".into(),
        W::FenceStillOff => "menurut alat itu server masih mati".into(),
        W::FenceBelied { node } => format!("alat itu pernah mengatakan {node} mati, padahal {node} menjawab: alat itu milik mesin lain"),
        W::FenceOption { option } => format!("opsi {option} tidak dapat diberikan kepada program isolasi"),
        W::FenceOptionReserved { option } => {
            format!("opsi {option} bukan untuk konfigurasi: Siaga sendiri yang menentukan tindakannya")
        }
        W::SecretFile { path, said } => format!("berkas rahasia {}: {}", path.display(), quoted(said)),
        W::SecretNotAFile { path } => format!("berkas rahasia {} bukan berkas biasa", path.display()),
        W::SecretReadable { path } => {
            let path = path.display();
            format!("berkas rahasia {path} dapat dibaca orang lain: chown root {path}, chmod 600 {path}")
        }
        W::SecretNotOneLine { path } => format!("berkas rahasia {} harus berisi satu baris saja", path.display()),
        W::FailedInThisRun => "sudah gagal dalam proses ini".into(),
        W::NotAsked => "tidak ditanya".into(),
        // --- mandates, proofs, orders
        W::OlderStepUnderWay => "langkah dari mandat yang lebih lama masih berjalan di server ini".into(),
        W::EnlistWithoutPlan => "perintah untuk menyepakati rencana datang tanpa rencananya".into(),
        W::NobodyAttested => "tidak ada petugas yang menyatakan hal ini".into(),
        W::NotItsMandate { coordinator, issuer } => {
            format!("mandat perintah ini tidak diterbitkan oleh {coordinator}, melainkan oleh {issuer}")
        }
        W::TestsFailed { tests } => list(tests),
        W::NewerMandate { offered, in_force } => {
            format!("yang berlaku mandat yang lebih baru: {in_force}; yang diajukan {offered}")
        }
        W::MandatesVoid { epoch, other } => format!("dua mandat bernomor sama, keduanya batal: {epoch} dan {other}"),
        W::NotHeldHere => "yang menjaga kumpulan disk tetap eksklusif menyatakan server ini tidak memegangnya".into(),
        W::MandatesBefore => "sudah pernah ada mandat untuk layanan ini, atau server ini mungkin kehilangan catatannya".into(),
        W::JournalLost => "server ini kehilangan catatan kejadiannya dan belum melihat catatan server lain".into(),
        W::LogUnwritten { said } => format!("catatan kejadian tidak dapat ditulis: {}", quoted(said)),
        W::ProofFails { node, why } => {
            format!("bukti bahwa {node} telah melepas tidak berlaku: {}", inner(why))
        }
        W::MandateNeverAdmitted => "mandat ini tidak pernah diterima di sini".into(),
        W::NoProofUnderMandate => "tidak ada bukti untuk mandat ini".into(),
        W::ProofUsedAlready => "bukti itu sudah dipakai".into(),
        W::FenceSaysOpen { device } => format!("menurut {device}, server itu tidak terisolasi"),
        W::SignOfLife => "ada tanda hidup".into(),
        W::PromiseBroken => "janjinya tidak berlaku lagi".into(),
        W::PromiseUnconfirmed => "janjinya tidak dapat dipastikan".into(),
        W::BudgetSpent => "batas waktu simulasi sudah habis".into(),
        W::AbortAsked => "seorang petugas meminta pembatalan".into(),
        W::AgentStopping => "agen sedang berhenti".into(),
        W::StepCutOff => "langkah itu terputus di server ini".into(),
        W::NoWayToNode { node } => format!("tidak ada jalur ke {node} dalam konfigurasi"),
        W::NodeSilent { node, said } => with(format!("{node} tidak menjawab"), said),
        W::AnswerLost => "jawabannya hilang".into(),
        W::AgentSilent => "agennya tidak menjawab".into(),
        W::AgentLate => "agennya hidup, tetapi tidak melaporkan tepat waktu apa yang dipegang server itu".into(),
        W::PlanUnheard => "rencananya belum diketahui di sini".into(),
        W::RunActsOn { run, node } => format!("proses {run} bekerja pada {node}, yang akan diisolasi"),
        W::JournalUnconfirmed => "catatan kejadian belum dapat dipastikan utuh".into(),
        W::CoordinatorSilent { still_here: true } => {
            "server pemimpin proses tidak menjawab lagi; layanan masih berjalan di sini".into()
        }
        W::CoordinatorSilent { still_here: false } => "server pemimpin proses tidak menjawab lagi".into(),
        W::CoverBegins => "server pemimpin proses tidak menjawab lagi; server ini menggantikannya".into(),
        W::AnotherRunGoesOn => "proses lain sedang berjalan".into(),
        W::Refused { sentence } => quoted(&crate::sentence(Indonesian, sentence)),
        // --- requests
        W::NameTheService => "ada beberapa layanan: tambahkan --service NAMA".into(),
        W::AttestationNeedsName => "pernyataan memerlukan nama dari daftar petugas ([[person]] di siaga.toml): root menambahkan --as NAMA, akun lain harus menjadi login salah satu petugas".into(),
        W::PeerNamedNobody => "server itu tidak menyebut siapa yang meminta".into(),
        W::ProbesGiveNoOrders => "pemantau klien tidak memberi dan tidak meneruskan perintah".into(),
        W::OnlyAgentsSendOn => "hanya agen server lain yang meneruskan perintah".into(),
        W::SentOnOnce => "perintah hanya diteruskan satu kali, atas nama seorang petugas".into(),
        W::NotOnThisServersList => "nama ini tidak ada dalam daftar petugas di server ini".into(),
        W::NodesDisagree => {
            "kedua server tidak sepakat di mana perintah ini dijalankan: lihat statusnya, lalu berikan lagi".into()
        }
        W::PersonNeeded => "diperlukan nama dari daftar petugas: tambahkan --as NAMA".into(),
        W::Replaced { node } => format!("sekarang mesin lain memakai nama {node}"),
        W::ReplacesItself { node } => format!("{node} tidak mengganti dirinya sendiri: mintalah di server yang tetap"),
        W::SwitchesItselfOff { node } => {
            format!("{node} tidak mematikan dirinya sendiri: mintalah kepada agen server lain")
        }
        W::NoCertificate => "diperlukan sertifikat".into(),
        W::CommunicatorsOnlyWrite => "peran communicator menulis pemberitahuan dan tidak menyentuh server".into(),
        W::ViewersOnlyLook => "peran viewer hanya boleh melihat".into(),
        W::OnlyRootMayState => "hanya root yang boleh memakai --as: nama Anda sudah diketahui dari akun Anda".into(),
        W::NotOnThePeopleList => "nama ini tidak ada dalam daftar petugas".into(),
        W::PreviewNotAsked => "pratinjau tidak diminta".into(),
        W::Newer(newer) => quoted(&newer.say),
        W::System(text) => quoted(text),
    }
}
