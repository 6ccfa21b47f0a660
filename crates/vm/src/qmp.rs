//! QEMU's own control socket: one command, one answer.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Sends a command. An error where QEMU does not answer (any more).
pub(crate) fn send(socket: &Path, command: &str, arguments: Value) -> std::io::Result<Value> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut stream = stream;
    let greeting = lines.next().transpose()?;
    debug_assert!(greeting.is_some_and(|g| g.contains("QMP")));
    let mut ask = |message: Value| -> std::io::Result<Value> {
        writeln!(stream, "{message}")?;
        for line in lines.by_ref() {
            let answer: Value = serde_json::from_str(&line?)?;
            if answer.get("event").is_none() {
                return Ok(answer);
            }
        }
        Err(std::io::ErrorKind::UnexpectedEof.into())
    };
    ask(json!({ "execute": "qmp_capabilities" }))?;
    ask(json!({ "execute": command, "arguments": arguments }))
}
