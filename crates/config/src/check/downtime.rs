//! Units, the on-call list, and the rules for incidents and notices.

use super::{Context, channels, told};
use crate::cause::{Cause, ContactKind, Thing};
use crate::choices::ChannelSort;
use crate::raw;
use crate::read::{Opt, Req, Spot};
use crate::scalars::{Name, Text};
use siaga_model::config::{Language, Site};
use siaga_model::downtime::{Contact, Downtime, OnCall, Rules, Unit};
use siaga_model::{ChannelName, PersonName, UnitName};
use std::collections::BTreeMap;

/// What is known of the channels, by their names. `None`: its kind could not be read.
pub(super) type Sorts = BTreeMap<String, Option<ChannelSort>>;

pub(super) fn downtime(
    file: &raw::File,
    site: Option<&Site>,
    context: &mut Context<'_>,
) -> Option<Downtime> {
    let sorts: Sorts = file
        .channel
        .0
        .iter()
        .filter_map(|c| {
            let name = c.value.name.value()?.0.clone();
            Some((name, c.value.kind.value().map(|k| k.0)))
        })
        .collect();
    let channels = channels::channels(&file.channel, context);
    let language = site.map(|s| s.language).unwrap_or_default();
    let units = units(file, &sorts, language, context);
    let on_call = on_call(file, &sorts, context);
    let reach = told::reach(file, &sorts, context);
    let rules = rules(file, context);
    Some(Downtime {
        units: units?,
        channels: channels?,
        on_call: on_call?,
        reach: reach?,
        rules,
    })
}

fn units(
    file: &raw::File,
    sorts: &Sorts,
    language: Language,
    context: &mut Context<'_>,
) -> Option<Vec<Unit>> {
    context.unique(
        Thing::Unit,
        file.unit.0.iter().filter_map(|u| u.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let all: Vec<Option<Unit>> = file
        .unit
        .0
        .iter()
        .map(|u| unit(&u.value, sorts, language, context))
        .collect();
    all.into_iter().collect()
}

fn unit(
    raw: &raw::Unit,
    sorts: &Sorts,
    language: Language,
    context: &mut Context<'_>,
) -> Option<Unit> {
    // The same address twice would be told twice.
    let told: Vec<_> = raw
        .contact
        .0
        .iter()
        .filter_map(|c| {
            let (channel, address) = (c.value.channel.value()?, c.value.address.spot.as_ref()?);
            Some(Spot {
                value: format!("{} ({})", address.value.0, channel.0),
                at: address.at.clone(),
                key: address.key.clone(),
            })
        })
        .collect();
    context.unique(Thing::Contact, &told, String::clone);
    let contacts: Vec<Option<Contact>> = raw
        .contact
        .0
        .iter()
        .map(|c| contact(&c.value, sorts, context))
        .collect();
    Some(Unit {
        name: UnitName::new(raw.name.value()?.0.clone()),
        title: raw.title.value()?.0.clone(),
        language: raw.language.value().map_or(language, |l| l.0),
        goes_to_paper: raw.paper.value().copied().unwrap_or(true),
        contacts: contacts.into_iter().collect::<Option<_>>()?,
    })
}

fn contact(raw: &raw::Contact, sorts: &Sorts, context: &mut Context<'_>) -> Option<Contact> {
    let sort = known_channel(&raw.channel, sorts, context);
    address(sort, &raw.channel, &raw.address, context);
    Some(Contact {
        name: raw.name.value()?.0.clone(),
        channel: ChannelName::new(raw.channel.value()?.0.clone()),
        address: raw.address.or_text(""),
    })
}

/// The channel's kind, where there is such a channel.
pub(super) fn known_channel(
    channel: &Req<Name>,
    sorts: &Sorts,
    context: &mut Context<'_>,
) -> Option<ChannelSort> {
    let spot = channel.0.as_ref()?;
    match sorts.get(&spot.value.0) {
        Some(sort) => *sort,
        None => {
            let cause = Cause::NoSuchChannel {
                name: spot.value.0.clone(),
                channels: sorts.keys().cloned().collect(),
            };
            context.sink.at(spot, cause);
            None
        }
    }
}

/// Is the address one that the channel can use?
pub(super) fn address(
    sort: Option<ChannelSort>,
    channel: &Req<Name>,
    address: &Opt<Text>,
    context: &mut Context<'_>,
) {
    let (kind, good): (ContactKind, fn(&str) -> bool) = match sort {
        Some(ChannelSort::Mail) => (ContactKind::Mail, channels::is_mail),
        Some(ChannelSort::Telegram) => (ContactKind::Chat, channels::is_chat),
        // A webhook and a program know where their texts go; by hand, whatever helps the person.
        Some(ChannelSort::Webhook | ChannelSort::Program | ChannelSort::ByHand) | None => return,
    };
    match (&address.spot, &channel.0) {
        (Some(spot), _) if !good(&spot.value.0) => {
            let found = spot.value.0.clone();
            context.sink.at(spot, Cause::BadContact { found, kind });
        }
        (None, Some(channel)) if !address.written => {
            let name = "address".to_owned();
            context.sink.at(channel, Cause::MissingKey { name });
        }
        _ => {}
    }
}

fn on_call(file: &raw::File, sorts: &Sorts, context: &mut Context<'_>) -> Option<Vec<OnCall>> {
    let places: Vec<_> = file
        .on_call
        .0
        .iter()
        .filter_map(|o| {
            let person = o.value.person.0.as_ref()?;
            Some(Spot {
                value: format!(
                    "{} ({} {})",
                    person.value.0,
                    o.value.channel.value()?.0,
                    o.value.address.or_text("")
                ),
                at: person.at.clone(),
                key: person.key.clone(),
            })
        })
        .collect();
    context.unique(Thing::OnCall, &places, String::clone);
    let people: Vec<String> = file
        .person
        .0
        .iter()
        .filter_map(|p| p.value.name.value().map(|n| n.0.clone()))
        .collect();
    // A person whose own name is wrong can't be looked for.
    let whole = people.len() == file.person.0.len();
    let people = whole.then_some(&people[..]);
    let all: Vec<Option<OnCall>> = file
        .on_call
        .0
        .iter()
        .map(|o| alerted(&o.value, people, sorts, context))
        .collect();
    all.into_iter().collect()
}

fn alerted(
    raw: &raw::OnCall,
    people: Option<&[String]>,
    sorts: &Sorts,
    context: &mut Context<'_>,
) -> Option<OnCall> {
    if let (Some(person), Some(people)) = (&raw.person.0, people)
        && !people.contains(&person.value.0)
    {
        let cause = Cause::NoSuchPerson {
            name: person.value.0.clone(),
            people: people.to_vec(),
        };
        context.sink.at(person, cause);
    }
    told::by_itself(&raw.channel, &raw.address, sorts, context);
    Some(OnCall {
        person: PersonName::new(raw.person.value()?.0.clone()),
        channel: ChannelName::new(raw.channel.value()?.0.clone()),
        address: raw.address.or_text(""),
    })
}

fn rules(file: &raw::File, context: &mut Context<'_>) -> Rules {
    let default = Rules::default();
    let Some(raw) = file.downtime.value() else {
        return default;
    };
    if let Some(dir) = &raw.template_dir.spot
        && let Some(cause) = crate::host::template_dir_problem(&dir.value.0, context.host)
    {
        context.sink.at(dir, cause);
    }
    let span = |opt: &Opt<crate::scalars::Span>, or| opt.value().map_or(or, |s| s.0);
    Rules {
        alert_after: span(&raw.alert_after, default.alert_after),
        escalate_after: span(&raw.escalate_after, default.escalate_after),
        update_every: span(&raw.update_every, default.update_every),
        watch_for: span(&raw.watch_for, default.watch_for),
        back_entry_within: raw
            .back_entry_within
            .value()
            .map_or(default.back_entry_within, |s| s.0),
        release: raw.release.value().map_or(default.release, |r| r.0),
        bypass_after: raw
            .bypass_after
            .value()
            .map_or(default.bypass_after, |b| b.0),
        template_dir: raw.template_dir.value().map(|d| d.0.clone()),
        contact: raw.contact.or_text(&default.contact),
        availability_target_milli_pct: raw.availability_target.value().map(|p| p.0),
        drill_every_days: raw
            .drill_every_days
            .value()
            .map_or(default.drill_every_days, |c| c.0),
        procedure_review_due: raw.procedure_review_due.value().map(|d| d.0.clone()),
        remind: told::remind(raw, file, context).unwrap_or(default.remind),
        seal_to: told::seal_to(raw, file, context),
        ack: told::ack(raw, context),
    }
}
