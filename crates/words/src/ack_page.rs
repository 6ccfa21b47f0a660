//! What a unit reads on the page where it acknowledges, and what the bot answers to its button.

use siaga_model::config::Language;

/// A text of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AckPage {
    /// The page's title.
    Title,
    /// Before the field with the reader's name.
    YourName,
    /// On the button.
    Confirm,
    /// It is written down.
    Thanks,
    /// Somebody of the unit has done so before.
    Already,
    /// The link leads nowhere.
    NoSuchNotice,
    /// Too many ask at once.
    Busy,
    /// It could not be written down.
    NotWritten,
}

/// The text in that language.
pub fn ack_page(language: Language, text: AckPage) -> &'static str {
    let (english, indonesian) = match text {
        AckPage::Title => (
            "Notice of the information system",
            "Pemberitahuan sistem informasi",
        ),
        AckPage::YourName => (
            "Your name (may be left empty)",
            "Nama Anda (boleh dikosongkan)",
        ),
        AckPage::Confirm => ("We have read this", "Kami sudah membaca ini"),
        AckPage::Thanks => ("Thank you, it is recorded.", "Terima kasih, sudah dicatat."),
        AckPage::Already => (
            "It is recorded already. Thank you.",
            "Sudah tercatat sebelumnya. Terima kasih.",
        ),
        AckPage::NoSuchNotice => (
            "This link leads to no notice. Please call IT.",
            "Tautan ini tidak menunjuk ke pemberitahuan mana pun. Mohon hubungi unit TI.",
        ),
        AckPage::Busy => (
            "Too many ask at the moment. Please try again in a minute.",
            "Terlalu banyak permintaan saat ini. Mohon coba lagi sebentar lagi.",
        ),
        AckPage::NotWritten => (
            "It could not be recorded. Please try again, or call IT.",
            "Belum dapat dicatat. Mohon coba lagi, atau hubungi unit TI.",
        ),
    };
    match language {
        Language::English => english,
        Language::Indonesian => indonesian,
    }
}
