//! Sentences in Indonesian. One long match: a table of words, exhaustive.

use crate::acts_id::{attested, fence_kind};
use crate::voice::{Voice, duration, list, quoted};
use crate::why::{holders, said};
use siaga_model::refusal::Sentence as S;

pub(crate) fn sentence(voice: &Voice, sentence: &S) -> String {
    let age = |ms: u64| duration(voice, ms);
    match sentence {
        // --- where the service is
        S::ServiceRuns { service, node } => format!("Layanan {service} berjalan di {node}."),
        S::ServiceStopped { service } => format!("Layanan {service} berhenti. Layanan dihentikan dengan tertib."),
        S::ServiceDown { service, last_on: Some(node) } => {
            format!("Layanan {service} mati. Terakhir berjalan di {node}.")
        }
        S::ServiceDown { service, last_on: None } => format!("Layanan {service} mati."),
        S::ServiceUnknown { service } => format!("Keberadaan layanan {service} tidak diketahui."),
        S::ServiceInTransition { service, run } => format!("Layanan {service} sedang dipindahkan (proses {run})."),
        S::AlreadyActive { service, node } => format!("Layanan {service} sudah berjalan di {node}."),
        // --- a node
        S::NodeSilent { node, paths_tried, late: true } => format!(
            "Agen di {node} hidup, tetapi tidak melaporkan tepat waktu apa yang dipegang server itu. Jalur yang dicoba: {}.",
            list(paths_tried)
        ),
        S::NodeSilent { node, paths_tried, late: false } => {
            format!("{node} tidak menjawab. Jalur yang dicoba: {}.", list(paths_tried))
        }
        S::NodeAnswers { node } => format!("Agen di {node} menjawab."),
        S::NodePowerOn { node } => format!("Daya {node} menyala."),
        S::NodePowerOff { node } => format!("Daya {node} mati."),
        S::NodePowerUnknown { node } => format!("Tidak diketahui apakah daya {node} menyala."),
        S::NodeAddressAnswers { node, hardware } => {
            format!("Kartu jaringan {node} menjawab ({hardware}). Mesin itu menyala.")
        }
        S::NodeHolds { node, by } => format!("{node} memegang kumpulan disk: {}.", holders(voice.language, by)),
        S::ApplicationStopped { node, name } => {
            format!("Aplikasi {name} tidak berjalan di {node}; basis datanya berjalan.")
        }
        S::NodeFree { node } => format!("{node} tidak memegang kumpulan disk."),
        S::NodeHoldingUnknown { node, why } => {
            format!("Tidak diketahui apakah {node} memegang kumpulan disk: {}.", said(voice.language, why))
        }
        S::BothHold { nodes } => {
            format!("Lebih dari satu server memegang kumpulan disk: {}. Data dalam bahaya.", list(nodes))
        }
        S::NodeRebooted { node } => format!("{node} sudah menyala ulang sejak melepas kumpulan disk."),
        S::PromiseGone { node } => format!("Janji {node} bahwa kumpulan disk sudah dilepas tidak berlaku lagi."),
        S::PromiseUnheard { node, age_ms: Some(ms) } => format!(
            "{node} tidak menjawab. Janjinya bahwa kumpulan disk sudah dilepas berumur {}. Mungkin server itu sudah menyala ulang sejak itu.",
            age(*ms)
        ),
        S::PromiseUnheard { node, age_ms: None } => format!(
            "{node} tidak menjawab, dan agen yang menerima janjinya untuk melepas kumpulan disk sudah berhenti."
        ),
        S::NodePromised { node, epoch } => {
            format!("{node} telah berjanji melepas kumpulan disk (mandat {}).", epoch.counter)
        }
        S::NodeJournalLost { node } => {
            format!("{node} kehilangan catatan kejadiannya. Server itu tidak tahu janji yang pernah dibuatnya.")
        }
        S::JournalsLost { nodes } => format!(
            "{} kehilangan catatan kejadian. Tidak ada yang tahu janji yang pernah dibuat.",
            nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" dan ")
        ),
        S::JournalWhole { node } => format!("Catatan kejadian {node} utuh."),
        S::MountStranger { node, mount_point } => {
            format!("Di {node}, {} terpasang, tetapi bukan oleh Siaga.", mount_point.display())
        }
        S::VirtualIpLeftOver { node, address } => {
            format!("{node} masih memakai IP virtual {address}. Layanan tidak berada di sana.")
        }
        S::VirtualIpNotYet { node, address } => format!(
            "{node} belum memiliki IP virtual {address}: klien memakai alamat server itu sendiri. siaga start menambahkannya tanpa menyentuh basis data."
        ),
        // --- fences
        S::FenceAnswers { node, device, fence } => {
            format!("Alat isolasi {device} untuk {node} menjawab ({}).", fence_kind(*fence))
        }
        S::FenceFailed { node, device, why } => {
            format!("Alat isolasi {device} untuk {node} gagal: {}.", said(voice.language, why))
        }
        S::FenceNone { node } => format!("Tidak ada alat isolasi untuk {node}."),
        S::FenceConfirms { node, device, fence } => match fence {
            siaga_model::config::FenceKind::Power => format!("Alat isolasi {device} memastikan {node} mati."),
            siaga_model::config::FenceKind::Reservation => {
                format!("Alat isolasi {device} memastikan disk menolak tulisan {node}.")
            }
            siaga_model::config::FenceKind::Fabric => {
                format!("Alat isolasi {device} memastikan {node} terputus dari kumpulan disk.")
            }
        },
        S::NoFenceCost => "Tempat ini tidak memiliki alat isolasi. Untuk ambil alih, seorang petugas harus mendatangi \
                           server yang mati dan mematikan dayanya."
            .into(),
        // --- witnesses
        S::ProbeSeesService { probe, node: Some(node), age_ms } => {
            format!("Pemantau klien {probe} mencapai layanan di {node} {} yang lalu.", age(*age_ms))
        }
        S::ProbeSeesService { probe, node: None, age_ms } => {
            format!("Pemantau klien {probe} mencapai layanan {} yang lalu.", age(*age_ms))
        }
        S::ProbeSeesNothing { probe, age_ms } => {
            format!("Pemantau klien {probe} tidak dapat mencapai layanan {} yang lalu.", age(*age_ms))
        }
        S::NoProbe => "Tidak ada laporan dari pemantau klien. Belum ada kepastian dari sisi klien.".into(),
        S::ProbeStale { probe, age_ms } => {
            format!("Laporan terakhir pemantau klien {probe} berumur {}. Laporan itu tidak berlaku lagi.", age(*age_ms))
        }
        S::AddressAnsweredBy { address, node } => format!("{node} menjawab di IP virtual {address}."),
        S::AddressConflict { address, hardware } => {
            format!("Mesin lain, bukan salah satu server, menjawab di {address}: {hardware}.")
        }
        S::AddressSilent { address } => format!("Tidak ada yang menjawab di IP virtual {address}."),
        S::DiskChanging => "Kumpulan disk sedang ditulis. Ada server yang masih memakainya.".into(),
        S::DiskNoChange => "Tidak terlihat perubahan pada kumpulan disk. Hal itu tidak membuktikan apa pun.".into(),
        // --- attestations
        S::Attested { node, how, by } => format!("{by} menyatakan bahwa {}.", attested(node, *how)),
        S::AttestationContradictedBy { node, how, witness } => format!(
            "Petugas menyatakan bahwa {}. Tanda yang lebih baru menyangkalnya: {}",
            attested(node, *how),
            self::sentence(voice, witness)
        ),
        // --- runs
        S::RunBy { run, actor, since, coordinator } => format!(
            "{} memerintahkan proses {run} pada {}. {coordinator} sedang menjalankannya.",
            quoted(actor),
            voice.instant(*since)
        ),
        S::RunLeftOver { run, since, coordinator } => format!(
            "Proses {run} di {coordinator} sejak {} terputus dan belum selesai.",
            voice.instant(*since)
        ),
        S::NothingToResume => "Tidak ada proses yang terputus.".into(),
        // --- plans
        S::WillMove { service, from, to } => format!("Layanan {service} dipindahkan dari {from} ke {to}."),
        S::WillTakeOver { service, from, to } => format!("{to} mengambil alih layanan {service} dari {from}."),
        S::WillStart { service, node } => format!("Layanan {service} dinyalakan di {node}."),
        S::WillStop { service, node } => format!("Layanan {service} dihentikan di {node}."),
        S::WillRestart { service, node } => format!("Layanan {service} dinyalakan ulang di {node}."),
        // --- what a preview can't prove
        S::FenceNotTried { node, device } => {
            format!("Belum dicoba: apakah alat isolasi {device} benar-benar memutus {node}.")
        }
        S::DatabaseStartNotTried { node } => format!("Belum dicoba: apakah basis data dapat menyala di {node}."),
        S::MountNotTried { node } => format!("Belum dicoba: apakah sistem berkas dapat dipasang di {node}."),
        S::ClientNotTried => "Belum dicoba: apakah klien dapat mencapai layanan sesudahnya.".into(),
        S::OldDataLost { node, resource, state } => format!("salinan {resource} di {node} adalah data lama ({state}): yang ditulis setelah salinan itu terputus akan hilang."),
        S::FenceHitsService { node, service } => {
            format!("Isolasi {node} juga mengenai layanan {service}.")
        }
        S::AttestedMayCarry { node, service } => format!(
            "Layanan {service} juga ada, atau mungkin ada, di {node}. Rencana ini tidak melakukan apa pun terhadap {node}; urus {service} tersendiri."
        ),
        // --- refusals in one sentence
        S::RefusedServing { service, node: Some(node) } => {
            format!("Layanan {service} masih melayani klien di {node}. Ambil alih akan memutus mereka.")
        }
        S::RefusedServing { service, node: None } => {
            format!("Layanan {service} masih melayani klien. Ambil alih akan memutus mereka.")
        }
        S::RefusedSourceAlive { node } => {
            format!("Agen di {node} menjawab. Ambil alih hanya untuk server yang mati atau tidak menjawab.")
        }
        S::RefusedReplaceAnswers { node } => format!(
            "Ditolak: {node} menjawab. Hanya mesin yang mati, dan tetap mati, yang dapat diganti."
        ),
        S::RefusedReplaceMayHold { node, service } => format!(
            "Ditolak: {service} tidak berjalan di sini, jadi {node} mungkin masih memegang kumpulan disknya. Mengganti server tidak membuktikan apa pun tentang itu."
        ),
        S::RefusedNodeReplaced { node } => format!(
            "Ditolak: sekarang mesin lain memakai nama {node}. Mesin ini tidak membawa apa pun lagi."
        ),
        S::RefusedNeedsAttestation { node } => format!(
            "{node} tidak menjawab. Tidak ada alat di sini yang dapat memastikan server itu mati. Seorang petugas harus \
             mendatanginya."
        ),
        S::OrderUnanswered { node } => {
            format!("Perintah sudah dikirim ke {node}, tetapi tidak ada jawaban. Mungkin sudah dimulai di sana, mungkin belum.")
        }
        S::RefusedPeerSilent { node } => {
            format!("{node} tidak menjawab. Pemindahan terencana memerlukan kedua server.")
        }
        S::RefusedNotRunning { service } => format!("Layanan {service} tidak berjalan."),
        S::RefusedNotOnPreferred { service, active, preferred } => {
            format!("Layanan {service} berada di {active}, sedangkan tempat asalnya {preferred}.")
        }
        S::RefusedCheckNotPassed { node } => {
            format!("{node} belum lulus `siaga periksa` sejak gangguan terakhirnya.")
        }
        S::RefusedTargetNotReady { node, why } => {
            format!("{node} tidak dapat menjalankan layanan: {}.", said(voice.language, why))
        }
        S::RefusedTargetFenced { node, device } => {
            format!("{node} sendiri terputus dari kumpulan disk, menurut alat isolasi {device}.")
        }
        S::RefusedNoSuchNode { node } => format!("Tidak ada server bernama {node}."),
        S::RefusedNoSuchService { service } => format!("Tidak ada layanan bernama {service}."),
        S::RefusedLogFull { node } => {
            format!("Catatan kejadian di {node} tidak memiliki ruang untuk pemindahan terencana.")
        }
        S::RefusedSuperseded { offered, in_force } => format!(
            "Perintah ini sudah usang: mandat {} dari {}. Yang berlaku adalah mandat {} dari {}.",
            offered.counter, offered.issuer, in_force.counter, in_force.issuer
        ),
        S::RefusedMandateConflict { epoch, other } => format!(
            "{} dan {} sama-sama menerbitkan mandat {}. Kedua mandat itu batal.",
            epoch.issuer, other.issuer, epoch.counter
        ),
        S::RefusedProofVoid { node, why } => {
            format!("Bukti bahwa {node} telah melepas kumpulan disk tidak berlaku lagi: {}.", said(voice.language, why))
        }
        S::RefusedHolderOfRunning { node, service } => {
            format!("{node} sedang menjalankan layanan {service}. Dayanya tetap menyala.")
        }
        S::RefusedFenceHitsRunning { node, service } => format!(
            "{node} sedang menjalankan layanan {service}, dan layanan itu berfungsi. Isolasi {node} akan memutus kliennya."
        ),
        S::RefusedNotAllowed { actor, why } => {
            format!("{} tidak berhak melakukan ini: {}.", quoted(actor), said(voice.language, why))
        }
        S::RefusedNoRoom { node, folder, needs_mebibytes, free_mebibytes } => format!(
            "Salinan tidak muat di {node}: perlu {needs_mebibytes} MiB di {}, dan hanya {free_mebibytes} MiB yang dapat dipakai.",
            folder.display()
        ),
        S::RefusedRehearsalGoesOn { service, node } => {
            format!("Latihan layanan {service} sedang berjalan di {node}.")
        }
        S::RefusedNoStandby { service } => {
            format!("Tidak ada server lain untuk melatih layanan {service}.")
        }
        S::RefusedBadRequest { why } => format!("Permintaan tidak dapat dijalankan: {}.", said(voice.language, why)),
    }
}
