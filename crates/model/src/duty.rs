//! What people still have to do, as of now: a promise that is late, a time that nobody entered, a drill that is
//! overdue. Computed by the planner from events, configuration and clock; kept nowhere.

use crate::ids::{IncidentKey, NoticeId, ServiceName};
use crate::incident::TimeKind;
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// One thing that is to be done, gravest kinds first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "duty")]
pub enum Duty {
    /// The time of the next update has passed, and no news was given.
    UpdateLate {
        incident: String,
        key: IncidentKey,
        services: Vec<ServiceName>,
        promised: UtcMicros,
    },
    /// The newest estimate that was given is over, and the service is not back.
    EstimateOver {
        incident: String,
        key: IncidentKey,
        services: Vec<ServiceName>,
        given_at: UtcMicros,
        /// Its latest end.
        over_since: UtcMicros,
    },
    /// A move was made by hand: these times are known to people only.
    TimesMissing {
        incident: String,
        times: Vec<TimeKind>,
    },
    /// The service would be started after the power loss; automatic acts rest until then.
    StartWaits {
        service: ServiceName,
        until: UtcMicros,
    },
    /// Planned work begins soon. `released`: a person let the units be told.
    PlannedWork {
        notice: NoticeId,
        starts_at: UtcMicros,
        released: bool,
    },
    /// No drill was graded for so long. `last` null: none ever.
    DrillOverdue {
        last: Option<UtcMicros>,
        every_days: u32,
        overdue_since: UtcMicros,
    },
    /// The procedure's review date has passed.
    ReviewOverdue { due: String },
    /// A corrective action is not done in time.
    ActionOverdue {
        incident: String,
        number: u32,
        text: String,
        owner: String,
        due: String,
    },
}

impl Duty {
    /// Does it belong to that incident?
    pub fn is_of(&self, id: &str) -> bool {
        match self {
            Duty::UpdateLate { incident, .. }
            | Duty::EstimateOver { incident, .. }
            | Duty::TimesMissing { incident, .. }
            | Duty::ActionOverdue { incident, .. } => incident == id,
            Duty::StartWaits { .. }
            | Duty::PlannedWork { .. }
            | Duty::DrillOverdue { .. }
            | Duty::ReviewOverdue { .. } => false,
        }
    }
}
