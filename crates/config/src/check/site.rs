//! Site, document, people, policy.

use super::Context;
use crate::cause::{Cause, Thing};
use crate::raw;
use crate::read::{Many, Opt, Req};
use crate::scalars::Text;
use siaga_model::PersonName;
use siaga_model::config::{Document, Person, Policy, Site};

pub(super) fn site(site: &Req<raw::Site>) -> Option<Site> {
    let site = site.value()?;
    Some(Site {
        name: site.name.value()?.0.clone(),
        language: site.language.value().map(|l| l.0).unwrap_or_default(),
        time_zone: site.time_zone.value()?.0.clone(),
    })
}

pub(super) fn document(document: &Opt<raw::Document>) -> Document {
    let Some(document) = document.value() else {
        return Document::default();
    };
    let texts = |many: &Many<Text>| many.0.iter().map(|t| t.value.0.clone()).collect();
    Document {
        title: document.title.or_text(""),
        number: document.number.or_text(""),
        revision: document.revision.or_text(""),
        issued_on: document.issued_on.or_text(""),
        approved_by: document.approved_by.or_text(""),
        policy: texts(&document.policy),
        related_units: texts(&document.related_units),
    }
}

pub(super) fn people(people: &Many<raw::Person>, context: &mut Context<'_>) -> Option<Vec<Person>> {
    context.unique(
        Thing::Person,
        people.0.iter().filter_map(|p| p.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    context.unique(
        Thing::Login,
        people.0.iter().filter_map(|p| p.value.login.spot.as_ref()),
        |n| n.0.clone(),
    );
    people
        .0
        .iter()
        .map(|person| {
            Some(Person {
                name: PersonName::new(person.value.name.value()?.0.clone()),
                role: person.value.role.value()?.0,
                login: person.value.login.value().map(|l| l.0.clone()),
            })
        })
        .collect()
}

pub(super) fn policy(policy: &Opt<raw::Policy>, context: &mut Context<'_>) -> Policy {
    let default = Policy::default();
    let Some(raw) = policy.value() else {
        return default;
    };
    let policy = Policy {
        rto: raw.rto.value().map_or(default.rto, |s| s.0),
        drill_budget: raw
            .drill_budget
            .value()
            .map_or(default.drill_budget, |s| s.0),
        witness_fresh: raw
            .witness_fresh
            .value()
            .map_or(default.witness_fresh, |s| s.0),
        peer_timeout: raw
            .peer_timeout
            .value()
            .map_or(default.peer_timeout, |s| s.0),
        coordinator_silence: raw
            .coordinator_silence
            .value()
            .map_or(default.coordinator_silence, |s| s.0),
        fence_delay: raw.fence_delay.value().map_or(default.fence_delay, |s| s.0),
        start_after_building_power_loss: raw
            .start_after_building_power_loss
            .value()
            .copied()
            .unwrap_or(default.start_after_building_power_loss),
    };
    // A coordinator must have had the time to be slow before somebody covers it.
    let place = raw
        .coordinator_silence
        .spot
        .as_ref()
        .or(raw.peer_timeout.spot.as_ref());
    if let (Some(place), true) = (place, policy.coordinator_silence <= policy.peer_timeout) {
        context.sink.at(
            place,
            Cause::PolicyOrder {
                silence_ms: policy.coordinator_silence.as_millis(),
                timeout_ms: policy.peer_timeout.as_millis(),
            },
        );
    }
    policy
}
