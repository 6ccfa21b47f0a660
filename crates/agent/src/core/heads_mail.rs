//! Once a month the heads of the event chains go to a person outside IT: who rewrites the log on both servers can't
//! rewrite that message.

use super::duties::{is_day, local};
use super::notices::{with_outbox, write};
use super::state::Core;
use super::tell::name_of;
use siaga_journal::{Durability, JournalError};
use siaga_model::notice::{About, NoticeEntry};
use siaga_model::{PersonName, UtcMicros};
use siaga_runner::hands::Hands;
use std::sync::Arc;

/// Sends them where this month's were not sent yet.
pub async fn send_heads(core: &Arc<Core>) {
    let Some(person) = core.config.downtime.rules.seal_to.clone() else {
        return;
    };
    match due(core) {
        Ok(false) => return,
        Ok(true) => {}
        Err(error) => return tracing::error!(%error, "the log could not be read"),
    }
    let c = core.clone();
    // Reads every row.
    let sealed = tokio::task::spawn_blocking(move || siaga_journal::seal::seal(&c.state_dir, None));
    let sent = match sealed.await {
        Ok(Ok(seal)) => send(core, person, &seal),
        Ok(Err(error)) => Err(error),
        Err(_) => return,
    };
    if let Err(error) = sent {
        tracing::error!(%error, "the heads of the log could not be sent");
    }
}

/// The month of now, and its first moment at the site.
fn month(core: &Core) -> (String, UtcMicros) {
    let now = local(core, core.hands.now());
    let first = now.first_of_month().and_then(|day| day.start_of_day());
    let first = first.map_or(0, |day| day.timestamp().as_microsecond());
    (now.strftime("%Y-%m").to_string(), UtcMicros(first))
}

fn due(core: &Core) -> Result<bool, JournalError> {
    let now = core.hands.now();
    let (_, first) = month(core);
    let name = name_of(first, "heads");
    let told = with_outbox(core, |o| {
        o.notice(&name).is_some() || o.pause(now).is_some()
    })?;
    Ok(!told && is_day(core, now))
}

fn send(
    core: &Core,
    person: PersonName,
    seal: &siaga_model::seal::Seal,
) -> Result<(), JournalError> {
    let (month, first) = month(core);
    let language = core.config.site.language;
    let now = core.hands.now();
    let templates = &core.notices.templates;
    let row = NoticeEntry::Message {
        text: siaga_comms::event_heads(templates, language, &month, seal, now),
        about: About::EventHeads { month },
        to: vec![person],
    };
    let rows = vec![(name_of(first, "heads"), row)];
    write(core, &core.agent_actor(), rows, Durability::Sync)
}
