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

/// A place, how many characters go there, and what comes instead.
fn change() -> impl Strategy<Value = (usize, usize, String)> {
    let piece = prop_oneof![select(&TELLING[..]).prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    (any::<usize>(), 0..4_usize, piece)
}

/// `text`, which is ASCII, with the change made.
fn changed(text: &str, (at, gone, piece): &(usize, usize, String)) -> String {
    let at = at % (text.len() + 1);
    let end = (at + gone).min(text.len());
    format!("{}{piece}{}", &text[..at], &text[end..])
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
    fn b5_any_port_of_the_loopback_interface_matches(
        host in select(&["127.0.0.1", "[::1]", "localhost"][..]),
        path in "(/[a-z]{1,5}){0,2}",
        ports in (1..=u16::MAX, 1..=u16::MAX),
    ) {
        // http's own port is left out.
        let on = |port: u16| if port == 80 { format!("http://{host}{path}") } else { format!("http://{host}:{port}{path}") };
        let uri = RedirectUri::parse(&on(ports.0)).unwrap();
        prop_assert!(uri.matches(&on(ports.1)));
        prop_assert!(uri.matches(&on(80)));
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
