//! What a text may say: values only, so that nothing that should not be told gets into it. The one free text is a
//! person's sentence.

use siaga_model::UtcMicros;

/// What is known at the moment at which a text is written. What is not known is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// When the text is written: times of another day carry their date.
    pub now: UtcMicros,
    /// The incident's number for people: `DT-2026-007`.
    pub number: Option<String>,
    /// A drill is marked at the start and at the end of every text.
    pub drill: Option<Drill>,
    /// The services, as the units know them.
    pub services: Vec<String>,
    /// When it was reported or detected.
    pub reported: Option<UtcMicros>,
    /// Since when it is down.
    pub start: Option<UtcMicros>,
    /// From when to when it will work again. `None`: it can't be said yet.
    pub estimate: Option<(UtcMicros, UtcMicros)>,
    /// Is the estimate another one than the last that was told? `None`: none was told.
    pub estimate_changed: Option<bool>,
    /// When the next news comes.
    pub next_update: Option<UtcMicros>,
    /// Are paper forms to be used?
    pub paper: Option<bool>,
    /// Since when clients work again.
    pub restored: Option<UtcMicros>,
    /// Until when it is watched.
    pub watch_until: Option<UtcMicros>,
    /// How long it was down, seconds.
    pub downtime_s: Option<u64>,
    /// By when paper forms are to be entered.
    pub back_entry_due: Option<UtcMicros>,
    /// From when to when the planned work is.
    pub window: Option<(UtcMicros, UtcMicros)>,
    /// When the notice was sent that this one withdraws.
    pub earlier: Option<UtcMicros>,
    /// The one sentence of a person: what is new, what is done, what was the cause. No patient's data.
    pub sentence: Option<String>,
}

/// A rehearsal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drill {
    /// The service really stops while it lasts: every text says so.
    pub stops_service: bool,
}
