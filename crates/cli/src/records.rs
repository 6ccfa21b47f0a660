//! The records that papers are made from: asked of the agent, or read from the files where it is dead.

use crate::args::Global;
use crate::client::{CallError, encoded};
use crate::context::{Context, LOOK};
use crate::fault::Fault;
use crate::place;
use siaga_config::HostChecks;
use siaga_journal::log_book::{LogBookRow, log_book};
use siaga_journal::{Filter, TrustedKeys, offline, seal};
use siaga_model::api::{EventView, EventsAnswer, MoveReport, SiteView};
use siaga_model::config::{Config, Language};
use siaga_model::seal::{Seal, SealAnswer};
use siaga_model::{RunId, ServiceName, UnitName, UtcMicros};
use siaga_words::{Paper, PaperSay, Voice, paper, paper_say};
use std::path::{Path, PathBuf};

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

    /// The whole log book.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn log_book(&self) -> Result<Vec<LogBookRow>, Fault> {
        match self {
            Records::Agent(ctx) => Ok(ctx.client.get("/v1/log", LOOK)?),
            Records::Files { state, .. } => {
                let events = offline::events(state, &Filter::default());
                Ok(log_book(&events.map_err(local)?))
            }
        }
    }

    /// A run as it came out, with its events.
    ///
    /// # Errors
    /// Where it is not known, or has not ended as far as the log tells.
    pub fn run(&self, run: &RunId) -> Result<(MoveReport, Vec<EventView>), Fault> {
        let events = self.events(&Filter {
            run: Some(run.clone()),
            ..Filter::default()
        })?;
        let view = siaga_agent::core::ended::of_events(run, &events);
        let none = || Fault::Refused(paper_say(self.voice(), &PaperSay::NoRun { run }));
        let view = view.ok_or_else(none)?;
        Ok((view.report, events))
    }

    /// The events of a service's newest run. Empty: there is none.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn newest_run(&self, service: &ServiceName) -> Result<Vec<EventView>, Fault> {
        let accepted = self.events(&Filter {
            service: Some(service.clone()),
            kinds: vec!["run_accepted".to_owned()],
            last: Some(1),
            ..Filter::default()
        })?;
        match accepted.last().and_then(|view| view.event.run.clone()) {
            None => Ok(Vec::new()),
            Some(run) => self.events(&Filter {
                run: Some(run),
                ..Filter::default()
            }),
        }
    }

    /// Events, as many as the agent gives.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn events(&self, filter: &Filter) -> Result<Vec<EventView>, Fault> {
        match self {
            Records::Agent(ctx) => {
                let answer: EventsAnswer = ctx.client.get(&events_path(filter), LOOK)?;
                Ok(answer.events)
            }
            Records::Files { state, .. } => offline::events(state, filter).map_err(local),
        }
    }

    /// The events that the records of incidents are made of, from then on, in the merged order.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn incident_events(&self, since: Option<UtcMicros>) -> Result<Vec<EventView>, Fault> {
        let mut events = Vec::new();
        // One kind at a time: the agent is asked for one.
        for kind in siaga_journal::incidents::INCIDENT_KINDS {
            events.extend(self.events(&Filter {
                kinds: vec![kind.to_owned()],
                since,
                ..Filter::default()
            })?);
        }
        events.sort_by(|a, b| {
            let place = |v: &EventView| (v.hlc, v.node.clone(), v.incarnation, v.seq);
            place(a).cmp(&place(b))
        });
        Ok(events)
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

    /// What ties a paper to the log. Ask for it after the records.
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
    let mut parts = vec![format!("limit={}", filter.last.unwrap_or(5000))];
    if let Some(service) = &filter.service {
        parts.push(format!("service={}", encoded(service.as_str())));
    }
    if let Some(run) = &filter.run {
        parts.push(format!("run={}", encoded(run.as_str())));
    }
    if let Some(since) = filter.since {
        parts.push(format!("since={}", since.0));
    }
    if let Some(kind) = filter.kinds.first() {
        parts.push(format!("kind={}", encoded(kind)));
    }
    format!("/v1/events?{}", parts.join("&"))
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
