//! `siaga rehearse`: asked for anywhere, carried out by the agent of the standby, and broken off by any move.

mod desk;
mod work;

pub use desk::RehearsalDesk;
pub use work::look_for_left_over;

use super::actor::{self, Claims, Who};
use super::moves::{bad_request, in_progress_here, refuse, run_by};
use super::observe::observe;
use super::state::Core;
use crate::transport::Caller;
use siaga_model::config::Service;
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::rehearsal::{
    RehearsalAnswer, RehearsalRequest, RehearsalStop, RehearsalView, SourceAnswer, SourceFacts,
};
use siaga_model::{NodeName, ServiceName, Why};
use siaga_node::act::rehearsal::scratch;
use siaga_planner::rehearsal::{self, Room, Scene};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a node may take to be asked: it observes.
const ASK_WITHIN: Duration = Duration::from_secs(30);
/// How long the holder may take to say how large its data is: a large cluster has many files.
const SIZE_WITHIN: Duration = Duration::from_secs(120);

/// Answers `POST /v1/rehearsals`.
pub async fn order(
    core: &Arc<Core>,
    caller: &Caller,
    request: RehearsalRequest,
) -> RehearsalAnswer {
    match accept(core, caller, request).await {
        Ok(answer) => answer,
        Err(refusal) => RehearsalAnswer::Refused { refusal },
    }
}

async fn accept(
    core: &Arc<Core>,
    caller: &Caller,
    request: RehearsalRequest,
) -> Result<RehearsalAnswer, Refusal> {
    let service = core.service(request.service.as_ref());
    let service = service.cloned().ok_or_else(|| match &request.service {
        Some(name) => refuse(
            RefusalCode::NoSuchThing,
            Sentence::RefusedNoSuchService {
                service: name.clone(),
            },
            Advice::Status,
        ),
        None => bad_request(Why::NameTheService),
    })?;
    let claims = Claims {
        stated: request.stated_actor.as_ref(),
        forwarded: request.forwarded_actor.as_ref(),
        forwarded_person: request.forwarded_person.as_ref(),
    };
    let who = actor::resolve(&core.config, caller, claims)?;
    let observation = observe(core, &service).await;
    let scene = rehearsal::scene(&core.config, &observation)?;
    if scene.standby != core.me {
        return forward(core, &scene.standby, request, &who).await;
    }
    begin(core, &service, scene, who).await
}

/// Sends it on to the standby.
async fn forward(
    core: &Arc<Core>,
    to: &NodeName,
    mut request: RehearsalRequest,
    who: &Who,
) -> Result<RehearsalAnswer, Refusal> {
    if request.forwarded_actor.is_some() {
        return Err(bad_request(Why::NodesDisagree));
    }
    request.forwarded_actor = Some(who.actor.clone());
    request.forwarded_person.clone_from(&who.person);
    request.stated_actor = None;
    let peer = core.peers.get(to).ok_or_else(|| silent(to))?;
    let within = ASK_WITHIN + SIZE_WITHIN;
    let answer = peer.post("/v1/rehearsals", &request, within).await;
    answer.map_err(|error| {
        tracing::warn!(node = %to, %error, "the standby did not answer");
        if !error.outcome_unknown() {
            return silent(to);
        }
        let sentence = Sentence::OrderUnanswered { node: to.clone() };
        refuse(RefusalCode::OrderUnknown, sentence, Advice::Status)
    })
}

fn silent(node: &NodeName) -> Refusal {
    refuse(
        RefusalCode::PeerSilent,
        Sentence::RefusedPeerSilent { node: node.clone() },
        Advice::Status,
    )
}

/// Here: is there room, and does nothing else go on?
async fn begin(
    core: &Arc<Core>,
    service: &Service,
    scene: Scene,
    who: Who,
) -> Result<RehearsalAnswer, Refusal> {
    let going_on = |s: &Service| core.runs.going_on(&s.name);
    if let Some(live) = core.config.services.iter().find_map(going_on) {
        return Err(run_by(&in_progress_here(core, &live)));
    }
    let source = ask(core, &service.name, &scene.holder, true).await;
    let source = source.ok_or_else(|| silent(&scene.holder))?;
    let folder = folder(core, service);
    let room = room(core, &folder, source.bytes)?;
    let before = vec![source.facts, own_facts(core, &service.name).await];
    let Some(going) = core.rehearsals.begin(&service.name) else {
        return Err(refuse(
            RefusalCode::RehearsalInProgress,
            Sentence::RefusedRehearsalGoesOn {
                service: service.name.clone(),
                node: core.me.clone(),
            },
            Advice::Status,
        ));
    };
    // A move that began while this was asked for, or came and went: then the service may be here.
    let own = &before[1];
    let came = own.mount.is_some() || own.postmaster.is_some();
    if came || core.config.services.iter().any(|s| going_on(s).is_some()) {
        going.broken.off(Why::BrokenOffByMove);
    }
    let answer = RehearsalAnswer::Started {
        service: service.name.clone(),
        node: core.me.clone(),
    };
    let work = work::Work {
        core: core.clone(),
        service: service.clone(),
        holder: scene.holder,
        scratch: scratch::of(&folder, &service.name),
        bytes: source.bytes.unwrap_or_default(),
        keep_free: room.kept,
        before,
        going,
        who,
    };
    tokio::spawn(work.carry_out());
    Ok(answer)
}

/// Where copies lie on this node.
fn folder(core: &Core, service: &Service) -> PathBuf {
    let own = || core.state_dir.join("rehearsal");
    service.rehearsal.folder.clone().unwrap_or_else(own)
}

fn room(core: &Core, folder: &std::path::Path, bytes: Option<u64>) -> Result<Room, Refusal> {
    let (total, free) = scratch::room(folder).unwrap_or_default();
    // The copy itself is watched, and ends before the folder is full.
    let room = Room::of(bytes.unwrap_or_default(), total, free);
    if room.fits() {
        return Ok(room);
    }
    let (node, folder) = (core.me.clone(), folder.to_owned());
    Err(refuse(
        RefusalCode::NoRoom,
        Sentence::RefusedNoRoom {
            node: node.clone(),
            folder: folder.clone(),
            needs_mebibytes: room.needed >> 20,
            free_mebibytes: room.usable >> 20,
        },
        Advice::FreeFolder { node, folder },
    ))
}

/// This node's own part of what must not change.
pub async fn own_facts(core: &Arc<Core>, service: &ServiceName) -> SourceFacts {
    let (c, s) = (core.clone(), service.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let running = c.hands.rehearsal_source(&s);
        let desk = c.desks.get(&s);
        let ledger = desk.map(|d| d.bench.lock().ledger.facts());
        (running, ledger.unwrap_or_default())
    });
    let (running, ledger) = looked.await.unwrap_or_default();
    SourceFacts {
        node: core.me.clone(),
        boot: core.boot.clone(),
        system_identifier: running.system_identifier,
        timeline: running.timeline,
        postmaster: running.postmaster,
        mount: running.mount,
        highest: ledger.highest,
        last_take: ledger.last_take,
    }
}

/// Answers `GET /v1/rehearsal-source`.
pub async fn source(core: &Arc<Core>, service: &ServiceName, size: bool) -> SourceAnswer {
    let facts = own_facts(core, service).await;
    let (c, s) = (core.clone(), service.clone());
    let measure = move || size.then(|| c.hands.data_size(&s)).flatten();
    let bytes = tokio::task::spawn_blocking(measure).await;
    SourceAnswer {
        facts,
        bytes: bytes.ok().flatten(),
    }
}

/// What a node says of itself. `None`: it does not answer.
async fn ask(
    core: &Arc<Core>,
    service: &ServiceName,
    node: &NodeName,
    size: bool,
) -> Option<SourceAnswer> {
    let path = format!("/v1/rehearsal-source?service={service}&size={size}");
    let within = if size { SIZE_WITHIN } else { ASK_WITHIN };
    core.peers.get(node)?.get(&path, within).await.ok()
}

/// Answers `GET /v1/rehearsals`, here or of the standby: at the next change, or after `wait`.
///
/// # Errors
/// Why the standby did not answer.
pub async fn view(
    core: &Arc<Core>,
    service: &ServiceName,
    node: &NodeName,
    wait: Duration,
) -> Result<RehearsalView, String> {
    if node == &core.me {
        return Ok(core.rehearsals.view_after(service, wait).await);
    }
    let peer = core.peers.get(node).ok_or("no way to it")?;
    let wait_ms = wait.as_millis();
    let path = format!("/v1/rehearsals?service={service}&node={node}&wait_ms={wait_ms}");
    let answer = peer.poll(&path, wait + ASK_WITHIN).await;
    answer.map_err(|e| e.to_string())
}

/// Answers `POST /v1/rehearsals/stop`, here or at the standby.
///
/// # Errors
/// Why the standby did not answer.
pub async fn stop(core: &Arc<Core>, stop: &RehearsalStop) -> Result<RehearsalView, String> {
    if stop.node == core.me {
        core.rehearsals.break_off(&stop.service, &Why::BrokenOff);
        return Ok(core.rehearsals.view(&stop.service));
    }
    let peer = core.peers.get(&stop.node).ok_or("no way to it")?;
    let answer = peer.post("/v1/rehearsals/stop", stop, ASK_WITHIN).await;
    answer.map_err(|e| e.to_string())
}
