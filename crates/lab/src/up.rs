//! `lab up`.

use crate::args::{FsKind, UpArgs};
use crate::boot;
use crate::config::{probe_toml, siaga_toml};
use crate::controller;
use crate::down;
use crate::enrol::enrol;
use crate::error::{Doing, LabError, Result, on};
use crate::fence::FenceDevice;
use crate::layout::Layout;
use crate::loopdev::{LoopDevice, sparse_file};
use crate::machine::{MACHINES, Machine, NODES, Net};
use crate::net;
use crate::prepare::{make_database, make_file_system};
use crate::process::ProcessId;
use crate::program::Program;
use crate::registry::Registry;
use crate::state::{self, Lab, LabState, Options};
use crate::tools::{self, BRIDGE, IP, MKFS_EXT4, MKFS_XFS};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A node's own disk, for /var/lib/siaga.
const STATE_IMAGE_BYTES: u64 = 96 << 20;
const MIB: u64 = 1 << 20;

/// Builds a lab; if that fails, nothing of it is left.
pub(crate) fn up(args: &UpArgs, program: &Program) -> Result<(Layout, LabState)> {
    let which = &args.which;
    state::check_name(&which.name)?;
    let layout = Layout::new(
        which
            .dir
            .clone()
            .unwrap_or_else(|| Layout::default_dir(&which.name)),
    )?;
    let pg_bin = look_before(args)?;
    let append = appended(args)?;
    let exists = || LabError::Exists {
        name: which.name.clone(),
        dir: layout.dir().to_owned(),
    };
    if layout.lock().exists() {
        return Err(exists());
    }
    if !down::is_free(layout.dir()) {
        return Err(LabError::ForeignDir(layout.dir().to_owned()));
    }
    // Refused before anything of an older lab of this name is touched.
    if let Some(dir) = Registry::dir_of(&which.name)? {
        return Err(LabError::Exists {
            name: which.name.clone(),
            dir,
        });
    }
    let lock = claim(&layout)?.ok_or_else(exists)?;
    let slot = Registry::enter(&which.name, layout.dir()).inspect_err(|_| {
        let _ = std::fs::remove_dir_all(layout.dir());
    })?;
    let state = new_state(args, program, pg_bin, slot);
    let mut lab = Lab::new(layout, state, lock);
    let built = build(&mut lab, program, &append);
    let (layout, state) = (lab.layout.clone(), lab.state.clone());
    if let Err(error) = built {
        clean_up(&layout, &state);
        return Err(error);
    }
    // From here on the fence devices may take the lock: agents ask them.
    drop(lab);
    if state.siaga.is_some() {
        enrol(&layout, &state, program).inspect_err(|_| keep_logs_and_clean_up(&layout, &state))?;
    }
    Ok((layout, state))
}

/// Everything that can be known to fail, before anything is made.
fn look_before(args: &UpArgs) -> Result<PathBuf> {
    let mut wanted = vec![IP, BRIDGE, MKFS_EXT4];
    wanted.extend((args.fs == FsKind::Xfs).then_some(MKFS_XFS));
    for tool in wanted {
        tool.find()?;
    }
    tools::postgres_user()?;
    let rows = u64::from(args.scale) * 20;
    let (least, what) = match args.fs {
        FsKind::Ext4 => (200 + rows, "ext4 with these rows"),
        FsKind::Xfs => (400 + rows, "XFS with these rows"),
    };
    if args.size < least * MIB {
        return Err(LabError::TooSmall { least, what });
    }
    tools::postgres_bin_dir()
}

/// Makes the lab's directory with its lock, and takes it; `None` when somebody else was first.
fn claim(layout: &Layout) -> Result<Option<File>> {
    std::fs::create_dir_all(layout.dir()).doing(|| on("make", layout.dir()))?;
    match File::create_new(layout.lock()) {
        Ok(_) => state::lock(&layout.lock()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error).doing(|| on("make", &layout.lock())),
    }
}

fn new_state(args: &UpArgs, program: &Program, pg_bin: PathBuf, slot: u8) -> LabState {
    LabState {
        name: args.which.name.clone(),
        net: Net { slot },
        options: Options {
            size: args.size,
            sector_size: args.sector_size,
            fs: args.fs,
            mmp: args.mmp,
            scale: args.scale,
            fence: args.fence,
            language: args.language,
        },
        pg_bin,
        siaga: if args.no_agents {
            None
        } else {
            program.siaga.clone()
        },
        controller: None,
        machines: BTreeMap::new(),
        partitioned: false,
        complete: false,
    }
}

fn build(lab: &mut Lab, program: &Program, append: &str) -> Result<()> {
    lab.save()?;
    make_files(&lab.layout)?;
    sparse_file(&lab.layout.lun_image(), lab.state.options.size)?;
    let device = LoopDevice::attach(&lab.layout.lun_image(), lab.state.options.sector_size)?;
    lab.state.machine_mut(Machine::Serverdb).lun = Some(device);
    lab.save()?;
    // The database takes the longest; the rest is made meanwhile.
    let (layout, state) = (&lab.layout, &lab.state);
    std::thread::scope(|scope| {
        let rest = scope.spawn(|| {
            NODES.into_iter().try_for_each(|node| {
                sparse_file(&layout.state_image(node), STATE_IMAGE_BYTES)?;
                make_file_system(&layout.state_image(node), FsKind::Ext4, false)
            })?;
            net::make_switch(state)?;
            MACHINES
                .into_iter()
                .try_for_each(|machine| net::plug_in(state, machine))
        });
        let database = make_file_system(&device.path(), state.options.fs, state.options.mmp)
            .and_then(|()| make_database(layout, program));
        let rest = rest
            .join()
            .unwrap_or_else(|_| Err(LabError::Broken("a part of the work died".into())));
        database.and(rest)
    })?;
    for node in NODES {
        lab.new_devices(node)?;
    }
    configure(lab, append)?;
    boot_all(lab, program)?;
    lab.state.controller = Some(controller::start(&lab.layout, program)?);
    lab.state.complete = true;
    lab.save()
}

/// Directories, the fence programs, their password.
fn make_files(layout: &Layout) -> Result<()> {
    let private = |path: &Path| {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .doing(|| on("make", path))
    };
    for machine in MACHINES {
        let dir = layout.machine(machine);
        std::fs::create_dir_all(&dir).doing(|| on("make", &dir))?;
        let etc = layout.etc(machine);
        std::fs::create_dir_all(&etc).doing(|| on("make", &etc))?;
    }
    private(&layout.client_state())?;
    let fences = layout.fence_dir();
    std::fs::create_dir_all(&fences).doing(|| on("make", &fences))?;
    let own = std::env::current_exe().doing(|| "find the running program's file".into())?;
    for device in FenceDevice::ALL {
        let link = fences.join(device.program());
        std::os::unix::fs::symlink(&own, &link).doing(|| on("link", &link))?;
    }
    // Two of the kernel's random identifiers: 244 random bits.
    let uuid = || {
        std::fs::read_to_string("/proc/sys/kernel/random/uuid")
            .doing(|| "ask for random bits".into())
    };
    let password = format!("{}{}\n", uuid()?.trim(), uuid()?.trim());
    write_secret(&layout.secret(), &password)?;
    for node in NODES {
        write_secret(&layout.etc(node).join("fence.secret"), &password)?;
    }
    Ok(())
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .doing(|| on("write", path))
}

/// The text that the nodes' configuration gets besides the lab's own.
fn appended(args: &UpArgs) -> Result<String> {
    match &args.append {
        None => Ok(String::new()),
        Some(path) => std::fs::read_to_string(path).doing(|| on("read", path)),
    }
}

/// The configurations: the site's on serverdb and on backup, the probe's on the client.
fn configure(lab: &Lab, append: &str) -> Result<()> {
    let text = format!("{}\n{append}", siaga_toml(&lab.layout, &lab.state));
    for node in NODES {
        let path = lab.layout.etc(node).join("siaga.toml");
        std::fs::write(&path, &text).doing(|| on("write", &path))?;
    }
    let path = lab.layout.etc(Machine::Client).join("probe.toml");
    std::fs::write(&path, probe_toml(&lab.state)).doing(|| on("write", &path))
}

/// Boots all machines at once. Their agents wait for `enrol`.
fn boot_all(lab: &mut Lab, program: &Program) -> Result<()> {
    for machine in MACHINES {
        lab.state.machine_mut(machine).powered = true;
    }
    lab.save()?;
    let layout = &lab.layout;
    let booted: Vec<Result<(Machine, ProcessId)>> = std::thread::scope(|scope| {
        let boots: Vec<_> = MACHINES
            .into_iter()
            .map(|machine| {
                scope.spawn(move || Ok((machine, boot::start(layout, program, machine, true)?)))
            })
            .collect();
        let died = || Err(LabError::Broken("a boot's thread died".into()));
        boots
            .into_iter()
            .map(|boot| boot.join().unwrap_or_else(|_| died()))
            .collect()
    });
    for boot in booted {
        let (machine, init) = boot?;
        lab.state.machine_mut(machine).init = Some(init);
    }
    lab.save()
}

/// After a failure nothing stays; what went wrong with that is said, since the first error is the one returned.
fn clean_up(layout: &Layout, state: &LabState) {
    if let Err(error) = down::remove(&state.name, layout, Some(state), true) {
        eprintln!(
            "siaga lab up: cleaning up: {error}. Try: siaga lab down --name {}",
            state.name
        );
    }
}

/// The agents' logs go with the lab, so their ends are shown first.
fn keep_logs_and_clean_up(layout: &Layout, state: &LabState) {
    for machine in MACHINES {
        let log = std::fs::read_to_string(layout.agent_log(machine)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        for line in &lines[lines.len().saturating_sub(10)..] {
            eprintln!("{}: {line}", machine.name());
        }
    }
    clean_up(layout, state);
}
