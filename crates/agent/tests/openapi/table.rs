//! The API's routes as they are described: kept by hand, and compared with the router's source.

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Also a machine that has no certificate of the site yet.
    Anybody,
    /// Any machine of the site, or a person at the socket.
    Site,
    /// A person at the socket, or a node.
    PersonOrNode,
    /// A person at the socket, or a probe under its own name.
    PersonOrProbe,
    /// A machine of the site, over the network.
    Machine,
    /// The other node.
    Node,
}

impl Who {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Who::Anybody => "Anybody, with a join token.",
            Who::Site => "A person at the socket, a node or a client probe.",
            Who::PersonOrNode => "A person at the socket, or a node.",
            Who::PersonOrProbe => {
                "A person at the socket, or a client probe that reports under its own name."
            }
            Who::Machine => "A node or a client probe, with its certificate.",
            Who::Node => "The other node only.",
        }
    }
}

/// One route.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub summary: &'static str,
    pub who: Who,
    /// The struct that the query is read into.
    pub query: Option<&'static str>,
    /// The type of the request's body.
    pub body: Option<&'static str>,
    /// The type of the answer's body. `None`: 204, no body.
    pub answer: Option<&'static str>,
    /// Other codes of errors than those that every route has.
    pub errors: &'static [(u16, &'static str)],
}

const fn get(path: &'static str, summary: &'static str, answer: &'static str) -> Route {
    Route {
        method: "get",
        path,
        summary,
        who: Who::PersonOrNode,
        query: None,
        body: None,
        answer: Some(answer),
        errors: &[],
    }
}

const fn of_service(path: &'static str, summary: &'static str, answer: &'static str) -> Route {
    let mut route = get(path, summary, answer);
    route.query = Some("OfService");
    route.errors = &[(404, "NO_SUCH_THING")];
    route
}

const fn post(
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    answer: Option<&'static str>,
) -> Route {
    let mut route = get(path, summary, "");
    route.method = "post";
    route.body = Some(body);
    route.answer = answer;
    route
}

const LOG: &[(u16, &str)] = &[(500, "LOG_UNREADABLE")];

const REHEARSAL: &[(u16, &str)] = &[(404, "NO_SUCH_THING"), (500, "CHECK_FAILED")];

/// All of them.
pub const ROUTES: &[Route] = &[
    of_service(
        "/v1/status",
        "Where each service is, with the evidence and the recommended act",
        "Status",
    ),
    get(
        "/v1/config",
        "What a screen needs to know of the site",
        "SiteView",
    ),
    Route {
        query: Some("OfCheck"),
        ..of_service("/v1/check", "Can we take over now?", "CheckReport")
    },
    post(
        "/v1/check/fix",
        "Mends what can be mended without any harm, on both nodes",
        "FixRequest",
        Some("FixAnswer"),
    ),
    get(
        "/v1/health",
        "Could every service be taken over now, by its newest check?",
        "Health",
    ),
    of_service(
        "/v1/diagnose",
        "What is broken, layer by layer",
        "Diagnosis",
    ),
    post(
        "/v1/moves",
        "Orders a move, or shows its plan",
        "MoveRequest",
        Some("MoveAnswer"),
    ),
    Route {
        query: Some("Poll"),
        errors: &[(404, "NO_SUCH_THING"), (503, "COORDINATOR_SILENT")],
        ..get(
            "/v1/runs/{id}",
            "A run as far as it has come; held until it changes",
            "RunView",
        )
    },
    post(
        "/v1/power",
        "Asks a node's power, or switches it through its fence",
        "PowerRequest",
        Some("PowerAnswer"),
    ),
    post(
        "/v1/rehearsals",
        "Starts the service on the standby from a copy of its data, without downtime",
        "RehearsalRequest",
        Some("RehearsalAnswer"),
    ),
    Route {
        query: Some("OfRehearsal"),
        errors: REHEARSAL,
        ..get(
            "/v1/rehearsals",
            "A rehearsal as far as it has come, and the report of the newest that ended",
            "RehearsalView",
        )
    },
    Route {
        errors: REHEARSAL,
        ..post(
            "/v1/rehearsals/stop",
            "Breaks a rehearsal off; its copy is removed",
            "RehearsalStop",
            Some("RehearsalView"),
        )
    },
    Route {
        query: Some("OfSource"),
        ..of_service(
            "/v1/rehearsal-source",
            "What must be the same before and after a rehearsal, as this node sees it",
            "SourceAnswer",
        )
    },
    post(
        "/v1/events/accept-data",
        "A person says that the data on the disk set is meant as it is",
        "AcceptDataRequest",
        Some("AcceptLossAnswer"),
    ),
    post(
        "/v1/events/accept-loss",
        "A person attests that nothing in the lost journals of both nodes is in force",
        "AcceptLossRequest",
        Some("AcceptLossAnswer"),
    ),
    Route {
        query: Some("EventsQuery"),
        errors: LOG,
        ..get(
            "/v1/events",
            "The newest events of both nodes, oldest first; at most 5000",
            "EventsAnswer",
        )
    },
    Route {
        errors: LOG,
        ..get(
            "/v1/events/verify",
            "Verifies every row's chain and signature",
            "VerifyAnswer",
        )
    },
    Route {
        query: Some("SealQuery"),
        errors: LOG,
        ..get(
            "/v1/seal",
            "The heads of the event chains, and the hash of one run's rows: what ties a report to the log",
            "Seal",
        )
    },
    Route {
        errors: LOG,
        ..post(
            "/v1/seal",
            "Says what of a report's seal no longer agrees with the log",
            "Seal",
            Some("SealAnswer"),
        )
    },
    Route {
        errors: LOG,
        ..post(
            "/v1/sealed/log",
            "The log book as it was at the heads of a seal",
            "SealedLogRequest",
            Some("Vec<LogBookRow>"),
        )
    },
    Route {
        errors: LOG,
        ..post(
            "/v1/sealed/incidents",
            "Every incident in short, as it was at the heads of a seal",
            "SealedRequest",
            Some("Vec<IncidentLine>"),
        )
    },
    Route {
        errors: &[(404, "NO_SUCH_THING"), (500, "LOG_UNREADABLE")],
        ..post(
            "/v1/sealed/incident",
            "One incident with what its report needs, as it was at the heads of a seal",
            "SealedIncidentRequest",
            Some("SealedIncident"),
        )
    },
    Route {
        errors: LOG,
        ..post(
            "/v1/sealed/run",
            "Every row of a run, as it was at the heads of a seal",
            "SealedRunRequest",
            Some("SealedRun"),
        )
    },
    Route {
        query: Some("LogRows"),
        errors: LOG,
        ..get(
            "/v1/log",
            "The log book: every downtime of services and machines",
            "Vec<LogBookRow>",
        )
    },
    Route {
        errors: LOG,
        ..get(
            "/v1/incidents",
            "Every incident in short, oldest first",
            "Vec<IncidentLine>",
        )
    },
    post(
        "/v1/incidents",
        "Writes something into an incident's record, or opens one",
        "IncidentRequest",
        Some("IncidentAnswer"),
    ),
    Route {
        errors: &[(404, "NO_SUCH_THING"), (500, "LOG_UNREADABLE")],
        ..get(
            "/v1/incidents/{id}",
            "The whole record of one incident; null is not known",
            "IncidentRecord",
        )
    },
    Route {
        errors: &[(404, "NO_SUCH_THING"), (500, "LOG_UNREADABLE")],
        ..of_service(
            "/v1/estimate",
            "When clients work again, as of now",
            "EstimateAnswer",
        )
    },
    Route {
        errors: LOG,
        ..get(
            "/v1/estimate/score",
            "How often the real end fell in the range that was given",
            "EstimateScore",
        )
    },
    Route {
        query: Some("NoticesQuery"),
        errors: LOG,
        ..get(
            "/v1/notices",
            "What the units were told and by what; alerts to people on call; whether alerts rest",
            "NoticesAnswer",
        )
    },
    post(
        "/v1/notices",
        "An act of a person: write, release, drop, tick off, acknowledge, pause",
        "NoticeRequest",
        Some("NoticeAnswer"),
    ),
    Route {
        who: Who::PersonOrProbe,
        errors: &[(404, "NO_SUCH_THING")],
        ..post("/v1/probe", "A client probe's report", "ProbeReport", None)
    },
    of_service("/v1/facts", "What this node knows of itself", "FactsAnswer"),
    Route {
        errors: &[(404, "NO_SUCH_THING"), (500, "CHECK_FAILED")],
        ..of_service(
            "/v1/promise",
            "Does this node's promise to have let go still stand?",
            "PromiseFacts",
        )
    },
    Route {
        errors: &[(404, "NO_SUCH_THING"), (500, "CHECK_FAILED")],
        ..of_service(
            "/v1/self-check",
            "This node's own part of a check",
            "SelfCheck",
        )
    },
    Route {
        who: Who::Node,
        errors: &[(500, "CHECK_FAILED")],
        ..post(
            "/v1/self-check/fix",
            "Mends what can be mended without any harm, on this node",
            "FixRequest",
            Some("FixAnswer"),
        )
    },
    of_service(
        "/v1/layers",
        "This node's own part of a diagnosis",
        "Vec<LayerFinding>",
    ),
    Route {
        who: Who::Node,
        query: Some("Poll"),
        ..get(
            "/v1/heads",
            "How far this node's copies of the events reach; held until that changes",
            "Heads",
        )
    },
    Route {
        who: Who::Node,
        query: Some("RowsQuery"),
        errors: LOG,
        ..get(
            "/v1/rows",
            "Rows of the event log as they were written, to copy them",
            "Rows",
        )
    },
    Route {
        who: Who::Node,
        ..post(
            "/v1/orders",
            "One step of a plan, from its coordinator; the same order again asks how it goes",
            "Order",
            Some("OrderAnswer"),
        )
    },
    Route {
        who: Who::Node,
        ..get(
            "/v1/ca",
            "The site's CA with its key, for the other node's own copy",
            "CaCopy",
        )
    },
    post(
        "/v1/ca/replace",
        "Makes a new CA of the site in the place of a lost one; nothing restarts",
        "CaReplaceRequest",
        Some("CaReplaceAnswer"),
    ),
    post(
        "/v1/nodes/replace",
        "New hardware under a node's name: the old machine's keys count no more",
        "NodeReplaceRequest",
        Some("NodeReplaceAnswer"),
    ),
    Route {
        who: Who::Anybody,
        errors: &[
            (400, "JOIN_BAD_REQUEST"),
            (403, "JOIN_TOKEN_UNKNOWN"),
            (403, "JOIN_TOKEN_USED"),
            (403, "JOIN_TOKEN_EXPIRED"),
            (403, "JOIN_WRONG_NAME"),
            (429, "JOIN_TOO_MANY"),
        ],
        ..post(
            "/v1/join",
            "Joins a machine with a one-time token",
            "JoinRequest",
            Some("JoinResponse"),
        )
    },
    Route {
        who: Who::Site,
        ..get("/v1/pins", "Which key belongs to which machine", "Vec<Pin>")
    },
    Route {
        who: Who::Machine,
        errors: &[(403, "PEER_REQUIRED")],
        ..post(
            "/v1/renew",
            "A new certificate for a pinned key",
            "RenewRequest",
            Some("RenewResponse"),
        )
    },
];
