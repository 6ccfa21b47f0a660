//! The records that papers are made from: asked of the agent, or read from the files where it is dead.

use crate::args::Global;
use crate::client::{CallError, encoded};
use crate::context::{Context, LOOK};
use crate::fault::Fault;
use crate::place;
use siaga_agent::core::papers;
use siaga_config::HostChecks;
use siaga_journal::log_book::{self, LogBookRow};
use siaga_journal::{Filter, SentSums, TrustedKeys, incidents, offline, seal};
use siaga_model::api::{EventView, EventsAnswer, MoveReport, SiteView};
use siaga_model::config::{Config, Language};
use siaga_model::record::IncidentLine;
use siaga_model::seal::{
    LogRows, Seal, SealAnswer, SealedIncident, SealedIncidentRequest, SealedLogRequest,
    SealedRequest, SealedRun, SealedRunRequest,
};
use siaga_model::{RunId, ServiceName, UnitName};
use siaga_words::{Paper, Voice, paper};
use std::path::{Path, PathBuf};

/// Among so many of the newest runs the last drill is looked for.
const NEWEST_RUNS: usize = 5000;

/// Where to read instead of asking the agent.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct Files {
    /// Read the event log in this directory instead of asking the agent (default where no agent answers:
    /// /var/lib/siaga).
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// With --state: the site's configuration.
    #[arg(long, value_name = "FILE", default_value = place::CONFIG)]
    pub config: PathBuf,
}

/// Who is asked.
pub enum Records {
    Agent(Box<Context>),
    Files {
        state: PathBuf,
        config: Box<Config>,
        language: Option<Language>,
    },
}

impl Records {
    /// The agent, unless files are named or no agent is there. A site without either is told as an agent that can't
    /// be reached.
    ///
    /// # Errors
    /// Where neither can be asked.
    pub fn open(global: &Global, files: &Files) -> Result<Self, Fault> {
        if let Some(state) = &files.state {
            return from_files(global, state, &files.config).map_err(Fault::Usage);
        }
        match Context::connect(global) {
            Ok(ctx) => Ok(Records::Agent(Box::new(ctx))),
            Err(Fault::Call(error @ CallError::NotReachable { .. })) => {
                let state = Path::new(place::STATE);
                let readable = state.join("events").read_dir().is_ok();
                match from_files(global, state, &files.config) {
                    Ok(records) if readable => {
                        eprintln!("{}", paper(records.voice(), Paper::FromFiles));
                        Ok(records)
                    }
                    _ => Err(Fault::Call(error)),
                }
            }
            Err(other) => Err(other),
        }
    }

    /// How to speak.
    pub fn voice(&self) -> Voice {
        match self {
            Records::Agent(ctx) => ctx.voice.clone(),
            Records::Files {
                config, language, ..
            } => Voice::new(
                language.unwrap_or(config.site.language),
                &config.site.time_zone,
            )
            .naming_services(config.services.len() > 1),
        }
    }

    /// The site.
    pub fn site(&self) -> SiteView {
        match self {
            Records::Agent(ctx) => ctx.site.clone(),
            Records::Files { config, .. } => SiteView {
                site: config.site.name.clone(),
                language: config.site.language,
                time_zone: config.site.time_zone.clone(),
                people: config.people.iter().map(|p| p.name.clone()).collect(),
                services: config.services.iter().map(|s| s.name.clone()).collect(),
                nodes: config.nodes.iter().map(|n| n.name.clone()).collect(),
                document: config.document.clone(),
                availability_target_milli_pct: config.downtime.rules.availability_target_milli_pct,
                rto_s: Some(config.policy.rto.as_secs()),
            },
        }
    }

    /// These rows of the log book, as they are now.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn log_book(&self, wanted: LogRows) -> Result<Vec<LogBookRow>, Fault> {
        match self {
            Records::Agent(ctx) => Ok(ctx.client.get(&log_path(&wanted), LOOK)?),
            Records::Files { state, .. } => {
                let events = offline::events(state, &log_book::filter(&wanted));
                Ok(log_book::rows(&events.map_err(local)?, &wanted))
            }
        }
    }

    /// The same, as they were at a seal.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn sealed_log(&self, seal: &Seal, wanted: LogRows) -> Result<Vec<LogBookRow>, Fault> {
        match self {
            Records::Agent(ctx) => {
                let asked = SealedLogRequest {
                    heads: seal.heads.clone(),
                    rows: wanted,
                };
                Ok(ctx.client.post("/v1/sealed/log", &asked, LOOK)?)
            }
            Records::Files { state, .. } => {
                let (events, _) = sealed(state, seal, log_book::filter(&wanted))?;
                Ok(log_book::rows(&events, &wanted))
            }
        }
    }

    /// Every incident in short, as it was at a seal.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn incidents(&self, seal: &Seal) -> Result<Vec<IncidentLine>, Fault> {
        match self {
            Records::Agent(ctx) => {
                let heads = seal.heads.clone();
                let asked = SealedRequest { heads };
                Ok(ctx.client.post("/v1/sealed/incidents", &asked, LOOK)?)
            }
            Records::Files { state, .. } => {
                let (events, sums) = sealed(state, seal, incidents::filter())?;
                let records = incidents::incidents_summed(&events, &sums, &[]);
                Ok(records.iter().map(incidents::line).collect())
            }
        }
    }

    /// One incident, by number or key, as it was at a seal. `None`: there is none.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn incident(
        &self,
        seal: &Seal,
        asked: &str,
        units: &[UnitName],
    ) -> Result<Option<SealedIncident>, Fault> {
        match self {
            Records::Agent(ctx) => {
                let request = SealedIncidentRequest {
                    heads: seal.heads.clone(),
                    incident: asked.to_owned(),
                    units: units.to_vec(),
                };
                match ctx.client.post("/v1/sealed/incident", &request, LOOK) {
                    Err(CallError::Api { status: 404, .. }) => Ok(None),
                    other => Ok(Some(other?)),
                }
            }
            Records::Files { state, .. } => {
                papers::incident(|filter| sealed(state, seal, filter), asked, units)
            }
        }
    }

    /// A run as it came out, with its events, as they were at a seal. `None`: it is not known, or has not ended as far
    /// as the log told.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn run(
        &self,
        seal: &Seal,
        run: &RunId,
    ) -> Result<Option<(MoveReport, Vec<EventView>)>, Fault> {
        let events = self.events_of(seal, run)?;
        let view = siaga_agent::core::ended::of_events(run, &events);
        Ok(view.map(|view| (view.report, events)))
    }

    /// Every event of a run, as they were at a seal.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn events_of(&self, seal: &Seal, run: &RunId) -> Result<Vec<EventView>, Fault> {
        match self {
            Records::Agent(ctx) => {
                let asked = SealedRunRequest {
                    heads: seal.heads.clone(),
                    run: run.clone(),
                };
                let told: SealedRun = ctx.client.post("/v1/sealed/run", &asked, LOOK)?;
                Ok(told.events)
            }
            Records::Files { state, .. } => {
                let filter = Filter {
                    run: Some(run.clone()),
                    ..Filter::default()
                };
                Ok(sealed(state, seal, filter)?.0)
            }
        }
    }

    /// The newest runs that were accepted, oldest first; of one service, or of all.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn newest_runs(&self, service: Option<&ServiceName>) -> Result<Vec<EventView>, Fault> {
        let filter = Filter {
            service: service.cloned(),
            last: Some(NEWEST_RUNS),
            ..Filter::of_kinds(&["run_accepted"])
        };
        match self {
            Records::Agent(ctx) => {
                let answer: EventsAnswer = ctx.client.get(&events_path(&filter), LOOK)?;
                Ok(answer.events)
            }
            Records::Files { state, .. } => offline::events(state, &filter).map_err(local),
        }
    }

    /// All units of the site, where the configuration can be read.
    pub fn units(&self) -> Vec<(UnitName, String)> {
        let config = match self {
            Records::Agent(_) => {
                siaga_config::load_checked(Path::new(place::CONFIG), &HostChecks::none())
                    .ok()
                    .map(|(config, _)| config)
            }
            Records::Files { config, .. } => Some((**config).clone()),
        };
        let units = config.map(|c| c.downtime.units).unwrap_or_default();
        units.into_iter().map(|u| (u.name, u.title)).collect()
    }

    /// What of a seal no longer agrees with the log.
    ///
    /// # Errors
    /// Where the log can't be read.
    pub fn compare(&self, seal: &Seal) -> Result<SealAnswer, Fault> {
        match self {
            Records::Agent(ctx) => Ok(ctx.client.post("/v1/seal", seal, LOOK)?),
            Records::Files { state, .. } => {
                // Without the agent each log is taken at its first row's word for its key.
                let trusted = TrustedKeys::default();
                let problems = seal::disagreements(state, &trusted, seal).map_err(local)?;
                Ok(SealAnswer { problems })
            }
        }
    }

    /// What ties a paper to the log. Ask for it first: the records are then asked for as they were at it.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn seal(&self, run: Option<&RunId>) -> Result<Seal, Fault> {
        match self {
            Records::Agent(ctx) => {
                let query = run.map(|r| format!("?run={}", encoded(r.as_str())));
                let path = format!("/v1/seal{}", query.unwrap_or_default());
                Ok(ctx.client.get(&path, LOOK)?)
            }
            Records::Files { state, .. } => seal::seal(state, run).map_err(local),
        }
    }
}

fn events_path(filter: &Filter) -> String {
    let mut parts = vec![format!("limit={}", filter.last.unwrap_or(NEWEST_RUNS))];
    if let Some(service) = &filter.service {
        parts.push(format!("service={}", encoded(service.as_str())));
    }
    if let Some(kind) = filter.kinds.first() {
        parts.push(format!("kind={}", encoded(kind)));
    }
    format!("/v1/events?{}", parts.join("&"))
}

fn log_path(wanted: &LogRows) -> String {
    let mut parts = Vec::new();
    parts.extend(wanted.since.map(|t| format!("since={}", t.0)));
    parts.extend(wanted.until.map(|t| format!("until={}", t.0)));
    parts.extend(
        wanted
            .services_only
            .then(|| "services_only=true".to_owned()),
    );
    match parts.is_empty() {
        true => "/v1/log".to_owned(),
        false => format!("/v1/log?{}", parts.join("&")),
    }
}

/// The events that the files gave at a seal.
fn sealed(state: &Path, seal: &Seal, filter: Filter) -> Result<(Vec<EventView>, SentSums), Fault> {
    offline::summed(state, &papers::up_to(&seal.heads, filter)).map_err(local)
}

fn local(error: siaga_journal::JournalError) -> Fault {
    Fault::Local(error.to_string())
}

/// The error is what is wrong with the configuration, for people.
fn from_files(global: &Global, state: &Path, config: &Path) -> Result<Records, String> {
    let language = crate::language::asked(global);
    match siaga_config::load_checked(config, &HostChecks::default()) {
        Ok((config, _)) => Ok(Records::Files {
            state: state.to_owned(),
            config: Box::new(config),
            language,
        }),
        Err(errors) => Err(errors.render(language.unwrap_or(errors.language))),
    }
}
