//! Which redirect URIs can be registered, and what matches one.

use leadgate::domain::redirect_uri::RedirectUri;
use proptest::prelude::*;
use proptest::sample::select;

use super::holds;

const WEB: &str = r"https://[a-z]{1,8}\.test(:[1-9][0-9]{3})?(/[a-z.~-]{0,2}[a-z]){1,3}(\?[a-z]=[0-9&=]{0,3})?";
const LOOPBACK: &str = r"http://(127\.0\.0\.1|\[::1\]|localhost)(:[1-9][0-9]{3})?(/[a-z]{1,5}){0,2}";
const PRIVATE_USE: &str = r"com\.example\.[a-z]{1,5}:/[a-z]{0,5}";

/// What two parsers read differently.
const TELLING: [&str; 33] = [
    "",
    "/",
    "//",
    "\\",
    "@",
    ":",
    ":0",
    ":80",
    ":443",
    ":8080",
    "?",
    "#",
    ".",
    "..",
    "%2f",
    "%2e",
    "%",
    "&code=1",
    ";",
    "*",
    "\t",
    "\r\n",
    "\0",
    " ",
    "localhost",
    ".evil.test",
    "u:p@",
    "\u{3002}",
    "\u{ff0f}",
    "[",
    "]",
    "HTTPS",
    "ﬁ",
];

const PATH: &str = "(/[a-z]{1,5}){0,2}";

fn host() -> impl Strategy<Value = &'static str> {
    select(&["127.0.0.1", "[::1]", "localhost"][..])
}

/// A port as it stands in an address; http's own is left out.
fn port() -> impl Strategy<Value = String> {
    let number = prop_oneof![select(&[1, 79, 80, 81, 443, u16::MAX][..]), 1..=u16::MAX];
    number.prop_map(|port| if port == 80 { String::new() } else { format!(":{port}") })
}

fn no_port() -> impl Strategy<Value = String> {
    let telling = [":", ":0", ":80", ":080", ":65536", ":+1", ":-1", ":1.", ":1:2", "1", ".evil.test", "@evil.test"];
    prop_oneof![
        select(telling.to_vec()).prop_map(str::to_owned),
        ":0[0-9]{1,5}",
        ":[1-9][0-9]{5,20}",
        ":[0-9]{0,3}[^0-9/?#]"
    ]
}

/// How an attacker varies an address.
#[derive(Debug, Clone)]
struct Change {
    at: usize,
    /// `at` counts only the places beside punctuation.
    at_seam: bool,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// So many characters give way to these.
    Instead(usize, String),
    OtherCase,
    PercentEncoded,
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop_oneof![select(&TELLING[..]).prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    let instead = (0..6_usize, piece).prop_map(|(gone, piece)| Kind::Instead(gone, piece));
    let kind = prop_oneof![6 => instead, 1 => Just(Kind::OtherCase), 1 => Just(Kind::PercentEncoded)];
    (any::<usize>(), any::<bool>(), kind).prop_map(|(at, at_seam, kind)| Change { at, at_seam, kind })
}

/// `text`, which is ASCII, with the change made.
fn changed(text: &str, change: &Change) -> String {
    let is_punctuation = |at: usize| text.as_bytes().get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let is_seam = |at: &usize| is_punctuation(*at) || *at > 0 && is_punctuation(at - 1);
    let places: Vec<usize> = (0..=text.len()).filter(|at| !change.at_seam || is_seam(at)).collect();
    let (before, after) = text.split_at(places[change.at % places.len()]);
    let (there, rest) = after.split_at(after.len().min(1));
    match &change.kind {
        Kind::Instead(gone, piece) => format!("{before}{piece}{}", &after[(*gone).min(after.len())..]),
        Kind::OtherCase if there.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            format!("{before}{}{rest}", there.to_ascii_uppercase())
        }
        Kind::OtherCase => format!("{before}{}{rest}", there.to_ascii_lowercase()),
        Kind::PercentEncoded => {
            format!("{before}{}{rest}", there.bytes().map(|b| format!("%{b:02x}")).collect::<String>())
        }
    }
}

proptest! {
    #[test]
    fn b3_only_the_registered_bytes_match(text in prop_oneof![WEB, PRIVATE_USE], change in change()) {
        let uri = RedirectUri::parse(&text).unwrap();
        let changed = changed(&text, &change);
        prop_assert!(uri.matches(&text));
        prop_assert_eq!(uri.matches(&changed), changed == text);
    }

    #[test]
    fn b5_any_port_of_the_loopback_interface_matches(host in host(), path in PATH, one in port(), other in port()) {
        let registered = RedirectUri::parse(&format!("http://{host}{one}{path}")).unwrap();
        let requested = format!("http://{host}{other}{path}");
        prop_assert!(registered.matches(&requested), "{} {}", registered, requested);
    }

    #[test]
    fn b5_what_is_no_port_does_not_match(host in host(), path in PATH, one in port(), other in no_port()) {
        let registered = RedirectUri::parse(&format!("http://{host}{one}{path}")).unwrap();
        let requested = format!("http://{host}{other}{path}");
        prop_assert!(!registered.matches(&requested), "{} {}", registered, requested);
    }

    #[test]
    fn b5_nothing_else_of_the_loopback_interface_varies(text in LOOPBACK, change in change()) {
        RedirectUri::parse(&text).unwrap();
        holds::of_redirect_uri(&text, &changed(&text, &change));
    }

    #[test]
    fn any_text_is_taken_or_refused(registered: String, requested: String) {
        holds::of_redirect_uri(&registered, &requested);
    }

    #[test]
    fn what_looks_like_an_address_is_taken_or_refused(
        text in prop_oneof![WEB, LOOPBACK, PRIVATE_USE],
        (one, other) in (change(), change()),
    ) {
        holds::of_redirect_uri(&changed(&text, &one), &changed(&text, &other));
    }
}
