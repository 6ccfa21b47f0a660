//! An agent that answers from a script, on a unix socket in a directory of its own.

use siaga_model::api::MoveRequest;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub body: String,
}

impl Asked {
    /// The body of an order.
    pub fn order(&self) -> MoveRequest {
        serde_json::from_str(&self.body).expect("a move")
    }
}

type Answer = Box<dyn Fn(&Asked) -> Option<(u16, String)> + Send>;

/// Answers until it is dropped.
pub struct FakeAgent {
    dir: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeAgent {
    /// `answer` says what comes for each request; `None` is 404. The site's configuration comes by itself.
    pub fn start(
        language: &str,
        answer: impl Fn(&Asked) -> Option<(u16, String)> + Send + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(dir.path().join("siaga.sock")).expect("a socket");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        let site = crate::samples::site(language);
        let answer: Answer = Box::new(move |asked| match asked.path.as_str() {
            "/v1/config" => Some((200, site.clone())),
            _ => answer(asked),
        });
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                serve(stream, &kept, &answer);
            }
        });
        Self { dir, asked }
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("siaga.sock")
    }

    /// The orders that came, without previews.
    pub fn orders(&self) -> Vec<MoveRequest> {
        let asked = self.asked.lock().expect("not poisoned");
        let moves = asked
            .iter()
            .filter(|a| a.path == "/v1/moves" && a.method == "POST");
        moves.map(Asked::order).filter(|m| !m.dry_run).collect()
    }

    /// Every request that came.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Every path that was asked for.
    pub fn paths(&self) -> Vec<String> {
        self.asked
            .lock()
            .expect("not poisoned")
            .iter()
            .map(|a| a.path.clone())
            .collect()
    }

    /// Runs the binary against this agent, without a terminal.
    pub fn run(&self, args: &[&str]) -> crate::Said {
        let socket = self.socket();
        crate::siaga()
            .arg("--socket")
            .arg(socket)
            .args(args)
            .output()
            .expect("it starts")
            .into()
    }
}

fn serve(stream: UnixStream, kept: &Mutex<Vec<Asked>>, answer: &Answer) {
    let Some(asked) = read(&stream) else { return };
    kept.lock().expect("not poisoned").push(asked.clone());
    let (status, body) = answer(&asked).unwrap_or_else(|| {
        (
            404,
            r#"{"code":"NO_SUCH_THING","message":"not in the script"}"#.to_owned(),
        )
    });
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = (&stream).write_all(text.as_bytes());
}

fn read(stream: &UnixStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        body: String::from_utf8(body).ok()?,
    })
}
