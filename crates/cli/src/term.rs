//! The person's terminal: is there one, how wide is it, may it be coloured, and a line from it.

use crate::client::{CallError, Client};
use std::io::{self, BufRead, IsTerminal, Write};

/// A width for what has none, in characters.
const NO_WIDTH: usize = 100;

/// What the standard streams are.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// A person can be asked.
    pub interactive: bool,
    /// The line of what is going on may be drawn over.
    pub redraw: bool,
    /// Standard error may be coloured.
    pub colour_err: bool,
    /// Standard output may be coloured.
    pub colour_out: bool,
}

/// Colour only ever adds to a word that says the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    Good,
    Bad,
    Attention,
}

impl Term {
    /// Looks at the standard streams, `TERM` and `NO_COLOR`.
    pub fn look() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|t| t.is_empty() || t == "dumb");
        let colour = !dumb && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let err = io::stderr().is_terminal();
        Self {
            interactive: io::stdin().is_terminal() && err,
            redraw: err && !dumb,
            colour_err: err && colour,
            colour_out: io::stdout().is_terminal() && colour,
        }
    }

    /// The width of standard error's terminal, in characters.
    pub fn width(self) -> usize {
        match rustix::termios::tcgetwinsize(io::stderr()) {
            Ok(size) if size.ws_col > 20 => usize::from(size.ws_col),
            _ => NO_WIDTH,
        }
    }

    /// Text for standard error in a tone.
    pub fn err(self, tone: Tone, text: &str) -> String {
        paint(self.colour_err, tone, text)
    }

    /// Text for standard output in a tone.
    pub fn out(self, tone: Tone, text: &str) -> String {
        paint(self.colour_out, tone, text)
    }

    /// Asks a question on standard error and reads one line. `None` at the end of input.
    ///
    /// # Errors
    /// [`CallError::Interrupted`] at Ctrl-C, [`CallError::Local`] where the terminal fails.
    pub fn ask(self, client: &Client, question: &str) -> Result<Option<String>, CallError> {
        eprint!("{question} ");
        let local = |source| CallError::Local {
            what: "terminal",
            source,
        };
        io::stderr().flush().map_err(local)?;
        if io::stdin().is_terminal() {
            client
                .wait_readable(&io::stdin())
                .inspect_err(|_| eprintln!())?;
        }
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line).map_err(local)? {
            0 => Ok(None),
            _ => Ok(Some(line.trim().to_owned())),
        }
    }
}

fn paint(colour: bool, tone: Tone, text: &str) -> String {
    let code = match tone {
        _ if !colour => return text.to_owned(),
        Tone::Good => "32",
        Tone::Bad => "31;1",
        Tone::Attention => "33",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Writes to standard output. A reader that went away (`siaga events | head`) ends the program quietly.
pub fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush());
    if written.is_err() {
        std::process::exit(i32::from(crate::exit::Exit::Failed.number()));
    }
}
