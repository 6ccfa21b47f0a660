//! What every verb that asks the agent needs: the way to it, the site, and how to speak.

use crate::args::Global;
use crate::client::Client;
use crate::fault::Fault;
use crate::term::Term;
use siaga_model::PersonName;
use siaga_model::api::SiteView;
use siaga_words::{Screen, Voice};
use std::time::Duration;

/// How long an answer that needs no look at the world may take.
pub const QUICK: Duration = Duration::from_secs(10);
/// How long an answer may take for which nodes, disks and fences are asked.
pub const LOOK: Duration = Duration::from_secs(90);

/// The agent, the site and the person's terminal.
pub struct Context {
    pub client: Client,
    pub term: Term,
    pub voice: Voice,
    pub site: SiteView,
    /// `--as NAME`.
    pub stated: Option<PersonName>,
}

impl Context {
    /// Asks the agent for the site.
    ///
    /// # Errors
    /// Where the agent can't be asked.
    pub fn connect(global: &Global) -> Result<Self, Fault> {
        let client = Client::new(&global.socket)?;
        let site: SiteView = client.get("/v1/config", QUICK)?;
        let language = crate::language::asked(global).unwrap_or(site.language);
        let voice = Voice::new(language, &site.time_zone).naming_services(site.services.len() > 1);
        Ok(Self {
            client,
            term: Term::look(),
            voice,
            site,
            stated: global.stated.clone(),
        })
    }

    /// A fixed text of the screens.
    pub fn say(&self, screen: Screen) -> String {
        siaga_words::screen(&self.voice, &screen)
    }
}
