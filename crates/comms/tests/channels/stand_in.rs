//! A server that answers one request after another from a script, with real HTTP, and keeps what it was sent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What it does with one request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers with a status, headers and a body.
    Answer(u16, &'static str, &'static str),
    /// Reads the request and says nothing.
    Silence,
    /// Reads the request, sends half an answer and closes.
    Half,
    /// Reads the request and closes.
    Drop,
}

/// What was sent: the head in lower case, and the body.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: String,
    pub body: String,
}

pub struct StandIn {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Serves on this machine; with certificate and key by TLS.
    pub fn start(script: Vec<Act>, tls: Option<(&Path, &Path)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, tls) = (asked.clone(), tls.map(server_config));
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for act in script {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let raw = stream.try_clone().unwrap();
                match &tls {
                    None => serve(stream, &raw, &act, &kept),
                    Some(config) => {
                        let session = rustls::ServerConnection::new(config.clone()).unwrap();
                        serve(rustls::StreamOwned::new(session, stream), &raw, &act, &kept);
                    }
                }
                if matches!(act, Act::Silence) {
                    held.push(raw);
                } else {
                    let _ = raw.shutdown(Shutdown::Both);
                }
            }
            // Whoever was answered with silence is let go with the process.
            std::mem::forget(held);
        });
        Self { port, asked }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn server_config((cert, key): (&Path, &Path)) -> Arc<rustls::ServerConfig> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certs = CertificateDer::pem_file_iter(cert)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certs, key)
        .unwrap();
    Arc::new(config)
}

fn serve(mut stream: impl Read + Write, raw: &TcpStream, act: &Act, kept: &Mutex<Vec<Asked>>) {
    let Some(asked) = request(&mut stream) else {
        return;
    };
    kept.lock().unwrap().push(asked);
    match act {
        Act::Answer(status, headers, body) => {
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
            let _ = stream.flush();
            let _ = raw.shutdown(Shutdown::Write);
        }
        Act::Half => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"ok\":tr");
            let _ = stream.flush();
        }
        Act::Silence | Act::Drop => {}
    }
}

fn request(stream: &mut impl Read) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut one = [0u8; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut one).ok()? == 0 {
            return None;
        }
        bytes.push(one[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let lower = head.to_ascii_lowercase();
    let length = lower
        .lines()
        .find_map(|l| l.strip_prefix("content-length: ")?.trim().parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked {
        head,
        body: String::from_utf8(body).ok()?,
    })
}
