//! The search for secrets where none belongs: as they are, and in whatever form something may have written them.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter ones would be found by chance.
const SHORTEST: usize = 8;

/// One path segment or query value, escaped.
pub fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Secrets by what they are, each in all of its forms.
#[derive(Default)]
pub struct Search {
    forms: BTreeMap<Vec<u8>, String>,
}

impl Search {
    /// A written secret.
    pub fn text(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= SHORTEST, "{name} would be found by chance");
        self.form(name, "percent-encoded", escape(secret));
        self.form(name, "in JSON", serde_json::to_string(secret).unwrap().trim_matches('"'));
        self.bytes(name, secret.as_bytes());
        // `lg?_`, then bytes: of a handle its row's id and the secret, of a derived token its MAC at the end.
        if let Some(raw) = secret.get(4..).filter(|_| secret.starts_with("lg"))
            && let Ok(raw) = URL_SAFE_NO_PAD.decode(raw)
            && raw.len() >= 32
        {
            self.bytes(name, &raw[raw.len() - 32..]);
        }
    }

    /// Secret bytes.
    pub fn bytes(&mut self, name: &str, secret: &[u8]) {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        self.form(name, "raw", secret);
        self.form(name, "in HEX", hex.to_uppercase());
        self.form(name, "in hex", hex);
        // Within other text, at each of the three places that a byte may have in a group; the ends depend on what is beside.
        for offset in 0..3 {
            let padded = [&[0; 2][..offset], secret].concat();
            for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
                let inner = &encoded[if offset == 0 { 0 } else { 4 }..encoded.len() - encoded.len() % 4];
                if inner.len() >= SHORTEST {
                    self.form(name, "in base64", inner);
                }
            }
        }
    }

    fn form(&mut self, name: &str, how: &str, form: impl AsRef<[u8]>) {
        let form = form.as_ref();
        if form.len() >= SHORTEST {
            self.forms.entry(form.to_vec()).or_insert_with(|| format!("{name}, {how}"));
        }
    }

    pub fn len(&self) -> usize {
        self.forms.len()
    }

    /// What is found, by name and form; never the secret.
    pub fn find(&self, place: &[u8]) -> Vec<&str> {
        let forms: Vec<&Vec<u8>> = self.forms.keys().collect();
        let names: Vec<&String> = self.forms.values().collect();
        let machine = AhoCorasick::new(forms).unwrap();
        let mut found: Vec<&str> =
            machine.find_overlapping_iter(place).map(|at| names[at.pattern()].as_str()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    #[track_caller]
    pub fn assert_none_in(&self, what: &str, place: &[u8]) {
        let found = self.find(place);
        assert!(found.is_empty(), "{what} has {found:?}");
    }
}

/// It finds what is there, in each form, between other things.
#[test]
fn a_planted_secret_is_found_in_each_form() {
    let secret = "pa55word/of+a=test ü";
    let mut search = Search::default();
    search.text("it", secret);
    assert!(search.find(b"nothing of it is here, pa55word").is_empty());
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut places = vec![secret.to_owned(), escape(secret), hex.to_uppercase(), hex];
    for before in ["", "u", "us", "use", "user:"] {
        let text = format!("{before}{secret}{before}");
        places.extend([STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
    }
    for place in places {
        assert!(!search.find(format!("before {place} after").as_bytes()).is_empty(), "{place}");
    }
    let mut handles = Search::default();
    handles.text("handle", &format!("lgc_{}", URL_SAFE_NO_PAD.encode([7; 48])));
    assert_eq!(handles.find(&[&[1; 20][..], &[7; 32]].concat()), ["handle, raw"], "its secret half, stored raw");
}
