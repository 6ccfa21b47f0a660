//! Fixed texts of the printed papers: log book, availability, reports, the procedure and the sheet.

use crate::voice::Voice;
use siaga_model::config::Language;

/// Each text stands once in each language: one that lacks a language does not compile.
macro_rules! papers {
    ($($variant:ident: $english:literal, $indonesian:literal;)*) => {
        /// A fixed text of a paper.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Paper { $($variant,)* }

        impl Paper {
            /// Every text, for tests.
            pub const ALL: &'static [Paper] = &[$(Paper::$variant,)*];
        }

        /// A fixed text of a paper, in words.
        pub fn paper(voice: impl Into<Voice>, text: Paper) -> &'static str {
            let language = voice.into().language;
            match (text, language) {
                $((Paper::$variant, Language::English) => $english,
                (Paper::$variant, Language::Indonesian) => $indonesian,)*
            }
        }
    };
}

papers! {
    // --- availability
    Availability: "Availability", "Ketersediaan layanan";
    Month: "Month", "Bulan";
    Year: "Year", "Tahun";
    MinutesInMonth: "Minutes in the month", "Menit dalam sebulan";
    MinutesInYear: "Minutes in the year", "Menit dalam setahun";
    MinutesCounted: "Minutes counted (denominator)", "Menit yang dihitung (penyebut)";
    MinutesUp: "Minutes in service (numerator)", "Menit layanan berjalan (pembilang)";
    DowntimePlanned: "Planned downtime, minutes", "Henti terencana, menit";
    DowntimeUnplanned: "Unplanned downtime, minutes", "Henti tidak terencana, menit";
    AvailabilityAll: "Availability, all downtime", "Ketersediaan, semua henti";
    AvailabilityUnplanned: "Availability, unplanned downtime alone", "Ketersediaan, tanpa henti terencana";
    Target: "Target", "Target";
    TargetMet: "met", "tercapai";
    TargetMissed: "missed", "tidak tercapai";
    Incidents: "Downtimes", "Kejadian henti";
    OpenIncidents: "still open, counted to now", "belum selesai, dihitung sampai sekarang";
    UnknownDuration: "of unknown duration, in no minute", "lama tidak diketahui, tidak ikut dihitung";
    StillToCome: "The period is not over: only what is past is counted.", "Periode belum selesai: hanya waktu yang sudah lewat yang dihitung.";
    LogBeginsLater: "The log begins within the period: what was before is not known. First row:", "Log dimulai di tengah periode: yang terjadi sebelumnya tidak diketahui. Baris pertama:";
    DrillsArePlanned: "A drill's minutes are planned downtime. Where planned and unplanned downtime overlap, they count as unplanned.", "Menit simulasi dihitung sebagai henti terencana. Bila henti terencana dan tidak terencana tumpang tindih, dihitung tidak terencana.";
    Mttr: "Mean time to repair", "Rerata waktu pulih (MTTR)";
    TimeToNotice: "Time to notice", "Waktu sampai pemberitahuan";
    DecisionTime: "Decision time", "Waktu keputusan";
    TechnicalTime: "Technical time", "Waktu teknis";
    Trend: "Trend", "Tren";
    NoService: "No downtime of any service is in the log.", "Tidak ada henti layanan dalam log.";
    AvailabilityReport: "Availability", "Ketersediaan Layanan";
    ServiceName: "Service", "Layanan";
    // --- the head box
    DocumentNumber: "Document no.", "No. Dokumen";
    Revision: "Revision", "No. Revisi";
    MadeAt: "Made", "Dibuat";
    ChainHeads: "Heads of the event chains (node.incarnation/row hash)", "Kepala rantai kejadian (node.inkarnasi/baris hash)";
    Page: "Page", "Halaman";
    OfPages: "of", "dari";
    IssuedOn: "Date of issue", "Tanggal terbit";
    ApprovedBy: "Approved by", "Ditetapkan oleh";
    SopTitle: "Downtime of the information system", "Downtime Sistem";
    SortReport: "Report", "Laporan";
    SortProcedure: "Standard operating procedure", "Standar Prosedur Operasional";
    Hour: "hour", "jam";
    Initials: "initials", "paraf";
    // --- the log book
    LogBook: "Log of Downtimes", "Daftar Log Waktu Henti";
    LogOfServices: "Services", "Layanan";
    LogOfMachines: "Machines", "Mesin server";
    NothingInPeriod: "Nothing in this period.", "Tidak ada pada periode ini.";
    What: "What", "Objek";
    Officer: "Officer", "Petugas";
    StillOffline: "still offline", "masih offline";
    KindUnplanned: "unplanned", "tidak terencana";
    KindPlanned: "planned", "terencana";
    KindDrill: "drill", "simulasi";
    KindPoweredOff: "power off", "daya dimatikan";
    KindRestarted: "restarted", "dinyalakan ulang";
    KindSilent: "did not answer", "tidak menjawab";
    // --- reports of drills and incidents
    DrillTitle: "Drill report", "Laporan Simulasi Ambil Alih";
    IncidentTitle: "Incident report", "Berita Acara Waktu Henti";
    Identity: "Identity", "Identitas";
    SopNumber: "Procedure no. / revision", "No. SPO / revisi";
    RunNumber: "Run", "Nomor proses";
    Begun: "Begun", "Mulai";
    Ended: "Ended", "Selesai";
    OrderedBy: "Ordered by", "Dijalankan oleh";
    RequestedBy: "Requested by", "Diminta oleh";
    PermittedBy: "Approved by", "Disetujui oleh";
    ReasonGiven: "Reason", "Alasan";
    DrillKind: "Type of drill", "Jenis simulasi";
    DrillKindLive: "live switchover: the service was stopped twice; its minutes are planned downtime", "pindah layanan nyata: layanan berhenti dua kali; menitnya dihitung henti terencana";
    DrillGoals: "Objectives and criteria", "Tujuan dan kriteria lulus";
    DrillGoalsText: "The service runs on both servers; every client test passes at every station; each outage lasts at most {rto}; no row is lost; the first notice goes out within 10 minutes.", "Layanan berjalan di kedua server; semua uji klien berhasil di setiap stasiun; setiap henti paling lama {rto}; tidak ada baris data yang hilang; pemberitahuan pertama dalam 10 menit.";
    DrillScenario: "Scenario", "Skenario";
    Participants: "Participants and observer", "Peserta dan pengamat";
    PersonName: "Name", "Nama";
    PersonRole: "Role", "Peran";
    UnitName: "Unit", "Unit";
    Signature: "Signature", "Tanda tangan";
    DrillPreflight: "Readiness check, and the last good copy of the data", "Pemeriksaan awal, dan salinan data (backup) terakhir yang baik";
    Timeline: "Timeline", "Linimasa";
    Down: "SERVICE DOWN", "LAYANAN HENTI";
    HourOfBegin: "Begun at", "Mulai";
    MeasuredOutages: "Measured outages and client tests", "Waktu henti terukur dan uji klien";
    Goal: "Goal (RTO)", "Sasaran (RTO)";
    SeenBy: "Seen by", "Diukur oleh";
    Remark: "Remark", "Keterangan";
    Integrity: "The database's files since the move", "Berkas basis data setelah pemindahan";
    NoticesSent: "Notices sent and received", "Pemberitahuan yang dikirim dan diterima";
    Deviations: "Deviations: failed, skipped or forced steps, aborts", "Penyimpangan: langkah gagal, dilewatkan atau dipaksa, pembatalan";
    NoDeviation: "Every step went as planned.", "Semua langkah berjalan sesuai rencana.";
    DrillFindings: "Findings: how severe, and why", "Temuan: tingkat dan sebabnya";
    Actions: "Corrective actions", "Tindak lanjut";
    ActionText: "Action", "Tindakan";
    ActionOwner: "Owner", "Penanggung jawab";
    ActionDue: "Due", "Tenggat";
    ActionState: "State", "Status";
    ActionDone: "done", "selesai";
    ActionOpen: "open", "belum";
    SopChange: "Change of the procedure", "Perubahan SPO";
    SopChangeNeeded: "Needed? What?", "Perlu? Apa?";
    SopNewRevision: "New revision", "Revisi baru";
    Conclusion: "Conclusion", "Kesimpulan";
    ByMeasurement: "By what was measured:", "Menurut hasil ukur:";
    ConclusionChoice: "Passed / passed with remarks / not passed", "Lulus / lulus dengan catatan / tidak lulus";
    Signatures: "Signatures", "Tanda tangan";
    RecordInside: "The record that this report was made from is carried inside its file. \"siaga report verify FILE\" says whether the events still agree.", "Catatan asal laporan ini ikut tersimpan di dalam berkasnya. \"siaga report verify BERKAS\" memastikan apakah log kejadian masih sesuai.";
    OutcomeRefused: "refused", "ditolak";
    OutcomeRestored: "failed, the service runs as before", "gagal, layanan berjalan seperti semula";
    OutcomeStuck: "stuck", "tertahan";
    IncidentNumber: "Incident no.", "No. kejadian";
    IncidentKind: "Kind", "Jenis";
    IncidentScope: "Scope", "Cakupan";
    IncidentLevel: "Level", "Tingkat";
    Times: "Times", "Waktu";
    TimeWhat: "What", "Peristiwa";
    TimeAt: "When", "Waktu";
    TimeSource: "Source", "Sumber";
    Measured: "measured by", "diukur oleh";
    Entered: "entered by", "diisi oleh";
    TotalDowntime: "Downtime", "Lama henti";
    TimeToDetect: "Time to detect", "Waktu sampai terdeteksi";
    FirstSign: "First sign", "Gejala awal";
    Symptom: "Symptom", "Gejala";
    ReportedBy: "Reported by", "Dilaporkan oleh";
    Medium: "How", "Media";
    CauseAndDecision: "Cause, decision, and how the old server was made safe", "Penyebab, keputusan, dan pengamanan server lama";
    CauseKnown: "Cause", "Penyebab";
    Decision: "Decision", "Keputusan";
    Decider: "Decided by", "Diputuskan oleh";
    MadeSafe: "Old server", "Server lama";
    NoticeMoment: "Notice", "Pemberitahuan";
    NoticeTo: "To", "Kepada";
    NoticeChannel: "By", "Melalui";
    NoticeBy: "Sender", "Pengirim";
    NoticeReceived: "Received", "Diterima";
    Yes: "yes", "ya";
    No: "no", "tidak";
    ImpactPerUnit: "Impact and back-entry per unit (all units)", "Dampak dan entri ulang per unit (semua unit)";
    Affected: "Affected", "Terdampak";
    WentToPaper: "Paper", "Manual";
    Count: "Count", "Jumlah";
    Forms: "Forms", "Formulir";
    FormsEntered: "Entered", "Dientri";
    FormsLeft: "Left", "Selisih";
    Review: "Review", "Evaluasi";
    LastBackup: "Last good copy of the data", "Salinan data (backup) terakhir yang baik";
    DataCheck: "Check for lost data", "Pemeriksaan data hilang";
    RootCause: "Root cause", "Akar masalah";
    WentWell: "What went well", "Yang berjalan baik";
    WentBadly: "What went badly", "Yang kurang";
    // --- the sheet
    SheetTitle: "Sheet of the moment", "Lembar Keadaan";
    SheetState: "State", "Keadaan";
    SheetFromFiles: "The agent does not answer. This is what the event log on this server tells; what happened since, or on the other server, is not in it.", "Agen tidak menjawab. Ini yang tercatat di log kejadian server ini; yang terjadi sesudahnya, atau di server lain, tidak ada di dalamnya.";
    SheetNewest: "Newest event", "Kejadian terbaru";
    SheetSteps: "Steps of the plan", "Langkah rencana";
    SheetDone: "done", "selesai";
    SheetFailed: "FAILED", "GAGAL";
    SheetUnknown: "NOT KNOWN: look first", "TIDAK DIKETAHUI: periksa dulu";
    SheetBegun: "no result: look first", "tanpa hasil: periksa dulu";
    SheetWaiting: "not begun", "belum mulai";
    SheetNext: "Next step by hand, if the program does not go on", "Langkah berikutnya secara manual, bila program tidak melanjutkan";
    SheetNextOn: "on", "di";
    SheetNothingLeft: "Nothing of the plan is left to do. Test from a client, and tell the units.", "Tidak ada langkah rencana yang tersisa. Uji dari klien, dan beri tahu unit.";
    SheetNoEnd: "its end is not in the log", "akhirnya belum ada di log";
    SheetNoRun: "No move is in the log.", "Tidak ada pemindahan dalam log.";
    SheetTold: "Who has been told (hour and initials)", "Siapa yang sudah diberi tahu (jam dan paraf)";
    SheetNoConfig: "The configuration can't be read here: take the commands from the printed procedure.", "Konfigurasi tidak dapat dibaca di sini: ambil perintahnya dari SPO tercetak.";
    FromFiles: "The agent does not answer: read from the files alone.", "Agen tidak menjawab: dibaca langsung dari berkas.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_paper_is_left_in_one_language() {
        for text in Paper::ALL {
            let (en, id) = (
                paper(Language::English, *text),
                paper(Language::Indonesian, *text),
            );
            assert!(!en.is_empty() && !id.is_empty(), "{text:?}");
        }
    }
}
