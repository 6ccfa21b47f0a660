//! `siaga lab`: two nodes, a client and a shared disk set on one Linux machine, as real as namespaces allow, and the
//! faults that befall them.
//!
//! Each node is a set of namespaces whose first process is this program (`__init`). The shared disk is one image file
//! behind two loop devices, one per node, so that each node has its own superblock and its own page cache, as two
//! servers have. A power cut loses what was not synced. Nothing of a lab is in the host's own network namespace, and
//! `lab down` finds what belongs to a lab by its name and directory, whatever state it is in.

pub mod args;
mod boot;
mod config;
mod controller;
mod down;
mod enrol;
mod error;
mod exec;
pub mod fence;
mod fsdown;
mod init;
mod keeper;
pub mod layout;
mod loopdev;
pub mod machine;
mod net;
mod power;
mod prepare;
mod process;
mod program;
mod registry;
mod rootfs;
mod state;
mod status;
mod tools;
mod up;
mod wait;

pub use args::{LabArgs, LoadInsideArgs};
pub use error::LabError;
pub use fence::fence_main;
pub use program::Program;
pub use status::{ClientStatus, LabStatus, NodeStatus, ServiceStatus};

use args::{CrashArgs, OnMachine, UpArgs, Verb, Which};
use error::{Doing, Result, on};
use machine::Machine;
use state::{Lab, look};
use std::io::Write;
use std::process::ExitCode;

/// Carries out a lab command. `program` says how the lab starts itself again. Exit codes: 0 done, 1 failed, 2 wrong
/// use; `exec` and `load` pass on the command's own.
pub fn run(args: LabArgs, program: &Program) -> ExitCode {
    match carry_out(args.verb, program) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("siaga lab: {error} [{}]", error.code());
            ExitCode::from(error.exit_code())
        }
    }
}

fn carry_out(verb: Verb, program: &Program) -> Result<u8> {
    if !rustix::process::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    match verb {
        Verb::Up(args) => up(&args, program),
        Verb::Down(which) => down(&which),
        Verb::Status(args) => look(&args.which).and_then(|(layout, state)| {
            show(&status::status(&layout, &state), args.json)?;
            Ok(0)
        }),
        Verb::Exec(args) => exec::exec(&args),
        Verb::CutPower(args) => change(&args.on, |lab, node| lab.cut_power(node, args.with_fence)),
        Verb::PowerOn(on) => change(&on, |lab, node| lab.power_on(node, program)),
        Verb::Freeze(on) => change(&on, Lab::freeze),
        Verb::Thaw(on) => change(&on, Lab::thaw),
        Verb::Partition(which) => partition(&which, true),
        Verb::Heal(which) => partition(&which, false),
        Verb::CutDisk(on) => change(&on, |lab, node| lab.set_disk_cut(node, true)),
        Verb::RestoreDisk(on) => change(&on, |lab, node| lab.set_disk_cut(node, false)),
        Verb::Load(args) => exec::load(&args, program),
        Verb::StopAgent(on) => tell(&on, "stop-agent"),
        Verb::StartAgent(on) => tell(&on, "start-agent"),
        Verb::CrashAgent(args) => crash_agent(&args),
        Verb::Init(args) => init::init(&args).map(|()| 0),
        Verb::Boot(args) => boot::boot(&args, program).map(|()| 0),
        Verb::Prepare(args) => prepare::outside(&args, program).map(|()| 0),
        Verb::PrepareInside(args) => prepare::inside(&args).map(|()| 0),
        Verb::Controller(args) => controller::serve(&args.dir, program).map(|()| 0),
        Verb::LoadInside(args) => load_inside(&args, program),
    }
}

fn up(args: &UpArgs, program: &Program) -> Result<u8> {
    let (layout, state) = up::up(args, program)?;
    show(&status::status(&layout, &state), args.json)?;
    Ok(0)
}

fn down(which: &Which) -> Result<u8> {
    if !down::down(which)? {
        eprintln!("siaga lab down: there is no lab {:?}", which.name);
    }
    Ok(0)
}

fn show(status: &LabStatus, json: bool) -> Result<()> {
    let text = if json {
        let mut text = serde_json::to_string_pretty(status).doing(|| "write the status".into())?;
        text.push('\n');
        text
    } else {
        status.text()
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .doing(|| "print".into())
}

/// Holds the lab and changes one of its nodes.
fn change(on: &OnMachine, act: impl FnOnce(&mut Lab, Machine) -> Result<()>) -> Result<u8> {
    let node = on.machine.node()?;
    act(&mut Lab::open(&on.which)?, node)?;
    Ok(0)
}

fn partition(which: &Which, cut: bool) -> Result<u8> {
    Lab::open(which)?.set_partition(cut)?;
    Ok(0)
}

fn tell(on: &OnMachine, command: &str) -> Result<u8> {
    let (layout, state) = look(&on.which)?;
    let machine = state.machine(on.machine);
    if machine.live_init().is_none() {
        return Err(LabError::NodeOff(on.machine.name()));
    }
    if machine.frozen {
        return Err(LabError::NodeFrozen(on.machine.name()));
    }
    init::tell(&layout, on.machine, command)?;
    Ok(0)
}

fn crash_agent(args: &CrashArgs) -> Result<u8> {
    let Some(at) = &args.at else {
        return tell(&args.on, "kill-agent");
    };
    let node = args.on.machine.node()?;
    let known = at.split_once(':').is_some_and(|(when, action)| {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        ["before", "in", "after", "pause"].contains(&when)
            && !action.is_empty()
            && action.chars().all(word)
    });
    if !known {
        return Err(LabError::BadCrashPoint(at.clone()));
    }
    let (_, state) = look(&args.on.which)?;
    let path = enrol::in_machine(&state, node, layout::CRASH_FILE)?;
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).doing(|| on("make", dir))?;
    }
    // Renamed into place: the agent never sees half of it.
    let new = path.with_extension("new");
    std::fs::write(&new, format!("{at}\n")).doing(|| on("write", &new))?;
    std::fs::rename(&new, &path).doing(|| on("replace", &path))?;
    Ok(0)
}

/// The exit code is the load client's own.
fn load_inside(args: &LoadInsideArgs, program: &Program) -> Result<u8> {
    let load = program.load.ok_or(LabError::NoLoad)?;
    Ok(load(args))
}
