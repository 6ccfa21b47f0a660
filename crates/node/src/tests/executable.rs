//! Programs that tests write. The tests in `tests/` read this file too.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a program. Another one writes it: a child that some test begins meanwhile would keep a file open that this
/// process wrote, and what is open for writing can't be begun.
pub fn executable(path: &Path, text: &str) {
    let mut install = Command::new("/usr/bin/install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = install.stdin.take().unwrap();
    to.write_all(text.as_bytes()).unwrap();
    drop(to);
    assert!(install.wait().unwrap().success(), "{}", path.display());
}
