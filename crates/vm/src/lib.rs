//! Three virtual machines with Debian's own kernel and systemd: a SAN that exports one LUN over iSCSI (or only a client, where
//! the servers replicate their own disks), and two servers on which the package is installed. For the tests of this crate alone; `scripts/vm` makes what the machines boot from.
//!
//! Everything runs in a network namespace of its own and in one folder, and ends with the test: the machines are ended by
//! their process ids, also where the test itself is killed.

mod bmc;
mod files;
mod guest;
mod install;
mod kind;
mod letting_go;
mod load;
mod machine;
mod net;
mod qmp;
mod site;
mod storage;

pub use bmc::Bmc;
pub use guest::Ran;
pub use kind::Kind;
pub use load::Load;
pub use machine::{Machine, Role};
pub use net::Network;
pub use site::Site;

use std::time::{Duration, Instant};

/// The servers of the site, as their configuration names them.
pub const SERVERS: [&str; 2] = ["serverdb", "backup"];

/// No state that is waited for takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(420);

/// Asks again until it is true. Fails after a time that no working system needs.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// One line of what the test does, with the seconds since its begin: emulation is slow, and a silent test looks dead.
pub fn say(what: &str) {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let begun = BEGUN.get_or_init(Instant::now);
    eprintln!("{:6.1} s  {what}", begun.elapsed().as_secs_f64());
}
