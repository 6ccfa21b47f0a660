//! A unit acknowledges by itself: by the link in its mail, or by the button of the bot. A second acknowledgement changes
//! nothing.

use super::{with_outbox, write};
use crate::core::state::Core;
use siaga_comms::{AckLink, AckSecret, Buttons, Pressed, Retry, button_data, with_link};
use siaga_journal::outbox::Due;
use siaga_journal::{Durability, JournalError};
use siaga_model::config::Language;
use siaga_model::downtime::ChannelKind;
use siaga_model::notice::{AckHow, NoticeEntry, Recipient, Text};
use siaga_model::{DeliveryId, NoticeId, UnitName};
use siaga_runner::hands::Hands;
use siaga_words::{AckPage, ack_page};
use std::sync::Arc;
use std::time::Duration;

/// How long one look for pressed buttons waits.
const LONG_POLL: Duration = Duration::from_secs(25);
/// The waits after a look that failed.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// The least time between two looks.
const BETWEEN: Duration = Duration::from_millis(500);
/// The longest name that is kept, characters.
const NAME_MOST: usize = 80;

/// What a unit was sent.
#[derive(Clone, Debug)]
pub struct ToUnit {
    pub notice: NoticeId,
    pub unit: UnitName,
    pub text: Text,
    pub contact: String,
    pub acknowledged: bool,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledged {
    Now,
    Before,
}

/// The released notice to a unit that `is` finds among the deliveries of those that `may` have it.
fn find(
    core: &Core,
    may: impl Fn(&NoticeId) -> bool,
    is: impl Fn(&Due) -> bool,
) -> Result<Option<ToUnit>, JournalError> {
    let now = core.hands.now();
    with_outbox(core, |outbox| {
        let dues = outbox.deliveries_of(&core.config.downtime, now, |id, record| {
            record.released.is_some() && may(id)
        });
        dues.into_iter().filter(is).find_map(|due| {
            let Recipient::Unit(unit) = due.to else {
                return None;
            };
            let record = outbox.notice(&due.notice)?;
            Some(ToUnit {
                acknowledged: record.acknowledged.contains_key(&unit),
                notice: due.notice,
                unit,
                text: due.text,
                contact: due.contact,
            })
        })
    })
}

/// What was sent by that delivery.
///
/// # Errors
/// Where the log can't be read.
pub fn of_delivery(core: &Core, delivery: &DeliveryId) -> Result<Option<ToUnit>, JournalError> {
    let of = |id: &NoticeId| {
        let rest = delivery.as_str().strip_prefix(id.as_str());
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    find(core, of, |due| &due.delivery == delivery)
}

/// Writes down that the unit has read it.
///
/// # Errors
/// Where the log can't be written.
pub fn acknowledge(
    core: &Core,
    told: &ToUnit,
    how: AckHow,
    by: &str,
) -> Result<Acknowledged, JournalError> {
    if told.acknowledged {
        return Ok(Acknowledged::Before);
    }
    let row = NoticeEntry::Acknowledged {
        unit: told.unit.clone(),
        how,
        by: name(by, &told.contact),
    };
    let rows = vec![(told.notice.clone(), row)];
    write(core, &core.agent_actor(), rows, Durability::Sync)?;
    Ok(Acknowledged::Now)
}

/// A reader's name as it was typed, short and in one line; else whose address it was.
fn name(typed: &str, contact: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = typed.chars().map(plain).take(NAME_MOST).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.is_empty() {
        true => contact.to_owned(),
        false => line,
    }
}

/// The text as it goes to a unit: by mail, or by a bot without buttons, with the link that acknowledges it. The link is
/// made at each sending: no row and no log holds it.
pub fn with_its_link(core: &Core, due: &Due) -> Text {
    let page = core.config.downtime.rules.ack.as_ref();
    let carries = |kind: &ChannelKind| {
        matches!(
            kind,
            ChannelKind::Mail { .. } | ChannelKind::Telegram { buttons: false, .. }
        )
    };
    let channel = core.config.downtime.channel(&due.channel);
    let (Some(page), Recipient::Unit(_), true) =
        (page, &due.to, channel.is_some_and(|c| carries(&c.kind)))
    else {
        return due.text.clone();
    };
    match AckSecret::read(&page.secret_file) {
        Ok(secret) => with_link(&due.text, &AckLink::new(&page.url, &secret, &due.delivery)),
        Err(error) => {
            // The notice matters more than its link.
            tracing::error!(%error, "a notice goes out without its link");
            due.text.clone()
        }
    }
}

/// Reads the buttons of every bot that has some, as long as this agent is the one that sends. Never ends.
pub async fn watch_buttons(core: Arc<Core>) {
    let mut bots = tokio::task::JoinSet::new();
    let all = core.config.downtime.channels.iter();
    for buttons in all.filter_map(Buttons::of) {
        bots.spawn(watch_bot(core.clone(), buttons));
    }
    while bots.join_next().await.is_some() {}
}

async fn watch_bot(core: Arc<Core>, mut buttons: Buttons) {
    let mut wait = RETRY.0;
    loop {
        if super::sender(&core).as_ref() != Some(&core.me) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        }
        let c = core.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let looked = look(&c, &mut buttons, LONG_POLL);
            (buttons, looked)
        });
        // Its thread broke: nothing more can be read of this bot until the agent starts anew.
        let Ok((back, looked)) = looked.await else {
            return;
        };
        buttons = back;
        match looked {
            Ok(()) => {
                wait = RETRY.0;
                // An API that does not wait is not asked without end.
                tokio::time::sleep(BETWEEN).await;
            }
            Err(error) => {
                tracing::warn!(%error, "the bot's buttons could not be read");
                let said = match error.retry {
                    Retry::After(said) => said,
                    Retry::Never | Retry::Backoff => wait,
                };
                tokio::time::sleep(said).await;
                wait = wait.saturating_mul(2).min(RETRY.1);
            }
        }
    }
}

/// One look: who pressed is written down, then told so. Blocks.
///
/// # Errors
/// Where the bot API did not answer, or said no.
pub fn look(
    core: &Core,
    buttons: &mut Buttons,
    wait: Duration,
) -> Result<(), siaga_comms::SendError> {
    for pressed in buttons.wait(wait)? {
        let (language, text) = took(core, &pressed);
        // Who gets no answer presses again, which changes nothing.
        let _ = buttons.answer(&pressed.query, ack_page(language, text));
    }
    Ok(())
}

fn took(core: &Core, pressed: &Pressed) -> (Language, AckPage) {
    let site = core.config.site.language;
    // From the very chat that the text went to.
    let is = |due: &Due| {
        button_data(&due.delivery) == pressed.data && pressed.chats.contains(&due.address)
    };
    let told = match find(core, |_| true, is) {
        Ok(Some(told)) => told,
        Ok(None) => return (site, AckPage::NoSuchNotice),
        Err(error) => {
            tracing::error!(%error, "the notices could not be read");
            return (site, AckPage::NotWritten);
        }
    };
    let language = told.text.language;
    match acknowledge(core, &told, AckHow::Button, &pressed.by) {
        Ok(Acknowledged::Now) => (language, AckPage::Thanks),
        Ok(Acknowledged::Before) => (language, AckPage::Already),
        Err(error) => {
            tracing::error!(%error, "an acknowledgement could not be written");
            (language, AckPage::NotWritten)
        }
    }
}
