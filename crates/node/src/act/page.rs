//! A web page, asked for as a client would: `GET`, one connection, the status line of the answer.

use super::client_test::tcp;
use rustls::{ClientConnection, StreamOwned};
use siaga_model::Evidence;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest status line that is waited for, bytes.
const LONGEST: usize = 4096;

/// Where a page is.
struct Place<'a> {
    tls: bool,
    /// As it was written, with its port where one was.
    authority: &'a str,
    path: &'a str,
}

impl<'a> Place<'a> {
    fn of(url: &'a str) -> Self {
        let (tls, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://").unwrap_or(url)),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        Self {
            tls,
            authority,
            path,
        }
    }

    /// The host alone.
    fn host(&self) -> &'a str {
        match has_port(self.authority) {
            true => self.authority.rsplit_once(':').map_or("", |(host, _)| host),
            false => self.authority,
        }
    }

    fn connect(&self, within: Duration) -> Result<TcpStream, Evidence> {
        let with_port = match (has_port(self.authority), self.tls) {
            (true, _) => self.authority.to_owned(),
            (false, true) => format!("{}:443", self.authority),
            (false, false) => format!("{}:80", self.authority),
        };
        let address = with_port
            .to_socket_addrs()
            .map_err(|e| self.failed(&e))?
            .next()
            .ok_or_else(|| Evidence::NoAddress {
                host: self.authority.to_owned(),
            })?;
        let stream = tcp(address, within)?;
        stream
            .set_read_timeout(Some(within))
            .and_then(|()| stream.set_write_timeout(Some(within)))
            .map_err(|e| self.failed(&e))?;
        Ok(stream)
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Evidence {
        Evidence::System(format!("{}: {error}", self.authority))
    }
}

/// A status below 400 passes. Over TLS the certificate must be good as well: a browser would refuse it too.
pub(super) fn page(
    url: &str,
    ca_file: Option<&Path>,
    within: Duration,
) -> Result<Evidence, Evidence> {
    let place = Place::of(url);
    if !place.tls {
        return exchange(&place, place.connect(within)?);
    }
    let prepare = || {
        let config = siaga_trust::client_config(ca_file)?;
        let name = siaga_trust::server_name(place.host())?;
        Ok(ClientConnection::new(Arc::new(config), name)?)
    };
    let session =
        prepare().map_err(|e: siaga_trust::TrustError| Evidence::System(e.to_string()))?;
    exchange(&place, StreamOwned::new(session, place.connect(within)?))
}

fn exchange(place: &Place<'_>, mut stream: impl Read + Write) -> Result<Evidence, Evidence> {
    let failed = |e: std::io::Error| place.failed(&e);
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: siaga\r\nConnection: close\r\n\r\n",
        place.path, place.authority
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut head = Vec::new();
    let mut part = [0; 256];
    while !head.contains(&b'\n') && head.len() < LONGEST {
        match stream.read(&mut part).map_err(failed)? {
            0 => break,
            length => head.extend_from_slice(&part[..length]),
        }
    }
    let line = String::from_utf8_lossy(&head)
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    match status(&line) {
        Some(code) if code < 400 => Ok(Evidence::System(line)),
        Some(_) => Err(Evidence::System(line)),
        None => Err(Evidence::NotHttp {
            host: place.authority.to_owned(),
        }),
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// The code of `HTTP/1.1 200 OK`.
fn status(line: &str) -> Option<u16> {
    let mut parts = line.split_ascii_whitespace();
    parts.next().filter(|v| v.starts_with("HTTP/1."))?;
    parts.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Serves `answer` once and gives the URL.
    fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/simrs/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /simrs/ HTTP/1.1\r\nHost: 127.0.0.1:"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_page_passes_below_400() {
        let within = Duration::from_secs(5);
        assert_eq!(
            page(
                &server("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"),
                None,
                within
            )
            .unwrap(),
            Evidence::from("HTTP/1.1 302 Found")
        );
        assert_eq!(
            page(&server("HTTP/1.1 503 Busy\r\n\r\n"), None, within).unwrap_err(),
            Evidence::from("HTTP/1.1 503 Busy")
        );
        assert!(matches!(
            page(&server("SSH-2.0-x\r\n"), None, within),
            Err(Evidence::NotHttp { .. })
        ));
        assert!(!has_port("[::1]") && has_port("[::1]:80") && has_port("h:8080") && !has_port("h"));
    }

    /// A server with a certificate of its own making, and the file that makes it trusted.
    fn tls_server(name: &str, folder: &Path) -> (String, std::path::PathBuf) {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let file = folder.join("ca.pem");
        std::fs::write(&file, made.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/simrs/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let config = Arc::new(config);
            while let Ok((stream, _)) = listener.accept() {
                let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut tls = rustls::StreamOwned::new(session, stream);
                let mut request = [0; 1024];
                // A client that does not believe the certificate hangs up.
                if tls.read(&mut request).is_ok_and(|length| length > 0) {
                    let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                    let _ = tls.flush();
                }
            }
        });
        (url, file)
    }

    #[test]
    fn a_page_over_tls_needs_a_certificate_that_is_good() {
        let within = Duration::from_secs(5);
        let folder = tempfile::tempdir().unwrap();
        let (url, ca) = tls_server("127.0.0.1", folder.path());
        assert_eq!(
            page(&url, Some(&ca), within).unwrap(),
            Evidence::from("HTTP/1.1 200 OK")
        );
        let unknown = page(&url, None, within).unwrap_err();
        assert!(
            matches!(&unknown, Evidence::System(why) if why.contains("certificate")),
            "{unknown:?}"
        );
        let (other, ca) = tls_server("simrs.example", folder.path());
        assert!(page(&other, Some(&ca), within).is_err());
    }
}
