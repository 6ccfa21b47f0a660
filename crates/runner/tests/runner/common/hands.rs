//! Hands that do nothing but write down what they were asked, and answer as they were told.

use super::{BOOT, ME, epoch};
use siaga_model::api::ClientTestResult;
use siaga_model::observation::{
    DatabaseState, FenceState, Holding, LastTake, Promise, PromiseFacts,
};
use siaga_model::refusal::Sentence;
use siaga_model::run::FailureKind;
use siaga_model::{BootId, Epoch, NodeName, ServiceName, UtcMicros};
use siaga_runner::hands::{
    Acted, AddressCertainty, Did, Hands, LifeQuestion, OwnFacts, Progress, Trouble,
};
use siaga_runner::permit::TakePermit;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Hook = Box<dyn Fn(&str) + Send + Sync>;

pub struct ScriptedHands {
    script: Mutex<Script>,
    /// Called inside of every act, with its name, while nothing here is locked.
    pub hook: Option<Hook>,
}

pub struct Script {
    /// Every act that was asked for, in order.
    pub calls: Vec<String>,
    /// The acts that do not go well.
    pub troubles: BTreeMap<&'static str, Trouble>,
    /// The acts that were true already.
    pub already: Vec<&'static str>,
    pub fence_state: FenceState,
    pub life: Option<Sentence>,
    pub questions: Vec<(NodeName, LifeQuestion, UtcMicros)>,
    pub disk_epoch: Option<Epoch>,
    pub certainty: Option<AddressCertainty>,
    pub permit: Option<TakePermit>,
    pub tests: Vec<ClientTestResult>,
    pub tested_since: Option<UtcMicros>,
    pub now: UtcMicros,
    /// What each other node says of its promise. `None`: silence.
    pub promise: Option<PromiseFacts>,
    /// Whose promise was asked for.
    pub asked_promise: Vec<NodeName>,
    pub since_boot: Duration,
}

/// A node that let go to that mandate, and never took anything.
pub fn standing(epoch: &Epoch) -> PromiseFacts {
    PromiseFacts {
        node: "any".into(),
        boot: BOOT.into(),
        promise: Some(Promise {
            node: "any".into(),
            boot: BOOT.into(),
            epoch: epoch.clone(),
            at: UtcMicros(77),
        }),
        highest: Some(epoch.clone()),
        last_take: LastTake::Never,
        disk: Holding::Free,
    }
}

impl Default for ScriptedHands {
    fn default() -> Self {
        let script = Script {
            calls: Vec::new(),
            troubles: BTreeMap::new(),
            already: Vec::new(),
            fence_state: FenceState::Fenced,
            life: None,
            questions: Vec::new(),
            disk_epoch: None,
            certainty: None,
            permit: None,
            tests: Vec::new(),
            tested_since: None,
            now: UtcMicros(1_000),
            promise: Some(standing(&epoch(5, ME))),
            asked_promise: Vec::new(),
            since_boot: Duration::from_secs(1_000),
        };
        Self {
            script: Mutex::new(script),
            hook: None,
        }
    }
}

impl ScriptedHands {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn calls(&self) -> Vec<String> {
        self.script().calls.clone()
    }

    /// That act fails from now on.
    pub fn fail(&self, act: &'static str, kind: FailureKind) {
        self.script()
            .troubles
            .insert(act, Trouble::failed(kind, "scripted"));
    }

    fn act(&self, name: &'static str) -> Acted {
        self.script().calls.push(name.to_owned());
        if let Some(hook) = &self.hook {
            hook(name);
        }
        let script = self.script();
        match script.troubles.get(name) {
            Some(trouble) => Err(trouble.clone()),
            None if script.already.contains(&name) => Ok(Did::nothing()),
            None => Ok(Did::changed(vec![siaga_model::Note::System(format!(
                "did {name}"
            ))])),
        }
    }
}

impl Hands for ScriptedHands {
    fn node(&self) -> NodeName {
        ME.into()
    }
    fn boot(&self) -> BootId {
        BOOT.into()
    }
    fn look(&self, _: &ServiceName) -> OwnFacts {
        OwnFacts {
            disk: Holding::Free,
            mounts: Vec::new(),
            virtual_ips: Vec::new(),
            database: DatabaseState::Stopped,
            applications: Vec::new(),
        }
    }
    fn checkpoint(&self, _: &ServiceName) -> Acted {
        self.act("checkpoint")
    }
    fn stop_applications(&self, _: &ServiceName) -> Acted {
        self.act("stop_applications")
    }
    fn stop_database(&self, _: &ServiceName, _: Progress) -> Acted {
        self.act("stop_database")
    }
    fn remove_virtual_ips(&self, _: &ServiceName) -> Acted {
        self.act("remove_virtual_ips")
    }
    fn unmount(&self, _: &ServiceName) -> Acted {
        self.act("unmount")
    }
    fn prove_released(&self, _: &ServiceName) -> Acted {
        self.act("prove_released")
    }
    fn disown(&self, _: &ServiceName) {
        self.script().calls.push("disown".into());
    }
    fn take(&self, permit: TakePermit) -> Acted {
        self.script().permit = Some(permit);
        self.act("take")
    }
    fn mount(&self, _: &ServiceName) -> Acted {
        self.act("mount")
    }
    fn read_disk_epoch(&self, _: &ServiceName) -> Result<Option<Epoch>, Trouble> {
        self.act("read_disk_epoch")?;
        Ok(self.script().disk_epoch.clone())
    }
    fn write_disk_epoch(&self, _: &ServiceName, epoch: &Epoch) -> Acted {
        let did = self.act("write_disk_epoch")?;
        self.script().disk_epoch = Some(epoch.clone());
        Ok(did)
    }
    fn add_virtual_ips(&self, _: &ServiceName, certainty: AddressCertainty) -> Acted {
        self.script().certainty = Some(certainty);
        self.act("add_virtual_ips")
    }
    fn start_database(&self, _: &ServiceName, _: Progress) -> Acted {
        let did = self.act("start_database");
        self.script().now.0 += 500;
        did
    }
    fn start_applications(&self, _: &ServiceName) -> Acted {
        self.act("start_applications")
    }
    fn client_test(&self, _: &ServiceName, since: UtcMicros) -> Vec<ClientTestResult> {
        let mut script = self.script();
        script.calls.push("client_test".into());
        script.tested_since = Some(since);
        script.tests.clone()
    }
    fn after_move(&self, _: &ServiceName) -> Acted {
        self.act("after_move")
    }
    fn hold_back(&self, wait: Duration) {
        let waits = format!("waits {} ms", wait.as_millis());
        if !wait.is_zero() {
            self.script().calls.push(waits);
        }
    }
    fn fence(&self, victim: &NodeName, device: &str) -> Acted {
        let did = self.act("fence");
        self.script()
            .calls
            .push(format!("fenced {victim} by {device}"));
        did
    }
    fn reserve(&self, _: &ServiceName, victim: &NodeName, epoch: &Epoch) -> Acted {
        let did = self.act("reserve");
        let call = format!("reserved against {victim} under {}", epoch.counter);
        self.script().calls.push(call);
        did
    }
    fn reservation(&self, _: &ServiceName, epoch: &Epoch) -> FenceState {
        let mut script = self.script();
        script.calls.push(format!("reservation {}", epoch.counter));
        script.fence_state.clone()
    }
    fn fence_state(&self, victim: &NodeName, device: &str) -> FenceState {
        let mut script = self.script();
        script.calls.push(format!("fence_state {victim} {device}"));
        script.fence_state.clone()
    }
    fn sign_of_life(
        &self,
        _: &ServiceName,
        victim: &NodeName,
        ground: LifeQuestion,
        since: UtcMicros,
    ) -> Option<Sentence> {
        let mut script = self.script();
        script.questions.push((victim.clone(), ground, since));
        script.life.clone()
    }
    fn promise_facts(&self, _: &ServiceName, node: &NodeName) -> Option<PromiseFacts> {
        let mut script = self.script();
        script.asked_promise.push(node.clone());
        let said = script.promise.clone();
        said.map(|facts| match facts.node.as_str() {
            "any" => PromiseFacts {
                node: node.clone(),
                ..facts
            },
            _ => facts,
        })
    }
    fn now(&self) -> UtcMicros {
        self.script().now
    }
    fn since_boot(&self) -> Duration {
        self.script().since_boot
    }
}
