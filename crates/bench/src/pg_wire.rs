//! One statement over PostgreSQL's socket, by the bare protocol.

use crate::error::{Doing, Result, unexpected};
use rustix::process::Uid;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Version 3.0 of the protocol.
const PROTOCOL: u32 = 196_608;

/// `checkpoint`, as the account `uid`, which is what peer authentication sees.
pub fn checkpoint(socket: &Path, uid: u32) -> Result<()> {
    let socket = socket.to_owned();
    // The bare call concerns this thread alone, and the thread ends with it.
    let connecting = std::thread::spawn(move || {
        rustix::thread::set_thread_res_uid(None, Uid::from_raw(uid), None)?;
        UnixStream::connect(socket)
    });
    let stream = connecting
        .join()
        .map_err(|_| unexpected("the connecting thread failed"))?;
    let mut stream = stream.doing("connect to the database")?;
    let names = b"user\0postgres\0database\0postgres\0\0";
    let startup = [&length(names.len() + 4)[..], &PROTOCOL.to_be_bytes(), names].concat();
    stream.write_all(&startup).doing("log in")?;
    until_ready(&mut stream)?;
    let text = b"checkpoint\0";
    let query = [&b"Q"[..], &length(text.len()), text].concat();
    stream.write_all(&query).doing("ask for a checkpoint")?;
    until_ready(&mut stream)
}

fn length(content: usize) -> [u8; 4] {
    u32::try_from(content + 4).unwrap_or(0).to_be_bytes()
}

fn until_ready(stream: &mut UnixStream) -> Result<()> {
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).doing("read an answer")?;
        let size = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut content = vec![0; size.saturating_sub(4) as usize];
        stream.read_exact(&mut content).doing("read an answer")?;
        match head[0] {
            b'Z' => return Ok(()),
            b'E' => {
                return Err(unexpected(format!(
                    "the database: {}",
                    String::from_utf8_lossy(&content)
                )));
            }
            _ => {}
        }
    }
}
