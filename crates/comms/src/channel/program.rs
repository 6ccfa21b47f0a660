//! A program of the site: the text on its standard input, the facts in its environment, never a shell.

use super::{Channel, Outgoing, Receipt, SendError, line};
use crate::fit::{drill_mark, fit, whole};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use siaga_model::config::{Argv, Language};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The longest text, as `limit` has it.
const MOST: usize = 2_000;
/// How much of the output is kept, bytes.
const OUTPUT: u64 = 4 * 1024;
/// How long the output may take after the program's end: something that it started may hold it open.
const AFTER_END: Duration = Duration::from_millis(500);
/// Exit codes that say that it can't be sent (`sysexits.h`: usage, data, no such user, no such host).
const FOR_GOOD: [i32; 4] = [64, 65, 67, 68];

pub(super) struct Program {
    pub run: Argv,
    pub timeout: Duration,
}

impl Channel for Program {
    fn send(&self, out: &Outgoing) -> Result<Receipt, SendError> {
        let deadline = Instant::now() + self.timeout;
        let mut child = self.start(out)?;
        let text = fit(&whole(&out.text), MOST, out.text.language);
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read must not hold this up.
            std::thread::spawn(move || {
                let _ = stdin.write_all(text.as_bytes());
            });
        }
        let (stdout, stderr) = (gather(child.stdout.take()), gather(child.stderr.take()));
        let ended = wait(&mut child, deadline)?;
        let said = |output: mpsc::Receiver<String>| {
            line(&output.recv_timeout(AFTER_END).unwrap_or_default())
        };
        match ended {
            Some(0) => Ok(Receipt(said(stdout))),
            Some(code) => {
                let why = format!("exit code {code}: {}", said(stderr));
                match FOR_GOOD.contains(&code) {
                    true => Err(SendError::never(why)),
                    false => Err(SendError::later(why)),
                }
            }
            None => Err(SendError::later("ended by a signal")),
        }
    }
}

impl Program {
    fn start(&self, out: &Outgoing) -> Result<Child, SendError> {
        let (program, arguments) = self
            .run
            .0
            .split_first()
            .ok_or_else(|| SendError::never("no program is configured"))?;
        let drill = out.text.subject.starts_with(drill_mark(out.text.language));
        let language = match out.text.language {
            Language::English => "en",
            Language::Indonesian => "id",
        };
        Command::new(program)
            .args(arguments)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LC_ALL", "C.UTF-8")
            .env("NOTICE_DELIVERY", out.delivery.as_str())
            .env("NOTICE_ID", out.notice.as_str())
            .env("NOTICE_KIND", &out.kind)
            .env("NOTICE_TO", &out.to)
            .env("NOTICE_CONTACT", &out.contact)
            .env("NOTICE_ADDRESS", &out.address)
            .env("NOTICE_LANGUAGE", language)
            .env("NOTICE_SUBJECT", &out.text.subject)
            .env("NOTICE_DRILL", if drill { "yes" } else { "no" })
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| SendError::later(format!("{program}: {e}")))
    }
}

/// Reads the beginning of an output beside everything else, and the rest of it into nothing.
fn gather(output: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    if let Some(mut output) = output {
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            let _ = output.by_ref().take(OUTPUT).read_to_end(&mut kept);
            let _ = send.send(String::from_utf8_lossy(&kept).into_owned());
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        });
    }
    receive
}

/// Waits for the end until the deadline; then the whole process group is killed. `None`: ended by a signal.
fn wait(child: &mut Child, deadline: Instant) -> Result<Option<i32>, SendError> {
    let pid = Pid::from_child(child);
    let in_time = pidfd_open(pid, PidfdFlags::empty()).is_ok_and(|fd| {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&left)) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    });
    if !in_time {
        // It is not reaped yet, so its number is still its own.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let status = child.wait().map_err(|e| SendError::later(e.to_string()))?;
    match in_time {
        true => Ok(status.code()),
        false => Err(SendError::later("did not end in time and was killed")),
    }
}
