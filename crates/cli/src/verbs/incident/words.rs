//! The verbs and options of `siaga incident`.

use crate::args;
use clap::ValueEnum;
use siaga_model::incident::{CauseCategory, IncidentKind, Level, Scope, SignedAs, TimeKind};
use siaga_model::{PersonName, ServiceName, UnitName};

#[derive(clap::Subcommand, Debug, Clone)]
pub enum IncidentVerb {
    /// List the incidents, the oldest first
    #[command(after_help = "Examples:\n  siaga incident list\n  siaga incident list --open --json")]
    List {
        /// Only those that are not over.
        #[arg(long)]
        open: bool,
    },
    /// Show the whole record of an incident; without a number, the newest
    #[command(
        after_help = "Examples:\n  siaga incident show\n  siaga incident show DT-2026-007 --json"
    )]
    Show {
        /// Its number.
        #[arg(value_name = "ID")]
        id: Option<String>,
    },
    /// Open an incident: somebody reported something
    #[command(
        after_help = "Examples:\n  siaga incident open --symptom \"pharmacy cannot log in\" --unit farmasi --by \"Ibu Rina\"\n  siaga incident open --kind planned --symptom \"new disks on Saturday\""
    )]
    Open(Open),
    /// It is real: say how far it goes and how bad it is
    #[command(
        after_help = "Examples:\n  siaga incident confirm\n  siaga incident confirm --scope whole --level g2"
    )]
    Confirm {
        #[command(flatten)]
        class: Class,
    },
    /// Correct the kind, the scope or the level
    #[command(
        after_help = "Examples:\n  siaga incident classify --level g3\n  siaga incident classify --kind semi-planned"
    )]
    Classify {
        /// The kind of downtime.
        #[arg(long, value_enum)]
        kind: Option<KindWord>,
        #[command(flatten)]
        class: Class,
    },
    /// Enter a time, or correct one: a measured time stays in sight beside it
    #[command(
        after_help = "Examples:\n  siaga incident time offline 2026-11-25T02:10:00 --reason \"seen by the night nurse\"\n  siaga incident time client-ok unknown --reason \"nobody looked\""
    )]
    Time {
        /// Which time.
        #[arg(value_enum)]
        which: TimeWord,
        /// A time in the site's zone, RFC 3339, 20m for twenty minutes ago, or "unknown".
        #[arg(value_name = "TIME")]
        at: String,
        /// Why; needed where a measured time is corrected.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Say what the cause is, as far as it is known
    #[command(
        after_help = "Examples:\n  siaga incident cause storage --text \"a controller of the disk array failed\""
    )]
    Cause {
        /// What sort of cause.
        #[arg(value_enum)]
        category: CauseWord,
        /// In a few words.
        #[arg(long, value_name = "TEXT", default_value = "")]
        text: String,
    },
    /// Record a decision and who made it
    #[command(
        after_help = "Examples:\n  siaga incident decide --text \"take over on the second server\" --decider sari"
    )]
    Decide {
        /// What was decided.
        #[arg(long, value_name = "TEXT")]
        text: String,
        /// The person who decided.
        #[arg(long, value_name = "NAME", value_parser = args::person)]
        decider: Option<PersonName>,
    },
    /// Give an estimate: the computed one, your own range, or "not yet known"
    #[command(
        after_help = "Examples:\n  siaga incident estimate\n  siaga incident estimate --low 10m --likely 20m --high 40m\n  siaga incident estimate --unknown"
    )]
    Estimate(Estimate),
    /// Write what is new, in one sentence for the units
    #[command(
        after_help = "Examples:\n  siaga incident update --text \"the second server is being started\""
    )]
    Update {
        /// One sentence, without names of patients.
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Write a remark into the record
    #[command(
        after_help = "Examples:\n  siaga incident note --text \"the generator was tested at that time\""
    )]
    Note {
        /// The remark, without names of patients.
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Take care of it: alerts stop
    #[command(after_help = "Examples:\n  siaga incident acknowledge")]
    Acknowledge,
    /// Clients work again: it is watched for a while
    #[command(after_help = "Examples:\n  siaga incident restored")]
    Restored,
    /// Declare it over for the units
    #[command(after_help = "Examples:\n  siaga incident all-clear")]
    AllClear,
    /// It was no downtime: the service works
    #[command(
        after_help = "Examples:\n  siaga incident withdraw --reason \"one PC without a network cable\""
    )]
    Withdraw {
        /// What it was.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// It has the same cause as another one, which goes on in its place
    #[command(after_help = "Examples:\n  siaga incident merge DT-2026-007 --incident DT-2026-008")]
    Merge {
        /// The one that goes on.
        #[arg(value_name = "ID")]
        into: String,
    },
    /// Record what it meant for a unit, also that it was not affected
    #[command(
        after_help = "Examples:\n  siaga incident impact farmasi --affected yes --paper yes --count 41\n  siaga incident impact kasir --affected no"
    )]
    Impact(Impact),
    /// Record a unit's paper forms: written, entered, verified
    #[command(
        after_help = "Examples:\n  siaga incident back-entry farmasi --forms 41 --entered 41 --verified-by \"Ibu Rina\""
    )]
    BackEntry {
        /// The unit.
        #[arg(value_name = "UNIT", value_parser = unit)]
        unit: UnitName,
        /// How many forms it wrote.
        #[arg(long, value_name = "N")]
        forms: Option<u64>,
        /// How many of them are entered.
        #[arg(long, value_name = "N")]
        entered: Option<u64>,
        /// Who verified it.
        #[arg(long, value_name = "NAME")]
        verified_by: Option<String>,
    },
    /// Write the review
    #[command(
        after_help = "Examples:\n  siaga incident review --root-cause \"a fan failed, the server overheated\" --went-well \"takeover in 4 minutes\" --went-badly \"two units were told late\""
    )]
    Review(Review),
    /// Add a corrective action, or change one
    #[command(
        after_help = "Examples:\n  siaga incident action --text \"monitor the fans\" --owner budi --due 2026-12-15\n  siaga incident action --number 1 --text \"monitor the fans\" --owner sari --due 2027-01-15"
    )]
    Action {
        /// The number of the one to change.
        #[arg(long, value_name = "N")]
        number: Option<u32>,
        /// What is to be done.
        #[arg(long, value_name = "TEXT")]
        text: String,
        /// Who does it.
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// Until when: 2026-12-15.
        #[arg(long, value_name = "DAY")]
        due: String,
    },
    /// A corrective action is done
    #[command(after_help = "Examples:\n  siaga incident action-done 1")]
    ActionDone {
        /// Its number.
        #[arg(value_name = "N")]
        number: u32,
    },
    /// Sign the record: afterwards only notes and actions are added
    #[command(
        after_help = "Examples:\n  siaga incident sign performer\n  siaga incident sign verifier --incident DT-2026-007"
    )]
    Sign {
        /// As what you sign.
        #[arg(value_enum)]
        part: SignWord,
    },
    /// Close it: after an all-clear with all papers entered, or with a reason
    #[command(
        after_help = "Examples:\n  siaga incident close\n  siaga incident close --reason \"the unit keeps its paper forms\""
    )]
    Close {
        /// Why it is closed without an all-clear, or with papers left.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// A new incident.
#[derive(clap::Args, Debug, Clone)]
pub struct Open {
    /// The kind of downtime.
    #[arg(long, value_enum, default_value = "unplanned")]
    pub kind: KindWord,
    /// The service; may be given several times. Default: all.
    #[arg(long = "service", value_name = "SERVICE", value_parser = args::service)]
    pub services: Vec<ServiceName>,
    /// The first sign, without names of patients.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub symptom: String,
    /// Who reported it.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// From which unit.
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub unit: Option<UnitName>,
    /// How it was reported: telephone, message group, face to face.
    #[arg(long, value_name = "TEXT")]
    pub medium: Option<String>,
    /// When it went offline, where somebody knows: a time in the site's zone, RFC 3339, or 20m for twenty minutes ago.
    #[arg(long, value_name = "TIME")]
    pub offline_at: Option<String>,
    #[command(flatten)]
    pub class: Class,
}

/// How far it goes, and how bad it is.
#[derive(clap::Args, Debug, Clone)]
pub struct Class {
    /// The whole system, or a part.
    #[arg(long, value_enum)]
    pub scope: Option<ScopeWord>,
    /// g0: some functions; g1: up to 15 minutes; g2: 15 to 60; g3: longer or not known; g4: over 8 hours or data lost.
    #[arg(long, value_enum)]
    pub level: Option<LevelWord>,
}

#[derive(clap::Args, Debug, Clone)]
pub struct Estimate {
    /// The earliest: 90s, 10m, 2h.
    #[arg(long, value_name = "SPAN", requires_all = ["likely", "high"])]
    pub low: Option<String>,
    /// The likeliest.
    #[arg(long, value_name = "SPAN", requires_all = ["low", "high"])]
    pub likely: Option<String>,
    /// The latest.
    #[arg(long, value_name = "SPAN", requires_all = ["low", "likely"])]
    pub high: Option<String>,
    /// Not yet known.
    #[arg(long, conflicts_with_all = ["low", "likely", "high"])]
    pub unknown: bool,
}

#[derive(clap::Args, Debug, Clone)]
pub struct Impact {
    /// The unit.
    #[arg(value_name = "UNIT", value_parser = unit)]
    pub unit: UnitName,
    /// Was it affected?
    #[arg(long, value_enum)]
    pub affected: Option<YesNo>,
    /// Did it go to paper?
    #[arg(long, value_enum)]
    pub paper: Option<YesNo>,
    /// Patients or transactions, where somebody counted.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// A remark, without names of patients.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}

#[derive(clap::Args, Debug, Clone)]
pub struct Review {
    /// Why it happened.
    #[arg(long, value_name = "TEXT")]
    pub root_cause: String,
    /// What went well.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub went_well: String,
    /// What went badly.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub went_badly: String,
    /// A change of the written procedure that follows.
    #[arg(long, value_name = "TEXT")]
    pub procedure_change: Option<String>,
    /// What the check for lost data found.
    #[arg(long, value_name = "TEXT")]
    pub data_check: Option<String>,
    /// The last good copy of the data at that time.
    #[arg(long, value_name = "TEXT")]
    pub last_backup: Option<String>,
}

/// A unit's name from the command line.
fn unit(text: &str) -> Result<UnitName, String> {
    args::node(text).map(|n| UnitName::new(n.as_str()))
}

/// Words of the command line for values of the model.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $type:ty { $($word:ident => $value:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
        pub enum $name { $($word),+ }
        impl From<$name> for $type {
            fn from(word: $name) -> Self {
                match word { $($name::$word => $value),+ }
            }
        }
    };
}

words!(KindWord => IncidentKind {
    Unplanned => IncidentKind::Unplanned,
    SemiPlanned => IncidentKind::SemiPlanned,
    Planned => IncidentKind::Planned,
    Drill => IncidentKind::Drill,
});
words!(ScopeWord => Scope { Whole => Scope::Whole, Part => Scope::Part });
words!(LevelWord => Level {
    G0 => Level::G0,
    G1 => Level::G1,
    G2 => Level::G2,
    G3 => Level::G3,
    G4 => Level::G4,
});
words!(YesNo => bool { Yes => true, No => false });
words!(SignWord => SignedAs {
    Performer => SignedAs::Performer,
    Verifier => SignedAs::Verifier,
    Management => SignedAs::Management,
});
words!(CauseWord => CauseCategory {
    NotKnown => CauseCategory::NotKnown,
    Power => CauseCategory::Power,
    Network => CauseCategory::Network,
    Hardware => CauseCategory::Hardware,
    Storage => CauseCategory::Storage,
    OperatingSystem => CauseCategory::OperatingSystem,
    Database => CauseCategory::Database,
    Application => CauseCategory::Application,
    Human => CauseCategory::Human,
    PlannedWork => CauseCategory::PlannedWork,
    Drill => CauseCategory::Drill,
});
words!(TimeWord => TimeKind {
    LastOk => TimeKind::LastOk,
    Offline => TimeKind::Offline,
    Detected => TimeKind::Detected,
    Reported => TimeKind::Reported,
    Confirmed => TimeKind::Confirmed,
    FirstNotice => TimeKind::FirstNotice,
    Decided => TimeKind::Decided,
    Fenced => TimeKind::Fenced,
    TakeStart => TimeKind::TakeStart,
    DatabaseAccepting => TimeKind::DatabaseAccepting,
    ClientOk => TimeKind::ClientOk,
    AllClear => TimeKind::AllClear,
});
