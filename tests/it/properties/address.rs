//! What is proposed in place of an address that can never match.

use leadgate::domain::nearest_address;
use proptest::prelude::*;
use proptest::sample::select;

use super::holds;

const ORIGIN: &str = r"https://[a-z]{1,8}\.test(:[1-9][0-9]{3})?";
const PATH: &str = r"(/[a-z]{1,5}){1,3}";

/// How an address is spoilt that was copied from somewhere. None changes which page it means.
fn spoilt(address: &str, by: &str) -> String {
    let rest = address.strip_prefix("https://").unwrap();
    let (host, behind) = rest.split_at(rest.find([':', '/']).unwrap_or(rest.len()));
    match by {
        "upper case" => format!("HTTPS://{}{behind}", host.to_ascii_uppercase()),
        "no scheme" => rest.to_owned(),
        "a user" => format!("https://user:secret@{rest}"),
        "a wildcard" => format!("https://*.{rest}"),
        "a dot" => format!("https://{host}.{behind}"),
        "a fragment" => format!("{address}#top"),
        "spaces" => format!("  {address}\t"),
        "quotes" => format!("\"{address}\","),
        "its port" if !behind.starts_with(':') => format!("https://{host}:443{behind}"),
        "backslashes" => address.replace('/', "\\"),
        _ => address.to_owned(),
    }
}

const WAYS: [&str; 10] = [
    "upper case",
    "no scheme",
    "a user",
    "a wildcard",
    "a dot",
    "a fragment",
    "spaces",
    "quotes",
    "its port",
    "backslashes",
];

proptest! {
    #[test]
    fn b6_what_was_meant_is_found(origin in ORIGIN, path in PATH, way in select(&WAYS[..])) {
        let address = format!("{origin}{path}");
        let spoilt = spoilt(&address, way);
        let found = |text: Option<String>| text.unwrap_or_else(|| panic!("nothing is proposed for {spoilt}"));
        prop_assert_eq!(found(nearest_address::origin(&spoilt).map(String::from)), origin);
        prop_assert_eq!(found(nearest_address::return_url(&spoilt).map(String::from)), address.clone());
        prop_assert_eq!(found(nearest_address::redirect_uri(&spoilt).map(String::from)), address);
    }

    #[test]
    fn b6_what_is_proposed_can_be_registered(text in prop_oneof![
        any::<String>(),
        r"[a-zA-Z.:/*@#?\\\[\]0-9 -]{0,40}",
        r"(https?|HTTP|com\.a|ftp)?(://?|:)?([a-z*@:]{0,4}\.){0,2}(localhost|test|127\.1)\.?(:[0-9]{0,6})?[/?#a-z=&]{0,9}",
    ]) {
        holds::of_address(&text);
    }
}
