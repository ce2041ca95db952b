//! "Did you mean": the known word that is nearest to an unknown one.

/// The nearest of `known`, where one is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|candidate| {
            let score = strsim::jaro_winkler(&word, &candidate.to_ascii_lowercase());
            (score, candidate)
        })
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// What to expect in place of an unknown word: the nearest known one, else all of them.
#[must_use]
pub fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(candidate) => format!("`{candidate}`, which is the nearest known"),
        None => one_of(known),
    }
}

/// "`a`, `b` or `c`".
#[must_use]
pub fn one_of(known: &[&str]) -> String {
    match known {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("`{}` or `{last}`", first.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["listen", "issuer", "database_url", "sandbox_token"];

    #[test]
    fn a_slip_of_the_hand_finds_its_word() {
        assert_eq!(nearest("lisen", KNOWN.iter().copied()), Some("listen"));
        assert_eq!(nearest("database-url", KNOWN.iter().copied()), Some("database_url"));
        assert_eq!(nearest("ISSUER_URL", KNOWN.iter().copied()), Some("issuer"));
    }

    #[test]
    fn a_stranger_finds_none_and_is_shown_all() {
        assert_eq!(nearest("zzz", KNOWN.iter().copied()), None);
        assert_eq!(suggestion("zzz", KNOWN), "`listen`, `issuer`, `database_url` or `sandbox_token`");
    }
}
