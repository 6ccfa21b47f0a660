//! What one attempt does: a row written and read through the virtual address, a connection, or a page.

use crate::attempt::Failure;
use crate::config::{Check, Dsn, Tls};
use crate::rows::{Rows, Search};
use crate::sql::{self, Session, failure, is_missing_table};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_postgres::types::Type;
use tokio_rustls::TlsConnector;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS siaga_probe (
    probe text NOT NULL,
    id bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (probe, id))";
const INSERT: &str = "INSERT INTO siaga_probe (probe, id) VALUES ($1, $2)";
const SELECT: &str = "SELECT id FROM siaga_probe WHERE probe = $1 AND id = ANY($2)";
const PRUNE: &str = "DELETE FROM siaga_probe WHERE probe = $1 AND id < $2";

/// One attempt of this check. A session is kept for SQL only: the others are about connecting.
pub async fn attempt(
    check: &Check,
    probe: &str,
    rows: &Mutex<Rows>,
    old: Option<Session>,
) -> Result<Option<Session>, Failure> {
    match check {
        Check::Sql(dsn) => sql_attempt(dsn, probe, rows, old).await.map(Some),
        Check::Tcp(address) => sql::connect(*address).await.map(|_| None),
        Check::Http {
            address,
            host,
            path,
            tls,
        } => http_attempt(*address, host, path, tls.as_ref())
            .await
            .map(|()| None),
    }
}

/// The address that should answer, where the configuration names it.
pub fn address(check: &Check) -> Option<IpAddr> {
    match check {
        Check::Sql(dsn) => dsn.host.parse().ok(),
        Check::Tcp(address) | Check::Http { address, .. } => Some(address.ip()),
    }
}

async fn sql_attempt(
    dsn: &Dsn,
    probe: &str,
    rows: &Mutex<Rows>,
    old: Option<Session>,
) -> Result<Session, Failure> {
    let fresh = old.is_none();
    let session = match old {
        Some(session) => session,
        None => Session::open(dsn, "siaga-probe").await?,
    };
    match exchange(&session, probe, rows, fresh).await {
        Err(e) if is_missing_table(&e) => {
            session
                .client
                .batch_execute(CREATE)
                .await
                .map_err(|e| failure(&e))?;
            exchange(&session, probe, rows, true)
                .await
                .map_err(|e| failure(&e))?;
        }
        other => other.map_err(|e| failure(&e))?,
    }
    Ok(session)
}

/// Writes a row and looks for earlier ones, in one round trip.
async fn exchange(
    session: &Session,
    probe: &str,
    rows: &Mutex<Rows>,
    fresh: bool,
) -> Result<(), tokio_postgres::Error> {
    let lock = || rows.lock().unwrap_or_else(PoisonError::into_inner);
    let (id, search) = {
        let mut rows = lock();
        (rows.next_id(), rows.search(fresh))
    };
    let write = async {
        let done = session
            .client
            .execute_typed(INSERT, &[(&probe, Type::TEXT), (&id, Type::INT8)])
            .await;
        if done.is_ok() {
            lock().acknowledged(id);
        }
        done
    };
    let (written, found) = tokio::join!(write, read(session, probe, &search));
    written?;
    lock().found(&search, &found?);
    if let Some(oldest) = search.prune_below {
        session
            .client
            .execute_typed(PRUNE, &[(&probe, Type::TEXT), (&oldest, Type::INT8)])
            .await?;
    }
    Ok(())
}

async fn read(
    session: &Session,
    probe: &str,
    search: &Search,
) -> Result<Vec<i64>, tokio_postgres::Error> {
    let found = session
        .client
        .query_typed(
            SELECT,
            &[(&probe, Type::TEXT), (&search.ids, Type::INT8_ARRAY)],
        )
        .await?;
    found.iter().map(|row| row.try_get(0)).collect()
}

async fn http_attempt(
    address: SocketAddr,
    host: &str,
    path: &str,
    tls: Option<&Tls>,
) -> Result<(), Failure> {
    let stream = sql::connect(address).await?;
    let Some(tls) = tls else {
        return page(stream, address, host, path).await;
    };
    let stream = TlsConnector::from(Arc::clone(&tls.config))
        .connect(tls.name.clone(), stream)
        .await
        .map_err(|e| Failure::new(format!("https {address}: {e}")))?;
    page(stream, address, host, path).await
}

async fn page(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
    host: &str,
    path: &str,
) -> Result<(), Failure> {
    let io = |e: std::io::Error| Failure::new(format!("http {address}: {e}"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: siaga-probe\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    // The status line is enough: `HTTP/1.1 200`.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.map_err(io)?;
    match status(&head) {
        Some(status) if status < 400 => Ok(()),
        Some(status) => Err(Failure::new(format!("http {address}: status {status}"))),
        None => Err(Failure::new(format!("http {address}: not an HTTP answer"))),
    }
}

fn status(head: &[u8; 12]) -> Option<u16> {
    let text = std::str::from_utf8(head).ok()?;
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::time::Duration;
    use tokio::net::TcpListener;

    /// Answers every page with 200 over TLS, under a certificate for `name` whose authority is written to `ca`.
    async fn serve(name: &str, ca: &Path) -> SocketAddr {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        std::fs::write(ca, made.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not believe the certificate hangs up.
                    let Ok(mut tls) = acceptor.accept(stream).await else {
                        return;
                    };
                    let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                    let _ = tls.read_to_end(&mut Vec::new()).await;
                });
            }
        });
        address
    }

    async fn asked(
        address: SocketAddr,
        host: Option<&str>,
        ca: Option<&Path>,
    ) -> Result<(), Failure> {
        let name = host.map_or_else(
            || address.ip().into(),
            |h| siaga_trust::server_name(h).unwrap(),
        );
        let config = Arc::new(siaga_trust::client_config(ca).unwrap());
        let tls = Tls { config, name };
        let within = Duration::from_secs(5);
        let asked = http_attempt(address, "simrs.example", "/", Some(&tls));
        tokio::time::timeout(within, asked).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_over_tls_counts_only_under_a_good_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        let address = serve("127.0.0.1", &ca).await;
        assert!(asked(address, None, Some(&ca)).await.is_ok());
        assert!(asked(address, None, None).await.is_err());
        assert!(
            asked(address, Some("simrs.example"), Some(&ca))
                .await
                .is_err()
        );
        let named = serve("simrs.example", &ca).await;
        assert!(asked(named, Some("simrs.example"), Some(&ca)).await.is_ok());
    }
}
