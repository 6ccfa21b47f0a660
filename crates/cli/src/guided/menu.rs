//! What can be done in a state: the recommended act first, the rest by number.

use crate::context::Context;
use crate::show;
use siaga_model::api::{ServiceStatus, VerdictState};
use siaga_model::plan::MoveKind;
use siaga_model::refusal::Advice;
use siaga_model::{NodeName, RunId, ServiceName};
use siaga_words::{Screen, Ui, advice, ui};

/// One act of the menu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    Move(MoveKind),
    /// A takeover for which somebody has to go to that node first.
    AttestedTakeover(NodeName),
    Check,
    Diagnose,
    Log,
    Power {
        node: NodeName,
        on: bool,
    },
    Watch(RunId),
}

/// What the person chose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    Act { act: Act, service: ServiceName },
    LookAgain,
    OtherService,
    Quit,
}

/// The acts in the order of their numbers.
pub struct Menu {
    service: ServiceName,
    recommended: Vec<Act>,
    others: Vec<Act>,
    several_services: bool,
}

impl Menu {
    /// The menu of a service's state.
    pub fn of(service: &ServiceStatus, several_services: bool) -> Self {
        let mut recommended: Vec<Act> = Vec::new();
        for act in service
            .verdict
            .advice
            .iter()
            .filter_map(|a| of_advice(a, service))
        {
            if !recommended.contains(&act) {
                recommended.push(act);
            }
        }
        let mut others = Vec::new();
        if let Some(run) = &service.run {
            match run.live {
                true => others.push(Act::Watch(run.run.clone())),
                false => others.push(Act::Move(MoveKind::Resume)),
            }
            others.push(Act::Move(MoveKind::Abort));
        }
        others.extend(of_state(service.verdict.state));
        others.push(Act::Log);
        let mut kept: Vec<Act> = Vec::new();
        for act in others {
            if !recommended.contains(&act) && !kept.contains(&act) {
                kept.push(act);
            }
        }
        let name = service.observation.service.clone();
        Self {
            service: name,
            recommended,
            others: kept,
            several_services,
        }
    }

    /// The menu as it is printed.
    pub fn text(&self, ctx: &Context, service: &ServiceStatus) -> String {
        let by_hand: Vec<Advice> = service
            .verdict
            .advice
            .iter()
            .filter(|a| of_advice(a, service).is_none())
            .cloned()
            .collect();
        let mut lines = vec![String::new()];
        if !self.recommended.is_empty() || !by_hand.is_empty() {
            lines.push(ui(&ctx.voice, Ui::Recommended));
        }
        lines.extend(show::status::advice_lines(ctx, &by_hand));
        let numbered =
            |(number, act): (usize, &Act)| format!("  {number}. {}", self.label(ctx, act));
        lines.extend((1..).zip(&self.recommended).map(numbered));
        lines.push(ui(&ctx.voice, Ui::OtherChoices));
        lines.extend(
            (self.recommended.len() + 1..)
                .zip(&self.others)
                .map(numbered),
        );
        if self.several_services {
            lines.push(format!("  s. {}", ctx.say(Screen::ChooseOther)));
        }
        lines.push(format!("  Enter. {}", ui(&ctx.voice, Ui::MenuLookAgain)));
        lines.push(format!("  q. {}", ui(&ctx.voice, Ui::MenuQuit)));
        lines.join("\n")
    }

    /// What an answer means. `None`: not understood.
    pub fn choice(&self, answer: &str) -> Option<Choice> {
        match answer {
            "" => return Some(Choice::LookAgain),
            "q" | "Q" => return Some(Choice::Quit),
            "s" | "S" if self.several_services => return Some(Choice::OtherService),
            _ => {}
        }
        let number: usize = answer.parse().ok()?;
        let act = self
            .recommended
            .iter()
            .chain(&self.others)
            .nth(number.checked_sub(1)?)?;
        Some(Choice::Act {
            act: act.clone(),
            service: self.service.clone(),
        })
    }

    fn label(&self, ctx: &Context, act: &Act) -> String {
        let service = self.service.clone();
        let purpose = |act: Advice| advice(&ctx.voice, &act).purpose;
        match act {
            Act::Move(MoveKind::Takeover) => purpose(Advice::Takeover { service }),
            Act::Move(MoveKind::Switchover) => purpose(Advice::Switchover { service }),
            Act::Move(MoveKind::Failback) => purpose(Advice::Failback { service }),
            Act::Move(MoveKind::Start) => purpose(Advice::Start { service }),
            Act::Move(MoveKind::Restart) => purpose(Advice::Restart { service }),
            Act::Move(MoveKind::Drill) => ctx.say(Screen::MenuDrill { service }),
            Act::Move(MoveKind::Stop) => ctx.say(Screen::MenuStop { service }),
            Act::Move(MoveKind::Abort) => purpose(Advice::Abort),
            Act::Move(MoveKind::Resume | MoveKind::Restore | MoveKind::Cover) => {
                purpose(Advice::Resume)
            }
            Act::AttestedTakeover(node) => {
                ctx.say(Screen::MenuAttestTakeover { node: node.clone() })
            }
            Act::Check => purpose(Advice::Check),
            Act::Diagnose => purpose(Advice::Diagnose),
            Act::Log => ui(&ctx.voice, Ui::MenuLog),
            Act::Power { node, on: true } => purpose(Advice::PowerOn { node: node.clone() }),
            Act::Power { node, on: false } => purpose(Advice::PowerOff { node: node.clone() }),
            Act::Watch(run) => ctx.say(Screen::MenuWatch { run: run.clone() }),
        }
    }
}

/// An advice as an act of the menu; `None` for what is done by hand.
fn of_advice(advice: &Advice, service: &ServiceStatus) -> Option<Act> {
    match advice {
        Advice::Takeover { .. } => Some(Act::Move(MoveKind::Takeover)),
        Advice::Switchover { .. } => Some(Act::Move(MoveKind::Switchover)),
        Advice::Failback { .. } => Some(Act::Move(MoveKind::Failback)),
        Advice::Start { .. } => Some(Act::Move(MoveKind::Start)),
        Advice::Restart { .. } => Some(Act::Move(MoveKind::Restart)),
        Advice::Resume => Some(Act::Move(MoveKind::Resume)),
        Advice::Abort => Some(Act::Move(MoveKind::Abort)),
        Advice::Again { kind } => Some(Act::Move(*kind)),
        Advice::AttestAfter { node, .. } => Some(Act::AttestedTakeover(node.clone())),
        Advice::Diagnose => Some(Act::Diagnose),
        Advice::Check => Some(Act::Check),
        Advice::PowerOn { node } => Some(Act::Power {
            node: node.clone(),
            on: true,
        }),
        Advice::PowerOff { node } => Some(Act::Power {
            node: node.clone(),
            on: false,
        }),
        Advice::WaitForRun { run } => match &service.run {
            Some(live) if live.live => Some(Act::Watch(run.clone())),
            _ => None,
        },
        Advice::Status
        | Advice::AcceptOldData
        | Advice::ResumeWithOldData
        | Advice::FreeFolder { .. }
        | Advice::AcceptLoss
        | Advice::FindStranger { .. }
        | Advice::UnmountByHand { .. }
        | Advice::RepairFence { .. }
        | Advice::FreeSpace { .. } => None,
    }
}

/// What makes sense in a state. Whether it may be is the agent's to say.
fn of_state(state: VerdictState) -> Vec<Act> {
    use MoveKind as M;
    let (moves, looks): (&[MoveKind], &[Act]) = match state {
        VerdictState::Running => (
            &[M::Switchover, M::Failback, M::Drill, M::Restart, M::Stop],
            &[Act::Check, Act::Diagnose],
        ),
        VerdictState::Stopped => (&[M::Start], &[Act::Check, Act::Diagnose]),
        VerdictState::Down => (
            &[M::Takeover, M::Restart, M::Start],
            &[Act::Diagnose, Act::Check],
        ),
        VerdictState::InTransition => (&[], &[Act::Diagnose]),
        VerdictState::Stuck => (&[M::Resume, M::Abort], &[Act::Diagnose, Act::Check]),
        VerdictState::Unknown | VerdictState::Danger => {
            (&[M::Takeover], &[Act::Diagnose, Act::Check])
        }
    };
    looks
        .iter()
        .cloned()
        .chain(moves.iter().map(|m| Act::Move(*m)))
        .collect()
}
