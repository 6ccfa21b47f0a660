//! The help of the verbs about the site's keys in Indonesian, by its English text.

/// Of `ca`.
#[rustfmt::skip] // a table: a text and its translation
pub(crate) const KEYS: &[(&str, &str)] = &[
    ("Replace the site's certificate authority",
     "Ganti otoritas sertifikat tempat ini"),
    ("Make a new certificate authority in the place of a lost one",
     "Buat otoritas sertifikat baru sebagai ganti yang hilang"),
    ("Where no node has its key any more, or a stranger may have it. Nothing restarts, no move waits, and nobody joins again: machines are trusted by their own keys. The other node takes it over by itself. Tokens that were made before are worth nothing afterwards.",
     "Jika tidak ada server yang masih memiliki kuncinya, atau orang lain mungkin memilikinya. Tidak ada yang dinyalakan ulang, tidak ada pemindahan yang menunggu, dan tidak ada yang perlu bergabung lagi: mesin dipercaya karena kuncinya sendiri. Server lain mengambilnya sendiri. Token yang dibuat sebelumnya tidak berlaku lagi."),
    ("Why; it goes into the log under your name", "Alasannya; masuk ke catatan atas nama Anda"),
    ("  siaga ca replace --reason \"both system disks were replaced\"",
     "  siaga ca replace --reason \"disk sistem kedua server diganti\""),
    ("  siaga ca replace --reason \"a disk with the keys was stolen\" --json",
     "  siaga ca replace --reason \"disk berisi kunci dicuri\" --json"),
];
