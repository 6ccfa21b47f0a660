//! The binary on a pseudo-terminal of its own, as a person sits before it.

use crate::agent::FakeAgent;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a text may take to appear: a busy machine is slow, and a missing text fails either way.
const PATIENCE: Duration = Duration::from_secs(30);

/// The terminal's session leader: runs a program, writes down how it ended, gives the terminal up, and stays. What is written to a
/// terminal in the moment before its leader ends can be lost: that must not be the program itself.
const LEADER: &str = r#"
my $ended = shift;
my $status = system { $ARGV[0] } @ARGV;
open(my $file, '>', $ended) or die;
print $file $status;
close $file or die;
close STDIN; close STDOUT; close STDERR;
sleep 600;
"#;

pub struct Pty {
    master: File,
    leader: Child,
    /// Where the status is written down.
    ended: tempfile::NamedTempFile,
    seen: Receiver<Vec<u8>>,
    text: String,
    /// Where `expect` goes on looking.
    read_to: usize,
}

impl Pty {
    /// Starts the binary against the agent.
    pub fn start(agent: &FakeAgent, args: &[&str]) -> Self {
        // No other program that a test starts meanwhile may hold an end of it open.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let peer = ioctl_tiocgptpeer(&master, flags).expect("its other end");
        let end = || Stdio::from(peer.try_clone().expect("a copy"));
        let ended = tempfile::NamedTempFile::new().expect("a file");
        let siaga = crate::siaga();
        let mut command = Command::new("/usr/bin/perl");
        command.env_clear();
        for (name, value) in siaga.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .args(["-e", LEADER])
            .arg(ended.path())
            .arg(siaga.get_program())
            .args(siaga.get_args())
            .arg("--socket")
            .arg(agent.socket())
            .args(args)
            .env("NO_COLOR", "1")
            .env("PERL_BADLANG", "0");
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: both are system calls that may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
                Ok(())
            });
        }
        let leader = command.spawn().expect("it starts");
        drop(command);
        drop(peer);
        let master = File::from(master);
        let mut reading = master.try_clone().expect("a copy");
        let (send, seen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The last writer's end shows as an error.
            while let Ok(n @ 1..) = reading.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            master,
            leader,
            ended,
            seen,
            text: String::new(),
            read_to: 0,
        }
    }

    /// Waits until the text appears, after what was expected before.
    pub fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.text[self.read_to..].find(text) {
                self.read_to += at + text.len();
                return;
            }
            match self
                .seen
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} did not appear after {:?}", &self.text)
                }
            }
        }
    }

    /// Types a line.
    pub fn line(&mut self, text: &str) {
        writeln!(self.master, "{text}").expect("typed");
    }

    /// Presses one key.
    pub fn key(&mut self, byte: u8) {
        self.master.write_all(&[byte]).expect("typed");
    }

    /// Waits for the end; the exit code.
    pub fn ended(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        // The channel ends when the last end of the terminal is closed.
        while let Ok(bytes) = self
            .seen
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert!(Instant::now() < end, "it did not end: {:?}", self.text);
        let said = std::fs::read_to_string(self.ended.path()).expect("a status");
        let status = ExitStatus::from_raw(said.parse().expect("a number"));
        status.code().expect("it ended by itself")
    }

    /// Everything that appeared.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It has ended, or a test failed: either way nothing is left behind.
        let _ = self.leader.kill();
        let _ = self.leader.wait();
    }
}
