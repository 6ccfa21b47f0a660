//! The agent: the daemon on each node, its API and its links to the peer, to probes and to people.

pub mod ack_page;
pub mod adopting;
mod check_routes;
pub mod core;
pub mod daemon;
mod key_routes;
pub mod metrics;
pub mod migrate;
mod notice_routes;
mod plain_http;
mod rehearsal_routes;
pub mod routes;
mod routes_incident;
pub mod seal_routes;

pub mod pki;
pub mod probe_link;
pub mod survey;
pub mod transport;

/// Where this program was started as the process of a rehearsal, by an agent: does that, and gives its exit code.
pub fn rehearsal_main() -> Option<std::process::ExitCode> {
    use siaga_node::act::rehearsal;
    let mut args = std::env::args_os().skip(1);
    if args.next()? != rehearsal::ARGUMENT {
        return None;
    }
    let part = args.next()?;
    Some(rehearsal::stage::main(part.to_str()?))
}
