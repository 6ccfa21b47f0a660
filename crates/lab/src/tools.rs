//! Programs from the system's packages, called by argument vector.

use crate::error::{Doing, LabError, Result};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A program of a Debian package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    pub name: &'static str,
    pub package: &'static str,
}

pub(crate) const IP: Tool = Tool {
    name: "ip",
    package: "iproute2",
};
pub(crate) const BRIDGE: Tool = Tool {
    name: "bridge",
    package: "iproute2",
};
pub(crate) const MKFS_EXT4: Tool = Tool {
    name: "mkfs.ext4",
    package: "e2fsprogs",
};
pub(crate) const MKFS_XFS: Tool = Tool {
    name: "mkfs.xfs",
    package: "xfsprogs",
};

/// Where programs are looked for, whatever the caller's PATH says.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Tool {
    /// Its path.
    pub fn find(self) -> Result<PathBuf> {
        std::env::split_paths(PATH)
            .map(|dir| dir.join(self.name))
            .find(|path| path.is_file())
            .ok_or(LabError::MissingProgram {
                program: self.name,
                package: self.package,
            })
    }

    /// Runs it and fails unless it exits with 0.
    pub fn run<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Result<()> {
        let mut command = Command::new(self.find()?);
        command.args(args);
        checked(&mut command, None).map(|_| ())
    }

    /// Runs it with lines on its standard input.
    pub fn feed<S: AsRef<OsStr>>(
        self,
        args: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Result<()> {
        let mut command = Command::new(self.find()?);
        command.args(args);
        checked(&mut command, Some(input)).map(|_| ())
    }
}

/// Runs a command to its end; its output, or an error with what it wrote to its standard error.
pub(crate) fn checked(command: &mut Command, input: Option<&str>) -> Result<Output> {
    let program = Path::new(command.get_program()).display().to_string();
    command.stdin(if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().doing(|| format!("start {program}"))?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // A program that ends early breaks the pipe; its exit status says why.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .doing(|| format!("wait for {program}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let mut stderr = text(&output.stderr);
    if stderr.is_empty() {
        stderr = text(&output.stdout);
    }
    Err(LabError::Command {
        program,
        status: output.status.to_string(),
        stderr,
    })
}

/// The newest PostgreSQL of the system that has all programs that the lab needs.
pub(crate) fn postgres_bin_dir() -> Result<PathBuf> {
    let missing = |program| LabError::MissingProgram {
        program,
        package: "postgresql",
    };
    let versions = std::fs::read_dir("/usr/lib/postgresql").map_err(|_| missing("initdb"))?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    found.sort();
    let mut lacking = "initdb";
    for (_, bin) in found.into_iter().rev() {
        match ["initdb", "postgres", "psql", "pgbench"]
            .into_iter()
            .find(|p| !bin.join(p).is_file())
        {
            None => return Ok(bin),
            Some(program) => lacking = program,
        }
    }
    Err(missing(lacking))
}

/// The user id and group id of the operating system's user `postgres`.
pub(crate) fn postgres_user() -> Result<(u32, u32)> {
    let passwd = std::fs::read_to_string("/etc/passwd").doing(|| "read /etc/passwd".into())?;
    let fields = |line: &str| {
        let mut parts = line.split(':');
        (parts.next() == Some("postgres")).then_some(())?;
        Some((parts.nth(1)?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    passwd
        .lines()
        .find_map(fields)
        .ok_or(LabError::NoPostgresUser)
}
