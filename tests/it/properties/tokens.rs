//! What claims to be signed: JWTs of ours, clients' assertions, DPoP proofs, and the keys that clients name.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::signed;

/// Members of a header, good ones and those by which an attacker chooses.
const MEMBERS: [&str; 20] = [
    r#""alg":"EdDSA""#,
    r#""alg":"none""#,
    r#""alg":"HS256""#,
    r#""alg":"ES256""#,
    r#""alg":["EdDSA"]"#,
    r#""typ":"at+jwt""#,
    r#""typ":"JWT""#,
    r#""typ":"dpop+jwt""#,
    r#""typ":"client-authentication+jwt""#,
    r#""typ":null"#,
    r#""kid":"@KID@""#,
    r#""kid":"../../dev/null""#,
    r#""kid":null"#,
    r#""jwk":@JWK@"#,
    r#""jwk":{"kty":"oct","k":"AAAA"}"#,
    r#""jku":"https://evil.test/""#,
    r#""x5u":null"#,
    r#""x5c":[]"#,
    r#""crit":["b64"]"#,
    r#""b64":false"#,
];

const CLAIMS: [&str; 16] = [
    r#""iss":"app""#,
    r#""sub":"app""#,
    r#""sub":"other""#,
    r#""aud":"a""#,
    r#""aud":["a","b"]"#,
    r#""aud":[]"#,
    r#""exp":1700000000"#,
    r#""exp":-1.5e300"#,
    r#""exp":"1""#,
    r#""iat":1e18"#,
    r#""nbf":9223372036854775807"#,
    r#""jti":"one""#,
    r#""jti":"""#,
    r#""htm":"POST""#,
    r#""htu":"https://auth.test/oauth/token""#,
    r#""ath":null"#,
];

fn object(members: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec(select(members), 0..9).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// What each of the three takes, with one thing added to it.
fn header() -> impl Strategy<Value = String> {
    let good = select(vec![
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"@KID@""#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"@KID@""#,
        r#"{"alg":"EdDSA""#,
        r#"{"alg":"EdDSA","typ":"dpop+jwt","jwk":@JWK@"#,
    ]);
    let near = (good, proptest::option::of(select(&MEMBERS[..])))
        .prop_map(|(good, more)| more.map_or(format!("{good}}}"), |more| format!("{good},{more}}}")));
    prop_oneof![3 => near, 2 => object(&MEMBERS), 1 => any::<String>()]
}

fn claims() -> impl Strategy<Value = String> {
    let whole = select(vec![
        r#"{"iss":"app","sub":"app","aud":"a","exp":1,"jti":"one"}"#,
        r#"{"htm":"POST","htu":"https://auth.test/","iat":1,"jti":"one"}"#,
    ]);
    prop_oneof![2 => whole.prop_map(str::to_owned), 2 => object(&CLAIMS), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn i3_whatever_is_signed_is_of_one_type_and_chose_nothing(header in header(), claims in claims()) {
        signed::of_jwt(&header, claims.as_bytes());
        signed::of_assertion(&header, claims.as_bytes());
        signed::of_proof(&header, claims.as_bytes());
    }

    #[test]
    fn i3_what_nobody_signed_is_refused(text: String, near in r"[A-Za-z0-9_-]{0,60}(\.[A-Za-z0-9_-]{0,60}){0,4}") {
        signed::of_unsigned(&text);
        signed::of_unsigned(&near);
    }

    #[test]
    fn any_key_set_is_taken_or_refused(text: String, at: Index, piece in "[\\[\\]{}\":,a-z0-9]{0,4}") {
        let good = include_str!("../../../fuzz/seeds/client_keys/ec");
        signed::of_client_keys(&text);
        signed::of_client_keys(good);
        let at = at.index(good.len());
        signed::of_client_keys(&format!("{}{piece}{}", &good[..at], &good[at..]));
        signed::of_client_keys(&format!("{}{piece}{}", &good[..at], &good[(at + piece.len()).min(good.len())..]));
    }
}

/// Else the properties would be about refusals alone.
#[test]
fn what_is_good_is_taken() {
    use leadgate::crypto::client_keys::ClientKeys;
    assert!(ClientKeys::parse(include_str!("../../../fuzz/seeds/client_keys/ec")).is_ok());
    assert!(signed::is_taken_as_jwt(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"@KID@"}"#, "{}"));
    assert!(!signed::is_taken_as_jwt(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"@KID@","crit":[]}"#, "{}"));
}
