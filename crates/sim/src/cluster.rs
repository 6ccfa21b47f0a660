//! The two agents of the simulated site. Everything that an agent keeps in memory dies with it; everything that it
//! made durable is in the world.

use crate::auditor;
use crate::hands::{PretendHands, PretendStore, Shared, boot_id, index, lock, place};
use crate::said::{forget, log_refusal, report};
use crate::view::newest_plan;
use crate::world::{NODES, SERVICES, World};
use siaga_model::config::Config;
use siaga_model::observation::{AttestationGiven, FenceState, Observation};
use siaga_model::plan::{Action, HitMandate, MandatedPlan, MoveKind, Placement, Plan, Request};
use siaga_model::proof::ProofRecord;
use siaga_model::refusal::Refusal;
use siaga_model::run::{FailureKind, Order, RunOutcome, StepFailure, StepOutcome, StepReport};
use siaga_model::{NodeName, PlanId, RunId, ServiceName};
use siaga_runner::executor::{Bench, Executor, SharedBench};
use siaga_runner::fencing::Fencing;
use siaga_runner::hands::Hands;
use siaga_runner::ledger::{ForFence, Ledger};
use siaga_runner::run::{Effect, Input, Run, RunSpec};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A run that an agent carries out now.
pub(crate) struct Live {
    pub(crate) run: Run,
    todo: VecDeque<Effect>,
    plans: u32,
    /// The newest client test failed: the run's end is told with that, and promises no service.
    test_failed: bool,
}

pub(crate) struct Agent {
    boot: u32,
    hands: PretendHands,
    /// By the service's place in [`SERVICES`].
    pub(crate) benches: [Arc<SharedBench>; 2],
    fencing: Fencing,
    pub(crate) live: [Option<Live>; 2],
}

/// The site.
pub struct Cluster {
    pub world: Shared,
    pub(crate) config: Config,
    pub(crate) agents: [Agent; 2],
    runs: u64,
    /// Every end of a run: the goal, home, and what was said.
    pub ends: Vec<(Placement, RunOutcome)>,
    /// Carry every order out twice: every act must bear it.
    pub twice: bool,
    /// The first thing that the auditor disliked.
    pub violation: Option<String>,
    /// What happened, for the report of a failed seed.
    pub story: Vec<String>,
}

/// What an operator asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    pub at: usize,
    /// By its place in [`SERVICES`].
    pub service: usize,
    pub kind: MoveKind,
    pub goal: Placement,
    pub attested: Vec<AttestationGiven>,
}

pub(crate) fn name_of(service: usize) -> ServiceName {
    SERVICES[service].into()
}

fn agent(world: &Shared, me: usize) -> Agent {
    let boot = lock(world).machines[me].boot;
    let bench = |service: usize| {
        let journal = lock(world).machines[me].parts[service].journal.clone();
        let ledger = Ledger::replay(
            NODES[me].into(),
            boot_id(me, boot),
            name_of(service),
            false,
            journal.iter(),
        );
        let store = PretendStore {
            world: world.clone(),
            me,
            boot,
        };
        Arc::new(SharedBench::new(ledger, Box::new(store)))
    };
    let benches = [bench(0), bench(1)];
    let named = (0..2).map(|s| (name_of(s), benches[s].clone()));
    Agent {
        boot,
        hands: PretendHands {
            world: world.clone(),
            me,
            boot,
        },
        fencing: Fencing::new(named.collect()),
        benches,
        live: [None, None],
    }
}

impl Cluster {
    /// A site with the service stopped.
    pub fn new(config: Config) -> Self {
        let world: Shared = Arc::new(Mutex::new(World::default()));
        let agents = [agent(&world, 0), agent(&world, 1)];
        Self {
            world,
            config,
            agents,
            runs: 0,
            ends: Vec::new(),
            twice: false,
            violation: None,
            story: Vec::new(),
        }
    }

    /// How many services the site has.
    pub fn services(&self) -> usize {
        self.config.services.len()
    }

    /// The agent of `node` starts again: what it kept in memory is gone.
    pub fn restart_agent(&mut self, node: usize) {
        if lock(&self.world).machines[node].powered {
            lock(&self.world).machines[node].agent = true;
            self.agents[node] = agent(&self.world, node);
        }
    }

    fn tidy_dead(&mut self) {
        for i in 0..2 {
            let (alive, boot) = {
                let world = lock(&self.world);
                (
                    world.machines[i].agent && world.machines[i].powered,
                    world.machines[i].boot,
                )
            };
            if !alive {
                self.agents[i].live = [None, None];
            } else if boot != self.agents[i].boot {
                self.agents[i] = agent(&self.world, i);
            }
        }
    }

    fn audit(&mut self) {
        if self.violation.is_none()
            && let Err(why) = auditor::look(&lock(&self.world))
        {
            self.violation = Some(why);
        }
    }

    /// Does `from` get an answer from the agent of `to`?
    pub(crate) fn reaches(&self, from: usize, to: usize) -> bool {
        let world = lock(&self.world);
        from == to
            || (world.link && world.machines[to].agent_answers() && world.machines[from].answers())
    }

    /// An operator asks. `Ok` says that a run was begun.
    pub fn ask(&mut self, ask: &Ask) -> Result<(), Refusal> {
        self.tidy_dead();
        let service = ask.service;
        if self.agents[ask.at].live[service].is_some()
            || !lock(&self.world).machines[ask.at].agent_answers()
        {
            return Ok(());
        }
        let continues = matches!(
            ask.kind,
            MoveKind::Resume | MoveKind::Abort | MoveKind::Cover
        );
        let run = match newest_plan(&lock(&self.world), service) {
            Some(plan) if continues => plan.epoch.run.clone(),
            _ => {
                self.runs += 1;
                RunId::new(format!("run{}", self.runs))
            }
        };
        let may_fence = continues || matches!(ask.kind, MoveKind::Takeover | MoveKind::Start);
        let request = Request {
            kind: ask.kind,
            goal: ask.goal.clone(),
            attested: ask.attested.clone(),
            may_fence,
            accepts_old_data: false,
        };
        let mut observation = self.observe(ask.at, service);
        if continues {
            forget(&mut observation, &run);
        }
        let plan = siaga_planner::plan(&self.config, &observation, &request, &[])?;
        let home = match ask.kind {
            MoveKind::Switchover | MoveKind::Failback | MoveKind::Drill | MoveKind::Stop => {
                plan.from.clone().map(Placement::ActiveOn)
            }
            _ => None,
        };
        let mut legs = vec![ask.goal.clone()];
        if ask.kind == MoveKind::Drill {
            legs.push(Placement::ActiveOn(NODES[0].into()));
        }
        let spec = RunSpec {
            run,
            service: name_of(service),
            kind: ask.kind,
            legs,
            home,
            may_fence,
            accepts_old_data: false,
            attested: ask.attested.clone(),
        };
        self.story.push(format!(
            "{:?} of {} asked at {}",
            ask.kind, SERVICES[service], NODES[ask.at]
        ));
        let (run, effects) = Run::begin(spec);
        self.agents[ask.at].live[service] = Some(Live {
            run,
            todo: effects.into(),
            plans: 0,
            test_failed: false,
        });
        Ok(())
    }

    /// The nodes and services whose run has something to do.
    pub fn busy(&self) -> Vec<(usize, usize)> {
        let all = (0..2).flat_map(|node| (0..2).map(move |service| (node, service)));
        all.filter(|(node, service)| {
            self.agents[*node].live[*service]
                .as_ref()
                .is_some_and(|l| !l.todo.is_empty())
                && !lock(&self.world).machines[*node].frozen
        })
        .collect()
    }

    /// Carries one effect of the run of `service` on `node` out.
    pub fn step(&mut self, (node, service): (usize, usize)) {
        self.tidy_dead();
        let Some(effect) = self.agents[node].live[service]
            .as_mut()
            .and_then(|l| l.todo.pop_front())
        else {
            return;
        };
        match effect {
            Effect::Plan {
                request,
                parent,
                proofs,
                failed_fences,
            } => {
                let planned = self.plan((node, service), &request, parent, &proofs, &failed_fences);
                self.tidy_dead();
                self.hand((node, service), Input::Planned(planned));
            }
            Effect::Start(order) => {
                let mut report = self.deliver(node, &order);
                if self.twice {
                    report = self.deliver(node, &order);
                }
                if let Some(proof) = &report.proof {
                    let agent = &self.agents[node];
                    agent.benches[service].heard(proof, agent.hands.since_boot());
                }
                self.story.push(format!(
                    "{}: {} {} {:?}",
                    SERVICES[service],
                    order.step.node,
                    order.step.action.name(),
                    report.outcome
                ));
                self.audit();
                self.tidy_dead();
                if let Some(live) = self.agents[node].live[service].as_mut()
                    && order.step.action == Action::ClientTest
                {
                    live.test_failed = !report.outcome.is_done();
                }
                self.hand(
                    (node, service),
                    Input::StepDone {
                        plan: order.plan,
                        step: order.step.id,
                        report,
                    },
                );
            }
            Effect::Record(body) => {
                let mut world = lock(&self.world);
                if world.machines[node].agent {
                    world.machines[node].parts[service].journal.push(*body);
                }
            }
            Effect::Ended(outcome) => {
                self.story
                    .push(format!("{}: ended {outcome:?}", SERVICES[service]));
                self.agents[node].live[service] = None;
            }
        }
        self.audit();
    }

    /// Is what the run says true at the moment when it says so?
    fn judge(&mut self, spec: &RunSpec, outcome: RunOutcome) {
        let goal = spec.legs.last().cloned().unwrap_or(Placement::Stopped);
        let home = match &spec.home {
            Some(Placement::ActiveOn(node)) => Some(index(node)),
            _ => None,
        };
        // A fault, or another run's fence, may have struck between the last step and the end: only the rules of the
        // world are judged then.
        let struck = {
            let world = lock(&self.world);
            world.fault.is_some()
                || world
                    .machines
                    .iter()
                    .any(|m| m.powered && (m.cut || m.frozen))
                || matches!(&goal, Placement::ActiveOn(n) if !world.machines[index(n)].powered)
        };
        if !struck
            && self.violation.is_none()
            && let Err(why) = auditor::judge_end(
                &lock(&self.world),
                place(&spec.service),
                &goal,
                home,
                &outcome,
            )
        {
            self.violation = Some(why);
        }
        self.ends.push((goal, outcome));
    }

    fn hand(&mut self, (node, service): (usize, usize), input: Input) {
        let Some(live) = self.agents[node].live[service].as_mut() else {
            return;
        };
        let effects = live.run.handle(input);
        live.todo.extend(effects.iter().cloned());
        let spec = live.run.spec().clone();
        let test_failed = live.test_failed;
        for effect in effects {
            if let Effect::Ended(outcome) = effect {
                if test_failed {
                    self.ends.push((Placement::Stopped, outcome));
                } else {
                    self.judge(&spec, outcome);
                }
            }
        }
    }

    fn plan(
        &mut self,
        (node, service): (usize, usize),
        request: &Request,
        parent: Option<PlanId>,
        proofs: &[ProofRecord],
        failed: &[(NodeName, String)],
    ) -> Result<Box<MandatedPlan>, Refusal> {
        let Some(live) = self.agents[node].live[service].as_mut() else {
            return Err(log_refusal("the agent is gone"));
        };
        live.plans += 1;
        let (run, number) = (live.run.spec().run.clone(), live.plans);
        let mut observation = self.observe(node, service);
        forget(&mut observation, &run);
        for (victim, device) in failed {
            if let Some(view) = observation.nodes.get_mut(victim) {
                for fence in view.fences.iter_mut().filter(|f| &f.name == device) {
                    fence.state = FenceState::Failed {
                        why: "it failed in this run".into(),
                    };
                }
            }
        }
        let plan = siaga_planner::plan(&self.config, &observation, request, proofs)?;
        let peers: Vec<_> = observation
            .nodes
            .iter()
            .filter(|(n, _)| n.as_str() != NODES[node])
            .collect();
        let elsewhere: Vec<_> = peers
            .iter()
            .filter_map(|(_, v)| v.agent.facts()?.ledger.highest.clone())
            .collect();
        let hit_mandates = self.hit_mandates(node, &run, &plan, &observation)?;
        let mut bench = self.agents[node].benches[service].lock();
        let Bench { ledger, store, .. } = &mut *bench;
        let epoch = ledger
            .next_epoch(&run, &elsewhere, true)
            .map_err(|e| log_refusal(&e.to_string()))?;
        let mandated = MandatedPlan {
            id: PlanId::new(format!("{run}.{number}.{}", epoch.counter)),
            parent,
            epoch,
            coordinator: NODES[node].into(),
            hit_mandates,
            plan,
        };
        ledger
            .begin(store.as_mut(), mandated.clone(), Vec::new())
            .map_err(|e| log_refusal(&e.to_string()))?;
        self.agents[node].fencing.bound(&mandated);
        Ok(Box::new(mandated))
    }

    /// The mandates of the other services that a fence of the plan needs.
    fn hit_mandates(
        &self,
        node: usize,
        run: &RunId,
        plan: &Plan,
        observation: &Observation,
    ) -> Result<Vec<HitMandate>, Refusal> {
        let agent = &self.agents[node];
        let of = |live: &Option<Live>, run: &RunId| {
            live.as_ref().is_some_and(|l| &l.run.spec().run == run)
        };
        let is_live = |run: &RunId| agent.live.iter().any(|live| of(live, run));
        let mut mandates = Vec::new();
        for hit in &plan.hits {
            let seen = observation.neighbours.iter();
            let mut seen = seen.filter(|n| n.service == hit.service);
            let elsewhere = seen.next().map_or(&[][..], |n| &n.mandates[..]);
            let asked = ForFence {
                victim: &hit.victim,
                run,
                elsewhere,
                answers_for: true,
                is_live: &is_live,
            };
            let mut bench = agent.benches[place(&hit.service)].lock();
            let Bench { ledger, store, .. } = &mut *bench;
            let epoch = ledger.mandate_for_fence(store.as_mut(), &asked);
            mandates.push(HitMandate {
                victim: hit.victim.clone(),
                service: hit.service.clone(),
                epoch: epoch.map_err(|e| log_refusal(&e.to_string()))?,
            });
        }
        Ok(mandates)
    }

    fn deliver(&mut self, from: usize, order: &Order) -> StepReport {
        let to = index(&order.step.node);
        if !self.reaches(from, to) {
            let failure = StepFailure::new(FailureKind::Unreachable, "no answer");
            return report(StepOutcome::Failed(failure));
        }
        let agent = &self.agents[to];
        let executor = Executor {
            hands: &agent.hands,
            others: vec![NODES[1 - to].into()],
            bench: &agent.benches[place(&order.service)],
            fencing: &agent.fencing,
        };
        let report_made = executor.execute(order, &|_| {});
        // A partition that came while the order was carried out eats the answer.
        if self.reaches(from, to) {
            report_made
        } else {
            report(StepOutcome::Unknown {
                why: "the answer was lost".into(),
            })
        }
    }

    /// Lets every run go on until nothing is left to do.
    pub fn settle(&mut self) {
        while let Some(next) = self.busy().first().copied() {
            self.step(next);
        }
        self.tidy_dead();
    }
}
