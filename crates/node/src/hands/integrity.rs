//! A look at the indexes of a database that runs here.

use super::NodeHands;
use crate::act::postgres::amcheck::{self, Extension, Look, Looked};
use siaga_model::{ServiceName, Why};
use std::time::{Duration, Instant};

impl NodeHands {
    /// Looks at as many as there is time for, where the extension is made already; those of `first` before all others. `go_on` is
    /// asked before each.
    pub fn look_at_indexes(
        &self,
        service: &ServiceName,
        budget: Duration,
        first: &[String],
        go_on: &dyn Fn() -> bool,
    ) -> Looked {
        let Some(kit) = self.kits.get(service) else {
            return Looked::not_exercised(super::no_service(service));
        };
        let Ok(databases) = kit.server.databases() else {
            return Looked::not_exercised(Why::DatabaseNotRunning);
        };
        let ask = |database: &str, statement: &str, within| {
            kit.server.ask_in(database, statement, within)
        };
        amcheck::look(&Look {
            databases: &databases,
            extension: Extension::OnlyWhereMade,
            until: Instant::now() + budget,
            ask: &ask,
            go_on,
            first,
        })
    }
}
