//! What browsers and scripts send around a body: cookies, the `Authorization` header, the query of a click and of JSONP.

use leadgate::domain::jsonp::Callback;
use leadgate::web::extract::Pairs;
use proptest::prelude::*;
use proptest::sample::select;

use super::holds;

/// The challenge of RFC 7636 appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn click() -> impl Strategy<Value = String> {
    let value = |good: Vec<&'static str>| prop_oneof![3 => select(good).prop_map(str::to_owned), 1 => "[ -~é]{0,20}"];
    let origins = vec!["https://a.test", "https://b.test", "https://c.test"];
    let returns = vec!["https://a.test/back?x=1", "https://b.test/", "https://a.test/"];
    (
        value(origins),
        value(vec!["s"]),
        value(vec![CHALLENGE]),
        value(vec!["popup", "redirect"]),
        value(returns),
        "[a-zé-]{0,60}",
    )
        .prop_map(|(origin, state, challenge, mode, return_to, lang)| {
            let pairs = [
                ("btn", "btn"),
                ("origin", &origin),
                ("state", &state),
                ("code_challenge", &challenge),
                ("mode", &mode),
                ("return_to", &return_to),
                ("lang", &lang),
            ];
            crate::support::http::form(&pairs)
        })
}

proptest! {
    #[test]
    fn any_cookies_are_taken_or_left(value: Vec<u8>, near in "(leadgate_[a-z]{1,8}=?[ -~]{0,9};? ?){0,6}") {
        holds::of_cookies(&value);
        holds::of_cookies(near.as_bytes());
    }

    #[test]
    fn h4_a_header_is_of_one_scheme_at_most(
        value: Vec<u8>, scheme in select(vec!["Bearer", "dpop", "BASIC", "Digest", "Bearer,Basic"]), rest in "[ -~\t]{0,40}",
    ) {
        holds::of_authorization(&value);
        holds::of_authorization(format!("{scheme} {rest}").as_bytes());
    }

    #[test]
    fn o2_only_a_name_is_called(query: Vec<u8>, near in r"callback(\[\]|%5B0)?=[a-z$_.0-9%(;]{0,12}(&callback=a)?") {
        holds::of_jsonp(&query);
        holds::of_jsonp(near.as_bytes());
    }

    #[test]
    fn o2_any_name_is_called(name in r"[A-Za-z_$][\w$&&[:ascii:]]{0,63}(\.[A-Za-z_$][\w$&&[:ascii:]]{0,63}){0,4}") {
        let query = Pairs::parse(format!("callback={name}").as_bytes());
        let callback = Callback::of(&query).unwrap();
        prop_assert_eq!(callback.as_ref().map(Callback::as_str), Some(name.as_str()));
    }

    #[test]
    fn a_click_leads_to_registered_pages_only(query: Vec<u8>, near in click()) {
        holds::of_click(&query);
        holds::of_click(near.as_bytes());
    }
}
