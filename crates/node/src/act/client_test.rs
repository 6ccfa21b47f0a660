//! Tests of the service as a client sees it.

use super::bounded;
use crate::command;
use crate::observe::witness::LifeSigns;
use siaga_model::api::ClientTestResult;
use siaga_model::config::{ClientTest, ClientTestKind};
use siaga_model::observation::ProbeSighting;
use siaga_model::{Evidence, Why};
use siaga_model::{NodeName, ServiceName, UtcMicros};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How often the probes' newest reports are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Who tells what the probes saw, and of which service since when.
pub struct Scene<'a> {
    pub node: &'a NodeName,
    pub service: &'a ServiceName,
    pub since: UtcMicros,
    /// How long a probe's word stays fresh.
    pub fresh: Duration,
    pub signs: &'a dyn LifeSigns,
}

/// What a test showed: passed, failed, or not confirmed from a client.
type Shown = (Option<bool>, Evidence);

/// Runs every test, one after the other.
pub fn run_all(tests: &[ClientTest], scene: &Scene) -> Vec<ClientTestResult> {
    let one = |test: &ClientTest| {
        let (passed, detail) = run(test, scene);
        ClientTestResult {
            name: test.name.clone(),
            node: scene.node.clone(),
            passed,
            detail,
        }
    };
    tests.iter().map(one).collect()
}

fn run(test: &ClientTest, scene: &Scene) -> Shown {
    let within = test.timeout;
    match &test.kind {
        ClientTestKind::Probe => probe(scene, within),
        ClientTestKind::Tcp { address } => shown(
            tcp(*address, within)
                .map(|_| Evidence::Connected)
                .map_err(Evidence::System),
        ),
        ClientTestKind::Http { url } if !url.starts_with("http://") => {
            (None, Evidence::OnlyHttp { url: url.clone() })
        }
        ClientTestKind::Http { url } => {
            let asked = url.clone();
            let answer = bounded::run(within, move || http(&asked, within));
            let ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            shown(answer.unwrap_or_else(|| Err(Why::NoAnswerWithin { ms }.into())))
        }
        ClientTestKind::Program(argv) => {
            let result = command::run(&argv.0, None, within);
            let ending = result.ending(result.last_line());
            (Some(result.succeeded()), ending.into())
        }
    }
}

fn shown(result: Result<Evidence, Evidence>) -> Shown {
    match result {
        Ok(words) => (Some(true), words),
        Err(why) => (Some(false), why),
    }
}

/// Waits for a probe that was served after the start.
fn probe(scene: &Scene, within: Duration) -> Shown {
    let deadline = Instant::now() + within;
    loop {
        let sightings = scene.signs.probes(scene.service);
        let began_ago = scene.signs.now().millis_since(scene.since);
        if let Some(good) = sightings
            .iter()
            .find(|p| p.serving && p.age_ms < began_ago && is_fresh(p, scene))
        {
            return (
                Some(true),
                Evidence::ProbeServed {
                    probe: good.probe.clone(),
                    age_ms: good.age_ms,
                },
            );
        }
        let Some(newest) = sightings.iter().min_by_key(|p| p.age_ms) else {
            return (None, Evidence::NoProbeReports);
        };
        if Instant::now() >= deadline {
            return without_success(newest, scene);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn is_fresh(sighting: &ProbeSighting, scene: &Scene) -> bool {
    u128::from(sighting.age_ms) <= scene.fresh.as_millis()
}

/// A probe that is silent itself says nothing about the service.
fn without_success(newest: &ProbeSighting, scene: &Scene) -> Shown {
    let (probe, age_ms) = (newest.probe.clone(), newest.age_ms);
    if is_fresh(newest, scene) {
        return (Some(false), Evidence::ProbeNotServed { probe, age_ms });
    }
    (None, Evidence::NewestReportOld { probe, age_ms })
}

fn tcp(address: SocketAddr, within: Duration) -> Result<TcpStream, String> {
    TcpStream::connect_timeout(&address, within).map_err(|e| format!("{address}: {e}"))
}

/// `GET`, one connection, the status line of the answer.
fn http(url: &str, within: Duration) -> Result<Evidence, Evidence> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let with_port = if has_port(host) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let address = with_port
        .to_socket_addrs()
        .map_err(|e| format!("{host}: {e}"))?
        .next();
    let mut stream = tcp(
        address.ok_or_else(|| Evidence::NoAddress {
            host: host.to_owned(),
        })?,
        within,
    )?;
    let failed = |e: std::io::Error| Evidence::System(format!("{host}: {e}"));
    stream.set_read_timeout(Some(within)).map_err(failed)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: siaga\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut head = Vec::new();
    let mut byte = [0; 256];
    while !head.contains(&b'\n') && head.len() < 4096 {
        match stream.read(&mut byte).map_err(failed)? {
            0 => break,
            length => head.extend_from_slice(&byte[..length]),
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
            host: host.to_owned(),
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
    use siaga_model::config::Argv;
    use siaga_model::observation::NodeFacts;
    use std::net::TcpListener;

    struct Signs(Vec<ProbeSighting>);

    impl LifeSigns for Signs {
        fn peer_facts(&self, _: &ServiceName, _: &NodeName, _: Duration) -> Option<NodeFacts> {
            None
        }
        fn promise_facts(
            &self,
            _: &ServiceName,
            _: &NodeName,
            _: Duration,
        ) -> Option<siaga_model::observation::PromiseFacts> {
            None
        }
        fn probes(&self, _: &ServiceName) -> Vec<ProbeSighting> {
            self.0.clone()
        }
        fn now(&self) -> UtcMicros {
            UtcMicros(10_000_000)
        }
    }

    fn sighting(age_ms: u64, serving: bool) -> ProbeSighting {
        ProbeSighting {
            probe: "loket".into(),
            age_ms,
            serving,
            answered_by: None,
            node: None,
        }
    }

    /// The service was started one second ago; a probe's word stays fresh for five.
    fn probe_test(sightings: Vec<ProbeSighting>) -> Shown {
        let (node, service) = (NodeName::from("backup"), ServiceName::from("simrs"));
        let signs = Signs(sightings);
        let since = UtcMicros(9_000_000);
        let scene = Scene {
            node: &node,
            service: &service,
            since,
            fresh: Duration::from_secs(5),
            signs: &signs,
        };
        probe(&scene, Duration::from_millis(30))
    }

    #[test]
    fn only_a_success_after_the_start_confirms() {
        assert_eq!(probe_test(vec![sighting(100, true)]).0, Some(true));
        assert_eq!(probe_test(vec![sighting(1500, true)]).0, Some(false));
        assert_eq!(probe_test(vec![sighting(100, false)]).0, Some(false));
        assert_eq!(probe_test(vec![sighting(60_000, true)]).0, None);
        assert_eq!(probe_test(Vec::new()).0, None);
    }

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
            http(
                &server("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"),
                within
            )
            .unwrap(),
            Evidence::from("HTTP/1.1 302 Found")
        );
        assert_eq!(
            http(&server("HTTP/1.1 503 Busy\r\n\r\n"), within).unwrap_err(),
            Evidence::from("HTTP/1.1 503 Busy")
        );
        assert!(matches!(
            http(&server("SSH-2.0-x\r\n"), within),
            Err(Evidence::NotHttp { .. })
        ));
        assert!(!has_port("[::1]") && has_port("[::1]:80") && has_port("h:8080") && !has_port("h"));
    }

    #[test]
    fn ports_and_programs_pass_or_fail() {
        let (node, service, signs) = (
            NodeName::from("backup"),
            ServiceName::from("simrs"),
            Signs(Vec::new()),
        );
        let fresh = Duration::from_secs(5);
        let scene = Scene {
            node: &node,
            service: &service,
            since: UtcMicros(0),
            fresh,
            signs: &signs,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        let test = |kind| ClientTest {
            name: "t".into(),
            kind,
            timeout: Duration::from_secs(5),
        };
        let program = |path: &str| test(ClientTestKind::Program(Argv(vec![path.into()])));
        assert_eq!(
            run(&test(ClientTestKind::Tcp { address: open }), &scene).0,
            Some(true)
        );
        drop(listener);
        assert_eq!(
            run(&test(ClientTestKind::Tcp { address: open }), &scene).0,
            Some(false)
        );
        assert_eq!(run(&program("/bin/true"), &scene).0, Some(true));
        assert_eq!(
            run(&program("/bin/false"), &scene),
            (
                Some(false),
                Why::ProgramExit {
                    code: 1,
                    said: String::new()
                }
                .into()
            )
        );
        let https = test(ClientTestKind::Http {
            url: "https://192.0.2.50/".into(),
        });
        assert_eq!(run(&https, &scene).0, None);
    }
}
