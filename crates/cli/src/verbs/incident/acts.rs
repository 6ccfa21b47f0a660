//! What the verbs of `siaga incident` ask the agent to write.

use super::words::{Class, Estimate, Impact, IncidentVerb, Open, Review};
use crate::context::Context;
use crate::fault::Fault;
use crate::when;
use siaga_model::UtcMicros;
use siaga_model::incident::{
    BackEntry, FirstSign, Level, Range, Review as Written, Scope, UnitImpact,
};
use siaga_model::incident_api::{IncidentAct, PersonEstimate};
use siaga_words::RecordLabel;
use siaga_words::{Setup, setup};

/// The act of a verb that writes.
///
/// # Errors
/// Where a time or a span can't be read.
pub fn act(ctx: &Context, verb: &IncidentVerb) -> Result<IncidentAct, Fault> {
    Ok(match verb.clone() {
        // These only look; the caller has taken them out.
        IncidentVerb::List { .. } | IncidentVerb::Show { .. } => IncidentAct::Note {
            text: String::new(),
        },
        IncidentVerb::Open(open) => opened(ctx, open)?,
        IncidentVerb::Confirm { class } => {
            let (scope, level) = class_of(&class);
            IncidentAct::Confirm { scope, level }
        }
        IncidentVerb::Classify { kind, class } => {
            let (scope, level) = class_of(&class);
            let kind = kind.map(Into::into);
            IncidentAct::Classify { kind, scope, level }
        }
        IncidentVerb::Time { which, at, reason } => IncidentAct::EnterTime {
            time: which.into(),
            at: match at.as_str() {
                "unknown" | "tidak-diketahui" => None,
                at => Some(time(ctx, "TIME", at)?),
            },
            reason,
        },
        IncidentVerb::Cause { category, text } => IncidentAct::GiveCause {
            category: category.into(),
            text,
        },
        IncidentVerb::Decide { text, decider } => IncidentAct::Decide {
            decision: text,
            decider,
        },
        IncidentVerb::Estimate(estimate) => IncidentAct::Estimate {
            by_person: estimated(ctx, &estimate)?,
        },
        IncidentVerb::Update { text } => IncidentAct::Update { text },
        IncidentVerb::Note { text } => IncidentAct::Note { text },
        IncidentVerb::Acknowledge => IncidentAct::Acknowledge,
        IncidentVerb::Restored => IncidentAct::Restored,
        IncidentVerb::AllClear => IncidentAct::AllClear,
        IncidentVerb::Withdraw { reason } => IncidentAct::Withdraw { reason },
        IncidentVerb::Merge { into } => IncidentAct::MergeInto { incident: into },
        IncidentVerb::Impact(impact) => impact_of(impact),
        IncidentVerb::BackEntry {
            unit,
            forms,
            entered,
            verified_by,
        } => IncidentAct::BackEntry {
            entry: BackEntry {
                unit,
                forms,
                entered,
                verified_by,
            },
        },
        IncidentVerb::Review(review) => reviewed(review),
        IncidentVerb::Action {
            number,
            text,
            owner,
            due,
        } => IncidentAct::Action {
            number,
            text,
            owner,
            due,
        },
        IncidentVerb::ActionDone { number } => IncidentAct::ActionDone { number },
        IncidentVerb::Sign { part } => IncidentAct::Sign { part: part.into() },
        IncidentVerb::Close { reason } => IncidentAct::Close { reason },
    })
}

fn opened(ctx: &Context, open: Open) -> Result<IncidentAct, Fault> {
    let (scope, level) = class_of(&open.class);
    let offline_at = open.offline_at.as_deref();
    Ok(IncidentAct::Open {
        kind: open.kind.into(),
        services: open.services,
        first: FirstSign {
            symptom: open.symptom,
            reported_by: open.by,
            unit: open.unit,
            medium: open.medium,
        },
        scope,
        level,
        offline_at: offline_at
            .map(|at| time(ctx, "--offline-at", at))
            .transpose()?,
    })
}

fn class_of(class: &Class) -> (Option<Scope>, Option<Level>) {
    (class.scope.map(Into::into), class.level.map(Into::into))
}

fn impact_of(impact: Impact) -> IncidentAct {
    IncidentAct::Impact {
        impact: UnitImpact {
            unit: impact.unit,
            affected: impact.affected.map(Into::into),
            went_to_paper: impact.paper.map(Into::into),
            count: impact.count,
            note: impact.note,
        },
    }
}

fn reviewed(review: Review) -> IncidentAct {
    IncidentAct::Review {
        review: Written {
            root_cause: review.root_cause,
            went_well: review.went_well,
            went_badly: review.went_badly,
            procedure_change: review.procedure_change,
            data_check: review.data_check,
            last_backup: review.last_backup,
        },
    }
}

/// A range of a person, "not yet known", or nothing: the computed one.
fn estimated(ctx: &Context, estimate: &Estimate) -> Result<Option<PersonEstimate>, Fault> {
    if estimate.unknown {
        return Ok(Some(PersonEstimate { range: None }));
    }
    let (Some(low), Some(likely), Some(high)) = (&estimate.low, &estimate.likely, &estimate.high)
    else {
        return Ok(None);
    };
    let said = |label| siaga_words::record_label(&ctx.voice, label);
    let span = |name: &str, text: &str| {
        let no_span = || Fault::Usage(format!("{name}: {text:?} {}", said(RecordLabel::NoSpan)));
        when::span_s(text).ok_or_else(no_span)
    };
    let range = Range {
        low_s: span("--low", low)?,
        likely_s: span("--likely", likely)?,
        high_s: span("--high", high)?,
    };
    if range.low_s > range.likely_s || range.likely_s > range.high_s {
        return Err(Fault::Usage(said(RecordLabel::SpansNotInOrder).to_owned()));
    }
    Ok(Some(PersonEstimate { range: Some(range) }))
}

fn time(ctx: &Context, name: &str, text: &str) -> Result<UtcMicros, Fault> {
    when::since(text, &ctx.site.time_zone, when::now()).map_err(|when::NotATime| {
        let text = Setup::NotATime {
            option: name.to_owned(),
            text: text.to_owned(),
        };
        Fault::Usage(setup(ctx.voice.language, &text))
    })
}
