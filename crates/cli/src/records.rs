//! The records that papers are made from: asked of the agent, or read from the files where it is dead.

use crate::args::Global;
use crate::client::{CallError, encoded};
use crate::context::{Context, LOOK};
use crate::fault::Fault;
use crate::place;
use siaga_config::HostChecks;
use siaga_journal::log_book::{LogBookRow, log_book};
use siaga_journal::{Filter, offline, seal};
use siaga_model::RunId;
use siaga_model::api::SiteView;
use siaga_model::config::{Config, Language};
use siaga_model::seal::Seal;
use siaga_words::{Paper, Voice, paper};
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
                        eprintln!("{}", paper(&records.voice(), Paper::FromFiles));
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

fn local(error: siaga_journal::JournalError) -> Fault {
    Fault::Local(error.to_string())
}

/// The error is what is wrong with the configuration, for people.
fn from_files(global: &Global, state: &Path, config: &Path) -> Result<Records, String> {
    let language = global.lang.map(Language::from);
    match siaga_config::load_checked(config, &HostChecks::default()) {
        Ok((config, _)) => Ok(Records::Files {
            state: state.to_owned(),
            config: Box::new(config),
            language,
        }),
        Err(errors) => Err(errors.render(language.unwrap_or(errors.language))),
    }
}
