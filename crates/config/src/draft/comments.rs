//! What the written file says for itself.

use siaga_model::config::Language;

/// A comment.
#[derive(Clone, Copy)]
pub(super) enum Remark {
    Top,
    People,
    NoPeople,
    Nodes,
    NoFence,
    Service,
    DiskSet,
    VirtualIp,
    Database,
    ClientTest,
}

/// Its words.
pub(super) fn remark(language: Language, what: Remark) -> &'static str {
    match language {
        Language::English => english(what),
        Language::Indonesian => indonesian(what),
    }
}

fn english(what: Remark) -> &'static str {
    match what {
        Remark::Top => {
            "Siaga: this site's configuration, the same file on both servers. It was written by \"siaga init\".\n\
             After a change: siaga config check. Every setting there is: /usr/share/doc/siaga/examples/full.toml"
        }
        Remark::People => {
            "Whose name may stand in the log, and who may attest that a silent server is off. name is what --as takes,\n\
             login the account on the servers; role: operator, decider, approver, communicator or viewer."
        }
        Remark::NoPeople => "Nobody yet: before the first night, write a [[person]] for each here.",
        Remark::Nodes => {
            "The two servers. Addresses: their own, one per network path, never the virtual one."
        }
        Remark::NoFence => {
            "There is no fence for this server: while it is silent, a person has to go there and attest. A fence is\n\
             written as [[node.fence]] here."
        }
        Remark::Service => "What moves as one.",
        Remark::DiskSet => "The shared storage. One server at a time holds it.",
        Remark::VirtualIp => {
            "The address that clients use. It stands in no network configuration of the servers."
        }
        Remark::Database => "PostgreSQL, as it is started on either server.",
        Remark::ClientTest => "The test of every move: a client probe reads and writes a row.",
    }
}

fn indonesian(what: Remark) -> &'static str {
    match what {
        Remark::Top => {
            "Siaga: konfigurasi tempat ini, berkas yang sama di kedua server. Ditulis oleh \"siaga init\".\n\
             Setelah diubah: siaga config check. Semua pengaturan: /usr/share/doc/siaga/examples/full.toml"
        }
        Remark::People => {
            "Siapa yang namanya boleh tercatat, dan siapa yang boleh menyatakan bahwa server yang diam itu mati. name dipakai oleh\n\
             --as, login adalah akun di server; role: operator, decider, approver, communicator atau viewer."
        }
        Remark::NoPeople => {
            "Belum ada: sebelum malam pertama, tulis [[person]] untuk setiap petugas di sini."
        }
        Remark::Nodes => {
            "Kedua server. Alamat: milik server itu sendiri, satu per jalur jaringan, bukan IP virtual."
        }
        Remark::NoFence => {
            "Tidak ada alat isolasi untuk server ini: jika server diam, seseorang harus ke sana dan menyatakannya.\n\
             Alat isolasi ditulis sebagai [[node.fence]] di sini."
        }
        Remark::Service => "Yang berpindah sebagai satu kesatuan.",
        Remark::DiskSet => {
            "Penyimpanan bersama. Hanya satu server yang memegangnya pada satu saat."
        }
        Remark::VirtualIp => {
            "Alamat yang dipakai klien. Alamat ini tidak ada dalam konfigurasi jaringan server."
        }
        Remark::Database => "PostgreSQL, seperti dijalankan di kedua server.",
        Remark::ClientTest => "Uji setiap perpindahan: probe klien membaca dan menulis satu baris.",
    }
}
