//! Who asks: named by the kernel, by the login uid, or stated.

use crate::transport::Caller;
use siaga_model::api::MoveRequest;
use siaga_model::config::{Config, Person, Role};
use siaga_model::event::{Actor, ActorProof};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{PersonName, Why};

/// No login uid was ever set for the process (`(uid_t) -1` in `/proc/PID/loginuid`).
const NO_LOGIN: u32 = u32::MAX;

/// An actor, and the person of the site's list that it is, where that is known.
#[derive(Clone, Debug)]
pub struct Who {
    pub actor: Actor,
    pub person: Option<PersonName>,
}

/// What a request says of who asks.
#[derive(Clone, Copy, Default, Debug)]
pub struct Claims<'a> {
    /// `--as NAME`.
    pub stated: Option<&'a PersonName>,
    /// From an agent that sends an order on: whom it took the order from, and which person that is.
    pub forwarded: Option<&'a Actor>,
    pub forwarded_person: Option<&'a PersonName>,
}

impl<'a> Claims<'a> {
    /// Those of an order.
    pub fn of(request: &'a MoveRequest) -> Self {
        Self {
            stated: request.stated_actor.as_ref(),
            forwarded: request.forwarded_actor.as_ref(),
            forwarded_person: request.forwarded_person.as_ref(),
        }
    }
}

/// Names the caller of a request that acts on a server or on the service.
pub fn resolve(config: &Config, caller: &Caller, claims: Claims) -> Result<Who, Refusal> {
    let who = resolve_writer(config, caller, claims)?;
    let communicator =
        |p: &Person| Some(&p.name) == who.person.as_ref() && p.role == Role::Communicator;
    if config.people.iter().any(communicator) {
        return Err(not_allowed(&who.actor.name, Why::CommunicatorsOnlyWrite));
    }
    Ok(who)
}

/// Names the caller of a request that only writes records or notices.
pub fn resolve_writer(config: &Config, caller: &Caller, claims: Claims) -> Result<Who, Refusal> {
    let who = match caller {
        Caller::Peer(peer) if peer.is_node() => forwarded(config, peer.name(), claims)?,
        Caller::Peer(peer) => {
            return Err(not_allowed(peer.name(), Why::ProbesGiveNoOrders));
        }
        Caller::Anonymous => return Err(not_allowed("?", Why::NoCertificate)),
        Caller::Local { .. } if claims.forwarded.is_some() => {
            return Err(not_allowed("?", Why::OnlyAgentsSendOn));
        }
        Caller::Local {
            uid,
            login_uid,
            user_name,
            ..
        } => local(
            config,
            *uid,
            *login_uid,
            user_name.as_deref(),
            claims.stated,
        )?,
    };
    let viewer = |p: &Person| Some(&p.name) == who.person.as_ref() && p.role == Role::Viewer;
    if config.people.iter().any(viewer) {
        return Err(not_allowed(&who.actor.name, Why::ViewersOnlyLook));
    }
    Ok(who)
}

/// Another node's agent established who asks, and says how.
fn forwarded(config: &Config, node: &str, claims: Claims) -> Result<Who, Refusal> {
    let Some(actor) = claims.forwarded else {
        return Err(not_allowed(node, Why::PeerNamedNobody));
    };
    if matches!(
        actor.how,
        ActorProof::Forwarded { .. } | ActorProof::Agent | ActorProof::JoinToken
    ) {
        return Err(not_allowed(&actor.name, Why::SentOnOnce));
    }
    let person = match claims.forwarded_person {
        Some(name) if config.people.iter().any(|p| &p.name == name) => Some(name.clone()),
        Some(name) => {
            return Err(not_allowed(name.as_str(), Why::NotOnThisServersList));
        }
        None => None,
    };
    Ok(Who {
        actor: Actor {
            name: actor.name.clone(),
            how: ActorProof::Forwarded {
                node: node.into(),
                how: Box::new(actor.how.clone()),
            },
        },
        person,
    })
}

fn local(
    config: &Config,
    uid: u32,
    login_uid: Option<u32>,
    user_name: Option<&str>,
    stated: Option<&PersonName>,
) -> Result<Who, Refusal> {
    if uid != 0 {
        let name = user_name.map_or_else(|| format!("uid {uid}"), str::to_owned);
        if stated.is_some() {
            return Err(not_allowed(&name, Why::OnlyRootMayState));
        }
        let person = config
            .people
            .iter()
            .find(|p| p.login.as_deref() == Some(&name));
        return Ok(Who {
            actor: Actor {
                name: person.map_or(name, |p| p.name.to_string()),
                how: ActorProof::PeerCredentials { uid },
            },
            person: person.map(|p| p.name.clone()),
        });
    }
    if let Some(stated) = stated {
        let Some(person) = config.people.iter().find(|p| &p.name == stated) else {
            return Err(not_allowed(stated.as_str(), Why::NotOnThePeopleList));
        };
        return Ok(Who {
            actor: Actor {
                name: person.name.to_string(),
                how: ActorProof::Stated,
            },
            person: Some(person.name.clone()),
        });
    }
    let login_uid = login_uid.filter(|l| *l != NO_LOGIN).unwrap_or(0);
    let login = (login_uid != 0)
        .then(|| crate::transport::peercred::user_name(login_uid))
        .flatten();
    let person = login.as_deref().and_then(|l| {
        config
            .people
            .iter()
            .find(|p| p.login.as_deref() == Some(l))
            .map(|p| p.name.clone())
    });
    let name = match (&person, login) {
        (Some(person), _) => person.to_string(),
        (None, Some(login)) => login,
        (None, None) => "root".to_owned(),
    };
    Ok(Who {
        actor: Actor {
            name,
            how: ActorProof::RootLogin { login_uid },
        },
        person,
    })
}

fn not_allowed(actor: &str, why: Why) -> Refusal {
    Refusal {
        code: RefusalCode::NotAllowed,
        sentence: Sentence::RefusedNotAllowed {
            actor: actor.to_owned(),
            why,
        },
        evidence: Vec::new(),
        next: vec![Advice::Status],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{PeerIdentity, Role as Machine};

    fn config() -> Config {
        let text = include_str!("../../../../examples/full.toml");
        let (mut config, _) =
            siaga_config::parse(text, &siaga_config::HostChecks::default()).unwrap();
        let person = |name: &str, role, login: Option<&str>| Person {
            name: name.into(),
            role,
            login: login.map(str::to_owned),
        };
        config.people = vec![
            person("Budi Santoso", Role::Operator, Some("budi")),
            person("Siti", Role::Decider, None),
            person("Tamu", Role::Viewer, Some("tamu")),
            person("Ratna", Role::Communicator, Some("ratna")),
        ];
        config
    }

    fn peer(name: &str, role: Machine) -> Caller {
        Caller::Peer(PeerIdentity {
            name: name.into(),
            role,
            cert_expired: false,
            days_left: 300,
            not_yet_valid: false,
        })
    }

    fn account(uid: u32, login_uid: Option<u32>, name: &str) -> Caller {
        Caller::Local {
            pid: 1,
            uid,
            gid: uid,
            groups: Vec::new(),
            login_uid,
            user_name: Some(name.into()),
        }
    }

    fn actor(name: &str) -> Actor {
        Actor {
            name: name.into(),
            how: ActorProof::PeerCredentials { uid: 1000 },
        }
    }

    #[test]
    fn a_forwarded_actor_is_believed_from_another_node_only() {
        let (config, actor) = (config(), actor("Budi Santoso"));
        let claims = Claims {
            forwarded: Some(&actor),
            ..Claims::default()
        };
        let others = [
            peer("client1", Machine::Probe),
            account(0, None, "root"),
            account(1000, Some(1000), "budi"),
            Caller::Anonymous,
        ];
        for caller in others {
            let refused = resolve(&config, &caller, claims).unwrap_err();
            assert_eq!(refused.code, RefusalCode::NotAllowed, "{caller:?}");
        }
        let who = resolve(&config, &peer("backup", Machine::Node), claims).unwrap();
        assert_eq!(
            who.actor.how,
            ActorProof::Forwarded {
                node: "backup".into(),
                how: Box::new(ActorProof::PeerCredentials { uid: 1000 }),
            }
        );
    }

    #[test]
    fn a_forwarded_account_with_a_persons_name_is_not_that_person() {
        let (config, node) = (config(), peer("backup", Machine::Node));
        let (account, person) = (actor("Siti"), PersonName::from("Siti"));
        let mut claims = Claims {
            forwarded: Some(&account),
            ..Claims::default()
        };
        assert_eq!(resolve(&config, &node, claims).unwrap().person, None);
        claims.forwarded_person = Some(&person);
        let who = resolve(&config, &node, claims).unwrap();
        assert_eq!(who.person, Some(person.clone()));
        let stranger = PersonName::from("Somebody");
        claims.forwarded_person = Some(&stranger);
        assert!(resolve(&config, &node, claims).is_err());
    }

    #[test]
    fn a_communicator_writes_and_touches_no_server() {
        let (config, ratna) = (config(), account(1003, Some(1003), "ratna"));
        let refused = resolve(&config, &ratna, Claims::default()).unwrap_err();
        assert_eq!(refused.code, RefusalCode::NotAllowed);
        let writer = resolve_writer(&config, &ratna, Claims::default()).unwrap();
        assert_eq!(writer.person, Some("Ratna".into()));
        let viewer = account(1001, Some(1001), "tamu");
        assert!(resolve_writer(&config, &viewer, Claims::default()).is_err());
    }

    #[test]
    fn an_order_is_sent_on_once() {
        let (config, node) = (config(), peer("backup", Machine::Node));
        let twice = Actor {
            name: "budi".into(),
            how: ActorProof::Forwarded {
                node: "serverdb".into(),
                how: Box::new(ActorProof::Stated),
            },
        };
        let claims = Claims {
            forwarded: Some(&twice),
            ..Claims::default()
        };
        assert!(resolve(&config, &node, claims).is_err());
    }

    #[test]
    fn a_viewers_account_may_not_act_and_an_unlisted_one_may_under_its_own_name() {
        let config = config();
        let of = |caller: &Caller| resolve(&config, caller, Claims::default());
        assert!(of(&account(1001, Some(1001), "tamu")).is_err());
        let listed = of(&account(1000, Some(1000), "budi")).unwrap();
        assert_eq!(listed.person, Some("Budi Santoso".into()));
        let unlisted = of(&account(1002, Some(1002), "Siti")).unwrap();
        assert_eq!(
            (unlisted.person, unlisted.actor.name.as_str()),
            (None, "Siti")
        );
        let viewer = actor("Tamu");
        let person = PersonName::from("Tamu");
        let claims = Claims {
            forwarded: Some(&viewer),
            forwarded_person: Some(&person),
            ..Claims::default()
        };
        assert!(resolve(&config, &peer("backup", Machine::Node), claims).is_err());
    }
}
