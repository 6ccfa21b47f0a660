//! Breaks texts into lines.

use crate::metrics::Font;

/// Lines no wider than `width` points. A word that is too long is cut.
pub(crate) fn wrap(text: &str, font: Font, size: f32, width: f32) -> Vec<String> {
    break_lines(text, &|line| font.width(line, size) <= width)
}

/// Lines of at most so many characters.
pub(crate) fn wrap_chars(text: &str, many: usize) -> Vec<String> {
    break_lines(text, &|line| line.chars().count() <= many)
}

fn break_lines(text: &str, fits: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = match line.is_empty() {
                true => word.to_owned(),
                false => format!("{line} {word}"),
            };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line = cut(word, fits, &mut lines);
        }
        lines.push(line);
    }
    lines
}

/// Cuts a word into lines as far as it does not fit; the rest is the beginning of the next line.
fn cut(word: &str, fits: &dyn Fn(&str) -> bool, lines: &mut Vec<String>) -> String {
    let mut line = String::new();
    for c in word.chars() {
        let mut longer = line.clone();
        longer.push(c);
        if !fits(&longer) && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            longer = c.to_string();
        }
        line = longer;
    }
    line
}

/// A command in lines of at most so many characters, so that a shell reads them as one: a line that goes on ends in a
/// backslash, and none is broken inside quotes.
pub(crate) fn wrap_command(command: &str, many: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in shell_words(command) {
        let longer = match line.is_empty() {
            true => word.clone(),
            false => format!("{line} {word}"),
        };
        if longer.chars().count() + 2 <= many || line.is_empty() {
            line = longer;
        } else {
            lines.push(format!("{line} \\"));
            line = format!("    {word}");
        }
    }
    lines.push(line);
    lines
}

/// Cut at spaces that stand in no quotes.
fn shell_words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, ' ') => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        word.push(c);
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_it_may_be_and_nothing_is_lost() {
        let text = "Petugas operasional memastikan  server lama\nbenar-benar mati: Pneumonoultramicroscopic";
        for width in [20.0, 60.0, 200.0] {
            let lines = wrap(text, Font::Plain, 9.0, width);
            let fits = |l: &String| Font::Plain.width(l, 9.0) <= width || l.chars().count() == 1;
            assert!(lines.iter().all(fits), "{lines:?}");
            let squeezed = |t: &str| t.split_whitespace().collect::<String>();
            assert_eq!(squeezed(&lines.concat()), squeezed(text));
        }
        assert_eq!(wrap("", Font::Plain, 9.0, 50.0), [""]);
    }

    #[test]
    fn a_broken_command_is_still_one_command() {
        let command = "mount -t ext4 -o noatime,nodev /dev/disk/by-id/x '/srv/a b/c d e f g h'";
        let lines = wrap_command(command, 30);
        assert!(lines.len() > 2);
        let (last, others) = lines.split_last().expect("lines");
        assert!(others.iter().all(|l| l.ends_with(" \\")) && !last.ends_with('\\'));
        assert!(lines.iter().any(|l| l.contains("'/srv/a b/c d e f g h'")));
        let joined: Vec<&str> = lines
            .iter()
            .map(|l| l.trim_end_matches('\\').trim())
            .collect();
        assert_eq!(joined.join(" "), command);
    }
}
