//! Builds the graph of steps. A step is added after those it waits for, so ids are in an order that can be carried
//! out one by one, and what does not wait for each other may run side by side.
//!
//! ```text
//! source  enlist ─ checkpoint ─ stop_applications ─ stop_database ─┬─ unmount ───────────┬─ release
//!                                                                  └─ remove_virtual_ip ─┤    │
//! target  enlist ────────────────────────────────────────────────────── add_virtual_ip ──┼────┤
//!                                                                                   take ┴─ mount ─ start_database ─ …
//! ```

use siaga_model::config::Service;
use siaga_model::plan::{Action, Step};
use siaga_model::{NodeName, StepId};

/// Steps as they are added.
#[derive(Default)]
pub(crate) struct Graph {
    steps: Vec<Step>,
}

/// What the target waits for, per other node.
#[derive(Clone, Copy)]
pub(crate) struct LetGo {
    /// After this the disk set may be taken.
    pub disk: StepId,
    /// After this the virtual address may be added.
    pub address: StepId,
}

impl Graph {
    pub fn add(&mut self, node: &NodeName, action: Action, after: &[StepId]) -> StepId {
        let id = StepId(u16::try_from(self.steps.len()).unwrap_or(u16::MAX));
        let mut after = after.to_vec();
        after.sort_unstable();
        after.dedup();
        self.steps.push(Step {
            id,
            node: node.clone(),
            action,
            after,
        });
        id
    }

    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// Stops applications (where there are any) and database, after `gates`. Gives the database's step.
    pub fn stop(&mut self, node: &NodeName, service: &Service, gates: &[StepId]) -> StepId {
        if service.applications.is_empty() {
            return self.add(node, Action::StopDatabase, gates);
        }
        let apps = self.add(node, Action::StopApplications, gates);
        self.add(node, Action::StopDatabase, &[apps])
    }

    /// Everything that makes `node` let go, after `gates`.
    pub fn release_all(&mut self, node: &NodeName, service: &Service, gates: &[StepId]) -> LetGo {
        let database = self.stop(node, service, gates);
        let address = self.add(node, Action::RemoveVirtualIp, &[database]);
        let unmount = self.add(node, Action::Unmount, &[database]);
        let disk = self.add(node, Action::Release, &[address, unmount]);
        LetGo { disk, address }
    }

    /// Starts applications (where there are any), tests, and tells other hosts (where that is configured).
    pub fn serve(&mut self, node: &NodeName, service: &Service, database: StepId) {
        let mut last = database;
        if !service.applications.is_empty() {
            last = self.add(node, Action::StartApplications, &[last]);
        }
        self.test(node, service, last);
    }

    /// Tests, and tells other hosts (where that is configured).
    pub fn test(&mut self, node: &NodeName, service: &Service, last: StepId) {
        let test = self.add(node, Action::ClientTest, &[last]);
        if !service.after_move.is_empty() {
            self.add(node, Action::AfterMove, &[test]);
        }
    }
}
