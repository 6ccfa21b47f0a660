//! Texts of the screens about notices.

use crate::voice::Voice;
use siaga_model::config::Language;

/// A text with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoticeScreen {
    /// Above a text that is shown with values of no downtime.
    MadeUp,
}

/// A text in words.
pub fn notice_screen(voice: impl Into<Voice>, text: &NoticeScreen) -> String {
    let voice = voice.into();
    match voice.language {
        Language::English => english(&voice, text),
        Language::Indonesian => indonesian(&voice, text),
    }
}

fn english(_voice: &Voice, text: &NoticeScreen) -> String {
    match text {
        NoticeScreen::MadeUp => "--- an example: every value is made up ---".to_owned(),
    }
}

fn indonesian(_voice: &Voice, text: &NoticeScreen) -> String {
    match text {
        NoticeScreen::MadeUp => "--- contoh: semua nilai di bawah ini rekaan ---".to_owned(),
    }
}
