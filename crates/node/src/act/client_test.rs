//! Tests of the service as a client sees it.

use super::bounded;
use super::page::page;
use crate::command;
use crate::observe::witness::LifeSigns;
use siaga_model::api::ClientTestResult;
use siaga_model::config::{ClientTest, ClientTestKind};
use siaga_model::observation::ProbeSighting;
use siaga_model::{Evidence, Why};
use siaga_model::{NodeName, ServiceName, UtcMicros};
use std::net::{SocketAddr, TcpStream};
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
        ClientTestKind::Http { url, ca_file } => {
            let (asked, ca_file) = (url.clone(), ca_file.clone());
            let answer = bounded::run(within, move || page(&asked, ca_file.as_deref(), within));
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

pub(super) fn tcp(address: SocketAddr, within: Duration) -> Result<TcpStream, String> {
    TcpStream::connect_timeout(&address, within).map_err(|e| format!("{address}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{self, AddressFamily, SocketType};
    use siaga_model::config::Argv;
    use siaga_model::observation::NodeFacts;
    use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
    use std::os::fd::OwnedFd;

    struct Signs(Vec<ProbeSighting>);

    impl LifeSigns for Signs {
        fn peer_lives(&self, _: &NodeName, _: Duration) -> bool {
            false
        }
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

    /// A port that nobody else can get, and where nobody listens. (One that was listened at may still be open in a child
    /// that another test begins just then.)
    fn closed_port() -> (OwnedFd, SocketAddr) {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let taken = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        net::bind(&taken, &any).unwrap();
        let address = net::getsockname(&taken).unwrap().try_into().unwrap();
        (taken, address)
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
        let (_taken, closed) = closed_port();
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
        assert_eq!(
            run(&test(ClientTestKind::Tcp { address: closed }), &scene).0,
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
    }
}
