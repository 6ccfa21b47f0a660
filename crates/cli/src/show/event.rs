//! One event on one line.

use super::padded;
use crate::context::Context;
use siaga_model::api::EventView;
use siaga_model::event::{Actor, ActorProof};
use siaga_words::{Ui, ui};

/// Time in the site's zone, node, service, what happened, who.
pub fn line(ctx: &Context, view: &EventView) -> String {
    let event = &view.event;
    let service = event.service.as_ref().map_or("-", |s| s.as_str());
    let mut text = format!(
        "{}  {} {} {}",
        ctx.voice.instant(view.at),
        padded(view.node.as_str(), 10),
        padded(service, 10),
        siaga_words::event(&ctx.voice, &event.body),
    );
    if let Some(actor) = &event.actor {
        text.push_str(&format!(" - {}", who(ctx, actor)));
    }
    text
}

fn who(ctx: &Context, actor: &Actor) -> String {
    match &actor.how {
        ActorProof::Stated => format!("{} ({})", actor.name, ui(&ctx.voice, Ui::StatedNotProved)),
        ActorProof::Forwarded { node, how } => {
            let stated = matches!(**how, ActorProof::Stated)
                .then(|| format!(" ({})", ui(&ctx.voice, Ui::StatedNotProved)));
            format!("{} @ {node}{}", actor.name, stated.unwrap_or_default())
        }
        ActorProof::PeerCredentials { .. }
        | ActorProof::RootLogin { .. }
        | ActorProof::JoinToken
        | ActorProof::Agent => actor.name.clone(),
    }
}
