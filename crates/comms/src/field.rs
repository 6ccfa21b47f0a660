//! The fields of a template. One set of names for both languages.

use siaga_model::notice::Moment;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// A place in a template that a value takes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Field { $($(#[$doc])* $name,)* }

        impl Field {
            /// All of them.
            pub const ALL: &[Field] = &[$(Field::$name,)*];

            /// As it is written in a template, without its braces.
            pub fn name(self) -> &'static str {
                match self { $(Field::$name => $word,)* }
            }
        }
    };
}
fields! {
    /// The hospital.
    Site => "site",
    /// Whom units may call.
    Contact => "contact",
    /// The time at which the text is written.
    Now => "now",
    /// The incident's number.
    Number => "number",
    /// The services, separated by commas.
    Services => "services",
    /// When it was reported.
    Reported => "reported",
    /// Since when it is down.
    Start => "start",
    /// A range of times, or "not yet known".
    Estimate => "estimate",
    /// "changed to" or "still".
    EstimateChange => "estimate_change",
    /// When the next news comes.
    NextUpdate => "next_update",
    /// A sentence: use paper forms, or not yet.
    Paper => "paper",
    /// Since when it works again.
    Restored => "restored",
    /// Until when it is watched.
    WatchUntil => "watch_until",
    /// How long it was down.
    Downtime => "downtime",
    /// By when paper forms are to be entered.
    BackEntryDue => "back_entry_due",
    /// The planned work's day and hours.
    Window => "window",
    /// The time of the notice that is withdrawn.
    Earlier => "earlier",
    /// A person's one sentence.
    Sentence => "sentence",
}

impl Field {
    /// The field of that name.
    pub fn by_name(name: &str) -> Option<Field> {
        Field::ALL.iter().copied().find(|f| f.name() == name)
    }

    /// May a text of that moment say it? A suspicion comes with no estimate: nobody knows yet what it is.
    pub fn fits(self, moment: Moment) -> bool {
        let estimate = matches!(self, Field::Estimate | Field::EstimateChange);
        !(estimate && moment == Moment::Suspected)
    }
}

/// What a text of that moment must say.
pub fn required(moment: Moment) -> &'static [Field] {
    match moment {
        Moment::Suspected | Moment::Action => &[Field::NextUpdate],
        Moment::Confirmed => &[Field::Start, Field::Estimate, Field::NextUpdate],
        Moment::Update => &[Field::Sentence, Field::Estimate, Field::NextUpdate],
        Moment::Restored => &[Field::Restored, Field::WatchUntil],
        Moment::AllClear => &[Field::Restored, Field::Downtime, Field::BackEntryDue],
        Moment::Planned => &[Field::Window],
        Moment::FollowUp => &[Field::Sentence],
        Moment::Withdrawn => &[Field::Earlier],
    }
}
