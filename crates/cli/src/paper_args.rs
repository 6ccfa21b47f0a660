//! In which form a paper comes, and where it goes.

use crate::fault::Fault;
use crate::term::out;
use clap::ValueEnum;
use siaga_words::{PaperSay, Voice, paper_say};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// The form of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ListFormat {
    Table,
    Json,
    Csv,
    Html,
    Pdf,
}

/// Where a paper goes.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct Output {
    /// Write to this file instead of standard output.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl Output {
    /// Writes a text; on standard output its last newline is given by the printer.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn text(&self, text: &str) -> Result<(), Fault> {
        match &self.file {
            Some(file) => write(file, text.as_bytes()),
            None => {
                out(text.trim_end());
                Ok(())
            }
        }
    }

    /// Writes bytes that are not for a terminal.
    ///
    /// # Errors
    /// Where standard output is a terminal, or the file can't be written.
    pub fn bytes(&self, voice: &Voice, bytes: &[u8]) -> Result<(), Fault> {
        if let Some(file) = &self.file {
            return write(file, bytes);
        }
        let stdout = std::io::stdout();
        if stdout.is_terminal() {
            return Err(Fault::Usage(paper_say(voice, &PaperSay::NeedsOutput)));
        }
        let mut stdout = stdout.lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        written.map_err(|e| Fault::Local(e.to_string()))
    }
}

/// A file appears whole or not at all.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let failed = |e: std::io::Error| Fault::Local(format!("{}: {e}", file.display()));
    // What is no plain file (a pipe, /dev/stdout) is written to as it is.
    if file.metadata().is_ok_and(|m| !m.is_file()) {
        return std::fs::write(file, bytes).map_err(failed);
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = file.with_file_name(name);
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written.map_err(failed)
}
