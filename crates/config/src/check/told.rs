//! Where people of the site are told what is no alert, who is reminded, and the page on which units acknowledge.

use super::downtime::{Sorts, address, known_channel};
use super::{Context, channels};
use crate::cause::{Cause, Thing};
use crate::choices::{ChannelSort, RoleWord};
use crate::host::secret_problem;
use crate::raw;
use crate::read::{Opt, Place, Read, Req, Sink, Spot};
use crate::scalars::{Name, Text};
use siaga_model::downtime::{AckPage, OnCall, Remind};
use siaga_model::{ChannelName, PersonName};
use toml::de::DeValue;

/// The addresses that people have beside the on-call list.
pub(super) fn reach(
    file: &raw::File,
    sorts: &Sorts,
    context: &mut Context<'_>,
) -> Option<Vec<OnCall>> {
    let mut all: Vec<Option<OnCall>> = Vec::new();
    for person in &file.person.0 {
        let told: Vec<Spot<String>> = person
            .value
            .contact
            .0
            .iter()
            .filter_map(|c| {
                let channel = c.value.channel.0.as_ref()?;
                Some(Spot {
                    value: format!("{} ({})", c.value.address.or_text(""), channel.value.0),
                    at: channel.at.clone(),
                    key: channel.key.clone(),
                })
            })
            .collect();
        context.unique(Thing::Contact, &told, String::clone);
        for contact in &person.value.contact.0 {
            let raw = &contact.value;
            by_itself(&raw.channel, &raw.address, sorts, context);
            let name = person.value.name.value().zip(raw.channel.value());
            all.push(name.map(|(person, channel)| OnCall {
                person: PersonName::new(person.0.clone()),
                channel: ChannelName::new(channel.0.clone()),
                address: raw.address.or_text(""),
            }));
        }
    }
    all.into_iter().collect()
}

/// A channel that sends by itself, with an address that it can use.
pub(super) fn by_itself(
    channel: &Req<Name>,
    to: &Opt<Text>,
    sorts: &Sorts,
    context: &mut Context<'_>,
) {
    let sort = known_channel(channel, sorts, context);
    if let (Some(channel), Some(ChannelSort::ByHand)) = (&channel.0, sort) {
        let cause = Cause::AlertByHand {
            channel: channel.value.0.clone(),
        };
        context.sink.at(channel, cause);
    }
    address(sort, channel, to, context);
}

/// A role's name, or a person who can be told.
pub(super) fn remind(
    raw: &raw::Downtime,
    file: &raw::File,
    context: &mut Context<'_>,
) -> Option<Remind> {
    let spot = raw.remind.spot.as_ref()?;
    let word = DeValue::String(spot.value.0.as_str().into());
    let role = RoleWord::read(&word, &Place::default(), "", &mut Sink::default());
    if let Some(role) = role {
        return Some(Remind::Role(role.0));
    }
    somebody(spot, &spot.value.0, file, context).map(Remind::Person)
}

/// The person who keeps the heads of the event chains.
pub(super) fn seal_to(
    raw: &raw::Downtime,
    file: &raw::File,
    context: &mut Context<'_>,
) -> Option<PersonName> {
    let spot = raw.seal_to.spot.as_ref()?;
    somebody(spot, &spot.value.0, file, context)
}

/// A person of the list who has an address.
fn somebody<T>(
    spot: &Spot<T>,
    name: &str,
    file: &raw::File,
    context: &mut Context<'_>,
) -> Option<PersonName> {
    let is = |account: &Req<crate::scalars::Account>| account.value().is_some_and(|a| a.0 == name);
    let Some(person) = file.person.0.iter().find(|p| is(&p.value.name)) else {
        let people = file.person.0.iter().filter_map(|p| p.value.name.value());
        let cause = Cause::NoSuchPerson {
            name: name.to_owned(),
            people: people.map(|n| n.0.clone()).collect(),
        };
        context.sink.at(spot, cause);
        return None;
    };
    let on_call = file.on_call.0.iter().any(|o| is(&o.value.person));
    if person.value.contact.0.is_empty() && !on_call {
        let name = name.to_owned();
        context.sink.at(spot, Cause::NoWayToTell { name });
    }
    Some(PersonName::new(name))
}

/// The page for acknowledgements: all three keys, or none.
pub(super) fn ack(raw: &raw::Downtime, context: &mut Context<'_>) -> Option<AckPage> {
    let written = [
        (raw.ack_url.written, "ack_url"),
        (raw.ack_listen.written, "ack_listen"),
        (raw.ack_secret_file.written, "ack_secret_file"),
    ];
    let place = None
        .or(raw.ack_url.spot.as_ref().map(|s| s.at.clone()))
        .or(raw.ack_listen.spot.as_ref().map(|s| s.at.clone()))
        .or(raw.ack_secret_file.spot.as_ref().map(|s| s.at.clone()))?;
    for (_, name) in written.iter().filter(|(written, _)| !written) {
        let name = (*name).to_owned();
        let key = format!("downtime.{name}");
        context.sink.push(&place, &key, Cause::MissingKey { name });
    }
    if let Some(url) = &raw.ack_url.spot {
        channels::private(url, context);
    }
    let listen = raw.ack_listen.spot.as_ref();
    if let Some(open) = listen.filter(|l| !l.value.0.ip().is_loopback()) {
        let address = open.value.0.to_string();
        context.sink.at(open, Cause::ListensOpenly { address });
    }
    let secret = raw.ack_secret_file.spot.as_ref();
    if let Some(spot) = secret
        && let Some(cause) = secret_problem(&spot.value.0, context.host)
    {
        context.sink.at(spot, cause);
    }
    Some(AckPage {
        url: raw.ack_url.value()?.0.trim_end_matches('/').to_owned(),
        listen: listen?.value.0,
        secret_file: secret?.value.0.clone(),
    })
}
