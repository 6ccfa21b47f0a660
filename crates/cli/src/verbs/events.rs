//! `siaga events`: the event log, filtered, followed, exported, verified.

use crate::args::{self, Global};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{no_terminal, typed};
use crate::term::{Tone, out};
use crate::{show, when};
use siaga_model::api::{
    AcceptDataRequest, AcceptLossAnswer, AcceptLossRequest, EventView, EventsAnswer, VerifyAnswer,
};
use siaga_model::{NodeName, ServiceName};
use siaga_words::{Screen, Setup, Ui, setup, ui};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Show the event log of both nodes, in one order
///
/// Times are in the site's zone; JSON and CSV have UTC.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Option<EventsVerb>,
    #[command(flatten)]
    pub filter: Filter,
    /// Go on with what comes, until Ctrl-C.
    #[arg(long)]
    pub follow: bool,
    /// Print JSON: one event per line.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV.
    #[arg(long)]
    pub csv: bool,
}

/// Which events.
#[derive(clap::Args, Debug, Clone)]
pub struct Filter {
    /// Only this service's.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Only this run's.
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Only this kind, as the JSON names it: run_accepted, step_finished …
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only from then on: 2h, 30m, 3d, a date, a date and time in the site's zone, or RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// The newest N.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
}

const EXAMPLES: &str = "Examples:
  siaga events --since 2h
  siaga events --follow
  siaga events --run RUN --json
  siaga events --csv --limit 5000 > events.csv
  siaga events verify";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum EventsVerb {
    /// Verify every row of both nodes: signatures, chain, order
    #[command(after_help = "Examples:\n  siaga events verify\n  siaga events verify --json")]
    Verify {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Attest that nothing in the lost logs of both nodes is in force any more
    ///
    /// Only where both nodes lost their event logs: then neither can tell what was promised, and both refuse to move
    /// anything. Make sure first that the service runs nowhere and that nobody moved it by hand.
    #[command(
        after_help = "Examples:\n  siaga events accept-loss --reason \"both system disks were replaced\""
    )]
    AcceptLoss {
        /// What happened; it goes into the log under your name.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say that the data on the disk set is meant as it is: a backup was restored
    ///
    /// Siaga starts no database that is older than what it last saw, or another one: whoever writes to it loses what is
    /// newer elsewhere. Say so only where you restored it yourself. Then give the order again.
    #[command(
        after_help = "Examples:\n  siaga events accept-data --service simrs --reason \"restored from the backup of Sunday\""
    )]
    AcceptData(AcceptData),
}

/// What `accept-data` asks.
#[derive(clap::Args, Debug, Clone)]
pub struct AcceptData {
    /// The service.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: ServiceName,
    /// What happened; it goes into the log under your name.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Do not ask for the typed confirmation; for scripts.
    #[arg(long)]
    pub yes: bool,
}

/// How long one long poll is held.
const POLL: Duration = Duration::from_secs(10);
/// The least time between two polls that brought nothing.
const AGAIN: Duration = Duration::from_millis(500);

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    match &args.verb {
        Some(EventsVerb::Verify { json }) => return verify(&ctx, *json),
        Some(EventsVerb::AcceptLoss { reason, json }) => return accept_loss(&ctx, reason, *json),
        Some(EventsVerb::AcceptData(args)) => return accept_data(global, &ctx, args),
        None => {}
    }
    let query = query(&ctx, &args.filter)?;
    let first: EventsAnswer = ctx.client.get(&format!("/v1/events?{query}"), LOOK)?;
    let mut printer = Printer {
        ctx: &ctx,
        args,
        seen: BTreeMap::new(),
        began: false,
    };
    printer.print(first.events)?;
    if args.follow {
        follow(&ctx, &query, first.next, &mut printer)?;
    }
    Ok(Exit::Done)
}

fn query(ctx: &Context, filter: &Filter) -> Result<String, Fault> {
    let mut parts = vec![format!("limit={}", filter.limit)];
    if let Some(service) = &filter.service {
        parts.push(format!("service={}", encoded(service.as_str())));
    }
    if let Some(run) = &filter.run {
        parts.push(format!("run={}", encoded(run)));
    }
    if let Some(kind) = &filter.kind {
        parts.push(format!("kind={}", encoded(kind)));
    }
    if let Some(since) = &filter.since {
        let at =
            when::since(since, &ctx.site.time_zone, when::now()).map_err(|when::NotATime| {
                Fault::Usage(setup(
                    ctx.voice.language,
                    &Setup::NotATime {
                        option: "--since".into(),
                        text: since.clone(),
                    },
                ))
            })?;
        parts.push(format!("since={}", at.0));
    }
    Ok(parts.join("&"))
}

fn follow(
    ctx: &Context,
    query: &str,
    mut next: u64,
    printer: &mut Printer<'_>,
) -> Result<(), Fault> {
    loop {
        let path = format!(
            "/v1/events?{query}&follow_after={next}&wait_ms={}",
            POLL.as_millis()
        );
        let asked = Instant::now();
        let answer: EventsAnswer = ctx.client.get_ticking(&path, POLL * 3, || {})?;
        next = answer.next;
        if !printer.print(answer.events)? && asked.elapsed() < AGAIN {
            ctx.client.pause(AGAIN)?;
        }
    }
}

/// Prints each event once: a following answer holds old ones too.
struct Printer<'a> {
    ctx: &'a Context,
    args: &'a Args,
    /// The newest row printed of each node's incarnation.
    seen: BTreeMap<(NodeName, u32), u64>,
    began: bool,
}

impl Printer<'_> {
    /// True where something was new.
    fn print(&mut self, events: Vec<EventView>) -> Result<bool, Fault> {
        let mut news = Vec::new();
        for view in events {
            let newest = self
                .seen
                .entry((view.node.clone(), view.incarnation))
                .or_default();
            if view.seq > *newest {
                *newest = view.seq;
                news.push(view);
            }
        }
        if self.args.csv {
            self.csv(&news);
            return Ok(!news.is_empty());
        }
        for view in &news {
            if self.args.json {
                out(&serde_json::to_string(view).map_err(|e| Fault::Local(e.to_string()))?);
            } else {
                out(&show::event::line(self.ctx, view));
            }
        }
        Ok(!news.is_empty())
    }

    /// The heading only once.
    fn csv(&mut self, news: &[EventView]) {
        let text = siaga_journal::csv::events_csv(news);
        let text = match std::mem::replace(&mut self.began, true) {
            true => text.split_once("\r\n").map_or("", |(_, rows)| rows),
            false => text.as_str(),
        };
        if !text.is_empty() {
            out(text.trim_end());
        }
    }
}

fn accept_loss(ctx: &Context, reason: &str, json: bool) -> Result<Exit, Fault> {
    let request = AcceptLossRequest {
        reason: reason.to_owned(),
        stated_actor: ctx.stated.clone(),
    };
    let answer: AcceptLossAnswer = ctx.client.post("/v1/events/accept-loss", &request, LOOK)?;
    accepted(ctx, &answer, &ctx.say(Screen::LossAccepted), json)
}

/// Asks for the service's name, typed, and says it under the person's own.
fn accept_data(global: &Global, ctx: &Context, args: &AcceptData) -> Result<Exit, Fault> {
    if !args.yes {
        if !ctx.term.interactive {
            return Err(no_terminal(global));
        }
        eprintln!("{}", ui(&ctx.voice, Ui::AcceptDataAsked));
        if !typed(ctx, args.service.as_str())? {
            eprintln!("{}", ui(&ctx.voice, Ui::Aborted));
            return Ok(Exit::Restored);
        }
    }
    let request = AcceptDataRequest {
        service: args.service.clone(),
        reason: args.reason.clone(),
        stated_actor: ctx.stated.clone(),
    };
    let answer: AcceptLossAnswer = ctx.client.post("/v1/events/accept-data", &request, LOOK)?;
    let said = ui(&ctx.voice, Ui::DataAccepted);
    accepted(ctx, &answer, &said, args.json)
}

fn accepted(
    ctx: &Context,
    answer: &AcceptLossAnswer,
    said: &str,
    json: bool,
) -> Result<Exit, Fault> {
    if json {
        show::json(answer)?;
    }
    let (exit, text) = match answer {
        AcceptLossAnswer::Accepted => (Exit::Done, said.to_owned()),
        AcceptLossAnswer::Refused { refusal } => {
            (Exit::Refused, siaga_words::refusal(&ctx.voice, refusal))
        }
        AcceptLossAnswer::Failed { why } => (Exit::Failed, siaga_words::why(&ctx.voice, why)),
    };
    match (json, exit) {
        (true, _) => {}
        (false, Exit::Done) => out(&text),
        (false, _) => eprintln!("{text}"),
    }
    Ok(exit)
}

fn verify(ctx: &Context, json: bool) -> Result<Exit, Fault> {
    let answer: VerifyAnswer = ctx.client.get("/v1/events/verify", LOOK)?;
    let whole = answer.problems.is_empty();
    if json {
        show::json(&answer)?;
    } else if whole {
        out(&ctx.term.out(Tone::Good, &ui(&ctx.voice, Ui::LogWhole)));
        out(&ui(&ctx.voice, Ui::LogTail));
    } else {
        out(&ctx.term.out(Tone::Bad, &ui(&ctx.voice, Ui::LogTampered)));
        answer.problems.iter().for_each(|problem| {
            out(&format!(
                "  - {}",
                siaga_words::log_problem(&ctx.voice, problem)
            ))
        });
    }
    Ok(if whole { Exit::Done } else { Exit::Failed })
}
