//! Power, freeze, partition and the way to the disk: what the lab does to its machines.

use crate::boot;
use crate::error::{Doing, LabError, Result, on};
use crate::fsdown;
use crate::loopdev::LoopDevice;
use crate::machine::Machine;
use crate::net;
use crate::process::{self, ProcessId};
use crate::program::Program;
use crate::state::Lab;
use crate::wait::Deadline;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

/// How long the processes of a machine may take to die: one that is inside the kernel first comes out.
const DEATH_PATIENCE: Duration = Duration::from_secs(30);
/// How long the mounts of a dead machine may take to go.
const MOUNT_PATIENCE: Duration = Duration::from_secs(30);
const FREEZE_PATIENCE: Duration = Duration::from_secs(10);
/// The sector size of a node's own disk.
const OWN_DISK_SECTOR: u32 = 512;

impl Lab {
    /// Cuts a node's power. What it had not synced is gone; its peers notice nothing but silence. With `with_fence` its
    /// fence devices fall silent too.
    pub fn cut_power(&mut self, node: Machine, with_fence: bool) -> Result<()> {
        if with_fence {
            self.state.machine_mut(node).fence_dead = true;
            self.save()?;
        }
        let machine = self.state.machine(node);
        if !machine.powered {
            return Ok(());
        }
        // The order matters. First nobody may hear the dying; then nothing that is only in memory may be written, by
        // the file systems or late by anything else; the processes come last.
        net::set_ports(&self.state, node, false)?;
        let pids = machine
            .live_init()
            .map(process::in_namespace_of)
            .unwrap_or_default();
        for device in [machine.lun, machine.disk].into_iter().flatten() {
            fsdown::shut_down(&device.path(), &pids)?;
        }
        cut_all([machine.lun, machine.disk])?;
        if let Some(init) = machine.init {
            init.kill_and_wait(DEATH_PATIENCE)?;
        }
        let machine = self.state.machine_mut(node);
        machine.powered = false;
        machine.frozen = false;
        machine.init = None;
        self.save()
    }

    /// Gives a node its power back: new devices, a new network without any address but its own, a boot. Nothing
    /// happens if it runs.
    pub fn power_on(&mut self, node: Machine, program: &Program) -> Result<()> {
        let machine = self.state.machine(node);
        if machine.powered && machine.live_init().is_some() {
            return Ok(());
        }
        // Its processes died without a power cut: what they left in memory must not be written any more.
        self.cut_power(node, false)?;
        self.new_devices(node)?;
        let machine = self.state.machine_mut(node);
        machine.fence_dead = false;
        self.start_machine(node, program, false)
    }

    /// Boots a machine whose devices are there.
    pub fn start_machine(
        &mut self,
        machine: Machine,
        program: &Program,
        hold_agent: bool,
    ) -> Result<()> {
        net::unplug(&self.state, machine)?;
        self.state.machine_mut(machine).powered = true;
        self.save()?;
        let booted = self.cut_lun(machine).and_then(|()| {
            net::plug_in(&self.state, machine)?;
            boot::start(&self.layout, program, machine, hold_agent)
        });
        match booted {
            Ok(init) => {
                self.state.machine_mut(machine).init = Some(init);
                self.save()
            }
            Err(error) => {
                // It has power and no life: switched off again, so that the next attempt begins afresh.
                let _ = self.cut_power(machine, false);
                Err(error)
            }
        }
    }

    /// New loop devices for a node, once the old ones are free: a device that was cut has a page cache full of what
    /// must not be seen any more.
    pub fn new_devices(&mut self, node: Machine) -> Result<()> {
        let machine = self.state.machine(node);
        for device in [machine.lun, machine.disk].into_iter().flatten() {
            device.detach(MOUNT_PATIENCE)?;
        }
        let lun = LoopDevice::attach(&self.layout.lun_image(), self.state.options.sector_size)?;
        let disk = LoopDevice::attach(&self.layout.state_image(node), OWN_DISK_SECTOR)?;
        let machine = self.state.machine_mut(node);
        machine.lun = Some(lun);
        machine.disk = Some(disk);
        self.save()?;
        relink(&lun.path(), &self.layout.lun_link(node))
    }

    /// Stops a node as if the machine paused: no packet goes in or out, no process runs.
    pub fn freeze(&mut self, node: Machine) -> Result<()> {
        let init = self.live(node)?;
        self.state.machine_mut(node).frozen = true;
        self.save()?;
        net::set_ports(&self.state, node, false)?;
        let mut deadline = Deadline::new(FREEZE_PATIENCE);
        // A process that was about to fork has a child that the first look did not see.
        while signal_those(init, Signal::STOP, |pid| !process::is_stopped(pid))? {
            deadline.pause(&|| format!("stopping the processes of {}", node.name()))?;
        }
        Ok(())
    }

    /// Undoes [`Lab::freeze`].
    pub fn thaw(&mut self, node: Machine) -> Result<()> {
        let machine = self.state.machine(node);
        let Some(init) = machine.live_init() else {
            return Err(LabError::NodeOff(node.name()));
        };
        signal_those(init, Signal::CONT, |_| true)?;
        net::set_ports(&self.state, node, true)?;
        self.state.machine_mut(node).frozen = false;
        self.save()
    }

    /// Cuts node from node, or joins them again.
    pub fn set_partition(&mut self, cut: bool) -> Result<()> {
        self.state.partitioned = cut;
        self.save()?;
        net::set_partition(&self.state, cut)
    }

    /// Cuts a node's way to the shared disk by hand, or gives it back.
    pub fn set_disk_cut(&mut self, node: Machine, cut: bool) -> Result<()> {
        self.state.machine_mut(node).disk_cut = cut;
        self.save()?;
        self.cut_lun(node)
    }

    /// The same by the fabric fence: each of the two holds by itself.
    pub fn set_fabric_cut(&mut self, node: Machine, cut: bool) -> Result<()> {
        self.state.machine_mut(node).fabric_cut = cut;
        self.save()?;
        self.cut_lun(node)
    }

    /// Makes the device follow what the state says.
    fn cut_lun(&self, node: Machine) -> Result<()> {
        let machine = self.state.machine(node);
        machine
            .lun
            .map_or(Ok(()), |device| device.set_cut(machine.lun_is_cut()))
    }

    /// The first process of a machine that runs.
    fn live(&self, machine: Machine) -> Result<ProcessId> {
        let state = self.state.machine(machine);
        match state.live_init() {
            Some(init) if !state.frozen => Ok(init),
            Some(_) => Err(LabError::NodeFrozen(machine.name())),
            None => Err(LabError::NodeOff(machine.name())),
        }
    }
}

/// Cuts devices at the same time: each waits for the kernel's own grace period.
fn cut_all(devices: [Option<LoopDevice>; 2]) -> Result<()> {
    std::thread::scope(|scope| {
        let cuts = devices
            .into_iter()
            .flatten()
            .map(|device| scope.spawn(move || device.set_cut(true)));
        let died = || {
            Err(LabError::Broken(
                "the thread that cuts a device died".into(),
            ))
        };
        let cuts: Vec<_> = cuts.collect();
        cuts.into_iter()
            .try_for_each(|cut| cut.join().unwrap_or_else(|_| died()))
    })
}

/// Sends a signal to every process of a machine for which `wanted` holds. Whether there was one.
fn signal_those(init: ProcessId, signal: Signal, wanted: impl Fn(i32) -> bool) -> Result<bool> {
    let mut any = false;
    for pid in process::in_namespace_of(init)
        .into_iter()
        .filter(|pid| wanted(*pid))
    {
        any = true;
        if let Some(process) = ProcessId::of(pid) {
            process.signal(signal)?;
        }
    }
    Ok(any)
}

/// Lets the link point to another device, at once.
fn relink(device: &Path, link: &Path) -> Result<()> {
    let new = link.with_extension("new");
    let _ = std::fs::remove_file(&new);
    std::os::unix::fs::symlink(device, &new).doing(|| on("link", &new))?;
    std::fs::rename(&new, link).doing(|| on("replace", link))
}
