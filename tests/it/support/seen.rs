//! Secrets that answers hand out, whatever their test is about: at the end of the test, what is left of it is searched for them
//! (rules N5, R9).

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::search::Search;

/// More of the same would be found where these are.
const MOST: usize = 64;

static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes what an answer hands out.
pub fn note(answer: &str) {
    let mut seen = SEEN.lock().unwrap();
    for secret in secrets(answer) {
        if seen.len() < MOST {
            seen.insert(secret.to_owned());
        }
    }
}

fn secrets(answer: &str) -> impl Iterator<Item = &str> {
    answer
        .split(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)))
        .map(|word| word.trim_matches('.'))
        .filter(|word| kind(word).is_some())
}

/// What kind of secret it looks like, by which it may be named aloud.
fn kind(word: &str) -> Option<&str> {
    let is_handle = word.len() >= 40 && word.starts_with("lg") && word.as_bytes()[3] == b'_';
    let is_jwt = word.len() >= 80 && word.starts_with("eyJ") && word.matches('.').count() == 2;
    let is_webhook_secret = word.len() >= 24 && word.starts_with("whsec_");
    (is_handle || is_jwt || is_webhook_secret).then(|| &word[..4])
}

/// The search for all that was seen so far.
pub fn search() -> Search {
    let mut search = Search::default();
    for secret in SEEN.lock().unwrap().iter() {
        search.text(kind(secret).unwrap_or_default(), secret);
        if let Some(raw) = secret.strip_prefix("whsec_") {
            search.text("whsec_", raw);
        }
    }
    search
}

#[test]
fn what_an_answer_hands_out_is_noted() {
    let handle = format!("lgr_{}", "A".repeat(48));
    let signed = format!("eyJ{}.{}.{}", "h".repeat(40), "c".repeat(40), "s".repeat(40));
    let hook = format!("whsec_{}", "S".repeat(32));
    let answer =
        format!("{{\"refreshToken\":\"{handle}\",\"id_token\":\"{signed}\"}}\nSet-Cookie: a=b; x=lgr_short; {hook}.");
    assert_eq!(secrets(&answer).collect::<Vec<_>>(), [&handle, &signed, &hook]);
    note(&answer);
    assert!(SEEN.lock().unwrap().len().min(MOST) >= 3, "and kept, among those that the process knows");
}
