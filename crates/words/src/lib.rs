//! Everything that an operator reads, in English and Indonesian. The model says *what* is meant, with typed
//! arguments; this crate says it in words. It does nothing else.
//!
//! Each language is one exhaustive match per topic, so the compiler keeps both complete: a new variant in the model
//! does not compile here until both languages say it.
//!
//! Most functions take `impl Into<Voice>`: a bare `Language`, a `&Voice`, or the `&Config` of the site. Only a voice
//! made from the configuration knows the site's zone, and whether commands have to name the service.

mod ack_page;
mod acts;
mod acts_en;
mod acts_id;
mod advice_en;
mod advice_id;
mod api_problem;
mod downtime;
mod duty;
mod findings_en;
mod findings_id;
mod help;
mod help_downtime_id;
mod help_id;
mod help_keys_id;
mod help_notices_id;
mod help_reports_id;
mod incident_refusal;
mod lost_rows;
mod migrate;
mod migrate_en;
mod migrate_id;
mod notes_en;
mod notes_id;
mod notices;
mod paper;
mod paper_say;
mod procedure;
mod procedure_en;
mod procedure_id;
mod readiness;
mod record_label;
mod refusal;
mod rehearsal;
mod safe_en;
mod safe_id;
mod sentences_en;
mod sentences_id;
mod setup;
mod site_keys;
mod ui;
mod ui_en;
mod ui_event;
mod ui_id;
mod ui_screen;
mod ui_screen_en;
mod ui_screen_id;
mod usage;
mod voice;
mod why;
mod why_en;
mod why_id;
mod witness;
mod wizard;
mod wizard_en;
mod wizard_id;

pub use ack_page::{AckPage, ack_page};
pub use acts::{
    action, action_by_name, attest_kind, can_take_over, failure, finding, layer, move_kind,
    outcome, verb, verdict_state,
};
pub use api_problem::api_problem;
pub use downtime::{
    cause_category, ended, estimate, ground, incident_entry, incident_kind, incident_state, level,
    moment, notice_entry, origin, scope, signed_as, time_kind,
};
pub use duty::{DutyText, duty};
pub use help::{HelpWord, help, help_texts, help_word, man_section, value_name, value_names};
pub use incident_refusal::incident_refusal;
pub use lost_rows::rows_lost;
pub use migrate::{Migrate, bytes, migrate, migrate_fail, migrate_refusal, migrate_step};
pub use notices::{NoticeScreen, notice_screen};
pub use paper::{Paper, paper};
pub use paper_say::{PaperSay, paper_say};
pub use procedure::{Procedure, procedure};
pub use readiness::{check_id, check_remedy, check_status, fixed};
pub use record_label::{RecordLabel, record_label};
pub use refusal::{AdviceText, advice, refusal, refusal_code, safe_now};
pub use rehearsal::{
    index_check, integrity, production, rehearsal_ended, rehearsal_stage, rehearsal_times, tried,
};
pub use setup::{Setup, setup};
pub use site_keys::{NoBackup, SiteKeys, site_keys};
pub use ui::{Ui, ui};
pub use ui_event::event;
pub use ui_screen::{Screen, screen};
pub use usage::{UsageError, UsageNote, usage_error, usage_note};
pub use voice::{MONTHS, Voice, duration, instant};
pub use why::{evidence, holder, log_problem, note, progress, why};
pub use witness::{witness_kind, witness_says};
pub use wizard::{FreeOn, Wizard, question, question_help, wizard};

use siaga_model::config::Language;
use siaga_model::refusal::Sentence;

/// One sentence.
pub fn sentence(voice: impl Into<Voice>, sentence: &Sentence) -> String {
    let voice = voice.into();
    match voice.language {
        Language::English => sentences_en::sentence(&voice, sentence),
        Language::Indonesian => sentences_id::sentence(&voice, sentence),
    }
}
