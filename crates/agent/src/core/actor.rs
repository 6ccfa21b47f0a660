//! Who asks: named by the kernel, by the login uid, or stated.

use super::state::Core;
use crate::transport::Caller;
use siaga_model::config::{Person, Role};
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

/// Names the caller of a request that changes something.
pub fn resolve(
    core: &Core,
    caller: &Caller,
    stated: Option<&PersonName>,
    forwarded: Option<&Actor>,
) -> Result<Who, Refusal> {
    let who = match caller {
        Caller::Peer(_) => match forwarded {
            Some(actor) => Who {
                actor: actor.clone(),
                person: listed(core, &actor.name),
            },
            None => return Err(not_allowed("peer", Why::PeerNamedNobody)),
        },
        Caller::Anonymous => return Err(not_allowed("?", Why::NoCertificate)),
        Caller::Local {
            uid,
            login_uid,
            user_name,
            ..
        } => local(core, *uid, *login_uid, user_name.as_deref(), stated)?,
    };
    let viewer = |p: &Person| Some(&p.name) == who.person.as_ref() && p.role == Role::Viewer;
    if core.config.people.iter().any(viewer) {
        return Err(not_allowed(&who.actor.name, Why::ViewersOnlyLook));
    }
    Ok(who)
}

fn local(
    core: &Core,
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
        let person = core
            .config
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
        let Some(person) = core.config.people.iter().find(|p| &p.name == stated) else {
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
        core.config
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

fn listed(core: &Core, name: &str) -> Option<PersonName> {
    core.config
        .people
        .iter()
        .find(|p| p.name.as_str() == name)
        .map(|p| p.name.clone())
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
