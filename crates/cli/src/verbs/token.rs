//! `siaga token create`: a one-time, expiring token that lets one machine in.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::place::{self, CONFIG, STATE};
use crate::term::out;
use crate::{language, show};
use siaga_agent::pki::{self, Enrolee, Identity, Origin, PkiError, token};
use siaga_model::{NodeName, UtcMicros};
use siaga_words::{Setup, setup};
use std::path::PathBuf;
use std::time::Duration;

/// Make a token with which another machine joins the site
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: TokenVerb,
}

const EXAMPLES: &str = "Examples:
  siaga token create --for backup
  siaga token create --probe client1";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum TokenVerb {
    /// Make a token: good once, for one name, for a limited time
    ///
    /// Run it as root on a node of the site. Whoever has the token can join: hand it over in person.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Create),
}

#[derive(clap::Args, Debug, Clone)]
#[command(group = clap::ArgGroup::new("whom").required(true))]
pub struct Create {
    /// For this node of the configuration.
    #[arg(long = "for", value_name = "NODE", group = "whom", value_parser = args::node)]
    pub node: Option<NodeName>,
    /// For a client probe of this name.
    #[arg(long, value_name = "NAME", group = "whom")]
    pub probe: Option<String>,
    /// How long it is good, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub minutes: u32,
    /// Why; it goes into the events when a server joins with it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the keys are.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

const CREATE_EXAMPLES: &str = "Examples:
  siaga token create --for backup
  siaga token create --probe client1 --minutes 15
  siaga token create --for backup --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let TokenVerb::Create(create) = &args.verb;
    self::create(global, create)
}

/// Makes one, and prints it.
pub fn create(global: &Global, create: &Create) -> Result<Exit, Fault> {
    let config = super::init::load(global, &create.config).map_err(Fault::Usage)?;
    let language = language::asked(global).unwrap_or(config.site.language);
    let enrolee = match (&create.node, &create.probe) {
        (Some(node), _) if config.node(node).is_none() => {
            return Err(super::init::no_such_node(global, &config, node));
        }
        (Some(node), _) => Enrolee::Node(node.clone()),
        (None, Some(probe)) => Enrolee::Probe(probe.clone()),
        (None, None) => {
            return Err(Fault::Usage(setup(language, &Setup::ForWhom)));
        }
    };
    let failed =
        |e: PkiError| Fault::Local(format!("siaga token: {}", show::keys::pki(language, &e)));
    let me = Identity::load(&create.state_dir).map_err(failed)?;
    let addresses = config
        .node(&NodeName::new(me.name))
        .map(|n| n.addresses.clone())
        .unwrap_or_default();
    let ttl = Duration::from_secs(u64::from(create.minutes) * 60);
    let origin = Origin {
        by: place::account(),
        reason: create.reason.clone(),
    };
    let made = token::token_create_by(&create.state_dir, &enrolee, ttl, &addresses, origin)
        .map_err(failed)?;
    let until = UtcMicros(
        pki::now()
            .0
            .saturating_add(i64::from(create.minutes) * 60_000_000),
    );
    let expires_at = siaga_journal::csv::instant(until);
    if create.json {
        show::json(&serde_json::json!({
            "token": made.to_string(), "name": enrolee.name(), "expires_at": expires_at,
        }))?;
        return Ok(Exit::Done);
    }
    out(&made.to_string());
    let good = Setup::TokenGood {
        name: enrolee.name().to_string(),
        until: expires_at,
        probe: matches!(enrolee, Enrolee::Probe(_)),
    };
    eprintln!("{}", setup(language, &good));
    Ok(Exit::Done)
}
