//! The channels against real things: a real SMTP server with a real mailbox, real HTTP, real programs; and against
//! servers that lie.

mod http;
mod mail;
mod program;
mod stand_in;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use siaga_comms::{Channel, Outgoing, open};
use siaga_model::config::Language;
use siaga_model::downtime::{Channel as Setting, ChannelKind};
use siaga_model::notice::Text;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A text on its way.
fn outgoing(address: &str) -> Outgoing {
    Outgoing {
        delivery: "n1.igd.0".into(),
        notice: "n1".into(),
        address: address.to_owned(),
        contact: "Kepala Ruang".to_owned(),
        to: "Instalasi Gawat Darurat".to_owned(),
        kind: "confirmed".to_owned(),
        text: Text {
            language: Language::Indonesian,
            subject: "[SIMRS][HENTI] Tidak dapat digunakan – percobaan".to_owned(),
            body: "Mohon maaf.\nPerkiraan pulih: pukul 14.20–14.45 WIB.\n.\nTerima kasih."
                .to_owned(),
        },
    }
}

fn channel(kind: ChannelKind, timeout: Duration) -> Box<dyn Channel> {
    let setting = Setting {
        name: "x".into(),
        kind,
        timeout,
    };
    open(&setting).expect("a channel that sends")
}

/// A certificate authority, and a server's certificate by it: the paths of the three files.
struct Certificates {
    authority: PathBuf,
    server: PathBuf,
    key: PathBuf,
}

fn certificates(dir: &Path) -> Certificates {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_cert = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let server = CertificateParams::new(names).unwrap();
    let server = server.signed_by(&own, &issuer).unwrap();
    let write = |name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    Certificates {
        authority: write("ca.pem", authority_cert.pem()),
        server: write("server.pem", server.pem()),
        key: write("server.key", own.serialize_pem()),
    }
}
