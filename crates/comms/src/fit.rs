//! Texts in the length that a channel takes.

use siaga_model::config::Language;
use siaga_model::downtime::ChannelKind;
use siaga_model::notice::Text;

/// What stands at the start and at the end of every text of a drill.
pub fn drill_mark(language: Language) -> &'static str {
    match language {
        Language::English => "[DRILL - NOT A REAL EVENT]",
        Language::Indonesian => "[SIMULASI - BUKAN KEJADIAN SEBENARNYA]",
    }
}

/// What a shortened text says of it.
const CUT: &str = " […]";

/// The longest text that a channel of that kind takes, in UTF-16 units: the bot API counts so, and nobody counts more.
pub fn limit(kind: &ChannelKind) -> usize {
    match kind {
        ChannelKind::Mail { .. } | ChannelKind::Webhook { .. } => 10_000,
        ChannelKind::Telegram { .. } | ChannelKind::ByHand => 4_096,
        ChannelKind::Program { .. } => 2_000,
    }
}

/// The text with its subject as its first line, for channels that have no subject of their own. A drill's mark stands
/// at the start once.
pub fn whole(text: &Text) -> String {
    let mark = drill_mark(text.language);
    let body = match text.subject.starts_with(mark) {
        true => text.body.strip_prefix(mark).unwrap_or(&text.body),
        false => &text.body,
    };
    format!("{}\n{}", text.subject, body.trim_start())
}

/// Shortened to `most` UTF-16 units, at a word, with a mark. A drill's mark at the end stays there.
pub fn fit(text: &str, most: usize, language: Language) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mark = drill_mark(language);
    let (text, tail) = match text.trim_end().strip_suffix(mark) {
        Some(text) => (text.trim_end(), format!("\n{mark}")),
        None => (text, String::new()),
    };
    let room = most.saturating_sub(units(&tail));
    cut(text, room) + &tail
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `most` UTF-16 units, cut at a word.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(units(CUT));
    let mut used = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > room {
            break;
        }
        end = at + c.len_utf8();
    }
    let kept = &text[..end];
    // A word that is longer than all the room is cut where it is.
    let word = match text[end..].starts_with(char::is_whitespace) {
        true => Some(end),
        false => kept.rfind(char::is_whitespace),
    };
    let kept = word.filter(|w| *w > 0).map_or(kept, |w| &kept[..w]);
    format!("{}{CUT}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_word_and_says_so() {
        assert_eq!(cut("satu dua tiga", 20), "satu dua tiga");
        assert_eq!(cut("satu dua tiga empat lima", 14), "satu dua […]");
        assert_eq!(cut("satu dua tiga empat lima", 17), "satu dua tiga […]");
        let long = "x".repeat(50);
        assert_eq!(units(&cut(&long, 20)), 20);
    }

    #[test]
    fn a_drill_is_marked_at_its_end_however_short_the_text_must_be() {
        let language = Language::Indonesian;
        let mark = drill_mark(language);
        let text = format!("{mark}\n{}\n{mark}", "kata ".repeat(2000));
        for most in [100, 500, 2000, 4096] {
            let short = fit(&text, most, language);
            assert!(units(&short) <= most, "{most}");
            assert!(short.starts_with(mark) && short.ends_with(mark), "{short}");
            assert!(short.contains("[…]"));
        }
    }

    #[test]
    fn a_character_that_counts_twice_is_not_torn() {
        let text = "😀".repeat(3000);
        assert!(units(&fit(&text, 4096, Language::English)) <= 4096);
    }
}
