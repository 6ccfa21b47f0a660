//! The probe and the load against a real PostgreSQL on loopback.
#![allow(clippy::unwrap_used)]

use siaga_model::api::ProbeReport;
use siaga_probe::load::{self, LoadError, LoadOptions};
use siaga_probe::{Check, Dsn, ProbeConfig};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

const SECOND: Duration = Duration::from_secs(1);

/// A cluster of its own, removed with its processes when dropped, also when a test fails.
struct Postgres {
    dir: tempfile::TempDir,
    bin: PathBuf,
    user: (u32, u32),
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    async fn new() -> Self {
        let bin = bin_dir();
        let user = account();
        let dir = tempfile::tempdir().unwrap();
        chown(dir.path(), Some(user.0), Some(user.1)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut this = Self {
            dir,
            bin,
            user,
            port,
            server: None,
        };
        let data = this.dir.path().join("data");
        let args = [
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ];
        let made = this
            .command("initdb")
            .arg("-D")
            .arg(&data)
            .args(args)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        this.start();
        this.ready().await;
        this
    }
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command
            .uid(self.user.0)
            .gid(self.user.1)
            .current_dir(self.dir.path());
        command
    }
    fn start(&mut self) {
        let log = std::fs::File::create(self.dir.path().join("log")).unwrap();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.dir.path().join("data"));
        command
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k"])
            .arg(self.dir.path());
        command.args(["-c", "max_connections=60"]);
        self.server = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }
    /// Ends the server at once, as a crash does: the next start recovers.
    fn crash(&mut self) {
        if let Some(mut server) = self.server.take() {
            let pid = rustix::process::Pid::from_child(&server);
            rustix::process::kill_process(pid, rustix::process::Signal::QUIT).unwrap();
            server.wait().unwrap();
        }
    }
    async fn ready(&self) {
        let end = Instant::now() + 30 * SECOND;
        while self.sql("SELECT 1").await.is_err() {
            assert!(
                Instant::now() < end,
                "{}",
                std::fs::read_to_string(self.dir.path().join("log")).unwrap()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    fn dsn(&self) -> Dsn {
        format!(
            "host=127.0.0.1 port={} user=postgres dbname=postgres",
            self.port
        )
        .parse()
        .unwrap()
    }
    async fn sql(&self, text: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let config = format!(
            "host=127.0.0.1 port={} user=postgres dbname=postgres",
            self.port
        );
        let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
        let driver = tokio::spawn(connection);
        let answer = client.simple_query(text).await;
        drop(client);
        let _ = driver.await;
        let rows = answer?;
        Ok(rows
            .iter()
            .filter_map(|m| match m {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}

fn bin_dir() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed (Debian's package)");
    let mut all: Vec<PathBuf> = versions.map(|v| v.unwrap().path().join("bin")).collect();
    all.retain(|p| Path::new(p).join("initdb").exists());
    all.sort();
    all.pop().expect("a PostgreSQL with initdb")
}

fn account() -> (u32, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd
        .lines()
        .find(|l| l.starts_with("postgres:"))
        .expect("the user postgres exists");
    let fields: Vec<&str> = line.split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}

/// A running probe and its reports.
struct Running {
    task: JoinHandle<()>,
    reports: UnboundedReceiver<(Instant, ProbeReport)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    fn start(check: Check, interval_ms: u64) -> Self {
        let config = ProbeConfig {
            name: "poli".into(),
            service: "simrs".into(),
            interval: Duration::from_millis(interval_ms),
            check,
            agents: vec![],
        };
        let (send, reports) = unbounded_channel();
        let task = tokio::spawn(async move {
            let reporter = move |report| {
                let _ = send.send((Instant::now(), report));
            };
            siaga_probe::run(config, reporter).await;
        });
        Self { task, reports }
    }
    async fn until(
        &mut self,
        what: &str,
        test: impl Fn(&ProbeReport) -> bool,
    ) -> (Instant, ProbeReport) {
        let mut last = None;
        let wait = async {
            loop {
                let (at, report) = self.reports.recv().await.expect("the probe runs");
                if test(&report) {
                    return (at, report);
                }
                last = Some(report);
            }
        };
        match tokio::time::timeout(20 * SECOND, wait).await {
            Ok(found) => found,
            Err(_) => panic!("no report that {what}; the last one: {last:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_a_gap_of_the_right_length() {
    let mut postgres = Postgres::new().await;
    let mut probe = Running::start(Check::Sql(postgres.dsn()), 20);
    probe
        .until("serves", |r| r.serving && r.gaps.is_empty())
        .await;
    tokio::time::sleep(SECOND / 5).await;
    let down = Instant::now();
    postgres.crash();
    let (_, report) = probe.until("it is down", |r| !r.serving).await;
    assert!(report.error.is_some());
    tokio::time::sleep(SECOND / 2).await;
    let least = down.elapsed();
    postgres.start();
    postgres.ready().await;
    let (seen, report) = probe.until("it is back", |r| r.serving).await;
    let gap = report.gaps.last().expect("a gap");
    assert!(gap.first_success.is_some());
    // However busy the machine is: a gap is never shorter than the outage, and what it may be too long by is said.
    let [least, longest] =
        [least, seen - down].map(|d| u64::try_from(d.as_millis()).expect("milliseconds"));
    assert!(gap.gap_ms >= least, "{gap:?}, at least {least}");
    assert!(
        gap.gap_ms.saturating_sub(gap.error_ms) <= longest + 5,
        "{gap:?}, at most {longest}"
    );
    assert_eq!((report.gaps.len(), report.lost_rows), (1, 0));
    assert!(report.error.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_vanish_are_counted() {
    let postgres = Postgres::new().await;
    let mut probe = Running::start(Check::Sql(postgres.dsn()), 5);
    probe.until("serves", |r| r.serving).await;
    // Long enough for rows to be removed because they are old: those are not lost.
    tokio::time::sleep(4 * SECOND).await;
    let (_, report) = probe.until("is new", |r| r.sequence > 3).await;
    assert_eq!(report.lost_rows, 0);
    let kept: u64 = postgres
        .sql("SELECT count(*) FROM siaga_probe")
        .await
        .unwrap()[0]
        .parse()
        .unwrap();
    assert!(kept <= 750, "old rows are removed: {kept}");
    let (_, before) = probe.until("no loss", |_| true).await;
    assert_eq!(before.lost_rows, 0);
    postgres.sql("DELETE FROM siaga_probe WHERE id IN (SELECT id FROM siaga_probe ORDER BY id LIMIT 400 OFFSET 100)")
        .await
        .unwrap();
    let (_, report) = probe.until("rows are lost", |r| r.lost_rows > 0).await;
    assert!(report.serving, "the service answers all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_looked_for_on_a_new_connection() {
    let mut postgres = Postgres::new().await;
    let mut probe = Running::start(Check::Sql(postgres.dsn()), 100);
    probe.until("serves", |r| r.serving).await;
    // Another server with older data, as after a split brain.
    // (Not the very first row: it may be of an attempt that was overtaken, and so never acknowledged. Nor one of the newest,
    // which the next attempt looks for.)
    let delete = "DELETE FROM siaga_probe WHERE (SELECT count(*) FROM siaga_probe) > 9
        AND id = (SELECT id FROM siaga_probe ORDER BY id OFFSET 5 LIMIT 1) RETURNING id";
    let gone = async {
        while postgres.sql(delete).await.unwrap().is_empty() {
            tokio::time::sleep(SECOND / 20).await;
        }
    };
    tokio::time::timeout(20 * SECOND, gone).await.unwrap();
    tokio::time::sleep(SECOND / 2).await;
    let (_, report) = probe.until("is new", |_| true).await;
    assert_eq!(report.lost_rows, 0, "not yet looked for");
    postgres.crash();
    postgres.start();
    let (_, report) = probe
        .until("is back", |r| r.serving && !r.gaps.is_empty())
        .await;
    assert_eq!(report.lost_rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_costs_milliseconds() {
    let postgres = Postgres::new().await;
    let mut probe = Running::start(Check::Sql(postgres.dsn()), 20);
    probe.until("serves", |r| r.serving).await;
    postgres
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'siaga-probe'")
        .await
        .unwrap();
    let (_, report) = probe
        .until("is back", |r| r.serving && !r.gaps.is_empty())
        .await;
    let gap = &report.gaps[0];
    assert!(gap.gap_ms < 500 && report.lost_rows == 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_hangs_is_overtaken_by_a_fresh_one() {
    let postgres = Postgres::new().await;
    let (address, freeze) = freezing_proxy(postgres.port).await;
    let dsn = Dsn {
        port: address.port(),
        ..postgres.dsn()
    };
    let mut probe = Running::start(Check::Sql(dsn), 20);
    probe.until("serves", |r| r.serving).await;
    tokio::time::sleep(SECOND / 5).await;
    for _ in 0..3 {
        freeze.send_modify(|generation| *generation += 1);
        tokio::time::sleep(SECOND / 2).await;
        while probe.reports.try_recv().is_ok() {}
        let (_, report) = probe.until("anything", |_| true).await;
        assert!(
            report.serving && report.last_success_age_ms < Some(300),
            "{report:?}"
        );
        assert!(
            report.gaps.is_empty(),
            "slow, but no attempt failed: {report:?}"
        );
    }
}

/// Passes connections on. At each new generation the open ones go silent, as after a power cut of the other side;
/// new ones work.
async fn freezing_proxy(port: u16) -> (std::net::SocketAddr, tokio::sync::watch::Sender<u32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (freeze, frozen) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut frozen = frozen.clone();
            frozen.mark_unchanged();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", port))
                    .await
                    .unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                    _ = frozen.changed() => {}
                }
                drop(far);
                std::future::pending::<()>().await;
            });
        }
    });
    (address, freeze)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_loses_nothing_over_a_crash_and_measures_it() {
    let mut postgres = Postgres::new().await;
    let running = tokio::spawn(load::run(LoadOptions::new(postgres.dsn(), 3, 3)));
    tokio::time::sleep(SECOND).await;
    let began = Instant::now();
    postgres.crash();
    tokio::time::sleep(SECOND / 2).await;
    postgres.start();
    let result = running.await.unwrap().unwrap();
    let ended = began.elapsed();
    assert!(result.rows_acknowledged > 100, "{result:?}");
    assert_eq!(
        (result.rows_lost, result.rows_found),
        (0, result.rows_acknowledged),
        "{result:?}"
    );
    let longest = result.gaps.iter().map(|g| g.ms).max().expect("a gap");
    // As long as it was down for certain, and no longer than it can have been.
    assert!(
        longest >= 500 && u128::from(longest) <= ended.as_millis() + 100,
        "{result:?}"
    );
    assert_eq!(
        postgres
            .sql("SELECT count(*) FROM siaga_load")
            .await
            .unwrap(),
        ["0"],
        "nothing is left behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_sees_a_lost_row_and_keeps_the_rest_as_evidence() {
    let postgres = Postgres::new().await;
    let running = tokio::spawn(load::run(LoadOptions::new(postgres.dsn(), 2, 2)));
    // Each client has written its third row, and a later one, so that it was told of the third.
    let of_both = "SELECT count(DISTINCT client) FROM siaga_load WHERE n = 4";
    while !postgres.sql(of_both).await.is_ok_and(|n| n == ["2"]) {
        assert!(!running.is_finished(), "a client wrote next to nothing");
        tokio::time::sleep(SECOND / 50).await;
    }
    postgres
        .sql("DELETE FROM siaga_load WHERE n = 3")
        .await
        .unwrap();
    let result = running.await.unwrap().unwrap();
    assert_eq!(result.rows_lost, 2, "{result:?}");
    assert_eq!(result.rows_found + 2, result.rows_acknowledged);
    assert_ne!(
        postgres
            .sql("SELECT count(*) FROM siaga_load")
            .await
            .unwrap(),
        ["0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_does_not_wait_for_ever() {
    let mut postgres = Postgres::new().await;
    let options = LoadOptions {
        settle: SECOND,
        ..LoadOptions::new(postgres.dsn(), 2, 2)
    };
    let running = tokio::spawn(load::run(options));
    tokio::time::sleep(SECOND).await;
    postgres.crash();
    let began = Instant::now();
    let Err(LoadError::NotBack { so_far, .. }) = running.await.unwrap() else {
        panic!()
    };
    assert!(began.elapsed() < 5 * SECOND && so_far.rows_acknowledged > 10);
}

#[tokio::test]
async fn tcp_and_http_are_probed_by_fresh_connections() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tcp = Running::start(Check::Tcp(address), 20);
    let mut http = Running::start(
        Check::Http {
            address,
            host: "x".into(),
            path: "/".into(),
            tls: None,
        },
        20,
    );
    let serve = |status: &'static str, listener: tokio::net::TcpListener| {
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                // Closed by the other side: an early close would reset the answer away.
                tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await });
            }
        })
    };
    let good = serve("200 OK", listener);
    tcp.until("serves", |r| r.serving).await;
    http.until("serves", |r| r.serving).await;
    good.abort();
    let _ = good.await;
    tcp.until("is down", |r| !r.serving).await;
    let (_, report) = http.until("is down", |r| !r.serving).await;
    assert!(report.error.is_some());
    let bad = serve(
        "503 Service Unavailable",
        tokio::net::TcpListener::bind(address).await.unwrap(),
    );
    tcp.until("is back", |r| r.serving && r.gaps.len() == 1)
        .await;
    let (_, report) = http
        .until("says why", |r| {
            r.error.as_deref().is_some_and(|e| e.contains("503"))
        })
        .await;
    assert!(!report.serving);
    bad.abort();
}
