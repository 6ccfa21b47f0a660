//! Every verb that orders a move: plan first, a typed confirmation where it stops a service, then the run is watched
//! to its end and its result is said.

use crate::args::Global;
use crate::client::CallError;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::{args, follow, show};
use clap::ValueEnum;
use siaga_model::api::{AttestRequest, MoveAnswer, MoveRequest, RunView};
use siaga_model::plan::{Action, MoveKind, Plan};
use siaga_model::proof::AttestKind;
use siaga_model::refusal::Refusal;
use siaga_model::{NodeName, PersonName, ServiceName};
use siaga_words::{Screen, Ui, ui};

/// Options of every move.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct MoveArgs {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Why; it goes into the log book as the cause.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// You say, under your name, that this node can't touch the disk set any more. Needs --how.
    #[arg(long, value_name = "NODE", requires = "how", value_parser = args::node)]
    pub attest_off: Vec<NodeName>,
    /// What was done to the node of --attest-off.
    #[arg(long, value_name = "HOW", value_enum, requires = "attest_off")]
    pub how: Vec<How>,
    /// Only show the plan, its evidence, and what this preview can't prove.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON on standard output, and nothing else.
    #[arg(long)]
    pub json: bool,
    /// The key of an order whose answer was lost: the order is carried out once, however often it is given.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Do not ask for the typed confirmation; for scripts.
    #[arg(long)]
    pub yes: bool,
}

/// What a person did to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum How {
    /// All power cords are out.
    Unplugged,
    /// Switched off at its button or at the rack.
    SwitchedOff,
    /// Its way to the storage is cut; the machine may still run.
    StorageDisconnected,
}

impl From<How> for AttestKind {
    fn from(how: How) -> Self {
        match how {
            How::Unplugged => AttestKind::Unplugged,
            How::SwitchedOff => AttestKind::SwitchedOff,
            How::StorageDisconnected => AttestKind::StorageDisconnected,
        }
    }
}

/// What only some moves take.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    pub to: Option<NodeName>,
    pub accept_old_data: bool,
    pub requested_by: Option<PersonName>,
    pub approved_by: Option<PersonName>,
}

/// Carries out a verb that moves.
///
/// # Errors
/// Where it can't be asked, or its end can't be seen.
pub fn run(
    global: &Global,
    kind: MoveKind,
    options: &MoveArgs,
    extra: Extra,
) -> Result<Exit, Fault> {
    let attest = attestations(options)?;
    let term = crate::term::Term::look();
    let asks = confirms(kind) == Confirm::Always && !options.yes && !options.dry_run;
    if asks && !term.interactive {
        return Err(no_terminal(global));
    }
    let ctx = Context::connect(global)?;
    let request = MoveRequest {
        kind,
        service: options.service.clone(),
        to: extra.to,
        reason: options.reason.clone(),
        attest,
        accept_old_data: extra.accept_old_data,
        dry_run: options.dry_run,
        idempotency_key: match &options.key {
            Some(key) => key.clone(),
            None => fresh_key()?,
        },
        requested_by: extra.requested_by,
        approved_by: extra.approved_by,
        stated_actor: ctx.stated.clone(),
        forwarded_actor: None,
        forwarded_person: None,
    };
    if options.dry_run {
        return preview(&ctx, &request, options.json);
    }
    if !options.yes
        && confirms(kind) != Confirm::Never
        && let Some(exit) = confirmed(&ctx, &request, options, global)?
    {
        return Ok(exit);
    }
    order(&ctx, &request, options.json)
}

/// Sends the order, watches the run, says its result.
///
/// # Errors
/// Where the agent can't be asked, or the run's end can't be seen.
pub fn order(ctx: &Context, request: &MoveRequest, json: bool) -> Result<Exit, Fault> {
    match send(ctx, request)? {
        MoveAnswer::Accepted {
            run, coordinator, ..
        } => {
            eprintln!(
                "{}",
                ctx.say(Screen::Accepted {
                    run: run.clone(),
                    coordinator
                })
            );
            let view = follow::follow(ctx, &run)?;
            finish(ctx, &view, json)
        }
        MoveAnswer::Refused { refusal } => {
            show::refusal::print(ctx, Some(request), &refusal, json)?;
            Ok(Exit::Refused)
        }
        MoveAnswer::Unknown { refusal, .. } => unknown(ctx, request, &refusal, json),
        MoveAnswer::DryRun { .. } => Err(Fault::Call(CallError::Malformed {
            why: siaga_words::why(&ctx.voice, &siaga_model::Why::PreviewNotAsked),
        })),
    }
}

/// Asks the agent. A request whose answer was lost is asked once more: its key makes both one request.
///
/// # Errors
/// Where the agent can't be asked.
pub fn send(ctx: &Context, request: &MoveRequest) -> Result<MoveAnswer, CallError> {
    let first = ctx.client.post("/v1/moves", request, LOOK);
    if !matches!(
        first,
        Err(CallError::Silent { .. }) | Ok(MoveAnswer::Unknown { .. })
    ) {
        return first;
    }
    match ctx.client.post("/v1/moves", request, LOOK) {
        // What is refused now may have begun by the first try: that is still not known.
        Ok(MoveAnswer::Refused { .. }) if !request.dry_run => first,
        Err(CallError::NotReachable { .. } | CallError::Silent { .. }) => first,
        answer => answer,
    }
}

/// The order may have begun, or not: what to look at, and how it is given again without being carried out twice.
fn unknown(
    ctx: &Context,
    request: &MoveRequest,
    refusal: &Refusal,
    json: bool,
) -> Result<Exit, Fault> {
    show::refusal::print(ctx, Some(request), refusal, json)?;
    eprintln!(
        "{}",
        ctx.say(Screen::SameKey {
            key: request.idempotency_key.clone()
        })
    );
    Ok(Exit::NoAgent)
}

fn finish(ctx: &Context, view: &RunView, json: bool) -> Result<Exit, Fault> {
    let exit = Exit::of_run(&view.report, view.result.as_ref());
    if json {
        show::json(&view.report)?;
    } else {
        show::result::print(ctx, view);
    }
    Ok(exit)
}

/// `--dry-run`.
fn preview(ctx: &Context, request: &MoveRequest, json: bool) -> Result<Exit, Fault> {
    match send(ctx, request)? {
        MoveAnswer::Refused { refusal } | MoveAnswer::Unknown { refusal, .. } => {
            show::refusal::print(ctx, Some(request), &refusal, json)?;
            Ok(Exit::Refused)
        }
        answer if json => show::json(&answer).map(|()| Exit::Done),
        MoveAnswer::DryRun { plan, .. } | MoveAnswer::Accepted { plan, .. } => {
            crate::term::out(&show::plan::text(ctx, &plan));
            crate::term::out(&ui(&ctx.voice, Ui::DryRunNothingChanged));
            crate::term::out(&ui(&ctx.voice, Ui::DryRunNoPromise));
            Ok(Exit::Done)
        }
    }
}

/// Shows the plan and asks. `None`: go on.
fn confirmed(
    ctx: &Context,
    request: &MoveRequest,
    options: &MoveArgs,
    global: &Global,
) -> Result<Option<Exit>, Fault> {
    let asked = MoveRequest {
        dry_run: true,
        // A key that the person gave may have begun a run already: then nothing is left to confirm.
        idempotency_key: match &options.key {
            Some(key) => key.clone(),
            None => fresh_key()?,
        },
        ..request.clone()
    };
    let plan = match send(ctx, &asked)? {
        MoveAnswer::Refused { refusal } | MoveAnswer::Unknown { refusal, .. } => {
            show::refusal::print(ctx, Some(request), &refusal, options.json)?;
            return Ok(Some(Exit::Refused));
        }
        MoveAnswer::Accepted { .. } if options.key.is_some() => return Ok(None),
        MoveAnswer::DryRun { plan, .. } | MoveAnswer::Accepted { plan, .. } => plan,
    };
    if confirms(request.kind) == Confirm::WhereItStops && !cuts(&plan) {
        return Ok(None);
    }
    if !ctx.term.interactive {
        return Err(no_terminal(global));
    }
    eprintln!("{}", show::plan::text(ctx, &plan));
    warn(ctx, request.kind);
    if typed(ctx, plan.service.as_str())? {
        return Ok(None);
    }
    eprintln!("{}", ui(&ctx.voice, Ui::Aborted));
    Ok(Some(Exit::Restored))
}

/// Says that clients will notice, before the confirmation. A takeover stops nothing that still runs.
pub fn warn(ctx: &Context, kind: MoveKind) {
    if confirms(kind) == Confirm::Always && kind != MoveKind::Takeover {
        eprintln!(
            "{} {}",
            ui(&ctx.voice, Ui::StopsService),
            ui(&ctx.voice, Ui::InformUnitsFirst)
        );
    }
}

/// Asks for `word` to be typed. Anything else is a no.
///
/// # Errors
/// Where the terminal fails, or Ctrl-C.
pub fn typed(ctx: &Context, word: &str) -> Result<bool, CallError> {
    let question = ctx.say(Screen::TypeToGoOn {
        word: word.to_owned(),
    });
    Ok(ctx.term.ask(&ctx.client, &question)?.as_deref() == Some(word))
}

/// When a verb asks for the typed confirmation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Confirm {
    Always,
    /// Only where its plan stops a database or fences a node.
    WhereItStops,
    Never,
}

fn confirms(kind: MoveKind) -> Confirm {
    match kind {
        MoveKind::Takeover
        | MoveKind::Switchover
        | MoveKind::Failback
        | MoveKind::Drill
        | MoveKind::Restart
        | MoveKind::Stop => Confirm::Always,
        MoveKind::Start | MoveKind::Resume => Confirm::WhereItStops,
        // Abort brings back what was; it is asked for in haste.
        MoveKind::Abort | MoveKind::Restore | MoveKind::Cover => Confirm::Never,
    }
}

fn cuts(plan: &Plan) -> bool {
    let cut = |a: &Action| {
        matches!(
            a,
            Action::StopDatabase | Action::StopApplications | Action::Fence { .. }
        )
    };
    plan.steps.iter().any(|s| cut(&s.action))
}

/// The usage error of a script that forgot `--yes`.
pub fn no_terminal(global: &Global) -> Fault {
    Fault::Usage(siaga_words::screen(
        crate::language::first(global),
        &Screen::NoTerminal,
    ))
}

fn attestations(options: &MoveArgs) -> Result<Vec<AttestRequest>, Fault> {
    if options.attest_off.len() != options.how.len() {
        return Err(Fault::Usage(
            "error: every --attest-off NODE needs a --how of its own: unplugged, switched-off or \
             storage-disconnected"
                .to_owned(),
        ));
    }
    let pairs = options.attest_off.iter().zip(&options.how);
    Ok(pairs
        .map(|(node, how)| AttestRequest {
            node: node.clone(),
            how: (*how).into(),
        })
        .collect())
}

/// A key that no other request has.
///
/// # Errors
/// Where the kernel gives no random number.
pub fn fresh_key() -> Result<String, Fault> {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid")
        .map(|uuid| uuid.trim().to_owned())
        .map_err(|e| Fault::Local(format!("/proc/sys/kernel/random/uuid: {e}")))
}
