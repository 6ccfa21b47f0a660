//! A site with units, and what it does.

use crate::common::agent::{Agent, backup_of, config};
use axum::Router;
use siaga_agent::core::actor::Who;
use siaga_agent::core::incidents;
use siaga_agent::core::notices::acts::act;
use siaga_agent::core::notices::send::{Flights, step};
use siaga_agent::core::notices::view::{Wanted, notices};
use siaga_agent::core::state::Core;
use siaga_model::NoticeId;
use siaga_model::config::{Argv, Config, Language, Person, Role};
use siaga_model::downtime::{Channel, ChannelKind, Contact, OnCall, Unit};
use siaga_model::event::{Actor, ActorProof, EventBody};
use siaga_model::incident::{FirstSign, IncidentEntry, IncidentKind, Origin};
use siaga_model::notice::{Moment, NoticeEntry};
use siaga_model::notice_api::{NoticeAct, NoticeAnswer, NoticeFacts, NoticeRefusal, NoticeView};
use std::path::Path;
use std::time::Duration;

/// A site whose program writes what it is given into files of `dir`, and fails while the file `broken` is there.
pub fn site(dir: &Path) -> Config {
    let mut config = config();
    let script = format!(
        "cd {}; echo x >> calls; [ -e broken ] && {{ echo no modem >&2; exit 1; }}; cat > \"$NOTICE_DELIVERY\"; echo terkirim",
        dir.display()
    );
    let run = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
    let channel = |name: &str, kind| Channel {
        name: name.into(),
        kind,
        timeout: Duration::from_secs(20),
    };
    config.downtime.channels = vec![
        channel("sms", ChannelKind::Program { run: Argv(run) }),
        channel("hand", ChannelKind::ByHand),
    ];
    let contact = |channel: &str, address: &str| Contact {
        name: "kepala".into(),
        channel: channel.into(),
        address: address.into(),
    };
    let unit = |name: &str, language, contacts| Unit {
        name: name.into(),
        title: name.to_uppercase(),
        language,
        goes_to_paper: true,
        contacts,
    };
    config.downtime.units = vec![
        unit(
            "igd",
            Language::Indonesian,
            vec![contact("sms", "1"), contact("hand", "101")],
        ),
        unit("lab", Language::English, vec![contact("sms", "2")]),
    ];
    let person = |name: &str, role| Person {
        name: name.into(),
        role,
        login: None,
    };
    config.people = vec![
        person("budi", Role::Operator),
        person("ratna", Role::Communicator),
        person("dewi", Role::Decider),
    ];
    let on_call = |person: &str, address: &str| OnCall {
        person: person.into(),
        channel: "sms".into(),
        address: address.into(),
    };
    config.downtime.on_call = vec![on_call("budi", "b"), on_call("dewi", "d")];
    config
}

/// The incident that the notices belong to.
fn open_incident(core: &Core) {
    let row = IncidentEntry::Opened {
        number: "DT-2026-001".into(),
        kind: IncidentKind::Unplanned,
        origin: Origin::Person,
        services: vec!["simrs".into()],
        first: FirstSign::default(),
    };
    incidents::write(core, &"i1".into(), &core.agent_actor(), vec![row]).unwrap();
}

pub struct Site {
    pub agent: Agent,
    pub dir: tempfile::TempDir,
    pub flights: Flights,
}

impl Site {
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = site(dir.path());
        change(&mut config);
        let agent = backup_of(config, Router::new(), false).await;
        open_incident(&agent.core);
        Self {
            agent,
            dir,
            flights: Flights::default(),
        }
    }

    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub fn ask(&self, person: &str, asked: NoticeAct) -> NoticeAnswer {
        act(&self.agent.core, &who(person), asked)
    }

    pub fn done(&self, person: &str, asked: NoticeAct) -> NoticeId {
        match self.ask(person, asked) {
            NoticeAnswer::Done { notice } => notice.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub fn refused(&self, person: &str, asked: NoticeAct) -> NoticeRefusal {
        match self.ask(person, asked) {
            NoticeAnswer::Refused { why } => why,
            other => panic!("{other:?}"),
        }
    }

    /// One look, and what it began to its end.
    pub async fn send(&mut self) {
        step(&self.agent.core, &mut self.flights);
        self.flights.settle(&self.agent.core).await;
    }

    pub fn view(&self, notice: &NoticeId) -> NoticeView {
        let wanted = Wanted {
            notice: Some(notice.clone()),
            ..Wanted::default()
        };
        let mut all = notices(&self.agent.core, &wanted).unwrap().notices;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub fn calls(&self) -> usize {
        let calls = std::fs::read_to_string(self.dir.path().join("calls"));
        calls.unwrap_or_default().lines().count()
    }

    /// The texts that were sent.
    pub fn sent(&self, notice: &NoticeId) -> Vec<String> {
        let mut files: Vec<_> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| {
                p.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(notice.as_str())
            })
            .collect();
        files.sort();
        files
            .iter()
            .map(|f| std::fs::read_to_string(f).unwrap())
            .collect()
    }

    /// The rows of notices, by their names.
    pub fn rows(&self) -> Vec<NoticeEntry> {
        let filter = siaga_journal::Filter {
            kinds: vec!["notice".to_owned()],
            ..siaga_journal::Filter::default()
        };
        let events = self.agent.core.log.journal().events(&filter).unwrap();
        events
            .into_iter()
            .filter_map(|e| match e.event.body {
                EventBody::Notice { entry, .. } => Some(*entry),
                _ => None,
            })
            .collect()
    }
}

pub fn who(person: &str) -> Who {
    Who {
        actor: Actor {
            name: person.to_owned(),
            how: ActorProof::Stated,
        },
        person: Some(person.into()),
    }
}

pub fn draft(moment: Moment, release: bool) -> NoticeAct {
    NoticeAct::Draft {
        moment,
        incident: Some("i1".into()),
        units: Vec::new(),
        facts: Box::new(NoticeFacts {
            sentence: Some("sedang diperiksa".into()),
            ..NoticeFacts::default()
        }),
        release,
    }
}
