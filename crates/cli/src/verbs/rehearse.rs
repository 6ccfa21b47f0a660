//! `siaga rehearse`: the service started on the standby from a copy, without downtime.

use crate::args::{self, Global};
use crate::client::{CallError, encoded};
use crate::context::{Context, LOOK, QUICK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use siaga_model::rehearsal::{
    RehearsalAnswer, RehearsalOutcome, RehearsalReport, RehearsalRequest, RehearsalStage,
    RehearsalStop, RehearsalView,
};
use siaga_model::{NodeName, ServiceName, Why};
use std::time::{Duration, Instant};

/// Start the service on the standby from a copy of its data, without downtime
///
/// The data of the running service is copied, slowly, to the standby's own disk. There PostgreSQL is started with the
/// standby's own programs and configuration, where nothing can reach anything else; it is tested, measured and thrown
/// away. The running service is not touched. A move that begins goes first.
///
/// Exit code 0 says that it passed; 1 that it did not; 3 that it was refused.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "latihan", after_help = EXAMPLES)]
pub struct Args {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga rehearse
  siaga latihan --lang id
  siaga rehearse --json";

/// Until the standby has begun: the holder measures its data.
const BEGIN: Duration = Duration::from_secs(240);
/// How long one question for the progress is held.
const POLL: Duration = Duration::from_secs(5);
/// How long the standby may be silent meanwhile.
const SILENT_AT_MOST: u32 = 20;
const AGAIN: Duration = Duration::from_secs(1);
/// Two signals within this are one Ctrl-C.
const ONE_PRESS: Duration = Duration::from_secs(2);

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let request = RehearsalRequest {
        service: args.service.clone(),
        stated_actor: ctx.stated.clone(),
        forwarded_actor: None,
        forwarded_person: None,
    };
    let answer: RehearsalAnswer = ctx.client.post("/v1/rehearsals", &request, BEGIN)?;
    let (service, node) = match answer {
        RehearsalAnswer::Started { service, node } => (service, node),
        RehearsalAnswer::Refused { refusal } => {
            match args.json {
                true => {
                    let service = args.service.as_ref();
                    show::json(&show::rehearsal::refused(service, &refusal))?;
                }
                false => eprintln!("{}", siaga_words::refusal(&ctx.voice, &refusal)),
            }
            return Ok(Exit::Refused);
        }
    };
    let watched = Watched {
        ctx: &ctx,
        service,
        node,
    };
    let (report, interrupted) = watched.to_its_end()?;
    match args.json {
        true => show::json(&report)?,
        false => show::rehearsal::print(&ctx, &report),
    }
    Ok(match report.outcome {
        _ if interrupted => Exit::Interrupted,
        RehearsalOutcome::Passed => Exit::Done,
        RehearsalOutcome::Failed => Exit::Failed,
        RehearsalOutcome::Refused => Exit::Refused,
    })
}

struct Watched<'a> {
    ctx: &'a Context,
    service: ServiceName,
    node: NodeName,
}

impl Watched<'_> {
    /// Waits for the report. Ctrl-C breaks it off, and its end is waited for all the same: the copy has to go.
    fn to_its_end(&self) -> Result<(Box<RehearsalReport>, bool), Fault> {
        let path = format!(
            "/v1/rehearsals?service={}&node={}&wait_ms={}",
            encoded(self.service.as_str()),
            encoded(self.node.as_str()),
            POLL.as_millis()
        );
        let (mut interrupted, mut silent) = (None::<Instant>, 0);
        let mut said = None;
        loop {
            let view = self
                .ctx
                .client
                .get_ticking::<RehearsalView>(&path, LOOK, || {});
            match view {
                Ok(RehearsalView {
                    stage: None,
                    report,
                }) => {
                    let report = report.ok_or_else(|| self.lost(&Why::AgentEnded))?;
                    return Ok((report, interrupted.is_some()));
                }
                Ok(view) => {
                    silent = 0;
                    self.tell(view.stage, &mut said);
                }
                Err(CallError::Interrupted) => match interrupted {
                    None => {
                        interrupted = Some(Instant::now());
                        self.stop()?;
                    }
                    // One press may come twice: from the terminal, and from what runs this.
                    Some(at) if at.elapsed() < ONE_PRESS => {}
                    Some(_) => return Err(CallError::Interrupted.into()),
                },
                Err(error) if silent < SILENT_AT_MOST && error.may_pass() => {
                    silent += 1;
                    self.ctx.client.pause(AGAIN)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn tell(&self, stage: Option<RehearsalStage>, said: &mut Option<RehearsalStage>) {
        if stage != *said {
            if let Some(stage) = &stage {
                eprintln!("  {}", siaga_words::rehearsal_stage(&self.ctx.voice, stage));
            }
            *said = stage;
        }
    }

    fn stop(&self) -> Result<(), Fault> {
        let stop = RehearsalStop {
            service: self.service.clone(),
            node: self.node.clone(),
            stated_actor: self.ctx.stated.clone(),
        };
        let _: RehearsalView = self
            .ctx
            .client
            .post("/v1/rehearsals/stop", &stop, QUICK * 3)?;
        Ok(())
    }

    fn lost(&self, why: &Why) -> Fault {
        Fault::Local(format!(
            "{}: {}",
            self.node,
            siaga_words::why(&self.ctx.voice, why)
        ))
    }
}
