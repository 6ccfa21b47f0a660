//! "Did you mean": the closest of some known words.

/// The known word that is closest to `word`, where one is close enough to be meant.
pub fn closest(word: &str, known: &[impl AsRef<str>]) -> Option<String> {
    let lower = word.to_lowercase();
    let limit = (lower.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|k| (closeness(&lower, k.as_ref()), k.as_ref()))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k.to_owned())
}

/// A singular, a plural or a word without its tail counts as close: `virtual_ips`, `services`, `device_path`.
fn closeness(word: &str, known: &str) -> usize {
    let known_lower = known.to_lowercase();
    if word.len() >= 4
        && known_lower.len() >= 4
        && (word.starts_with(&known_lower) || known_lower.starts_with(word))
    {
        return 1;
    }
    edits(word, &known_lower)
}

/// Levenshtein's distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let known = ["address", "network", "interface", "virtual_ip"];
        assert_eq!(closest("adress", &known).as_deref(), Some("address"));
        assert_eq!(
            closest("virtual_ips", &known).as_deref(),
            Some("virtual_ip")
        );
        assert_eq!(closest("Interfaces", &known).as_deref(), Some("interface"));
        assert_eq!(closest("colour", &known), None);
        assert_eq!(closest("xy", &known), None);
    }
}
